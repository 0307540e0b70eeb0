"""The adults' stored hip moments beside those of another group's scaled models and angles, under the same forces.

Their models were sized and their markers weighted by others (aaronsfox/zmp-opensim), so what is left is what those
choices are worth. Their files hold no moments: OpenSim's inverse dynamics makes them here.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.osim.files import read_storage
from pipeline.osim.models.model import read_summary
from pipeline.osim.tools.engine import inverse_dynamics
from pipeline.records import SIDES, Coordinates, FootWrench, Side
from pipeline.signals import low_pass
from tests.parity.figures import cycles_of
from tests.parity.recorded_sessions import Ingested
from warehouse.files import read
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse

pytestmark = [pytest.mark.osim, pytest.mark.data]

FEET: dict[Side, str] = {"right": "calcn_r", "left": "calcn_l"}
# The recipe's, for the markers behind our angles; their file holds unfiltered angles.
CUTOFF_HZ = 6.0
RATE_HZ = 100.0
JOINTS = {"hip flexion": ("hip_flexion", 0.1), "hip adduction": ("hip_adduction", 0.15)}


def their_motion(model: Path, motion: Path) -> Coordinates:
    names, time_s, values, in_degrees = read_storage(motion)
    assert in_degrees
    coordinates = read_summary(model).coordinates
    turns = np.array([coordinate.stored_in_degrees for coordinate in coordinates])
    ordered = values[:, [names.index(coordinate.name) for coordinate in coordinates]]
    return Coordinates(
        time_s=time_s,
        names=tuple(coordinate.name for coordinate in coordinates),
        rotational=turns,
        values=low_pass(np.where(turns, np.radians(ordered), ordered), RATE_HZ, CUTOFF_HZ),
    )


def stored_wrench(warehouse: Warehouse, key: TrialKey, side: Side) -> FootWrench:
    grf = read.read_table(warehouse, "grf", key).to_pandas()
    force_n, moment_nm, point_m, cop_m = (
        grf[[f"{quantity}_{axis}_{side[0]}" for axis in "xyz"]].to_numpy()
        for quantity in ("force", "moment", "point", "cop")
    )
    return FootWrench(
        side=side,
        time_s=grf["time_s"].to_numpy(),
        point_m=point_m[0],
        force_n=force_n,
        moment_nm=moment_nm,
        cop_m=cop_m,
        free_moment_nm=grf[f"free_moment_{side[0]}"].to_numpy(),
        known=grf[f"known_{side[0]}"].to_numpy(),
        reason=grf[f"reason_{side[0]}"].to_numpy(dtype=str),
    )


def test_hip_moments_of_another_groups_model(
    ingested: Ingested,
    shared_data: Path,
    tmp_path: Path,
    record_largest: Callable[[str, float, str, str], None],
) -> None:
    compared = 0
    for cycle in cycles_of(ingested.warehouse, "adults"):
        reference = shared_data / "walking_adults" / "reference" / cycle.key.subject
        walk = cycle.key.trial.removeprefix(f"{cycle.key.subject}_")
        motion = their_motion(reference / "scaled.osim", reference / f"{walk}_ik.mot")
        # Their record holds one leg's stance from the other's toe off to its own. The filter's ends are left out.
        both = (cycle.time_s > motion.time_s[0] + 0.05) & (cycle.time_s < motion.time_s[-1] - 0.05)
        if both.mean() < 0.35:
            continue
        wrenches = [stored_wrench(ingested.warehouse, cycle.key, side) for side in SIDES]
        directory = tmp_path / f"{cycle.key.trial}_{cycle.side}"
        theirs = inverse_dynamics(
            reference / "scaled.osim", motion, wrenches, foot_bodies=FEET, mechanics="opensim", directory=directory
        )
        compared += 1
        for name, (joint, limit) in JOINTS.items():
            other = np.interp(cycle.time_s, motion.time_s, theirs.column(f"{joint}_{cycle.side[0]}")) / cycle.mass_kg
            mine = cycle.curve(f"moment_{joint}")
            rms = float(np.sqrt(((mine - other)[both] ** 2).mean()))
            peak = float(abs(np.abs(mine[both]).max() / np.abs(other[both]).max() - 1))
            print(f"\n{cycle.name} {name} moment: RMS {rms:.3f} N·m/kg, peaks {100 * peak:.0f} % apart")
            what = f"adults' {name} moment against another group's model"
            record_largest(f"{what}: root mean square of a stance", rms, "{:.3f} N·m/kg", f"{limit} N·m/kg")
            record_largest(f"{what}: peaks apart by", 100 * peak, "{:.0f} %", "20 %")
            assert rms <= limit
            assert peak <= 0.2
    assert compared >= 8
