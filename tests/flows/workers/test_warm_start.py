from types import ModuleType

from flows.workers.call_outcome import Returned
from flows.workers.warm_start import MECHANICS_PRELOAD, make_ready
from flows.workers.worker_pool import WorkerPool


def test_a_worker_finds_the_mechanics_ready(stubs: ModuleType) -> None:
    with WorkerPool(1, (MECHANICS_PRELOAD,), make_ready) as pool:
        outcome = pool.run(stubs.compiled_when_made_ready, time_limit_s=600)

    assert outcome == Returned(value=(True, 0))
