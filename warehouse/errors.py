"""Errors of the store itself, as opposed to the data (TrialRejected) and the call (ValueError)."""


class WarehouseError(Exception):
    """A file can't be read or written; the message names the path and says what to do."""


class MissingFile(WarehouseError):
    """There is no file at this path."""
