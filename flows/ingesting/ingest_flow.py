"""`flows.ingesting.ingest` as a Prefect flow: one task prepares a session, one task runs a trial."""

from contextvars import ContextVar
from pathlib import Path
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import PrefectFuture, as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.ingesting import ingest
from flows.ingesting.ingest import IngestReport, Listener, Plan, Preparation, Refusal, SessionRun
from flows.workers import worker_process
from warehouse.outcome import Outcome


def _ignore(_: Outcome | None) -> None:
    """Without a listener nobody watches the progress."""


# A flow's parameters are plain values; who watches its progress is not one of them.
_listener: ContextVar[Listener] = ContextVar("listener", default=_ignore)


@task(name="prepare session", task_run_name="prepare {run.key.subject}/{run.key.session}", cache_policy=NO_CACHE)
def prepare(run: SessionRun) -> Preparation:
    """Scale one session's model."""
    return ingest.run_preparation(run)


@task(name="process trial", task_run_name="{run.key.subject}/{run.key.session}/{trial}", cache_policy=NO_CACHE)
def process(run: SessionRun, trial: str, preparation: Preparation) -> Outcome | None:
    """Take one trial through the chain."""
    return ingest.run_trial(run, trial, preparation)


@flow(name="ingest", description="Recordings to warehouse, one task per trial.")
def ingest_flow(
    sessions: list[str],
    warehouse: str,
    recipe: str,
    model: str | None = None,
    only: list[str] | None = None,
    steps: str = ingest.STEPS,
    cluster: str = "",
) -> IngestReport:
    """Ingest sessions (folders or session files) into a warehouse; `only` are patterns of trials, None means all."""
    plan = ingest.plan_ingest(
        [Path(session) for session in sessions],
        warehouse=warehouse,
        recipe=recipe,
        model=None if model is None else Path(model),
        only=only or (),
        steps=steps,
        cluster=cluster,
    )
    try:
        return _run(plan)
    except BaseException:
        # Also for Ctrl-C: the task runner waits for its threads, and they for their workers.
        worker_process.stop_all()
        if cluster and plan.runs:
            ingest.cluster_of(plan.runs[0]).stop_all()
        raise


def run_flow(plan: Plan, *, workers: int, listener: Listener) -> IngestReport:
    """Run a plan of at least one session as `ingest_flow`, on `workers` threads with a process each.

    On a cluster there are as many threads as its workers have, each waiting for one of them.
    """
    shared = plan.runs[0]
    worker_process.allow()
    if shared.cluster:
        cluster = ingest.cluster_of(shared)
        cluster.allow()
        workers = cluster.n_slots
    runner: Any = ThreadPoolTaskRunner(max_workers=workers)
    token = _listener.set(listener)
    try:
        report = ingest_flow.with_options(task_runner=runner)(
            sessions=[run.session_file for run in plan.runs],
            warehouse=shared.warehouse,
            recipe=shared.recipe,
            model=shared.model,
            only=list(plan.only),
            steps=shared.steps,
            cluster=shared.cluster,
        )
    finally:
        _listener.reset(token)
    return IngestReport(outcomes=report.outcomes, refused=plan.refused + report.refused)


def _run(plan: Plan) -> IngestReport:
    preparations = {run: prepare.submit(run) for run in plan.runs}
    trials = {
        # Prefect hands the task what the future becomes; its types don't say so.
        process.submit(run, trial, preparations[run]): (run, trial)  # type: ignore[call-overload]
        for run in plan.runs
        for trial in run.trials
    }
    outcomes = sorted(_outcomes(trials), key=lambda outcome: outcome.key)
    return IngestReport(outcomes=tuple(outcomes), refused=plan.refused + _refused(preparations))


def _outcomes(trials: dict[PrefectFuture[Outcome | None], tuple[SessionRun, str]]) -> list[Outcome]:
    outcomes = []
    for future in as_completed(list(trials)):
        result = future.result(raise_on_failure=False)
        outcome = ingest.failed_trial(*trials[future], result) if isinstance(result, BaseException) else result
        _listener.get()(outcome)
        if outcome is not None:
            outcomes.append(outcome)
    return outcomes


def _refused(preparations: dict[SessionRun, PrefectFuture[Preparation]]) -> tuple[Refusal, ...]:
    results = {run: future.result(raise_on_failure=False) for run, future in preparations.items()}
    return tuple(
        Refusal(session=run.session_file, reason=result.reason)
        for run, result in results.items()
        if isinstance(result, Preparation) and result.state == "refused"
    )
