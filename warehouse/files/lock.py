"""One writer per subject at a time: a process that reads what is stored to decide what to store next holds a lock.

The lock ends with its process, however that ends. Readers need no lock: a file is either whole or absent. An object
store has no locks, so two runs must not store the same subject there at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from warehouse.files.storage import describe_os_errors
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse, lock_path

# How often the lock is tried; a trial's files are stored in about 50 ms.
_POLL_S = 0.01


@contextmanager
def one_writer(warehouse: Warehouse, key: SessionKey) -> Iterator[None]:
    """Wait until no other process is storing this subject. WarehouseError if the lock file can't be written."""
    if not warehouse.is_local:
        yield
        return
    path = Path(lock_path(warehouse, key))
    lock = FileLock(path, poll_interval=_POLL_S)
    with describe_os_errors("lock", str(path)):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
