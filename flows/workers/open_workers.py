"""The workers that a run uses: processes of this machine, or a Dask cluster's."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from flows.workers.worker_pool import WorkerPool, Workers


@contextmanager
def open_workers(
    n_slots: int, preload: Sequence[str], cluster: str, start: Callable[[], object] | None = None
) -> Iterator[Workers]:
    """Workers for a while; `cluster` is a Dask scheduler's address, "" for `n_slots` processes of this machine.

    `preload` and `start` are as for `WorkerPool`.

    ValueError if the cluster can't be used.
    """
    if not cluster:
        with WorkerPool(n_slots, preload, start) as pool:
            yield pool
        return
    # Here, so that Dask is needed only where a cluster is.
    try:
        from flows.workers.dask_workers import Cluster
    except ImportError as error:
        raise ValueError(f"--dask needs Dask's scheduler ({error}). Install: pip install 'gait2hip[dask]'.") from error
    connected = Cluster(cluster, preload, start)
    try:
        yield connected
    finally:
        connected.close()
