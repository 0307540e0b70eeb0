"""A request to the virtual laboratory, checked before anything is made or written."""

from dataclasses import dataclass
from pathlib import Path
from typing import get_args

from pipeline.virtual.instruments.blemishes import Blemishes, load_blemishes
from pipeline.virtual.records import Cohort, Condition
from warehouse.identity import VIRTUAL_PREFIX

# Written in every file and printed line of the laboratory.
NOTE = "virtual, not patients"
COHORTS: tuple[Cohort, ...] = get_args(Cohort)
CADENCE_CONDITIONS: tuple[Condition, ...] = get_args(Condition)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """A laboratory to be made. ValueError names what can't be made."""

    directory: Path
    cohort: Cohort
    subjects: int
    conditions: tuple[Condition, ...]
    trials: int
    seed: int
    blemishes: Blemishes

    def __post_init__(self) -> None:
        for what, value, lowest in (("subjects", self.subjects, 1), ("trials", self.trials, 1), ("seed", self.seed, 0)):
            if value < lowest:
                raise ValueError(f"{what} is {value}, expected at least {lowest}.")
        if self.cohort not in COHORTS:
            raise ValueError(f"cohort {self.cohort!r} is unknown; the virtual cohorts are {', '.join(COHORTS)}.")
        unknown = [name for name in self.conditions if name not in CADENCE_CONDITIONS]
        if unknown or not self.conditions:
            raise ValueError(
                f"conditions {unknown or 'are missing'}: expected some of {', '.join(CADENCE_CONDITIONS)}."
            )
        if len(set(self.conditions)) != len(self.conditions):
            raise ValueError(f"conditions {', '.join(self.conditions)}: one is named twice.")

    @property
    def cohort_name(self) -> str:
        """The cohort as sessions and the warehouse name it."""
        return VIRTUAL_PREFIX + self.cohort


def checked_request(
    directory: Path, *, cohort: str, subjects: int, conditions: str, trials: int, seed: int, blemishes: str
) -> Request:
    """A request from the command line's words. ValueError for what can't be made, before anything is written."""
    refuse_occupied(directory)
    return Request(
        directory=directory,
        cohort=cohort,  # type: ignore[arg-type]  # checked by Request
        subjects=subjects,
        conditions=tuple(name.strip() for name in conditions.split(",")),  # type: ignore[misc]
        trials=trials,
        seed=seed,
        blemishes=load_blemishes(blemishes),
    )


def refuse_occupied(directory: Path) -> None:
    """ValueError unless the folder is empty, or not there yet."""
    if directory.exists() and not directory.is_dir():
        raise ValueError(f"{directory} is a file. Give a new or empty folder for the virtual laboratory.")
    if directory.is_dir() and any(directory.iterdir()):
        raise ValueError(
            f"{directory} is not empty, and a virtual laboratory is written into a new or empty folder only. "
            "Give another one, or empty it yourself."
        )
