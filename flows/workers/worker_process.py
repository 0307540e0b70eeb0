"""Run one function in a process of its own: a crash, a hang or a flood of output costs that call alone.

OpenSim's logger is process-global, its tools hold the GIL and one of them leaks: nothing that drives it may
run in the process that keeps the batch together. Several threads may call `run` at once.
"""

import contextlib
import multiprocessing
import os
import pickle
import shutil
import signal
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from warehouse.errors import WarehouseError
from warehouse.files.storage import DISK_FULL, describe_os_errors, scratch_folder

LOG_TAIL_BYTES = 4096
# A process that ended without a result had no room for it where there is less than this.
_ROOM_BYTES = 1 << 16

_CALL = "call.pickle"
_RESULT = "result.pickle"
_LOG = "worker.log"


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The function returned `value`."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The function raised. `type_names` are the exception's classes, from its own to the most general."""

    type_names: tuple[str, ...]
    message: str
    traceback: str
    log_tail: str

    @property
    def type_name(self) -> str:
        """The exception's own class name."""
        return self.type_names[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """The process ended without a result; `exit_code` is minus the signal's number where one ended it."""

    exit_code: int
    log_tail: str

    @property
    def cause(self) -> str:
        """The exit code in words."""
        if self.exit_code >= 0:
            return f"exit code {self.exit_code}"
        try:
            return f"signal {signal.Signals(-self.exit_code).name}"
        except ValueError:
            return f"signal {-self.exit_code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """The process was killed when its time was up."""

    limit_s: float
    log_tail: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """`stop_all` ended the process, or kept it from starting: nothing is known about the call."""


ProcessOutcome = Returned | Raised | Crashed | TimedOut | Stopped

# multiprocessing polls every child whenever it starts one, from whichever thread; two polls of one child race
# for its exit code. One lock around starting, polling and closing keeps the code with its process.
_lock = threading.Lock()
_running: set[BaseProcess] = set()
_stopping = threading.Event()


def preload(modules: Sequence[str]) -> None:
    """Name what every worker needs, so that its import is paid once; call before the first `run`."""
    if _start_method() == "forkserver":
        multiprocessing.get_context("forkserver").set_forkserver_preload(list(modules))


def run(
    function: Callable[..., Any], *args: Any, time_limit_s: float, memory_limit_mb: int | None = None
) -> ProcessOutcome:
    """Call `function(*args)` in a new process and say what became of it.

    The process works in a private temporary directory: its standard output and error, any other `*.log` and
    its temporary files stay there until the logs' last lines have been read. Whatever it started is killed
    when it ends. `memory_limit_mb` limits its address space, where the system can do that. Function and
    arguments must be picklable (pickle's own errors otherwise). Where the disk of temporary files is full,
    WarehouseError: raised here, or what the function raised.
    """
    call = pickle.dumps((function, args))
    with scratch_folder("gait2hip") as directory:
        with describe_os_errors("write to", str(directory)):
            (directory / _CALL).write_bytes(call)
        process = _start(directory, memory_limit_mb)
        if process is None:
            return Stopped()
        in_time = _wait(process, time_limit_s)
        exit_code = _end(process)
        return _outcome(directory, exit_code, None if in_time else time_limit_s)


def stop_all() -> None:
    """Kill every running worker and let none start until `allow`; their `run` returns `Stopped`."""
    _stopping.set()
    with _lock:
        for process in _running:
            _kill(process)


def allow() -> None:
    """Let workers start again after `stop_all`."""
    _stopping.clear()


def log_tail(directory: Path) -> str:
    """The last lines of every `*.log` in and under a directory, each under its name; "" if all are empty."""
    tails = ((path.name, _tail(path)) for path in sorted(directory.rglob("*.log")))
    return "\n".join(f"--- {name}\n{text}" for name, text in tails if text)


def _start_method() -> str:
    # A fork server imports OpenSim once and forks in milliseconds; a plain fork would copy running threads.
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"


def _start(directory: Path, memory_limit_mb: int | None) -> BaseProcess | None:
    context = multiprocessing.get_context(_start_method())
    process: BaseProcess = context.Process(  # type: ignore[attr-defined]
        target=_child, args=(directory, memory_limit_mb), daemon=True
    )
    with _lock:
        if _stopping.is_set():
            return None
        process.start()
        _running.add(process)
    return process


def _wait(process: BaseProcess, time_limit_s: float) -> bool:
    # The sentinel closes with the process itself; a pipe to it may be kept open by a grandchild for ever.
    return bool(wait([process.sentinel], timeout=time_limit_s))


def _end(process: BaseProcess) -> int:
    """Kill what is left of the process and of all it started, and give its exit code."""
    with _lock:
        _running.discard(process)
        _kill(process)
        process.join()
        exit_code = process.exitcode
        process.close()
    assert exit_code is not None, "a joined process has an exit code"
    return exit_code


def _kill(process: BaseProcess) -> None:
    pid = process.pid
    assert pid is not None, "only started processes are killed"
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)
    # It may not have made its group yet.
    with contextlib.suppress(ProcessLookupError):
        process.kill()


def _outcome(directory: Path, exit_code: int, exceeded_limit_s: float | None) -> ProcessOutcome:
    result = directory / _RESULT
    if result.is_file():
        outcome: Returned | Raised = pickle.loads(result.read_bytes())
        return outcome
    if _stopping.is_set():
        return Stopped()
    if exceeded_limit_s is not None:
        return TimedOut(limit_s=exceeded_limit_s, log_tail=log_tail(directory))
    if shutil.disk_usage(directory).free < _ROOM_BYTES:
        raise WarehouseError(_full(directory))
    return Crashed(exit_code=exit_code, log_tail=log_tail(directory))


def _tail(path: Path) -> str:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - LOG_TAIL_BYTES))
        return file.read().decode("utf-8", errors="replace").strip()


def _child(directory: Path, memory_limit_mb: int | None) -> None:
    """What the new process does: everything it prints goes to its log, its result to a file."""
    if hasattr(os, "setsid"):
        os.setsid()
    _redirect_output(directory / _LOG)
    _die_with_parent()
    os.chdir(directory)
    # What it leaves in temporary files when it is killed goes with its directory.
    tempfile.tempdir = str(directory)
    if memory_limit_mb is not None:
        _limit_memory(memory_limit_mb)
    _write_whole(_call(directory / _CALL), directory / _RESULT)
    # Native libraries crash in their exit handlers at times, and nothing is left to tidy.
    os._exit(0)


def _redirect_output(log: Path) -> None:
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(file, 1)
    os.dup2(file, 2)
    os.close(file)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    assert parent is not None, "a worker has a parent"

    def watch() -> None:
        parent.join()
        if hasattr(os, "killpg"):
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _limit_memory(limit_mb: int) -> None:
    try:
        import resource
    except ImportError as error:
        raise ValueError("memory_limit_mb: this system can't limit a process's memory. Run without a limit.") from error
    limit = limit_mb * 1024 * 1024
    resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _call(file: Path) -> bytes:
    """The pickled result, or what was raised instead: by the function, or by pickling what it returned."""
    try:
        function, args = pickle.loads(file.read_bytes())
        with _full_disk_explained(file.parent):
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
def _full_disk_explained(directory: Path) -> Iterator[None]:
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
