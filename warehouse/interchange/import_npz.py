"""Import published NPZ files into a warehouse."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from warehouse.channels import TARGET_CHANNELS, TargetKind
from warehouse.identity import TrialKey
from warehouse.interchange.gait2hip60 import PublishedCycles, read_published
from warehouse.interchange.store import IMPORT_SESSION, ImportedTrial, store_imported
from warehouse.layout import Warehouse
from warehouse.provenance import file_sha256

# Two files of one data set hold the same angles; cycles that differ by more are different cycles.
_SAME_ANGLE_DEG = 1e-3


def import_npz(warehouse: Warehouse, files: Sequence[Path], cohort: str) -> int:
    """Store the cycles of one file, or of a file of forces and one of moments of the same cycles; returns their number.

    Everything is read and checked before anything is written. ValueError names the file that doesn't fit.
    """
    published = {cycles.kind: cycles for cycles in map(read_published, files)}
    if len(published) != len(files):
        names = ", ".join(str(file) for file in files)
        raise ValueError(f"{names}: expected at most one file of forces and one of moments.")
    _refuse_different_cycles(list(published.values()))
    trials = _trials(published, cohort)
    store_imported(warehouse, trials, {file.name: file_sha256(file) for file in files})
    return len(trials)


def _refuse_different_cycles(published: Sequence[PublishedCycles]) -> None:
    if len(published) < 2:
        return
    one, other = published
    where = f"{one.file} and {other.file}"
    if len(one) != len(other):
        raise ValueError(f"{where}: {len(one)} and {len(other)} cycles, expected the same ones. Import each by itself.")
    same = (
        (one.subject == other.subject)
        & (one.condition == other.condition)
        & (one.mass_kg == other.mass_kg)
        & (one.height_m == other.height_m)
        & (np.abs(one.inputs_deg - other.inputs_deg).max(axis=(1, 2)) <= _SAME_ANGLE_DEG)
    )
    if not same.all():
        cycle = int(np.flatnonzero(~same)[0])
        raise ValueError(
            f"{where}: cycle {cycle} is not the same in both ({one.subject[cycle]}, {one.condition[cycle]}; "
            f"{other.subject[cycle]}, {other.condition[cycle]}). Import each by itself, into cohorts of their own."
        )


def _trials(published: Mapping[TargetKind, PublishedCycles], cohort: str) -> list[ImportedTrial]:
    first = next(iter(published.values()))
    seen: Counter[tuple[str, str]] = Counter()
    last = Counter(zip(first.subject.tolist(), first.condition.tolist(), strict=True))
    # Names sort as the cycles do, however many there are.
    digits = max(2, len(str(max(last.values()))))
    trials = []
    for cycle in range(len(first)):
        subject, condition = str(first.subject[cycle]), str(first.condition[cycle])
        seen[subject, condition] += 1
        name = published_trial_name(condition, seen[subject, condition], digits)
        trials.append(
            ImportedTrial(
                key=TrialKey(cohort=cohort, subject=subject, session=IMPORT_SESSION, trial=name),
                condition=condition,
                source=f"{', '.join(one.file.name for one in published.values())}: cycle {cycle}",
                mass_kg=float(first.mass_kg[cycle]),
                height_m=float(first.height_m[cycle]),
                inputs_deg=first.inputs_deg[cycle],
                targets={
                    name: one.targets[cycle, :, index] / one.mass_kg[cycle]
                    for kind, one in published.items()
                    for index, name in enumerate(TARGET_CHANNELS[kind])
                },
                duration_s=float("nan"),
            )
        )
    return trials


def published_trial_name(condition: str, number: int, digits: int = 2) -> str:
    """The name given to a published cycle: its number among the cycles of its subject and condition."""
    return f"{condition}_{number:0{digits}d}"
