"""The bytes of a recording, or a rejection: whatever lies in a folder may be named as one."""

import stat
from pathlib import Path

from pipeline.errors import TrialRejected

# A minute of 100 markers and 100 channels is 0.1 GB. What is larger is no recording, and would fill the memory.
LARGEST_BYTES = 4 * 2**30


def recorded_bytes(path: Path, stage: str) -> bytes:
    """The whole content of a recording's file.

    TrialRejected, by `stage`, for what is missing, may not be read, is no file (a folder, a named pipe, which would
    wait for ever, a device), or is too large.
    """
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise TrialRejected(
                stage, f"{path.name}: this is {_kind(status.st_mode)}, expected a file. Name another one."
            )
        if status.st_size > LARGEST_BYTES:
            raise TrialRejected(
                stage,
                f"{path.name}: the file has {status.st_size / 2**30:.1f} GiB, expected {LARGEST_BYTES / 2**30:g} at "
                "most. It is no recording of a walk: cut it, or name another one.",
            )
        return path.read_bytes()
    # A null character in a path is a ValueError.
    except (OSError, ValueError) as error:
        said = error.strerror if isinstance(error, OSError) else error
        raise TrialRejected(
            stage, f"{path.name}: the file can't be read ({said}). Check the path and its rights."
        ) from error


def _kind(mode: int) -> str:
    if stat.S_ISDIR(mode):
        return "a folder"
    return "a named pipe" if stat.S_ISFIFO(mode) else "a device or a socket"
