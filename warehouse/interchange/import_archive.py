"""Import a published archive of trials into a warehouse: one gait cycle of the right leg per trial."""

import csv
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from warehouse.channels import INPUT_COORDINATES, MOMENT_CHANNELS, MUSCLE_GROUPS
from warehouse.identity import TrialKey
from warehouse.interchange.archive_files import ArchivedTrial, TableKind, read_archive
from warehouse.interchange.gait2hip60 import OUT_COLUMNS, POINTS
from warehouse.interchange.given_file import content_of, refuse_repeated
from warehouse.interchange.import_npz import published_trial_name
from warehouse.interchange.opensim_table import OpenSimTable
from warehouse.interchange.reach import impossible
from warehouse.interchange.store import IMPORT_SESSION, ImportedTrial, store_imported
from warehouse.layout import Warehouse
from warehouse.provenance import file_sha256, stable_hash
from warehouse.resample import monotone_cubic

PUBLISHED_CONDITIONS = ("slow", "med", "fast")
# The metronome's steps per minute; the published README calls `slow`, `med` and `fast` legacy labels.
_CADENCES = {"78": "slow", "115": "med", "135": "fast"}
_SUBJECT_COLUMNS = ("subject_id", "height_m", "weight_kg")
# Bounds of a walking stride (those of the packaged recipe).
_STRIDE_S = (0.6, 2.5)
# With half a cycle too much or too little, the hip ends at the other end of its range.
_MAX_OPEN_RATIO = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class _Body:
    mass_kg: float
    height_m: float


def import_archive(warehouse: Warehouse, archive: Path, subjects: Path, cohort: str) -> tuple[int, int]:
    """Store an archive's trials; returns how many were accepted, and how many rejected as not being one gait cycle.

    `subjects` is a CSV with subject_id, height_m and weight_kg. Everything is read before anything is written.
    ValueError names the file that can't be read or doesn't fit the layout.
    """
    bodies = read_subjects(subjects)
    trials = list(_trials(read_archive(archive), bodies, cohort))
    store_imported(warehouse, trials, {archive.name: _content_hash(archive), subjects.name: file_sha256(subjects)})
    n_rejected = sum(trial.reason is not None for trial in trials)
    return len(trials) - n_rejected, n_rejected


def read_subjects(file: Path) -> dict[str, _Body]:
    """Mass and height by subject, from CSV. ValueError if a column or a value is missing or not a number."""
    try:
        table = csv.DictReader(content_of(file).decode("utf-8-sig").splitlines())
        rows = list(table)
    except UnicodeDecodeError as error:
        raise ValueError(f"{file} is not UTF-8 ({error.reason} at byte {error.start}). Save it as UTF-8.") from error
    except csv.Error as error:
        raise ValueError(f"{file}: can't be read as CSV ({error}).") from error
    refuse_repeated(str(file), list(table.fieldnames or ()))
    present = list(rows[0]) if rows else []
    missing = [name for name in _SUBJECT_COLUMNS if name not in present]
    if missing:
        raise ValueError(
            f"{file}: its columns are {', '.join(map(str, present)) or 'none'}; expected {', '.join(_SUBJECT_COLUMNS)} "
            "(metres and kilograms). Rename them in a copy."
        )
    codes = [row["subject_id"].strip() for row in rows]
    twice = sorted({code for code in codes if codes.count(code) > 1})
    if twice:
        raise ValueError(f"{file}: {', '.join(twice)} twice, expected one row a subject.")
    return {code: _body(file, row) for code, row in zip(codes, rows, strict=True)}


def _body(file: Path, row: Mapping[str, str]) -> _Body:
    try:
        mass_kg, height_m = float(row["weight_kg"]), float(row["height_m"])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{file}: subject {row['subject_id']}: {error}.") from error
    if not (5 <= mass_kg <= 300 and 0.5 <= height_m <= 2.5):
        raise ValueError(
            f"{file}: subject {row['subject_id']} has weight_kg={mass_kg:g}, height_m={height_m:g}; expected 5-300 kg "
            "and 0.5-2.5 m. Another unit?"
        )
    return _Body(mass_kg=mass_kg, height_m=height_m)


def _trials(archived: list[ArchivedTrial], bodies: Mapping[str, _Body], cohort: str) -> Iterator[ImportedTrial]:
    seen: Counter[tuple[str, str]] = Counter()
    for files in sorted(archived, key=lambda files: files.source):
        subject = _the_one(files, files.words, bodies, "a subject of the subjects' table")
        # `slow1` is the first slow trial.
        words = [_CADENCES.get(word, word.rstrip("0123456789")) for word in files.words]
        condition = _the_one(files, words, PUBLISHED_CONDITIONS, f"a condition ({', '.join(PUBLISHED_CONDITIONS)})")
        seen[subject, condition] += 1
        key = TrialKey(
            cohort=cohort,
            subject=subject,
            session=IMPORT_SESSION,
            trial=published_trial_name(condition, seen[subject, condition]),
        )
        yield _trial(files, key, condition, bodies[subject])


def _the_one(files: ArchivedTrial, words: Sequence[str], known: Iterable[str], what: str) -> str:
    spoken = {word.lower() for word in words}
    matches = [word for word in known if word.lower() in spoken]
    if len(matches) != 1:
        raise ValueError(
            f"{files.source}: its path, whose words are {', '.join(words)}, names "
            f"{' and '.join(matches) or 'nothing'}; expected {what}, once."
        )
    return matches[0]


def _trial(files: ArchivedTrial, key: TrialKey, condition: str, body: _Body) -> ImportedTrial:
    motion = files.tables["kinematics"]
    duration_s = float(motion.time_s[-1] - motion.time_s[0])
    reason = _unfit(files, duration_s)
    resampled = {} if reason else _resampled(files)
    return ImportedTrial(
        key=key,
        condition=condition,
        source=files.source,
        mass_kg=body.mass_kg,
        height_m=body.height_m,
        inputs_deg=resampled.get("kinematics", np.zeros((0, len(INPUT_COORDINATES)))),
        targets={} if reason else _targets(resampled, body.mass_kg),
        duration_s=duration_s,
        reason=reason,
    )


def _unfit(files: ArchivedTrial, duration_s: float) -> str | None:
    """Why a trial's files are not one gait cycle, None if they are."""
    motion = files.tables["kinematics"]
    if not _STRIDE_S[0] <= duration_s <= _STRIDE_S[1]:
        return f"{motion.name} lasts {duration_s:.2f} s, one gait cycle takes {_STRIDE_S[0]}-{_STRIDE_S[1]} s."
    if fault := impossible(motion.degrees(INPUT_COORDINATES)):
        return f"{motion.name}: {fault}."
    hip_deg = motion.degrees(["hip_flexion_r"])[:, 0]
    open_ratio = abs(hip_deg[-1] - hip_deg[0]) / max(float(np.ptp(hip_deg)), 1e-9)
    if open_ratio > _MAX_OPEN_RATIO:
        return f"{motion.name} ends {open_ratio:.0%} of the hip's range from where it begins: not one gait cycle."
    frame_s = duration_s / (len(motion.time_s) - 1)
    for table in files.tables.values():
        gap_s = max(table.time_s[0] - motion.time_s[0], motion.time_s[-1] - table.time_s[-1])
        if gap_s > 1.5 * frame_s:
            return f"{table.name} lacks {gap_s:.2f} s of the motion in {motion.name}."
    return None


def _resampled(files: ArchivedTrial) -> dict[TableKind, np.ndarray]:
    motion, dynamics, optimization = (files.tables[kind] for kind in ("kinematics", "dynamics", "optimization"))
    at = np.linspace(motion.time_s[0], motion.time_s[-1], POINTS)
    groups = np.stack([optimization.numbers(units).sum(axis=1) for units in MUSCLE_GROUPS.values()], axis=1)
    return {
        "kinematics": _at(motion, motion.degrees(INPUT_COORDINATES), at),
        "dynamics": _at(dynamics, dynamics.numbers(OUT_COLUMNS["moments"]), at),
        "optimization": _at(optimization, groups, at),
    }


def _at(table: OpenSimTable, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    if not np.isfinite(values).all():
        raise ValueError(f"{table.name}: holds NaN or infinity, expected every value to be known.")
    return monotone_cubic(table.time_s, values, np.clip(at, table.time_s[0], table.time_s[-1]))


def _targets(resampled: Mapping[TableKind, np.ndarray], mass_kg: float) -> dict[str, np.ndarray]:
    forces, moments = resampled["optimization"] / mass_kg, resampled["dynamics"] / mass_kg
    return {
        **{f"force_{group}": forces[:, index] for index, group in enumerate(MUSCLE_GROUPS)},
        **{name: moments[:, index] for index, name in enumerate(MOMENT_CHANNELS)},
    }


def _content_hash(archive: Path) -> str:
    if not archive.is_dir():
        return file_sha256(archive)
    files = sorted(file for file in archive.rglob("*") if file.is_file())
    return stable_hash({file.relative_to(archive).as_posix(): file_sha256(file) for file in files})
