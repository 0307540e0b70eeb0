"""Muscles at full activation: what only the warehouse can tell, since a release holds forces and no activations."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from reports.audit.verdict import AuditVerdict
from warehouse.channels import MUSCLE_GROUPS, mirrored
from warehouse.files import read
from warehouse.layout import Warehouse
from warehouse.release.selection import Sides, StoredTrial

# The packaged recipe's word for full, and the share of a stride beyond which a muscle is more than briefly so: in
# healthy walking this model's iliacus is at full activation for up to a fifth of the stride, from push-off into swing.
FULL = 0.99
SATURATED_LIMIT = 0.25
# A trial's row has the share of a leg's 40 muscles and of a stride's frames: one muscle at its limit is this much of
# it. Trials below needn't be read.
_LEAST_RATIO = SATURATED_LIMIT / 40


def saturated_muscles(
    warehouse: Warehouse, trials: Sequence[StoredTrial], sides: Sides
) -> tuple[list[AuditVerdict], list[str]]:
    """Verdicts on the cycles of released trials, and for which trials nothing is known of activations.

    WarehouseError if a table that a trial's row vouches for can't be read.
    """
    found: list[AuditVerdict] = []
    n_unknown = 0
    for trial in trials:
        ratio = trial.row.get("saturated_ratio_max")
        if ratio is None:
            n_unknown += 1
        elif isinstance(ratio, float) and ratio >= _LEAST_RATIO:
            found += _of_trial(warehouse, trial, sides)
    unknown = [f"saturation: nothing is known of the activations in {n_unknown} trials"] if n_unknown else []
    return found, unknown


def _of_trial(warehouse: Warehouse, trial: StoredTrial, sides: Sides) -> Iterator[AuditVerdict]:
    activations = read.read_table(warehouse, "activations", trial.key)
    time_s = activations["time_s"].to_numpy()
    cycles = read.read_trial_cycles(
        warehouse, trial.account, ["side", "cycle", "start_s", "duration_s", "sample"]
    ).to_pylist()
    for cycle in cycles:
        if cycle["sample"] or (sides == "right" and cycle["side"] != "right"):
            continue
        during = (time_s >= cycle["start_s"]) & (time_s <= cycle["start_s"] + cycle["duration_s"])
        for group, units in MUSCLE_GROUPS.items():
            share, muscle = max((_share(activations, _own(unit, cycle["side"]), during), unit) for unit in units)
            if share > SATURATED_LIMIT:
                yield AuditVerdict(
                    kind="saturated",
                    subject=trial.subject_id,
                    condition=trial.condition,
                    session=trial.key.session,
                    trial=trial.key.trial,
                    side=cycle["side"],
                    cycle=cycle["cycle"],
                    channel=f"force_{group}",
                    score=share,
                    limit=SATURATED_LIMIT,
                    found=f"{muscle.removesuffix('_r')} is at full activation in {share:.0%} of the cycle",
                )


def _own(unit: str, side: str) -> str:
    return unit if side == "right" else mirrored(unit)


def _share(activations: pa.Table, muscle: str, during: np.ndarray) -> float:
    if muscle not in activations.column_names or not during.any():
        return 0.0
    return float((activations[muscle].to_numpy()[during] >= FULL).mean())
