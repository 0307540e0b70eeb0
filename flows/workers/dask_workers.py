"""Trials on a Dask cluster: each call runs in a process beside a Dask worker, as it would beside this one.

The workers need this program, and the recordings and the warehouse under the same paths; Prefect stays here. A worker
that is lost costs its calls another try on the others; what ends the call's own process comes back as its outcome.
"""

import contextlib
import multiprocessing
import re
import threading
from collections.abc import Callable, Sequence
from typing import Any

from distributed import Client, Future, KilledWorker, get_worker
from distributed.client import ClosedClientError, FutureCancelledError

from flows.workers.call_outcome import CallOutcome, Crashed, Stopped
from flows.workers.worker_pool import WorkerPool

CONNECT_TIMEOUT_S = 30
_ADDRESS = re.compile(r"[a-z]+://\S+:\d+/?")
# What a Dask worker must be started with, so that it may start processes.
WORKER_SETTING = "DASK_DISTRIBUTED__WORKER__DAEMON=False"


class Cluster:
    """A connected cluster. Several threads may call `run` at once."""

    def __init__(self, address: str, preload: Sequence[str] = (), start: Callable[[], object] | None = None) -> None:
        """ValueError if nobody answers at the address, there is no worker, or a worker may not start processes."""
        if not _ADDRESS.fullmatch(address):
            raise ValueError(f"--dask {address!r} is no scheduler's address, expected one such as tcp://host:8786.")
        try:
            self._client = Client(address, timeout=CONNECT_TIMEOUT_S, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ValueError(
                f"no Dask scheduler answers at {address}: {error}. Start one (`dask scheduler`), or correct --dask."
            ) from error
        self._preload, self._start = tuple(preload), start
        self._running: set[Future] = set()
        self._stopped = False
        daemons = self._client.run(_is_daemon)
        if not daemons or any(daemons.values()):
            problem = "has no workers" if not daemons else "has workers that may not start processes"
            raise ValueError(
                f"the Dask cluster at {address} {problem}: start them as `{WORKER_SETTING} dask worker {address}`."
            )

    @property
    def n_slots(self) -> int:
        """How many calls the cluster's workers run at once: one a thread."""
        return sum(self._client.nthreads().values())

    def run(self, function: Callable[..., Any], *args: Any, time_limit_s: float, is_last: bool = False) -> CallOutcome:
        """As `WorkerPool.run`, on whichever worker is free."""
        if self._stopped:
            return Stopped()
        call = (self._preload, self._start, function, args, time_limit_s, is_last)
        try:
            future = self._client.submit(_beside_worker, *call, pure=False)
        except ClosedClientError as error:
            return Crashed(exit_code=1, log_tail=f"the Dask scheduler was lost: {error}")
        self._running.add(future)
        try:
            outcome: CallOutcome = future.result()
        except KilledWorker as error:
            return Crashed(exit_code=1, log_tail=f"the Dask workers that ran it were lost, one after another: {error}")
        except (FutureCancelledError, ClosedClientError) as error:
            if self._stopped:
                return Stopped()
            return Crashed(exit_code=1, log_tail=f"the Dask scheduler was lost: {error}")
        finally:
            self._running.discard(future)
        return outcome

    def stop_all(self) -> None:
        """Cancel what waits, and let nothing start any more; what runs already ends by itself."""
        self._stopped = True
        self._client.cancel(list(self._running), force=True)

    def close(self) -> None:
        """Leave the cluster, without idle processes beside its workers as far as these can be reached."""
        with contextlib.suppress(Exception):
            self._client.run(_end_idle)
        self._client.close()


def _is_daemon() -> bool:
    return multiprocessing.current_process().daemon


def _beside_worker(
    preload: tuple[str, ...],
    start: Callable[[], object] | None,
    function: Callable[..., Any],
    args: Sequence[Any],
    time_limit_s: float,
    is_last: bool,
) -> CallOutcome:
    """What a Dask worker does: have a process beside it do the call."""
    return _pool(preload, start).run(function, *args, time_limit_s=time_limit_s, is_last=is_last)


_pools: dict[tuple[tuple[str, ...], Callable[[], object] | None], WorkerPool] = {}
_pools_lock = threading.Lock()


def _pool(preload: tuple[str, ...], start: Callable[[], object] | None) -> WorkerPool:
    """Of this Dask worker: a process for each of its threads."""
    with _pools_lock:
        if (preload, start) not in _pools:
            _pools[preload, start] = WorkerPool(get_worker().state.nthreads, preload, start)
        return _pools[preload, start]


def _end_idle() -> None:
    # Others may be using the same cluster: what is at work goes on.
    for pool in _pools.values():
        pool.end_idle()
