"""What became of one trial: outcomes are data, and every report begins with them."""

from dataclasses import dataclass
from typing import Literal

from warehouse.identity import TrialKey


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
            raise ValueError(
                f"{self.key}: a rejected trial has a stage and a reason, an accepted one neither."
            )
