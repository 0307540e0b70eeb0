"""One training at a time into one run folder: two would overwrite each other's work."""

from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from warehouse.files.storage import describe_os_errors


class RunLock:
    """Locks a run's folder until `release`, or until the process ends, however it ends."""

    def __init__(self, out: Path) -> None:
        """ValueError if another training holds the lock, WarehouseError if its file can't be written beside `out`."""
        self._file = out.with_name(f".{out.name}.lock")
        # Any thread may release it, not only the one that took it.
        self._lock = FileLock(self._file, blocking=False, thread_local=False)
        with describe_os_errors("lock", str(self._file)):
            try:
                self._lock.acquire()
            except Timeout as error:
                raise ValueError(
                    f"another training into {out} is running: wait for its end, or name another output."
                ) from error

    def release(self) -> None:
        """Unlocks and removes the lock's file. A second call does nothing."""
        if self._lock.is_locked:
            # Removed while it is still locked, so that it can't be another training's file.
            # Windows can't remove an open file: it stays, and does no harm.
            with suppress(OSError):
                self._file.unlink()
            self._lock.release()
