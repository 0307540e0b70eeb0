"""gait2392, whose 92 muscles have points that come and go and points that move: no walk of it is published.

Bodies, markers and moments are in test_skeletons.py, paths in test_muscle_paths.py.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import Coordinates, FootWrench, Side
from tests.parity.tool_effort import controls, least_for_the_same, optimal_forces
from tests.parity.walking_3d import FEET, on_the_floor
from tests.pipeline.osim.settings import effort_settings

pytestmark = [pytest.mark.osim, pytest.mark.data]
engines = pytest.importorskip("pipeline.osim.engines")
shared_models = pytest.importorskip("pipeline.osim.models.shared_model")

RecordLargest = Callable[[str, float, str, str], None]
RESERVE_NM, RESIDUAL = 10.0, 1000.0
# Where a coordinate is at the start, and how far it goes, in radians and metres.
MOVED = {
    "pelvis_ty": (0.93, 0.01),
    "pelvis_tx": (0.0, 0.05),
    "lumbar_extension": (-0.1, 0.03),
    "hip_flexion_r": (0.3, -0.2),
    "hip_adduction_r": (-0.05, 0.04),
    "hip_rotation_r": (0.02, 0.03),
    "knee_angle_r": (-0.3, 0.15),
    "ankle_angle_r": (0.05, 0.1),
    "hip_flexion_l": (-0.2, 0.3),
    "hip_adduction_l": (0.04, -0.05),
    "hip_rotation_l": (-0.03, 0.02),
    "knee_angle_l": (-0.6, -0.3),
    "ankle_angle_l": (-0.1, 0.1),
}


def made_up_motion(names: tuple[str, ...], n: int) -> Coordinates:
    """A smooth step in range; coordinates that are not named stay at zero."""
    t = np.arange(n) / 100
    values = np.zeros((n, len(names)))
    for name, (start, way) in MOVED.items():
        values[:, names.index(name)] = start + way * np.sin(4 * t)
    turning = np.array([name not in ("pelvis_tx", "pelvis_ty", "pelvis_tz") for name in names])
    return Coordinates(time_s=t, names=names, rotational=turning, values=values)


def push(side: Side, time_s: np.ndarray, force_n: float, z_m: float) -> FootWrench:
    force = np.tile([-10.0, force_n, 5.0], (len(time_s), 1))
    at = np.column_stack([0.15 + 0.2 * time_s, np.zeros(len(time_s)), np.full(len(time_s), z_m)])
    return on_the_floor(side, time_s, force, at, np.zeros((len(time_s), 3)))


def compare(model: Path, n_frames: int, directory: Path, record_largest: RecordLargest) -> None:
    motion = made_up_motion(shared_models.shared_model(model).names, n_frames)
    wrenches = [push("right", motion.time_s, 550.0, 0.08), push("left", motion.time_s, 150.0, -0.08)]
    settings = effort_settings(
        activation_exponent=2,
        use_muscle_physiology=True,
        reserve_optimal_nm=RESERVE_NM,
        residual_optimal_n=RESIDUAL,
        residual_optimal_nm=RESIDUAL,
        convergence_criterion=1e-8,
        max_iterations=1000,
    )
    ours, theirs = (
        engines.load_engine(engine).static_optimization(
            model,
            motion,
            wrenches,
            foot_bodies=FEET,
            mechanics="opensim",
            settings=settings,
            directory=directory / engine,
        )
        for engine in ("exact", "tools")
    )
    apart = np.sqrt(((ours.force_n - theirs.force_n) ** 2).mean())
    strength, their_strength = (one.force_n / one.activation for one in (ours, theirs))
    stronger = np.abs(strength - their_strength).max()
    optimal = optimal_forces(theirs, RESERVE_NM, RESIDUAL)
    least = least_for_the_same(model, motion, theirs, 2, optimal)
    above = ((least**2).sum(axis=1) / (controls(theirs, optimal) ** 2).sum(axis=1) - 1).max()
    what = "exact: gait2392 SO, Millard's muscles"
    record_largest(f"{what}, muscle forces from the tool's, root mean square", apart, "{:.3f} N", "0.1 N")
    record_largest(f"{what}, forces at full activation from the tool's", stronger, "{:.1e} N", "0.1 N")
    record_largest(f"{what}, effort above the tool's for what it makes", above, "{:.1e}", "1e-9")
    assert len(ours.muscle_names) == 92
    assert ours.converged.all()
    assert (ours.activation.max(axis=0) > 0.05).sum() >= 10, "muscles have work to do"
    assert stronger <= 0.1
    assert apart <= 0.1
    assert above <= 1e-9


@pytest.fixture
def millard(shared_data: Path) -> Path:
    return shared_data / "opensim_reference" / "gait2392" / "gait2392_millard2012muscle.osim"


def test_static_optimization_of_a_made_up_motion(millard: Path, tmp_path: Path, record_largest: RecordLargest) -> None:
    compare(millard, 6, tmp_path, record_largest)


@pytest.mark.long
def test_static_optimization_of_more_frames(millard: Path, tmp_path: Path, record_largest: RecordLargest) -> None:
    compare(millard, 40, tmp_path, record_largest)
