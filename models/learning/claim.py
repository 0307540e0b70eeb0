"""One training at a time into one folder: two at once would write over what each other has learned."""

from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from warehouse.files.storage import describe_os_errors


class Claim:
    """Holds a run's folder from now until `release`, or until its process ends, however that ends."""

    def __init__(self, out: Path) -> None:
        """ValueError if another training holds it, WarehouseError if nothing can be written beside it."""
        self._file = out.with_name(f".{out.name}.lock")
        # Whoever ends the training may release it, whichever thread claimed it.
        self._lock = FileLock(self._file, blocking=False, thread_local=False)
        with describe_os_errors("lock", str(self._file)):
            try:
                self._lock.acquire()
            except Timeout as error:
                raise ValueError(
                    f"another training into {out} is running: wait for its end, or name another output."
                ) from error

    def release(self) -> None:
        """Nothing is held any more, and nothing is left beside the folder; a second call does nothing."""
        if self._lock.is_locked:
            # While it is held, so that nobody else's file is removed: a lock on a removed file counts for nobody.
            # Where an open file can't be removed it stays, and is in nobody's way.
            with suppress(OSError):
                self._file.unlink()
            self._lock.release()
