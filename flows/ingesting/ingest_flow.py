"""`flows.ingesting.run_plan` as a Prefect flow: one task prepares a session, one task runs a trial."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Future
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from prefect import flow, task
from prefect.cache_policies import NO_CACHE
from prefect.futures import as_completed
from prefect.task_runners import ThreadPoolTaskRunner

from flows.ingesting.plan import SessionPlan
from flows.ingesting.report import OutcomeListener
from flows.ingesting.session_work import Preparation, SessionWork, failed_trial
from warehouse.identity import SessionKey
from warehouse.outcome import Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    """What the flow runs. A flow's parameters are plain values, which these are not."""

    sessions: Sequence[SessionPlan]
    work: SessionWork
    preparations: Mapping[SessionKey, Future[Preparation]]
    listener: OutcomeListener


_batch: ContextVar[_Batch] = ContextVar("batch")


@task(
    name="prepare session", task_run_name="prepare {session.key.subject}/{session.key.session}", cache_policy=NO_CACHE
)
def await_preparation(session: SessionPlan) -> Preparation:
    """Wait for one session's preparation, which has begun already."""
    return _batch.get().preparations[session.key].result()


@task(name="process trial", task_run_name="{session.key.subject}/{session.key.session}/{trial}", cache_policy=NO_CACHE)
def run_trial(session: SessionPlan, trial: str, preparation: Preparation) -> Outcome | None:
    """Take one trial through the chain."""
    return _batch.get().work.run_trial(session, trial, preparation)


@flow(name="ingest", description="Recordings to warehouse, one task per trial.")
def ingest_flow(sessions: list[str], warehouse: str) -> tuple[Outcome, ...]:  # noqa: ARG001
    """Run the trials of these session files that are not up to date, as planned before.

    The parameters are what Prefect's pages tell a run by; the plan itself comes from `run_flow`, without which this
    can be neither retried nor deployed.
    """
    batch = _batch.get()
    try:
        return tuple(_outcomes(batch))
    except BaseException:
        # Also for Ctrl-C: the task runner waits for its threads, and they for their workers.
        batch.work.workers.stop_all()
        raise


def _outcomes(batch: _Batch) -> Iterator[Outcome]:
    preparations = {session.key: await_preparation.submit(session) for session in batch.sessions}
    trials = {
        # Prefect hands the task what the future becomes; its types don't say so.
        run_trial.submit(session, trial, preparations[session.key]): (session, trial)  # type: ignore[call-overload]
        for session in batch.sessions
        for trial in session.to_run
    }
    for future in as_completed(list(trials)):
        try:
            result = future.result(raise_on_failure=False)
        except Exception as error:  # a task that was never run, say
            result = error
        outcome = failed_trial(*trials[future], result) if isinstance(result, BaseException) else result
        batch.listener(outcome)
        if outcome is not None:
            yield outcome


def run_flow(
    sessions: Sequence[SessionPlan],
    work: SessionWork,
    preparations: Mapping[SessionKey, Future[Preparation]],
    listener: OutcomeListener,
) -> tuple[Outcome, ...]:
    """Run sessions, which are being prepared, as `ingest_flow`, on a thread for each worker."""
    runner: Any = ThreadPoolTaskRunner(max_workers=work.workers.n_slots)
    token = _batch.set(_Batch(sessions=sessions, work=work, preparations=preparations, listener=listener))
    try:
        return ingest_flow.with_options(task_runner=runner)(
            sessions=[session.request.session_file for session in sessions],
            warehouse=sessions[0].request.warehouse,
        )
    finally:
        _batch.reset(token)
