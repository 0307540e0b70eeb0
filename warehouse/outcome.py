"""What became of one trial: outcomes are data, and every report begins with them."""

from dataclasses import dataclass
from typing import Literal

from warehouse.identity import SessionKey, TrialKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """Accepted, or rejected at a stage for a reason. `fresh`: the warehouse held this result already."""

    key: TrialKey
    status: Literal["accepted", "rejected"]
    stage: str | None = None
    reason: str | None = None
    fresh: bool = False
    n_cycles: int = 0

    def __post_init__(self) -> None:
        if (self.status == "rejected") != (self.stage is not None and self.reason is not None):
            raise ValueError(f"{self.key}: a rejected trial has a stage and a reason, an accepted one neither.")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOutcome:
    """A session whose model could be scaled (stage and reason None), or could not."""

    key: SessionKey
    stage: str | None = None
    reason: str | None = None
    fresh: bool = False

    def __post_init__(self) -> None:
        if (self.stage is None) != (self.reason is None):
            raise ValueError(f"{self.key}: a rejected session has both a stage and a reason.")

    @property
    def accepted(self) -> bool:
        """Whether the session's trials can be processed."""
        return self.stage is None
