"""What a worker process does: run one call after another, each in the call's own folder, and leave the result there.

The folder has the pickled call before, and afterwards the result and `*.log` with all that was printed.
"""

import contextlib
import ctypes
import multiprocessing
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from flows.workers.call_outcome import CallOutcome, Raised, Returned
from warehouse.errors import WarehouseError
from warehouse.files.storage import DISK_FULL

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

LOG_TAIL_BYTES = 4096
# A process that ended without a result had no room for it where there is less than this.
_ROOM_BYTES = 1 << 16

_CALL = "call.pickle"
_RESULT = "result.pickle"
_LOG = "worker.log"
_PR_SET_CHILD_SUBREAPER = 36


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOrder:
    """The folder that a call lies in, its memory limit, and whether it is its process's last."""

    folder: str
    memory_limit_mb: int | None
    is_last: bool


def put_call(folder: Path, function: Callable[..., Any], args: tuple[Any, ...]) -> None:
    """Leave a call for a worker; OSError if there is no room."""
    (folder / _CALL).write_bytes(pickle.dumps((function, args)))


def has_begun(folder: Path) -> bool:
    """Whether a worker has begun with a call."""
    return (folder / _LOG).exists()


def result_of(folder: Path) -> CallOutcome | None:
    """What a worker left; None if it ended without a result."""
    result = folder / _RESULT
    if not result.is_file():
        return None
    outcome: Returned | Raised = pickle.loads(result.read_bytes())
    return outcome


def require_room(folder: Path) -> None:
    """WarehouseError if a worker had no room for its result."""
    if shutil.disk_usage(folder).free < _ROOM_BYTES:
        raise WarehouseError(_full(folder))


def log_tail(folder: Path) -> str:
    """The last lines of every `*.log` in and under a folder, each under its name; "" if all are empty."""
    tails = ((path.name, _tail(path)) for path in sorted(folder.rglob("*.log")))
    return "\n".join(f"--- {name}\n{text}" for name, text in tails if text)


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOG_TAIL_BYTES))
        return file.read().decode("utf-8", errors="replace").strip()


def work(calls: "Connection[object, CallOrder]", start: Callable[[], object] | None) -> None:
    """Run calls until none comes any more, after `start`. The process leads a group of its own, ends with its parent.

    What `start` says on standard error is seen by the user; what it raises is not, for a call that needs it fails too.
    """
    if hasattr(os, "setsid"):
        os.setsid()
    _adopt_orphans()
    _die_with_parent()
    if start is not None:
        with contextlib.suppress(Exception):
            start()
    _print_to(os.devnull)
    while True:
        try:
            order = calls.recv()
        except EOFError:
            _end()
        environment = dict(os.environ)
        _do(order)
        # The next call finds folder, temporary files, output and environment as this one did.
        os.environ.clear()
        os.environ.update(environment)
        tempfile.tempdir = None
        os.chdir(Path(order.folder).anchor)
        _print_to(os.devnull)
        calls.send(None)


def _do(order: CallOrder) -> None:
    folder = Path(order.folder)
    _print_to(str(folder / _LOG))
    os.chdir(folder)
    # What the call leaves in temporary files when it is killed goes with its folder.
    tempfile.tempdir = order.folder
    with _limited_memory(order.memory_limit_mb):
        result = _result(folder / _CALL)
    _write_whole(result, folder / _RESULT)
    if order.is_last or _left_processes():
        _end()


def _end() -> NoReturn:
    """End this process and all that it started."""
    # Native libraries crash in their exit handlers at times, and nothing is left to tidy.
    if hasattr(os, "killpg"):
        os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _adopt_orphans() -> None:
    """Where the system can (Linux), become the parent of whatever a call's own children leave behind."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _left_processes() -> bool:
    """Whether the call started processes that are still running."""
    if not hasattr(os, "waitpid") or not hasattr(os, "WNOHANG"):
        return False
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
        return True
    return False


def _print_to(log: str) -> None:
    sys.stdout.flush()
    sys.stderr.flush()
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"

    def watch() -> None:
        parent.join()
        _end()

    threading.Thread(target=watch, daemon=True).start()


@contextlib.contextmanager
def _limited_memory(limit_mb: int | None) -> Iterator[None]:
    if limit_mb is None:
        yield
        return
    try:
        import resource
    except ImportError as error:
        raise ValueError("memory_limit_mb: this system can't limit a process's memory. Run without a limit.") from error
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (limit_mb * 1024 * 1024, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def _result(file: Path) -> bytes:
    """The pickled result, or what was raised instead: by the function, or by pickling what it returned."""
    try:
        function, args = pickle.loads(file.read_bytes())
        with _describe_full_disk(file.parent):
            value = function(*args)
        return pickle.dumps(Returned(value=value))
    except Exception as error:
        return pickle.dumps(
            Raised(
                type_names=tuple(kind.__name__ for kind in type(error).__mro__),
                message=str(error),
                traceback=traceback.format_exc(),
                log_tail=_printed_so_far(file.parent),
            )
        )


@contextlib.contextmanager
def _describe_full_disk(directory: Path) -> Iterator[None]:
    # The store explains its own errors: what is not explained yet is about a temporary file.
    try:
        yield
    except OSError as error:
        if error.errno not in DISK_FULL:
            raise
        raise WarehouseError(_full(directory)) from error


def _full(directory: Path) -> str:
    return (
        f"the disk that holds temporary files ({directory.parent}) is full. Free some space, or name a folder on "
        "another disk in TMPDIR, and run the command again: nothing stored was lost."
    )


def _printed_so_far(directory: Path) -> str:
    sys.stdout.flush()
    sys.stderr.flush()
    return log_tail(directory)


def _write_whole(content: bytes, target: Path) -> None:
    # Renamed when whole: a process killed in mid-write has left no result.
    partial = target.with_suffix(".partial")
    partial.write_bytes(content)
    partial.replace(target)
