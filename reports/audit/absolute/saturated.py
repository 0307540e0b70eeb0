"""Muscles at full activation. Only the warehouse can tell: a release holds forces but no activations."""

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from reports.audit.verdict import AuditVerdict
from warehouse.channels import MUSCLE_GROUPS, mirrored
from warehouse.files import read
from warehouse.layout import Warehouse
from warehouse.release.selection import Sides, StoredTrial

# The activation that counts as full (as in the packaged recipe), and the largest share of a stride a muscle may be at
# it: in healthy walking this model's iliacus is for up to a fifth of the stride, from push-off into swing.
FULL = 0.99
SATURATED_LIMIT = 0.25
# A trial's row has the saturated share of a leg's 40 muscles and a stride's frames; one muscle at its limit contributes
# this much. Trials below it need not be read.
_LEAST_RATIO = SATURATED_LIMIT / 40


def saturated_muscles(
    warehouse: Warehouse, trials: Sequence[StoredTrial], sides: Sides
) -> tuple[list[AuditVerdict], list[str]]:
    """Verdicts on the cycles of released trials, and a message about trials whose activations are not known.

    WarehouseError if a table that a trial's row vouches for can't be read.
    """
    verdicts: list[AuditVerdict] = []
    n_unknown = 0
    for trial in trials:
        ratio = trial.row.get("saturated_ratio_max")
        if ratio is None:
            n_unknown += 1
        elif isinstance(ratio, float) and ratio >= _LEAST_RATIO:
            verdicts += _of_trial(warehouse, trial, sides)
    unknown = [f"saturation: nothing is known of the activations in {n_unknown} trials"] if n_unknown else []
    return verdicts, unknown


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
