"""One writer of a subject at a time: who decides by what is stored what to store next holds the subject's lock.

The lock ends with its process, however that ends. Readers need none: what they find is whole or not there. An object
store has no locks: there, two runs must not store the same subject at once.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock

from warehouse.files.storage import describe_os_errors
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse, lock_path

# A file is tried for this often: a trial's files are stored in about 50 ms.
_POLL_S = 0.01


@contextmanager
def one_writer(warehouse: Warehouse, key: SessionKey) -> Iterator[None]:
    """Waits until nobody else stores anything of this subject. WarehouseError if nothing can be written there."""
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
