"""What became of a call in a worker process, and how that is told: the one place that says whose fault it was."""

import signal
from dataclasses import dataclass
from typing import Any

from warehouse.errors import WarehouseError

PLEASE_REPORT = "This is a fault of gait2hip, not of the recording: please report it with its log."

# The errors that say what the caller can correct, by name: they come from another process as text. Errors derived from
# ValueError are some library's, and ours to explain.
_CALLERS = ("ValueError", "TrialRejected")


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """The function returned `value`."""

    value: Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Raised:
    """The function raised. `type_names` are the exception's classes, from its own to the most general."""

    type_names: tuple[str, ...]
    message: str
    traceback: str
    log_tail: str

    @property
    def type_name(self) -> str:
        """The exception's own class name."""
        return self.type_names[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Crashed:
    """The process ended without a result; `exit_code` is minus the signal's number where one ended it."""

    exit_code: int
    log_tail: str

    @property
    def cause(self) -> str:
        """The exit code in words."""
        if self.exit_code >= 0:
            return f"exit code {self.exit_code}"
        try:
            return f"signal {signal.Signals(-self.exit_code).name}"
        except ValueError:
            return f"signal {-self.exit_code}"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimedOut:
    """The process was killed when its time was up."""

    limit_s: float
    log_tail: str


@dataclass(frozen=True, slots=True)
class Stopped:
    """The call was ended, or kept from starting, when the run was stopped: nothing is known about it."""


CallOutcome = Returned | Raised | Crashed | TimedOut | Stopped


class CallersError(ValueError):
    """What the caller can correct; `log` is what the process printed, and where the error was raised."""

    def __init__(self, message: str, log: str) -> None:
        super().__init__(message)
        self.log = log


class WorkerFault(Exception):
    """An error that the caller can't correct: `reason` is a sentence, `log` what the process printed and where."""

    def __init__(self, reason: str, log: str) -> None:
        super().__init__(reason, log)
        self.reason = reason
        self.log = log

    def __str__(self) -> str:
        return self.reason


class WorkerLost(WorkerFault):
    """A worker process that crashed or hung: it may be this recording that brings a native library down."""


class WorkersStopped(Exception):
    """The run was stopped before the call had ended."""


def value_of(outcome: CallOutcome) -> Any:
    """What the function returned.

    CallersError or WarehouseError with the function's own message where that says what the caller can correct;
    WorkerLost if its process crashed or hung, WorkerFault for any other error, WorkersStopped if the run was stopped.
    """
    match outcome:
        case Returned(value=value):
            return value
        case Stopped():
            raise WorkersStopped
        case Crashed():
            raise WorkerLost(
                f"the worker process crashed ({outcome.cause}). Run it again; if it crashes again, "
                "leave this trial out and report its log.",
                outcome.log_tail,
            )
        case TimedOut():
            raise WorkerLost(
                f"the worker process had not finished after {outcome.limit_s:.0f} s and was ended. "
                "Is the recording far longer than a walk? Cut it, or leave it out.",
                outcome.log_tail,
            )
        case Raised() if WarehouseError.__name__ in outcome.type_names:
            raise WarehouseError(outcome.message)
        case Raised() if outcome.type_name in _CALLERS:
            raise CallersError(outcome.message, f"{outcome.traceback}\n{outcome.log_tail}".strip())
        case Raised():
            raise WorkerFault(
                f"an unexpected {outcome.type_name}: {outcome.message}. {PLEASE_REPORT}",
                f"{outcome.traceback}\n{outcome.log_tail}",
            )
