"""A cluster of separate processes does what this machine would, and losing one of them loses nothing."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from benchmarks.killing import snapshot
from flows.ingesting import session_work
from flows.ingesting.plan import plan_ingest
from flows.ingesting.report import IngestReport
from flows.ingesting.run_plan import run_plan
from flows.ingesting.steps import CHAIN, ChainSteps
from flows.workers.dask_workers import Cluster
from pipeline.virtual.make_laboratory import make_laboratory
from pipeline.virtual.request import checked_request

WriteSession = Callable[..., Path]

pytestmark = pytest.mark.usefixtures("stubs_on_path")

STUBS, ROOT = Path(__file__).parents[1], Path(__file__).parents[3]
START_TIMEOUT_S = 120


class Dask:
    """A scheduler and its workers, each a process that can be killed."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "scheduler.json"
        self.processes: list[subprocess.Popen[bytes]] = []
        self._start("scheduler", "--port", "0", "--no-dashboard", "--host", "127.0.0.1")
        self._wait(self._file.is_file)

    def _start(self, *words: str, **environment: str) -> subprocess.Popen[bytes]:
        paths = f"{STUBS}{os.pathsep}{ROOT}"
        program = [sys.executable, "-m", "dask", *words, "--scheduler-file", str(self._file)]
        settings = {"PYTHONPATH": paths, "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "20"}
        process = subprocess.Popen(
            program, env={**os.environ, **settings, **environment}, stderr=subprocess.DEVNULL, cwd=self._file.parent
        )
        self.processes.append(process)
        return process

    def worker(self, daemon: bool = False) -> subprocess.Popen[bytes]:
        """One more worker, with one thread and no nanny: what kills it kills it."""
        name = f"w{len(self.processes)}"
        words = ("worker", "--nthreads", "1", "--no-dashboard", "--name", name, "--nanny" if daemon else "--no-nanny")
        return self._start(*words, DASK_DISTRIBUTED__WORKER__DAEMON=str(daemon))

    @property
    def address(self) -> str:
        address: str = json.loads(self._file.read_text())["address"]
        return address

    def wait_for(self, n_workers: int) -> None:
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(n_workers, timeout=START_TIMEOUT_S)

    def stop(self) -> None:
        from distributed import Client

        # Those that the program keeps would look for the scheduler for half a minute more.
        for client in list(Client._instances):
            client.close()
        for process in self.processes:
            process.kill()
            process.wait()

    @staticmethod
    def _wait(ready: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + START_TIMEOUT_S
        while not ready():
            assert time.monotonic() < deadline_s, "the scheduler did not start"
            time.sleep(0.1)


@pytest.fixture
def dask(tmp_path: Path) -> Iterator[Dask]:
    cluster = Dask(tmp_path)
    yield cluster
    cluster.stop()


def run(warehouse: Path, sessions: list[Path], cluster: str, steps: ChainSteps, recipe: str = "any") -> IngestReport:
    plan = plan_ingest(sessions, warehouse=str(warehouse), recipe=recipe, model=None, steps=steps)
    return run_plan(
        plan, workers=2, on_progress=lambda _: lambda _: None, steps=steps, cluster=cluster, with_prefect=False
    )


def kill_when_busy(worker: subprocess.Popen[bytes], warehouse: Path) -> None:
    """Kill it when both workers are at their second slow trial or further; Dask tries elsewhere what it was at."""
    while len(list(warehouse.glob("processed-slow*"))) < 3:
        time.sleep(0.05)
    worker.kill()


def test_a_cluster_gives_what_this_machine_gives_though_workers_are_killed(
    dask: Dask, tmp_path: Path, write_session: WriteSession, stub_chain: ChainSteps
) -> None:
    sessions = [
        write_session("v1", {"good": "accept", "bad": "reject", "dead": "crash"}),
        write_session("v2", {f"slow{number}": "linger" for number in range(8)}),
        write_session("v3", {"never": "accept"}, prepare="misconfigured"),
    ]
    first = dask.worker()
    dask.worker()
    dask.wait_for(2)
    warehouse = tmp_path / "on_cluster"
    killer = threading.Thread(target=kill_when_busy, args=(first, warehouse))
    killer.start()
    found = run(warehouse, sessions, dask.address, stub_chain)
    killer.join()

    assert first.wait(timeout=30) == -signal.SIGKILL
    expected = run(tmp_path / "here", sessions, "", stub_chain)
    assert [(o.key, o.rejection) for o in found.outcomes] == [(o.key, o.rejection) for o in expected.outcomes]
    assert found.refused == expected.refused and len(found.refused) == 1


def test_a_hang_on_a_cluster_is_ended_at_its_time_limit(
    dask: Dask, tmp_path: Path, write_session: WriteSession, stub_chain: ChainSteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session_work, "TRIAL_TIME_LIMIT_S", 5.0)
    session = write_session("v1", {"stuck": "hang", "good": "accept"})
    dask.worker()
    dask.wait_for(1)

    found = run(tmp_path / "on_cluster", [session], dask.address, stub_chain)

    assert [outcome.key.trial for outcome in found.accepted] == ["good"]
    assert [outcome.key.trial for outcome in found.rejected] == ["stuck"]
    assert "had not finished after 5 s" in str(found.rejected[0].rejection)


def kill_one_after_another(dask: Dask, workers: list[subprocess.Popen[bytes]], over: threading.Event) -> None:
    """Every ten seconds the oldest worker is killed, and another starts in its place."""
    while not over.wait(10):
        workers[-2].kill()
        workers.append(dask.worker())


@pytest.mark.long
def test_a_worker_killed_every_ten_seconds_costs_time_only(
    dask: Dask, tmp_path: Path, write_session: WriteSession, stub_chain: ChainSteps
) -> None:
    names = [f"t{number:02}" for number in range(60)]
    session = write_session("v1", dict.fromkeys(names, "linger") | {"dead": "crash"})
    workers, over = [dask.worker(), dask.worker()], threading.Event()
    dask.wait_for(2)
    killer = threading.Thread(target=kill_one_after_another, args=(dask, workers, over))
    killer.start()
    try:
        found = run(tmp_path / "on_cluster", [session], dask.address, stub_chain)
    finally:
        over.set()
        killer.join()

    n_killed = len(workers) - 2
    assert n_killed >= 3
    assert [outcome.key.trial for outcome in found.accepted] == names, "none is lost, and none there twice"
    assert [outcome.key.trial for outcome in found.rejected] == ["dead"]
    # Only what a killed worker was at, or had done and not yet told, is tried again.
    tried = Counter(file.name.split("-")[1] for file in (tmp_path / "on_cluster").glob("processed-*"))
    assert set(tried) == {*names, "dead"} and sum(tried.values()) - len(tried) <= 2 * n_killed


@pytest.mark.osim
@pytest.mark.long
def test_a_clusters_files_are_this_machines_byte_for_byte(dask: Dask, tmp_path: Path) -> None:
    request = checked_request(
        tmp_path / "laboratory",
        cohort="healthy",
        subjects=2,
        conditions="med",
        trials=2,
        seed=1,
        blemishes="default",
    )
    sessions = list(make_laboratory(request, on_session=lambda _: None))
    for _ in range(2):
        dask.worker()
    dask.wait_for(2)
    for name, cluster in (("here", ""), ("there", dask.address)):
        run(tmp_path / name, sessions, cluster, CHAIN, recipe="gait2hip60")

    here = snapshot(tmp_path / "here")
    assert sum(path.startswith("trials/") for path in here) == 4
    assert snapshot(tmp_path / "there") == here


def test_a_cluster_without_fit_workers_is_refused_with_what_to_do(dask: Dask) -> None:
    with pytest.raises(ValueError, match="has no workers: start them as"):
        Cluster(dask.address)
    dask.worker(daemon=True)
    dask.wait_for(1)
    with pytest.raises(ValueError, match="may not start processes: start them as"):
        Cluster(dask.address)


def test_an_address_where_nobody_answers_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("flows.workers.dask_workers.CONNECT_TIMEOUT_S", 0.5)
    with pytest.raises(ValueError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        Cluster("tcp://127.0.0.1:9")


@pytest.mark.parametrize("address", ["nonsense", "host:8786", "tcp://host", "tcp://host:port"])
def test_what_is_no_address_is_refused_at_once(address: str) -> None:
    with pytest.raises(ValueError, match=r"is no scheduler's address, expected one such as tcp://host:8786"):
        Cluster(address)
