import pytest

from flows.workers.call_outcome import (
    CallOutcome,
    Crashed,
    Raised,
    Returned,
    Stopped,
    TimedOut,
    WorkerFault,
    WorkerLost,
    WorkersStopped,
    value_of,
)
from warehouse.errors import WarehouseError


def _raised(*names: str) -> Raised:
    return Raised(type_names=names, message="why", traceback="where", log_tail="log")


def test_what_was_returned_is_the_value() -> None:
    assert value_of(Returned(value=3)) == 3


@pytest.mark.parametrize(
    ("outcome", "error", "said"),
    [
        (_raised("ValueError", "Exception"), ValueError, "^why$"),
        (
            _raised("UnicodeDecodeError", "ValueError", "Exception"),
            WorkerFault,
            "an unexpected UnicodeDecodeError: why",
        ),
        (_raised("TrialRejected", "Exception"), ValueError, "^why$"),
        (_raised("MissingFile", "WarehouseError", "Exception"), WarehouseError, "^why$"),
        (_raised("KeyError", "Exception"), WorkerFault, "an unexpected KeyError: why. This is a fault of gait2hip"),
        (Crashed(exit_code=-11, log_tail="log"), WorkerLost, r"crashed \(signal SIGSEGV\)"),
        (Crashed(exit_code=3, log_tail="log"), WorkerLost, r"crashed \(exit code 3\)"),
        (TimedOut(limit_s=5.0, log_tail="log"), WorkerLost, "had not finished after 5 s"),
        (Stopped(), WorkersStopped, "^$"),
    ],
)
def test_every_other_end_says_whose_fault_it_was(outcome: CallOutcome, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        value_of(outcome)


def test_a_fault_brings_its_evidence() -> None:
    with pytest.raises(WorkerFault) as found:
        value_of(_raised("KeyError"))

    assert not isinstance(found.value, WorkerLost)
    assert found.value.log == "where\nlog"
