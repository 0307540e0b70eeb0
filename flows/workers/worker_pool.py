"""Worker processes that take one call after another: a crash, a hang or a flood of output costs that call alone.

OpenSim's logger is process-global, its tools hold the GIL and one of them leaks: nothing that drives it may
run in the process that keeps the batch together. Several threads may call `run` at once.
"""

# Not pebble's pool: a call whose process ends with exit code 0 would hang until its time limit there, the death of an
# idle process breaks the pool, and what a process started outlives it.

import contextlib
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import TracebackType
from typing import Any, Protocol, Self

from flows.workers.call_outcome import CallOutcome, Crashed, Stopped, TimedOut
from flows.workers.worker_call import CallOrder, has_begun, log_tail, put_call, require_room, result_of, work
from warehouse.files.storage import describe_os_errors, scratch_folder

# Then a process makes way for a new one: whatever its libraries have not given back goes with it.
CALLS_A_PROCESS = 50

# multiprocessing polls every child whenever it starts one, from whichever thread; two polls of one child race
# for its exit code. One lock around starting, polling and closing keeps the code with its process.
_children = threading.Lock()


class Workers(Protocol):
    """Where calls run: processes of this machine, or a cluster's. Several threads may call `run` at once."""

    @property
    def n_slots(self) -> int:
        """How many calls run at once."""
        ...

    def run(self, function: Callable[..., Any], *args: Any, time_limit_s: float, is_last: bool = False) -> CallOutcome:
        """As `WorkerPool.run`."""
        ...

    def stop_all(self) -> None:
        """End what runs, and let nothing start any more."""
        ...


class WorkerPool:
    """Up to `n_slots` worker processes. They start when they are needed, and end with the pool."""

    def __init__(self, n_slots: int, preload: Sequence[str] = (), start: Callable[[], object] | None = None) -> None:
        """`preload` names the modules that every worker needs: their import is paid once. `start` is its first act."""
        self._n_slots = n_slots
        self._start = start
        self._free = threading.Semaphore(n_slots)
        self._idle: list[_Worker] = []
        self._busy: set[_Worker] = set()
        self._stopping = False
        # Workers inherit it. There is one for each core, and a sum must not depend on how many threads share it.
        os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
        if preload and _start_method() == "forkserver":
            multiprocessing.get_context("forkserver").set_forkserver_preload(list(preload))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop_all()

    @property
    def n_slots(self) -> int:
        """How many calls run at once."""
        return self._n_slots

    def run(
        self,
        function: Callable[..., Any],
        *args: Any,
        time_limit_s: float,
        is_last: bool = False,
        memory_limit_mb: int | None = None,
    ) -> CallOutcome:
        """Call `function(*args)` in a worker, when one is free, and say what became of it.

        The call works in a private temporary directory: its standard output and error, any other `*.log` and its
        temporary files stay there until the logs' last lines have been read. Whatever it started is killed when it
        ends. `is_last` has the process take no other call afterwards: for libraries that leak. `memory_limit_mb`
        limits the address space, where the system can do that. Function and arguments must be picklable (pickle's own
        errors otherwise). Where the disk of temporary files is full, WarehouseError: raised here, or what the function
        raised.
        """
        with self._free, scratch_folder("gait2hip") as folder:
            with describe_os_errors("write to", str(folder)):
                put_call(folder, function, args)
            order = CallOrder(folder=str(folder), memory_limit_mb=memory_limit_mb, is_last=is_last)
            while True:
                worker = self._take()
                if worker is None:
                    return Stopped()
                try:
                    in_time = worker.ends_within(order, time_limit_s)
                finally:
                    # Interrupted while it waits: the worker isn't fit, and ends before its folder goes.
                    exit_code = self._give_back(worker)
                # A process may be killed while it is idle: that costs no call.
                if not (in_time and worker.n_calls > 1 and not has_begun(folder)):
                    return self._outcome(folder, exit_code, None if in_time else time_limit_s)

    def stop_all(self) -> None:
        """Kill every worker and let none start any more; their `run` returns `Stopped`."""
        with _children:
            self._stopping = True
            for worker in self._busy:
                worker.kill()
            idle, self._idle = self._idle, []
            for worker in idle:
                worker.end()

    def end_idle(self) -> None:
        """End the workers that have nothing to do; the next call starts one."""
        with _children:
            idle, self._idle = self._idle, []
            for worker in idle:
                worker.end()

    def _outcome(self, folder: Path, exit_code: int | None, exceeded_limit_s: float | None) -> CallOutcome:
        outcome = result_of(folder)
        if outcome is not None:
            return outcome
        if self._stopping:
            return Stopped()
        if exceeded_limit_s is not None:
            return TimedOut(limit_s=exceeded_limit_s, log_tail=log_tail(folder))
        require_room(folder)
        assert exit_code is not None, "a worker that lives on has left a result"
        return Crashed(exit_code=exit_code, log_tail=log_tail(folder))

    def _take(self) -> "_Worker | None":
        with _children:
            if self._stopping:
                return None
            while self._idle:
                worker = self._idle.pop()
                if worker.is_alive():
                    break
                worker.end()
            else:
                worker = _Worker(self._start)
            self._busy.add(worker)
            return worker

    def _give_back(self, worker: "_Worker") -> int | None:
        """The exit code of a worker that is of no more use; None if it waits for the next call."""
        with _children:
            self._busy.discard(worker)
            if worker.is_fit and not self._stopping:
                self._idle.append(worker)
                return None
            return worker.end()


class _Worker:
    """A process, and the pipe by which it is told of calls. To be started, asked and ended under the lock."""

    def __init__(self, start: Callable[[], object] | None) -> None:
        context = multiprocessing.get_context(_start_method())
        self._pipe, theirs = multiprocessing.Pipe()
        self._process: BaseProcess = context.Process(  # type: ignore[attr-defined]
            target=work, args=(theirs, start), daemon=True
        )
        self._process.start()
        theirs.close()
        self.n_calls = 0
        self.is_fit = True

    def ends_within(self, order: CallOrder, time_limit_s: float) -> bool:
        """Wait until a call has ended, whatever its end; whether it did in time."""
        self.n_calls += 1
        self.is_fit = False
        with contextlib.suppress(OSError):
            self._pipe.send(order)
        # The sentinel closes with the process itself; a pipe to it may be kept open by a grandchild for ever.
        ended = wait([self._process.sentinel, self._pipe], timeout=time_limit_s)
        self.is_fit = ended == [self._pipe] and self._has_answered() and self.n_calls < CALLS_A_PROCESS
        return bool(ended)

    def _has_answered(self) -> bool:
        try:
            self._pipe.recv()
        except (EOFError, OSError):
            return False
        return True

    def is_alive(self) -> bool:
        """Whether it can still take a call."""
        return self._process.is_alive()

    def end(self) -> int:
        """Kill what is left of the process and of all it started, and give its exit code."""
        self.kill()
        self._process.join()
        exit_code = self._process.exitcode
        self._process.close()
        self._pipe.close()
        assert exit_code is not None, "a joined process has an exit code"
        return exit_code

    def kill(self) -> None:
        """Kill the process and all that it started, without waiting."""
        pid = self._process.pid
        assert pid is not None, "only started processes are killed"
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(pid, signal.SIGKILL)
        # It may not have made its group yet.
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()


def _start_method() -> str:
    # A fork server imports OpenSim once and forks in milliseconds; a plain fork would copy running threads.
    return "forkserver" if "forkserver" in multiprocessing.get_all_start_methods() else "spawn"
