"""What a model has that arrays can't say."""


class Unsupported(Exception):  # noqa: N818 - a finding about a model, which its reader acts on
    """The message names the part and what it is."""
