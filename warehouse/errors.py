"""What goes wrong with the store itself, as opposed to the data (TrialRejected) or the call (ValueError)."""


class WarehouseError(Exception):
    """The warehouse can't be read or written here; the message names the path and what to do."""


class MissingFile(WarehouseError):
    """Nothing has been stored under this key yet."""
