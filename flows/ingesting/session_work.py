"""One session's preparation and one trial, each by a call in a worker process; whatever becomes of it is an outcome."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from flows.ingesting.plan import SessionPlan
from flows.ingesting.report import INGESTING, PREPARING, PROCESSING, STORING
from flows.ingesting.steps import ChainSteps
from flows.workers.call_outcome import PLEASE_REPORT, CallersError, WorkerFault, WorkersStopped, value_of
from flows.workers.worker_pool import Workers
from pipeline.storing.request import SessionRequest
from warehouse.errors import WarehouseError
from warehouse.outcome import Outcome, Rejection

# OpenSim's tools take about 0.15 s a frame, and a walk has hundreds of frames: what runs longer hangs.
TRIAL_TIME_LIMIT_S = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What became of a session's scaling: its trials run only if it is ready.

    `rejection` says why it was rejected, crashed or was refused, as the user's configuration is wrong.
    """

    state: Literal["ready", "rejected", "crashed", "refused", "stopped"]
    rejection: Rejection | None = None


READY = Preparation(state="ready")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionWork:
    """The chain's steps and the workers that run them."""

    steps: ChainSteps
    workers: Workers

    def prepare(self, session: SessionPlan) -> Preparation:
        """Scale the session's model."""
        try:
            outcome = self._call(self.steps.prepare_session, session.request)
        except WorkersStopped:
            return Preparation(state="stopped")
        except (ValueError, WarehouseError) as error:
            return Preparation(state="refused", rejection=Rejection(stage=PREPARING, reason=str(error)))
        except WorkerFault as fault:
            rejection = Rejection(stage=PREPARING, reason=fault.reason, log=fault.log)
            return Preparation(state="crashed", rejection=rejection)
        except Exception as error:
            # Whatever keeps a worker from starting, say: it costs this session, and no other.
            rejection = Rejection(stage=PREPARING, reason=f"{type(error).__name__}: {error}. {PLEASE_REPORT}")
            return Preparation(state="crashed", rejection=rejection)
        if outcome.accepted:
            return READY
        return Preparation(state="rejected", rejection=outcome.rejection)

    def run_trial(self, session: SessionPlan, trial: str, preparation: Preparation) -> Outcome | None:
        """Take one trial through the chain; None if its session is refused or the run was stopped."""
        match preparation:
            case Preparation(state="refused" | "stopped"):
                return None
            case Preparation(state="rejected", rejection=Rejection() as rejection):
                return _store(self.steps.record_rejection, session, trial, rejection)
            case Preparation(rejection=Rejection() as rejection):
                return _store(self.steps.record_crash, session, trial, rejection)
        try:
            outcome: Outcome = self._call(self.steps.ingest_trial, session.request, trial)
            return outcome
        except WorkersStopped:
            return None
        except WarehouseError as error:
            # A disk that filled up, say: the message says what to do, and nothing of the trial's is at fault.
            rejection = Rejection(stage=STORING, reason=str(error))
        except CallersError as error:
            rejection = Rejection(stage=PROCESSING, reason=str(error), log=error.log)
        except WorkerFault as fault:
            rejection = Rejection(stage=PROCESSING, reason=fault.reason, log=fault.log)
        return _store(self.steps.record_crash, session, trial, rejection)

    def _call(self, step: Callable[..., Any], request: SessionRequest, *trial: str) -> Any:
        is_last = self.steps.leaks(request)
        return value_of(self.workers.run(step, request, *trial, time_limit_s=TRIAL_TIME_LIMIT_S, is_last=is_last))


def failed_trial(session: SessionPlan, trial: str, error: BaseException) -> Outcome:
    """The outcome of a trial that not even the code around its worker process survived."""
    rejection = Rejection(stage=INGESTING, reason=f"{type(error).__name__}: {error}")
    return Outcome(key=session.key.of_trial(trial), rejection=rejection)


def _store(
    record: Callable[[SessionRequest, str, Rejection], Outcome], session: SessionPlan, trial: str, rejection: Rejection
) -> Outcome:
    try:
        return record(session.request, trial, rejection)
    except (WarehouseError, ValueError) as error:
        reason = f"{rejection.reason} This rejection could not be stored: {error}"
        return Outcome(key=session.key.of_trial(trial), rejection=Rejection(stage=rejection.stage, reason=reason))
