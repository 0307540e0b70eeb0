"""Cut a release: select trials, refuse mixtures, split by subject, compact, audit, describe, publish."""

from collections.abc import Callable, Iterable, Sequence, Set
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from warehouse.channels import TARGET_CHANNELS, TargetKind
from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.holdings.whole_imports import partial_imports
from warehouse.identity import SessionKey, check_name
from warehouse.layout import Warehouse
from warehouse.release.audit_record import Auditor, UnreleasedCycles
from warehouse.release.card import CardFacts, quality_columns, render_card
from warehouse.release.cycles_file import Sampling, channels_in, row_groups, write_cycles
from warehouse.release.manifest import (
    AUDIT_FILE,
    CARD_FILE,
    CYCLES_FILE,
    RECIPE_FILE,
    RELEASE_FORMAT,
    SPLIT_FILE,
    STATISTICS_FILE,
    Manifest,
    ReleasedTrial,
    plain_json,
)
from warehouse.release.origin import common_origin
from warehouse.release.publish import Release, publish, staged_files, staging
from warehouse.release.selection import Selection, StoredTrial, select, with_cycles
from warehouse.release.split import ReleaseSplit, subject_id
from warehouse.release.statistics import as_plain, channel_statistics, subjects_of

Splitter = Callable[[Iterable[str]], ReleaseSplit]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseOrder:
    """The release to be cut.

    `split` assigns subjects to training and test; `audit` judges the cycles, as `audit_for_release` of the room reports
    does; `licence` is what the card states, None for nothing.
    """

    name: str
    selection: Selection
    sampling: Sampling
    split: Splitter
    audit: Auditor
    licence: str | None

    def __post_init__(self) -> None:
        check_name("the release's name", self.name)


def build_release(warehouse: Warehouse, order: ReleaseOrder) -> Release:
    """Cut a release. If one with the same content exists already, it is returned unchanged.

    ValueError if no trial fits the selection, if the selected trials were made in more than one way, or if the split
    names unknown subjects; WarehouseError if something can't be read or written. No partial release is left behind.
    """
    stored = stored_trials(warehouse)
    surveyed = select(stored, order.selection)
    cohorts = {trial.key.cohort for trial in surveyed}
    _refuse_partial_imports(warehouse, stored, cohorts)
    trials = with_cycles(surveyed, order.sampling.sides, turns=order.selection.turns)
    if not trials:
        raise ValueError(
            f"no gait cycle in {warehouse.root} fits the release: {len(surveyed)} trials were looked at, "
            f"{sum(trial.accepted for trial in surveyed)} of them accepted, "
            f"{sum(trial.accepted and trial.turns for trial in surveyed)} of these turn. See `gait2hip status`."
        )
    origin = common_origin(trials)
    split = order.split({trial.subject_id for trial in trials})
    with staging(warehouse, order.name) as staged:
        points = write_cycles(staged / CYCLES_FILE, warehouse, trials, order.sampling)
        statistics = channel_statistics(_training_rows(staged / CYCLES_FILE, split, points), split)
        counts = _count(staged / CYCLES_FILE, points)
        audited = order.audit(
            UnreleasedCycles(
                file=staged / CYCLES_FILE,
                points=points,
                warehouse=warehouse,
                trials=trials,
                sides=order.sampling.sides,
            )
        )
        _write(staged, SPLIT_FILE, plain_json(split.as_plain()))
        _write(staged, STATISTICS_FILE, plain_json(as_plain(statistics)))
        _write(staged, AUDIT_FILE, plain_json(audited.content))
        _write(staged, RECIPE_FILE, plain_json({"recipe": origin["recipe"], "settings": origin["settings"]}))
        facts = CardFacts(
            name=order.name,
            licence=order.licence,
            points=points,
            sides=order.sampling.sides,
            n_complete=counts.n_complete,
            targets=counts.targets,
            origin=origin,
            split=split,
            statistics=statistics,
            audit=audited.summary,
        )
        _write(staged, CARD_FILE, render_card(facts, surveyed, trials).encode())
        manifest = Manifest(
            format=RELEASE_FORMAT,
            name=order.name,
            points=points,
            sides=order.sampling.sides,
            targets=counts.targets,
            licence=order.licence,
            n_subjects=len({trial.subject_id for trial in trials}),
            n_trials=len(trials),
            n_cycles=counts.n_cycles,
            n_complete=counts.n_complete,
            selection=order.selection.as_plain(),
            origin=origin,
            sources=tuple(ReleasedTrial(trial=str(trial.key), key=trial.account.key) for trial in trials),
            files=staged_files(staged),
        )
        _refuse_changed(warehouse, stored, cohorts)
        return publish(warehouse, staged, manifest)


def stored_trials(warehouse: Warehouse) -> list[StoredTrial]:
    """Every stored trial with its session's row, sorted. WarehouseError if a row can't be read or is missing.

    A session that was rejected before its model was scaled has no row, and its rejected trials an empty one.
    """
    sessions = {SessionKey(**account.identity): row for account, row in read.rows(warehouse, "sessions")}
    trials = []
    for account, row in read.rows(
        warehouse, "trials", [*(column.name for column in quality_columns()), "heading_change_deg"]
    ):
        key = read.trial_key(account)
        if key.session_key not in sessions and account.summary["outcome"] != "rejected":
            raise WarehouseError(
                f"{key}: its session has no row in the table sessions. Run `gait2hip ingest` on that session again."
            )
        session = sessions.get(key.session_key, {})
        trials.append(StoredTrial(key=key, account=account, row={**account.summary, **row}, session=session))
    return trials


def _refuse_partial_imports(warehouse: Warehouse, stored: Sequence[StoredTrial], cohorts: Set[str]) -> None:
    problems = partial_imports(warehouse, [trial.account for trial in stored if trial.key.cohort in cohorts])
    if problems:
        raise WarehouseError("\n".join(problems))


def _refuse_changed(warehouse: Warehouse, stored: Sequence[StoredTrial], cohorts: Set[str]) -> None:
    """WarehouseError if the cohorts' trials have changed since they were selected.

    A trial that is being replaced is absent for a moment: without this check, a release cut during an ingest could
    silently lack it.
    """
    before = {(trial.key, trial.account.key) for trial in stored if trial.key.cohort in cohorts}
    now = ((read.trial_key(account), account.key) for account in read.trials(warehouse))
    changed = before ^ {(key, made_by) for key, made_by in now if key.cohort in cohorts}
    if changed:
        raise WarehouseError(
            f"the warehouse changed while the release was cut ({min(changed)[0]} and {len(changed) - 1} more); run it "
            "again when nothing is being ingested."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Counts:
    n_cycles: int
    n_complete: int
    targets: tuple[TargetKind, ...]


def _count(file: Path, points: int) -> _Counts:
    """The number of cycles, the kinds of targets that any of them has, and the number of cycles with all of these."""
    there = set(channels_in(file))
    known: dict[TargetKind, list[np.ndarray]] = {
        kind: [] for kind, names in TARGET_CHANNELS.items() if there >= {*names}
    }
    for kind, parts in known.items():
        for part in row_groups(file, TARGET_CHANNELS[kind]):
            finite = np.logical_and.reduce([np.isfinite(column.to_numpy()) for column in part.columns])
            parts.append(finite.reshape(-1, points).all(axis=1))
    whole = {kind: np.concatenate(parts) for kind, parts in known.items()}
    targets = tuple(kind for kind, cycles in whole.items() if cycles.any())
    complete = np.logical_and.reduce([whole[kind] for kind in targets]) if targets else np.zeros(0, dtype=bool)
    return _Counts(n_cycles=len(whole["forces"]), n_complete=int(complete.sum()), targets=targets)


def _training_rows(file: Path, split: ReleaseSplit, points: int) -> Iterable[pa.Table]:
    for part in row_groups(file, ("cohort", "subject", *channels_in(file))):
        if not set(subjects_of(part)) & set(split.test):
            yield part
            continue
        who = part.select(["cohort", "subject"]).take(pa.array(np.arange(0, part.num_rows, points))).to_pylist()
        kept = [subject_id(row["cohort"], row["subject"]) not in split.test for row in who]
        yield part.filter(pa.array(np.repeat(kept, points)))


def _write(staged: Path, name: str, content: bytes) -> None:
    (staged / name).write_bytes(content)
