"""Which stored trials a release is cut from."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

from warehouse.channels import TURN_DEG
from warehouse.holdings.contents import has_cycles
from warehouse.identity import TrialKey
from warehouse.metadata import Stored
from warehouse.release.split import subject_id

Sides = Literal["right", "both"]


def parse_sides(text: str) -> Sides:
    """`right` or `both`; ValueError for anything else."""
    known: dict[str, Sides] = {"right": "right", "both": "both"}
    if text not in known:
        raise ValueError(f"--sides {text}: expected right or both.")
    return known[text]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTrial:
    """One stored trial: its row, the account of the row's file, and its session's row, empty if that was rejected."""

    key: TrialKey
    account: Stored
    row: Mapping[str, object]
    session: Mapping[str, object]

    @property
    def accepted(self) -> bool:
        """Whether the trial gives targets."""
        return self.row["outcome"] == "accepted"

    @property
    def rejected(self) -> bool:
        """Whether the trial gives nothing; one of kinematics only is neither accepted nor rejected."""
        return self.row["outcome"] == "rejected"

    @property
    def condition(self) -> str:
        """The walking condition."""
        return str(self.row["condition"])

    @property
    def turns(self) -> bool:
        """Whether a stored stride of it turns; what was stored before that was measured counts as straight."""
        change_deg = self.row.get("heading_change_deg")
        return isinstance(change_deg, float) and abs(change_deg) > TURN_DEG

    @property
    def subject_id(self) -> str:
        """The subject as `cohort/subject`, as in a split."""
        return subject_id(self.key.cohort, self.key.subject)

    @property
    def height_m(self) -> float:
        """The subject's height at this visit, metres."""
        height_m = self.session["height_m"]
        assert isinstance(height_m, float)
        return height_m


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a release is restricted to; empty means all. `subjects` are codes, or `cohort/subject` if codes recur.

    `turns`: trials that turn are not left out.
    """

    cohorts: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    recipes: tuple[str, ...] = ()
    turns: bool = False

    def as_plain(self) -> dict[str, list[str]]:
        """Plain data for the manifest, sorted: the order in which words were typed has no meaning."""
        words = {name: sorted(chosen) for name, chosen in asdict(self).items() if name != "turns"}
        return words | ({"turns": ["included"]} if self.turns else {})


def select(trials: Sequence[StoredTrial], selection: Selection) -> list[StoredTrial]:
    """The trials, accepted or rejected, that fit the selection.

    ValueError for a word that fits no trial: a typing error must not silently give a smaller release.
    """
    chosen = list(trials)
    rules: tuple[tuple[str, tuple[str, ...], Callable[[StoredTrial], tuple[str, ...]]], ...] = (
        ("--cohort", selection.cohorts, lambda trial: (trial.key.cohort,)),
        ("--recipe", selection.recipes, lambda trial: (trial.account.recipe,)),
        ("--condition", selection.conditions, lambda trial: (trial.condition,)),
        ("--subject", selection.subjects, lambda trial: (trial.key.subject, trial.subject_id)),
    )
    for option, wanted, names in rules:
        if wanted:
            _refuse_unknown(option, wanted, trials, names)
            chosen = [trial for trial in chosen if set(names(trial)) & set(wanted)]
    return chosen


def with_cycles(trials: Iterable[StoredTrial], sides: Sides, *, turns: bool) -> list[StoredTrial]:
    """The accepted trials that have a cycle of these sides; with `turns` also those that turn."""
    return [
        trial
        for trial in trials
        if trial.accepted
        and has_cycles(trial.account)
        and (turns or not trial.turns)
        and (sides == "both" or trial.row["n_cycles_right"])
    ]


def subjects_left_out(surveyed: Iterable[StoredTrial], released: Iterable[StoredTrial]) -> tuple[str, ...]:
    """The subjects, as `cohort/subject`, of whom a selection has trials and a release none, sorted."""
    return tuple(sorted({trial.subject_id for trial in surveyed} - {trial.subject_id for trial in released}))


def _refuse_unknown(
    option: str, wanted: Sequence[str], trials: Sequence[StoredTrial], names: Callable[[StoredTrial], tuple[str, ...]]
) -> None:
    known = {name for trial in trials for name in names(trial)}
    for word in wanted:
        if word not in known:
            # The shortest form of each: a subject's code, not also its cohort/subject.
            listed = sorted({names(trial)[0] for trial in trials})
            raise ValueError(f"{option} {word}: the warehouse has none; it has {', '.join(listed[:20])}.")
