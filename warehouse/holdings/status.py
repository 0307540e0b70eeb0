"""What a warehouse holds: outcomes first, then why trials were rejected, then files that are missing or left over."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from warehouse.errors import WarehouseError
from warehouse.files import read, storage
from warehouse.holdings.contents import trial_paths
from warehouse.holdings.told import rejected_once
from warehouse.holdings.whole_imports import partial_imports
from warehouse.identity import TrialKey
from warehouse.layout import (
    SCALED_MODELS,
    Warehouse,
    relative,
    table_directory,
)
from warehouse.metadata import Stored
from warehouse.schemas import PER_MOTION, PER_REJECTED, PER_SESSION, PER_TRIAL

_SHOWN = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialLine:
    """One trial's outcome, from its row; `stage` and `reason` are None if it was accepted."""

    key: TrialKey
    condition: str
    outcome: Literal["accepted", "kinematics", "rejected"]
    stage: str | None
    reason: str | None
    n_cycles_right: int
    n_cycles_left: int


@dataclass(frozen=True, slots=True, kw_only=True)
class WarehouseStatus:
    """Everything `gait2hip status` says.

    `unreadable`: messages about trial rows that can't be read. `missing`: files that an accepted trial needs.
    `partial_imports`: imported sessions whose import was interrupted.
    `orphans`: files that no stored trial vouches for, such as the cycles of a trial that was rejected later.
    """

    root: str
    trials: tuple[TrialLine, ...]
    unreadable: tuple[str, ...]
    missing: tuple[str, ...]
    partial_imports: tuple[str, ...]
    orphans: tuple[str, ...]

    @property
    def accepted(self) -> tuple[TrialLine, ...]:
        """Trials that give targets."""
        return tuple(trial for trial in self.trials if trial.outcome == "accepted")

    @property
    def rejected(self) -> tuple[TrialLine, ...]:
        """Trials that give nothing."""
        return tuple(trial for trial in self.trials if trial.outcome == "rejected")

    @property
    def of_kinematics(self) -> tuple[TrialLine, ...]:
        """Trials that give joint angles only, as their sessions ask."""
        return tuple(trial for trial in self.trials if trial.outcome == "kinematics")

    @property
    def rejections_by_stage(self) -> dict[str, int]:
        """How many trials each step rejected, most first."""
        counts = Counter(trial.stage or "" for trial in self.rejected)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    @property
    def n_subjects(self) -> int:
        """Subjects with at least one trial."""
        return len({(trial.key.cohort, trial.key.subject) for trial in self.trials})

    @property
    def n_sessions(self) -> int:
        """Visits with at least one trial."""
        return len({trial.key.session_key for trial in self.trials})

    @property
    def n_cycles(self) -> tuple[int, int]:
        """Gait cycles of the right and of the left leg in accepted trials."""
        return (
            sum(trial.n_cycles_right for trial in self.accepted),
            sum(trial.n_cycles_left for trial in self.accepted),
        )


def warehouse_status(warehouse: Warehouse) -> WarehouseStatus:
    """The status of a warehouse from its trials' metadata and folder listings; no measured data is read.

    In imported cohorts the sessions' rows say how many trials there must be.
    WarehouseError if there is no warehouse at the root.
    """
    if warehouse.filesystem.get_file_info(warehouse.base).type.name not in ("Directory", "NotFound"):
        raise WarehouseError(f"{warehouse.root} is a file: name the warehouse's folder.")
    rows, unreadable = read.read_accounts(warehouse, "trials")
    present = set(_listed(warehouse))
    if not rows and not unreadable and not present:
        raise WarehouseError(
            f"there is no warehouse at {warehouse.root}, or nothing has been ingested into it yet. "
            "Check --warehouse, or run `gait2hip ingest`."
        )
    needed: set[str] = set()
    allowed: set[str] = set()
    keys = [read.trial_key(row) for row in rows]
    for key, row in zip(keys, rows, strict=True):
        files = trial_paths(warehouse, key)
        needed.update(files.needed(row))
        allowed.update(files.allowed(row))
    return WarehouseStatus(
        root=warehouse.root,
        trials=tuple(TrialLine(key=key, **row.summary) for key, row in zip(keys, rows, strict=True)),
        unreadable=tuple(unreadable),
        missing=tuple(relative(warehouse, path) for path in sorted(needed - present)),
        partial_imports=tuple(_partial_imports(warehouse, rows)),
        orphans=tuple(relative(warehouse, path) for path in sorted(present - allowed)),
    )


def status_text(status: WarehouseStatus) -> str:
    """The status as plain text, outcomes first."""
    return "\n".join(
        [
            _headline(status),
            _totals(status),
            *_by_condition(status),
            *_rejections(status),
            *_listing(f"{len(status.unreadable)} unreadable, ingest their sessions again", status.unreadable),
            *_listing(f"{len(status.missing)} missing, ingest their sessions again", status.missing),
            *_listing(f"{len(status.partial_imports)} imported in part", status.partial_imports),
            *_listing(f"{len(status.orphans)} belonging to no stored trial", status.orphans),
        ]
    )


def _partial_imports(warehouse: Warehouse, trials: list[Stored]) -> list[str]:
    try:
        return partial_imports(warehouse, trials)
    except WarehouseError as error:
        return str(error).splitlines()


def _listed(warehouse: Warehouse) -> Iterator[str]:
    for table in ("subjects", *PER_SESSION, *dict.fromkeys((*PER_TRIAL, *PER_MOTION, *PER_REJECTED)), "cycles"):
        yield from storage.files_under(warehouse, table_directory(warehouse, table))
    yield from storage.files_under(warehouse, table_directory(warehouse, SCALED_MODELS))


def _headline(status: WarehouseStatus) -> str:
    why = ", ".join(f"{count} {stage.replace('_', ' ')}" for stage, count in status.rejections_by_stage.items())
    angles = f"{len(status.of_kinematics)} of kinematics only, " if status.of_kinematics else ""
    return f"{len(status.accepted)} accepted, {angles}{len(status.rejected)} rejected{': ' + why if why else ''}"


def _totals(status: WarehouseStatus) -> str:
    right, left = status.n_cycles
    return (
        f"{right + left} gait cycles ({right} right, {left} left) of {status.n_subjects} subjects "
        f"in {status.n_sessions} sessions, in {status.root}"
    )


def _by_condition(status: WarehouseStatus) -> Iterator[str]:
    groups = sorted({(trial.key.cohort, trial.condition) for trial in status.trials})
    if not groups:
        return
    rows = [("cohort", "condition", "accepted", "rejected", "cycles")]
    for cohort, condition in groups:
        members = [t for t in status.trials if (t.key.cohort, t.condition) == (cohort, condition)]
        accepted = [trial for trial in members if trial.outcome == "accepted"]
        n_cycles = sum(trial.n_cycles_right + trial.n_cycles_left for trial in accepted)
        n_rejected = sum(trial.outcome == "rejected" for trial in members)
        rows.append((cohort, condition, str(len(accepted)), str(n_rejected), str(n_cycles)))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    yield ""
    for row in rows:
        words = (text.ljust(width) for text, width in zip(row[:2], widths[:2], strict=True))
        numbers = (text.rjust(width) for text, width in zip(row[2:], widths[2:], strict=True))
        yield "  ".join((*words, *numbers))


def _rejections(status: WarehouseStatus) -> Iterator[str]:
    rejected = rejected_once((trial.key, trial.stage or "", trial.reason or "") for trial in status.rejected)
    lines = [f"{alike.names}  {alike.stage}: {alike.reason}" for alike in rejected]
    yield from _listing(f"{len(status.rejected)} rejected", lines)


def _listing(title: str, items: list[str] | tuple[str, ...]) -> Iterator[str]:
    if not items:
        return
    yield ""
    yield f"{title}:"
    yield from (f"  {item}" for item in items[:_SHOWN])
    if len(items) > _SHOWN:
        yield f"  … and {len(items) - _SHOWN} more"
