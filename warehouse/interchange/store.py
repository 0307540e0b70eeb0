"""Store imported cycles in the warehouse, so that releases are cut from them as from our own.

An imported trial has a row in `trials`, its cycles, and its subject's and session's rows; values that its source lacks
are null or NaN. Its provenance is the SHA-256 of the files that it was imported from.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from warehouse.channels import FORCE_CHANNELS, INPUT_COORDINATES, MOMENT_CHANNELS, ipsilateral
from warehouse.files.lock import one_writer
from warehouse.files.read import trial_key, trials
from warehouse.files.write import row_file, table_file, write_together
from warehouse.holdings.contents import is_imported, trial_paths
from warehouse.identity import SessionKey, TrialKey
from warehouse.layout import Warehouse
from warehouse.metadata import Stored
from warehouse.provenance import stable_hash

IMPORT_RECIPE = "imported-gait2hip60"
IMPORT_SESSION = "published"
# Raised when the same files are stored differently.
_VERSION = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedTrial:
    """One published gait cycle of the right leg.

    `inputs_deg` (P, 10); `targets` (P,) per body mass by their stored names, without those not known. `reason` says why
    there is no cycle; None if there is one.
    """

    key: TrialKey
    condition: str
    source: str
    mass_kg: float
    height_m: float
    inputs_deg: np.ndarray
    targets: Mapping[str, np.ndarray]
    duration_s: float
    reason: str | None = None


def store_imported(warehouse: Warehouse, imported: Sequence[ImportedTrial], files: Mapping[str, str]) -> None:
    """Store all trials that were read from `files` (name to SHA-256). Repeating an import writes the same bytes.

    Sessions' rows are stored before any trial and count the trials, so that `status` and `release` notice an import
    that was killed (`whole_imports.py`).

    ValueError if the cohort holds trials of another source, or of files that this import would not replace, or if a
    subject has two masses or heights.
    """
    _refuse_others(warehouse, imported, files)
    _refuse_two_bodies(imported)
    of_subjects: dict[SessionKey, list[ImportedTrial]] = {}
    for trial in imported:
        of_subjects.setdefault(trial.key.session_key, []).append(trial)
    for subject, members in sorted(of_subjects.items()):
        with one_writer(warehouse, subject):
            _store_subject(warehouse, members, files)
    for subject, members in sorted(of_subjects.items()):
        with one_writer(warehouse, subject):
            for trial in members:
                _store_trial(warehouse, trial, files)


def _refuse_others(warehouse: Warehouse, imported: Sequence[ImportedTrial], files: Mapping[str, str]) -> None:
    ours = {trial.key for trial in imported}
    cohorts = {trial.key.cohort for trial in imported}
    for account in trials(warehouse):
        key = trial_key(account)
        if key.cohort in cohorts and (key not in ours or not is_imported(account)):
            raise ValueError(
                f"the cohort {key.cohort} of {warehouse.root} holds {key}, which is not from these files. Import them "
                "into a cohort of their own: --cohort NAME."
            )
        if key.cohort in cohorts:
            _refuse_to_drop(warehouse, account, files)


def _refuse_to_drop(warehouse: Warehouse, stored: Stored, files: Mapping[str, str]) -> None:
    # Importing forces alone over forces and moments would silently drop the moments.
    before = sorted(stored.made_from["imported"])
    if not set(before) <= set(files):
        raise ValueError(
            f"{', '.join(sorted(files))}: the cohort {trial_key(stored).cohort} of {warehouse.root} was imported from "
            f"{', '.join(before)}, and what only those hold would be lost. Import all of them together, or these into "
            "a cohort of their own: --cohort NAME."
        )


def _refuse_two_bodies(imported: Sequence[ImportedTrial]) -> None:
    seen: dict[str, tuple[float, float]] = {}
    for trial in imported:
        body = (trial.mass_kg, trial.height_m)
        if seen.setdefault(trial.key.subject, body) != body:
            raise ValueError(
                f"subject {trial.key.subject} has mass and height {seen[trial.key.subject]} in one place and {body} "
                f"in {trial.source}: expected one of each per subject."
            )


def _store_subject(warehouse: Warehouse, of_subject: Sequence[ImportedTrial], files: Mapping[str, str]) -> None:
    first = of_subject[0]
    made_from = {"imported": files}
    key = stable_hash({**made_from, "version": _VERSION, "subject": f"{first.key.cohort}/{first.key.subject}"})
    row = partial(row_file, warehouse, key=first.key, provenance_key=key, recipe=IMPORT_RECIPE, made_from=made_from)
    session = {
        "recipe": IMPORT_RECIPE,
        "mass_kg": first.mass_kg,
        "height_m": first.height_m,
        "n_trials": len(of_subject),
    }
    subject = row(table="subjects", values={"sex": None})
    write_together(warehouse, [subject], row(table="sessions", values=session))


def _store_trial(warehouse: Warehouse, trial: ImportedTrial, files: Mapping[str, str]) -> None:
    accepted = trial.reason is None
    made_from = {"imported": files}
    key = stable_hash({**made_from, "version": _VERSION, "trial": str(trial.key)})
    made = partial(table_file, warehouse, key=trial.key, provenance_key=key, recipe=IMPORT_RECIPE, made_from=made_from)
    values: dict[str, object] = {
        "condition": trial.condition,
        "outcome": "accepted" if accepted else "rejected",
        "stage": None if accepted else "import",
        "reason": trial.reason,
        "source": trial.source,
        "n_cycles_right": int(accepted),
        "n_cycles_left": 0,
        "warnings": [],
    }
    row = made(table="trials", columns={name: [value] for name, value in values.items()})
    if accepted:
        write_together(warehouse, [made(table="cycles", columns=_cycle_columns(trial))], row)
    else:
        write_together(warehouse, [], row, obsolete=[trial_paths(warehouse, trial.key).cycles])


def _cycle_columns(trial: ImportedTrial) -> dict[str, Sequence[object] | np.ndarray]:
    points = len(trial.inputs_deg)
    unknown = np.full(points, np.nan)
    return {
        "condition": [trial.condition] * points,
        "side": ["right"] * points,
        "cycle": np.zeros(points, dtype=np.int32),
        "start_s": unknown,
        "duration_s": np.full(points, trial.duration_s),
        "toe_off_phase": unknown,
        "margin_s": unknown,
        "heading_change_deg": unknown,
        "mass_kg": np.full(points, trial.mass_kg),
        "sample": np.arange(points),
        "phase": np.linspace(0, 1, points),
        **{ipsilateral(name): trial.inputs_deg[:, index] for index, name in enumerate(INPUT_COORDINATES)},
        **{name: trial.targets.get(name, unknown) for name in (*FORCE_CHANNELS, *MOMENT_CHANNELS)},
    }
