from collections.abc import Callable
from pathlib import Path

import pytest

from flows.ingesting.plan import SessionPlan, plan_ingest
from flows.ingesting.session_work import READY, Preparation, SessionWork
from flows.ingesting.steps import ChainSteps
from flows.workers.call_outcome import CallOutcome, Raised, Stopped
from warehouse.errors import WarehouseError
from warehouse.outcome import Rejection


class Workers:
    """Every call ends in the same way."""

    n_slots = 1

    def __init__(self, end: CallOutcome | Exception) -> None:
        self.end = end

    def run(self, *_: object, **__: object) -> CallOutcome:
        if isinstance(self.end, Exception):
            raise self.end
        return self.end

    def stop_all(self) -> None:
        pass


@pytest.fixture
def session(stub_chain: ChainSteps, write_session: Callable[..., Path], tmp_path: Path) -> SessionPlan:
    file = write_session("v1", {"t": "accept"})
    (session,) = plan_ingest([file], warehouse=str(tmp_path), recipe="any", model=None, steps=stub_chain).sessions
    return session


def test_no_room_for_a_workers_own_files_is_no_fault_of_the_code(stub_chain: ChainSteps, session: SessionPlan) -> None:
    full = "the disk that holds temporary files is full."
    work = SessionWork(steps=stub_chain, workers=Workers(WarehouseError(full)))

    outcome = work.run_trial(session, "t", READY)

    assert outcome is not None
    assert outcome.rejection == Rejection(stage="storing", reason=full)
    refused = work.prepare(session)
    assert refused.state == "refused"
    assert refused.rejection is not None and refused.rejection.reason == full


def test_a_stopped_run_knows_nothing_of_its_trials(stub_chain: ChainSteps, session: SessionPlan) -> None:
    work = SessionWork(steps=stub_chain, workers=Workers(Stopped()))

    preparation = work.prepare(session)

    assert preparation == Preparation(state="stopped")
    assert work.run_trial(session, "t", preparation) is None
    assert work.run_trial(session, "t", READY) is None


def test_what_the_user_must_correct_meanwhile_is_no_fault_of_the_code(
    stub_chain: ChainSteps, session: SessionPlan
) -> None:
    """The session's model was replaced by another's settings, say, while its trials ran."""
    gone = Raised(type_names=("ValueError", "Exception"), message="holds no scaled model", traceback="", log_tail="")

    outcome = SessionWork(steps=stub_chain, workers=Workers(gone)).run_trial(session, "t", READY)

    assert outcome is not None
    assert outcome.rejection == Rejection(stage="process_trial", reason="holds no scaled model")
