"""From a plan to a report: what is up to date is told from the warehouse, the rest runs in workers.

Prefect keeps watch over the rest where it is wanted; where there is nothing to do it is not even imported.
"""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from flows.ingesting.plan import IngestPlan, SessionPlan
from flows.ingesting.report import IngestReport, OutcomeListener, Refusal
from flows.ingesting.steps import CHAIN, ChainSteps
from warehouse.errors import WarehouseError
from warehouse.files.storage import check_warehouse_writable, remove_leftovers
from warehouse.holdings.runs import IngestRun, remember_run
from warehouse.holdings.sources import SessionSource, remember_source
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse
from warehouse.outcome import Outcome

WARM_UP_S = 600.0

# Needed only where something is to be done.
if TYPE_CHECKING:
    from flows.ingesting.session_work import Preparation, SessionWork


def run_plan(
    plan: IngestPlan,
    *,
    workers: int,
    on_progress: Callable[[int], OutcomeListener],
    steps: ChainSteps = CHAIN,
    cluster: str = "",
    with_prefect: bool = True,
) -> IngestReport:
    """Run what is not up to date, by `workers` processes, and report what became of each trial.

    `cluster` is a Dask scheduler's address, whose workers are used in place of this machine's; without Prefect plain
    threads do the same. `on_progress` is told the number of trials and gives what is called with each outcome.
    ValueError if no session can be run as configured or the cluster can't be used, WarehouseError if the warehouse
    can't be written, PrefectNotStarted.
    """
    if not plan.sessions:
        # A wrong recipe or model has every session say the same.
        raise ValueError("\n\n".join(dict.fromkeys(refusal.reason for refusal in plan.refused)))
    warehouse = Warehouse(plan.warehouse)
    check_warehouse_writable(warehouse)
    listener = on_progress(len(plan.trials))
    sessions, unremembered = _remember_sources(plan, warehouse)
    outcomes = tuple(outcome for session in sessions for outcome in session.up_to_date)
    for outcome in outcomes:
        listener(outcome)
    report = IngestReport(outcomes=outcomes, refused=(*plan.refused, *unremembered))
    rest = [session for session in sessions if session.to_run]
    if rest:
        began = datetime.now(UTC)
        computed, seconds = _run(rest, steps, workers, listener, cluster, with_prefect)
        report += computed
        _remember_run(report, warehouse, began, seconds, workers)
    return report


def _remember_sources(plan: IngestPlan, warehouse: Warehouse) -> tuple[list[SessionPlan], list[Refusal]]:
    """Note where each session came from. A session whose note can't be written is refused, and no other."""
    sessions, refused = [], []
    for session in plan.sessions:
        file, recipe, model = session.request.session_file, session.request.recipe, session.request.model
        try:
            # Of the others, preparing them remembers it.
            if session.is_scaled:
                source = SessionSource(key=session.key, session_file=file, recipe=recipe, model=model)
                remember_source(warehouse, source)
        except WarehouseError as error:
            refused.append(Refusal(session=file, reason=str(error)))
        else:
            sessions.append(session)
    return sessions, refused


def _run(
    sessions: Sequence[SessionPlan],
    steps: ChainSteps,
    workers: int,
    listener: OutcomeListener,
    cluster: str,
    with_prefect: bool,
) -> tuple[IngestReport, float]:
    """What became of the sessions, and the seconds that it took, without the start of Prefect's server."""
    from flows.ingesting.session_work import READY, SessionWork
    from flows.workers.open_workers import open_workers

    # Of runs that were killed; what the warehouse's folders hold of them goes with the next file written there.
    remove_leftovers(Path(tempfile.gettempdir()))
    clock_s = time.perf_counter()
    start = None if all(steps.leaks(session.request) for session in sessions) else steps.start
    with (
        open_workers(workers, steps.preload, cluster, start) as processes,
        ThreadPoolExecutor(processes.n_slots) as threads,
    ):
        work = SessionWork(steps=steps, workers=processes)
        try:
            preparations = {
                session.key: _done(READY) if session.is_scaled else threads.submit(work.prepare, session)
                for session in sessions
            }
            if with_prefect:
                if all(session.is_scaled for session in sessions):
                    # The fork server loads its libraries while Prefect's server starts.
                    threads.submit(processes.run, os.getpid, time_limit_s=WARM_UP_S)
                _start_prefect()
                clock_s = time.perf_counter()
                outcomes = _by_prefect(sessions, work, preparations, listener)
            else:
                outcomes = _by_threads(sessions, work, preparations, listener, threads)
            report = IngestReport(outcomes=outcomes, refused=_refused(sessions, preparations))
            return report, time.perf_counter() - clock_s
        except BaseException:
            # Also for Ctrl-C: the threads wait for their workers.
            processes.stop_all()
            threads.shutdown(cancel_futures=True)
            raise


def _start_prefect() -> None:
    # The preparations run meanwhile.
    from flows.prefect_server.local_prefect import start_prefect

    start_prefect()


def _by_prefect(
    sessions: Sequence[SessionPlan],
    work: "SessionWork",
    preparations: "Mapping[SessionKey, Future[Preparation]]",
    listener: OutcomeListener,
) -> tuple[Outcome, ...]:
    # Prefect reads its settings when it is first imported.
    from flows.ingesting.ingest_flow import run_flow

    return run_flow(sessions, work, preparations, listener)


def _by_threads(
    sessions: Sequence[SessionPlan],
    work: "SessionWork",
    preparations: "Mapping[SessionKey, Future[Preparation]]",
    listener: OutcomeListener,
    threads: ThreadPoolExecutor,
) -> tuple[Outcome, ...]:
    from flows.ingesting.session_work import failed_trial

    def run(session: SessionPlan, trial: str) -> Outcome | None:
        return work.run_trial(session, trial, preparations[session.key].result())

    # Preparations were submitted before: a trial that waits for one keeps no thread from it.
    trials = [(session, trial) for session in sessions for trial in session.to_run]
    futures = {threads.submit(run, *each): each for each in trials}
    outcomes = []
    for future in as_completed(futures):
        error = future.exception()
        outcome = future.result() if error is None else failed_trial(*futures[future], error)
        listener(outcome)
        outcomes.append(outcome)
    return tuple(outcome for outcome in outcomes if outcome is not None)


def _done(preparation: "Preparation") -> "Future[Preparation]":
    future: Future[Preparation] = Future()
    future.set_result(preparation)
    return future


def _refused(
    sessions: Sequence[SessionPlan], preparations: "Mapping[SessionKey, Future[Preparation]]"
) -> tuple[Refusal, ...]:
    refused = []
    for session in sessions:
        future = preparations[session.key]
        if future.exception() is None and future.result().state == "refused":
            rejection = future.result().rejection
            assert rejection is not None, "a refused session says why"
            refused.append(Refusal(session=session.request.session_file, reason=rejection.reason))
    return tuple(refused)


def _remember_run(report: IngestReport, warehouse: Warehouse, began: datetime, seconds: float, workers: int) -> None:
    run = IngestRun(
        began=began.isoformat(timespec="milliseconds"),
        n_computed=sum(not outcome.fresh for outcome in report.outcomes),
        n_fresh=sum(outcome.fresh for outcome in report.outcomes),
        seconds=round(seconds, 3),
        workers=workers,
    )
    if run.n_computed:
        # A disk that is full now has made trials fail, and they have said so.
        with contextlib.suppress(WarehouseError):
            remember_run(warehouse, run, os.getpid())
