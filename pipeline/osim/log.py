"""OpenSim's logger: one for the whole process, and by default a file in the current directory.

Every call of a tool happens inside `tool_log(directory)`, which sends the log to that directory only.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import opensim as osim

from pipeline.errors import TrialRejected

LOG_NAME = "opensim.log"
_PACKAGE = Path(osim.__file__).parent
# Where less is free, the next file didn't fit.
_ROOM_BYTES = 1 << 16

# Before the first message, this keeps OpenSim from creating its log in the current directory.
osim.Logger.removeFileSink()

# Every model names bone surfaces that only a graphical interface needs.
_NOISE = ("Couldn't find file",)
_SERIOUS = ("[warning]", "[error]", "[critical]")


class Tool(Protocol):
    """What OpenSim's tools have in common."""

    def run(self) -> bool:
        """Run; False means it failed."""
        ...


@dataclass(frozen=True, slots=True)
class ToolLog:
    """What OpenSim has logged to `path` since this call began."""

    path: Path
    start: int

    def lines(self) -> list[str]:
        """The lines of this call, without the notes on missing bone surfaces."""
        if not self.path.is_file():
            return []
        text = self.path.read_bytes()[self.start :].decode("utf-8", errors="replace")
        return [line for line in text.splitlines() if line.strip() and not any(noise in line for noise in _NOISE)]

    def tail(self, n_lines: int = 6) -> str:
        """The last warnings and errors, or the last lines where there are none: for a rejection's reason."""
        everything = self.lines()
        serious = [line for line in everything if any(mark in line for mark in _SERIOUS)]
        return " | ".join((serious or everything)[-n_lines:]) or "(empty)"


@contextmanager
def tool_log(directory: Path, stage: str) -> Iterator[ToolLog]:
    """Route OpenSim's log to `directory`, which is made if need be, and yield what this call adds to it.

    What OpenSim throws becomes TrialRejected(stage, …) with its message and the log's last lines; a RuntimeError of
    anybody else is not the recording's fault and passes. Where OpenSim failed for want of disk space, which it doesn't
    always say, OSError: the recording is not to blame either.
    """
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / LOG_NAME
    log = ToolLog(path, path.stat().st_size if path.is_file() else 0)
    osim.Logger.addFileSink(str(path))
    try:
        yield log
    except TrialRejected:
        _refuse_full_disk(directory)
        raise
    except RuntimeError as error:
        if not _is_opensims(error):
            raise
        _refuse_full_disk(directory)
        reason = " ".join(str(error).split())[:600]
        raise TrialRejected(stage, f"OpenSim stopped: {reason}; its log ends: {log.tail()}") from error
    finally:
        osim.Logger.removeFileSink()


def _is_opensims(error: RuntimeError) -> bool:
    """Whether OpenSim's library threw it: every call goes through a file of its Python package."""
    raised_in = ""
    traceback = error.__traceback__
    while traceback is not None:
        raised_in = traceback.tb_frame.f_code.co_filename
        traceback = traceback.tb_next
    return Path(raised_in).parent == _PACKAGE


def _refuse_full_disk(directory: Path) -> None:
    if shutil.disk_usage(directory).free < _ROOM_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(directory))


def quiet() -> None:
    """From here on, OpenSim says nothing of the models it loads, in this process, only what is wrong.

    For a command that runs no tool: their logs would say less too. There is no way back without a line saying so.
    """
    osim.Logger.setLevelString("Warn")


def run_tool(make: Callable[[str], Tool], setup_file: Path, log: ToolLog, stage: str) -> None:
    """Make a tool from its set-up file and run it there; TrialRejected(stage, …) if it says it failed.

    The tools look for models and data in the working directory, and may leave the process elsewhere.
    """
    with chdir(setup_file.parent):
        tool = make(setup_file.name)
        finished = tool.run()
    if not finished:
        raise TrialRejected(stage, f"OpenSim's {type(tool).__name__} failed: {log.tail()}")
