"""The chain's functions as an ingest calls them: the one place where flows meet `pipeline.storing`."""

from collections.abc import Callable
from dataclasses import dataclass

from flows.workers.warm_start import MECHANICS_PRELOAD, make_ready
from pipeline.session.recipe import load_recipe
from pipeline.storing.request import SessionRequest
from pipeline.storing.staleness import SessionState, session_state
from warehouse.outcome import Outcome, Rejection, SessionOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainSteps:
    """What an ingest calls. Functions of modules: worker processes find them by name.

    `prepare_session` and `ingest_trial` run in workers, which import `preload` first; a session for which `leaks` holds
    has a new process for each of these calls, and one for which it doesn't has the workers do `start` before their
    first. The others run in the process that keeps the batch together.
    """

    session_state: Callable[[SessionRequest], SessionState]
    prepare_session: Callable[[SessionRequest], SessionOutcome]
    ingest_trial: Callable[[SessionRequest, str], Outcome]
    record_rejection: Callable[[SessionRequest, str, Rejection], Outcome]
    record_crash: Callable[[SessionRequest, str, Rejection], Outcome]
    leaks: Callable[[SessionRequest], bool]
    preload: tuple[str, ...] = ()
    start: Callable[[], object] | None = None


def _prepare_session(request: SessionRequest) -> SessionOutcome:
    # Imported where it runs, in a worker: the process that keeps the batch together never loads OpenSim.
    from pipeline.storing.prepare_session import prepare_session

    return prepare_session(request)


def _ingest_trial(request: SessionRequest, trial: str) -> Outcome:
    from pipeline.storing.ingest_trial import ingest_trial

    return ingest_trial(request, trial)


def _record_rejection(request: SessionRequest, trial: str, rejection: Rejection) -> Outcome:
    from pipeline.storing.store_rejected import record_rejection

    return record_rejection(request, trial, rejection)


def _record_crash(request: SessionRequest, trial: str, rejection: Rejection) -> Outcome:
    from pipeline.storing.store_rejected import record_crash

    return record_crash(request, trial, rejection)


def _leaks(request: SessionRequest) -> bool:
    # OpenSim's static optimization keeps some 40 MB of every trial.
    return load_recipe(request.recipe).model.engine == "tools"


CHAIN = ChainSteps(
    session_state=session_state,
    prepare_session=_prepare_session,
    ingest_trial=_ingest_trial,
    record_rejection=_record_rejection,
    record_crash=_record_crash,
    leaks=_leaks,
    # The command line is what a worker's main module imports.
    preload=(
        "pipeline.storing.prepare_session",
        "pipeline.storing.ingest_trial",
        "pipeline.osim.exact.engine",
        MECHANICS_PRELOAD,
        "flows.cli",
    ),
    start=make_ready,
)
