"""What running many trials costs beside the trials: `python -m benchmarks.scale [--sessions 60] [--json FILE]`.

inbox: sessions of one virtual walk each, dropped into an inbox in random order beside half-copied and broken ones,
against `ingest` of the same sessions, and both against the same calls on plain threads, without Prefect.
plan: finding what is to be done for sessions of ten trials with their own `session.toml`, and the flow over a stub
stage that does nothing.
dask: what a stub stage costs the scheduler of a local Dask cluster of two worker processes.
"""

import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path

from flows.ingesting.inbox import REPORT_JSON
from flows.ingesting.plan import IngestPlan, SessionPlan, plan_ingest
from flows.ingesting.run_plan import run_plan
from flows.ingesting.session_work import READY, Preparation, SessionWork, failed_trial
from flows.ingesting.steps import CHAIN
from flows.prefect_server.local_prefect import start_prefect
from flows.workers.worker_pool import WorkerPool
from pipeline.osim.log import quiet
from pipeline.storing.request import SessionRequest
from pipeline.storing.staleness import TrialState
from pipeline.virtual.make_laboratory import make_laboratory
from pipeline.virtual.request import checked_request
from warehouse.files import read
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome

RECIPE, WORKERS = "gait2hip60", 2
TRIALS_A_SESSION = 10
INBOX_PAUSE_S = 0.2
PARTS = ("inbox", "plan", "dask")


@dataclass(frozen=True, kw_only=True)
class InboxFigures:
    """Seconds for the same sessions, and ratios of them. `n_disturbing`: half-copied and broken ones beside them."""

    n_sessions: int
    n_disturbing: int
    threads_s: float
    ingest_s: float
    inbox_s: float
    inbox_over_ingest: float
    prefect_share: float


@dataclass(frozen=True, kw_only=True)
class PlanFigures:
    """So many trials checked and planned, or run by the flow over a stage that does nothing."""

    what: str
    n_trials: int
    seconds: float
    ms_per_trial: float
    peak_mb: float


@dataclass(frozen=True, kw_only=True)
class DaskFigures:
    """What passed through a scheduler, per trial."""

    n_trials: int
    messages_per_trial: float
    kilobytes_per_trial: float
    scheduler_cpu_ms_per_trial: float


def main() -> None:
    arguments = _arguments()
    quiet()
    figures: list[InboxFigures | PlanFigures | DaskFigures] = []
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        for part in arguments.parts:
            for found in _part(part, Path(name) / part, arguments):
                figures.append(found)
                print(", ".join(f"{key} {_shown(value)}" for key, value in asdict(found).items()), flush=True)
    if arguments.json:
        arguments.json.write_text(json.dumps([asdict(found) for found in figures], indent=1))


def _part(part: str, folder: Path, arguments: argparse.Namespace) -> Iterator[InboxFigures | PlanFigures | DaskFigures]:
    folder.mkdir()
    if part == "inbox":
        yield measure_inbox(folder, arguments.sessions, arguments.seed)
    elif part == "plan":
        for n_trials in arguments.planned:
            yield _alone(measure_plan, folder / str(n_trials), n_trials)
        for n_trials in arguments.flown:
            yield _alone(measure_flow, n_trials)
    else:
        yield measure_dask(folder, arguments.messages)


def _alone(measure: Callable[..., PlanFigures], *what: object) -> PlanFigures:
    """In a process of its own: the memory that is told is the most that a process ever had."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(measure, *what).result()


def measure_inbox(folder: Path, n_sessions: int, seed: int) -> InboxFigures:
    """The same sessions on threads, by `ingest`, and through an inbox. AssertionError unless each is ingested once."""
    sessions = _walks(folder / "laboratory", n_sessions, seed)
    inbox = folder / "inbox"
    n_disturbing = drop(sessions, inbox, random.Random(seed))
    start_prefect()
    from flows.serving.deployments import Unfinished, ingest_inbox

    def through_inbox() -> None:
        try:
            ingest_inbox(inbox=str(inbox), warehouse=str(folder / "by_inbox"), workers=WORKERS, settle_s=INBOX_PAUSE_S)
        except Unfinished as error:
            raise AssertionError(f"nothing was to be refused: {error}") from error

    # The fork server, and Prefect's first flow, are paid once a program, not once a session.
    _ingest(sessions[:1], folder / "warm")
    threads_s = _seconds(lambda: _on_threads(sessions, folder / "by_threads"))
    ingest_s = _seconds(lambda: _ingest(sessions, folder / "by_ingest"))
    inbox_s = _seconds(through_inbox)
    found = {name: _outcomes(folder / name) for name in ("by_threads", "by_ingest", "by_inbox")}
    assert len(found["by_ingest"]) == n_sessions, "every session has one walk"
    assert found["by_threads"] == found["by_ingest"] == found["by_inbox"], "the same sessions give the same"
    reports = list(inbox.glob(f"*/{REPORT_JSON}"))
    assert len(reports) == n_sessions + n_disturbing, "whoever dropped something is told"
    assert sum(json.loads(report.read_text("utf-8"))["final"] for report in reports) == n_sessions
    return InboxFigures(
        n_sessions=n_sessions,
        n_disturbing=n_disturbing,
        threads_s=threads_s,
        ingest_s=ingest_s,
        inbox_s=inbox_s,
        inbox_over_ingest=inbox_s / ingest_s,
        prefect_share=ingest_s / threads_s - 1,
    )


def drop(sessions: Sequence[Path], inbox: Path, rng: random.Random) -> int:
    """Copy sessions into an inbox in random order, and beside every tenth one that is half copied and one broken.

    Gives how many of the latter there are.
    """
    inbox.mkdir()
    drops: list[tuple[Path, str, Callable[[Path], None]]] = [(one, _named("whole", one), _leave) for one in sessions]
    for one in sessions[::10]:
        drops += [(one, _named("half", one), _halve), (one, _named("broken", one), _break)]
    rng.shuffle(drops)
    for session, name, spoil in drops:
        shutil.copytree(session, inbox / name)
        spoil(inbox / name)
    return len(drops) - len(sessions)


def measure_plan(folder: Path, n_trials: int) -> PlanFigures:
    """Sessions on disk, checked and planned as `ingest` does it, before anything runs."""
    folder.mkdir()
    files = [_planned_session(folder / f"S{number:06}") for number in range(n_trials // TRIALS_A_SESSION)]
    plan: list[IngestPlan] = []

    def planning() -> None:
        plan.append(plan_ingest(files, warehouse=str(folder / "warehouse"), recipe=RECIPE, model=None))

    seconds = _seconds(planning)
    assert len(plan[0].trials) == n_trials and not plan[0].refused, "every session can run"
    shutil.rmtree(folder)
    return _plan_figures("plan", n_trials, seconds)


def measure_flow(n_trials: int) -> PlanFigures:
    """The flow over trials that do nothing: what Prefect and our own bookkeeping take."""
    start_prefect()
    from flows.ingesting.ingest_flow import run_flow

    class Idle(SessionWork):
        def run_trial(self, session: SessionPlan, trial: str, _: object) -> Outcome:
            return Outcome(key=session.key.of_trial(trial))

    sessions = [_stub_session(number) for number in range(n_trials // TRIALS_A_SESSION)]
    ready: Future[Preparation] = Future()
    ready.set_result(READY)
    began = time.perf_counter()
    outcomes = run_flow(
        sessions,
        Idle(steps=CHAIN, workers=WorkerPool(WORKERS)),
        {session.key: ready for session in sessions},
        lambda _: None,
    )
    seconds = time.perf_counter() - began
    assert len(outcomes) == n_trials, "every trial has come back"
    return _plan_figures("flow", n_trials, seconds)


def measure_dask(folder: Path, n_trials: int) -> DaskFigures:
    """Trials that do nothing through `Cluster.run`, beside two workers; counted by the scheduler itself."""
    with _dask(folder) as address:
        from distributed import Client

        from flows.workers.dask_workers import Cluster

        cluster = Cluster(address)
        with Client(address, set_as_default=False) as client, ThreadPoolExecutor(cluster.n_slots) as pool:
            # What a trial's call is like: some names there, an outcome back.
            stub = (failed_trial, _stub_session(0), "walk0", ValueError("a reason as long as a line of text may be"))
            cluster.run(*stub, time_limit_s=60)
            client.run_on_scheduler(_count_messages)
            before = client.run_on_scheduler(_counted)
            list(pool.map(lambda _: cluster.run(*stub, time_limit_s=60), range(n_trials)))
            after = client.run_on_scheduler(_counted)
    messages, volume, cpu_s = (last - first for first, last in zip(before, after, strict=True))
    return DaskFigures(
        n_trials=n_trials,
        messages_per_trial=messages / n_trials,
        kilobytes_per_trial=volume / n_trials / 1e3,
        scheduler_cpu_ms_per_trial=1e3 * cpu_s / n_trials,
    )


def _walks(folder: Path, n_sessions: int, seed: int) -> list[Path]:
    request = checked_request(
        folder, cohort="healthy", subjects=n_sessions, conditions="med", trials=1, seed=seed, blemishes="none"
    )
    return list(make_laboratory(request, on_session=lambda _: None))


def _named(what: str, session: Path) -> str:
    # A laboratory calls each subject's first session alike.
    return f"{what}-{session.parent.name}-{session.name}"


def _leave(_: Path) -> None:
    """What arrived whole."""


def _halve(folder: Path) -> None:
    """Its walk has not come."""
    next(file for file in sorted(folder.rglob("*.c3d")) if "static" not in file.name).unlink()


def _break(folder: Path) -> None:
    (folder / "session.toml").write_text("format = \n")


def _ingest(sessions: Sequence[Path], warehouse: Path, with_prefect: bool = True) -> None:
    plan = plan_ingest(sessions, warehouse=str(warehouse), recipe=RECIPE, model=None)
    run_plan(plan, workers=WORKERS, on_progress=lambda _: lambda _: None, with_prefect=with_prefect)


def _on_threads(sessions: Sequence[Path], warehouse: Path) -> None:
    """The same processes and files, and no Prefect."""
    _ingest(sessions, warehouse, with_prefect=False)


def _outcomes(warehouse: Path) -> Counter[tuple[str, str]]:
    return Counter((str(row.owner), str(row.summary["outcome"])) for row in read.trials(Warehouse(str(warehouse))))


def _planned_session(folder: Path) -> Path:
    folder.mkdir()
    (folder / "static.c3d").write_bytes(b"")
    walks = "".join(f'"walk{number}.c3d" = "slow"\n' for number in range(TRIALS_A_SESSION))
    (folder / "session.toml").write_text(
        f'format = 1\n[subject]\nid = "{folder.name}"\nmass_kg = 70\nheight_m = 1.7\n'
        '[session]\nid = "s1"\ncohort = "adults"\nprofile = "isb_full_body"\nstatic = "static.c3d"\n'
        f"[trials]\n{walks}"
    )
    return folder


def _stub_session(number: int) -> SessionPlan:
    key = SessionKey(cohort="adults", subject=f"S{number:06}", session="s1")
    request = SessionRequest(
        session_file=f"/data/inbox/S{number:06}/session.toml", recipe=RECIPE, model=None, warehouse="/data/warehouse"
    )
    trials = tuple(TrialState(key=key.of_trial(f"walk{trial}"), state="missing") for trial in range(TRIALS_A_SESSION))
    return SessionPlan(request=request, key=key, is_scaled=True, trials=trials)


def _plan_figures(what: str, n_trials: int, seconds: float) -> PlanFigures:
    import resource  # Windows has none, and tests import this module there too.

    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return PlanFigures(
        what=what, n_trials=n_trials, seconds=seconds, ms_per_trial=1e3 * seconds / n_trials, peak_mb=peak_mb
    )


@contextmanager
def _dask(folder: Path) -> Iterator[str]:
    """A scheduler and two workers, each a process of its own; gives the scheduler's address."""
    file = folder / "scheduler.json"
    common = [sys.executable, "-m", "dask"]
    worker = ["worker", "--nthreads", "1", "--no-nanny", "--no-dashboard", "--death-timeout", "60"]
    scheduler = ["scheduler", "--port", "0", "--host", "127.0.0.1", "--no-dashboard", "--idle-timeout", "600 s"]
    environment = {**os.environ, "DASK_DISTRIBUTED__WORKER__DAEMON": "False"}
    processes = [
        subprocess.Popen([*common, *words, "--scheduler-file", str(file)], env=environment, stderr=subprocess.DEVNULL)
        for words in (scheduler, worker, worker)
    ]
    try:
        # The scheduler writes it in place.
        while not (file.is_file() and file.read_text().endswith("}")):
            assert processes[0].poll() is None, "the scheduler did not start"
            time.sleep(0.1)
        address = json.loads(file.read_text())["address"]
        from distributed import Client

        with Client(address, set_as_default=False) as client:
            client.wait_for_workers(WORKERS, timeout=120)
        yield address
    finally:
        # A worker that is asked to end waits for a scheduler that is gone.
        for process in processes:
            process.kill()
            process.wait()


def _count_messages(dask_scheduler: object) -> None:
    """On the scheduler: count what it reads and writes from here on; a batch of messages is that many."""
    from collections import Counter
    from typing import Any

    from distributed.comm import tcp

    counts: Counter[str] = Counter()
    dask_scheduler.gait2hip_counts = counts  # type: ignore[attr-defined]
    read_message, write_message, read_bytes = tcp.TCP.read, tcp.TCP.write, tcp.read_bytes_rw

    def size(message: object) -> int:
        return len(message) if isinstance(message, list | tuple) else 1

    async def counted_read(self: Any, *words: Any, **named: Any) -> Any:
        message = await read_message(self, *words, **named)
        counts["messages"] += size(message)
        return message

    async def counted_write(self: Any, message: Any, *words: Any, **named: Any) -> int:
        counts["messages"] += size(message)
        n_bytes: int = await write_message(self, message, *words, **named)
        counts["bytes"] += n_bytes
        return n_bytes

    async def counted_bytes(stream: Any, n: int) -> Any:
        counts["bytes"] += n
        return await read_bytes(stream, n)

    tcp.TCP.read, tcp.TCP.write, tcp.read_bytes_rw = counted_read, counted_write, counted_bytes


def _counted(dask_scheduler: object) -> tuple[int, int, float]:
    import time

    counts = dask_scheduler.gait2hip_counts  # type: ignore[attr-defined]
    return counts["messages"], counts["bytes"], time.process_time()


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _shown(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=PARTS)
    parser.add_argument("--sessions", type=int, default=60, help="dropped into the inbox")
    parser.add_argument("--planned", type=int, nargs="*", default=[10_000, 30_000, 100_000], help="trials")
    parser.add_argument("--flown", type=int, nargs="*", default=[1_000, 3_000, 10_000], help="trials")
    parser.add_argument("--messages", type=int, default=300, help="trials sent to the Dask cluster")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", type=Path)
    return parser.parse_args()


if __name__ == "__main__":
    main()
