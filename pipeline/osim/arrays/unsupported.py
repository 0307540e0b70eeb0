"""What a model has that arrays can't say."""


class Unsupported(Exception):
    """The message names the part and what it is."""
