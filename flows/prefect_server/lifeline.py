"""A flow's process that `gait2hip serve` started ends with it, however that ends.

Prefect starts such a process and gives it no pipe; left alone it asks a server that is gone, for minutes. The starter
holds a named pipe open for writing and never writes to it; where the pipe's end is read, the starter is gone.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_VARIABLE = "GAIT2HIP_LIFELINE"


@contextmanager
def lifeline(pipe: Path) -> Iterator[None]:
    """Meanwhile, processes that are started and call `end_with_starter` end with this one.

    Where a system (Windows) or a disk has no named pipes, nothing happens.
    """
    pipe.unlink(missing_ok=True)
    try:
        os.mkfifo(pipe)
    except (AttributeError, OSError):
        yield
        return
    # For both, since opening it for writing alone would wait for the first reader. No other process inherits it.
    held = os.open(pipe, os.O_RDWR)
    os.environ[_VARIABLE] = str(pipe)
    try:
        yield
    finally:
        del os.environ[_VARIABLE]
        os.close(held)
        pipe.unlink(missing_ok=True)


def end_with_starter() -> None:
    """End this process, at once and without a word, when whoever holds its lifeline has ended; without one, nothing.

    Its workers end with it, and what they were writing was not whole yet: the next run finishes it.
    """
    pipe = os.environ.get(_VARIABLE)
    if pipe is not None:
        threading.Thread(target=_watch, args=(pipe,), daemon=True).start()


def _watch(pipe: str) -> None:
    try:
        # Opening it would wait for a writer, if the starter has ended already.
        reading = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
        os.set_blocking(reading, True)
        os.read(reading, 1)
    except FileNotFoundError:
        # Its holder has tidied up.
        pass
    os._exit(1)
