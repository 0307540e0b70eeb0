"""What became of a session and of its trials: outcomes are data, and every report begins with them."""

from dataclasses import dataclass

from warehouse.identity import SessionKey, TrialKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """Why something gives no targets: the stage that refused it, a reason with advice, and the last lines of a log."""

    stage: str
    reason: str
    log: str = ""

    def __str__(self) -> str:
        return f"{self.stage}: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """A trial that was accepted (`rejection` None), or why not. `fresh`: the warehouse held this result already.

    `kinematics_only`: it gives joint angles and no targets, as its session asks.
    """

    key: TrialKey
    rejection: Rejection | None = None
    fresh: bool = False
    n_cycles: int = 0
    kinematics_only: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the trial gave what its session asks for."""
        return self.rejection is None


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOutcome:
    """A session whose model could be scaled (`rejection` None), or why not."""

    key: SessionKey
    rejection: Rejection | None = None
    fresh: bool = False

    @property
    def accepted(self) -> bool:
        """Whether the session's trials can be processed."""
        return self.rejection is None
