"""The objective of inverse kinematics: its derivatives against finite differences."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.records import CoordinateTask, Markers
from tests.pipeline.osim.arm import build_arm, positions_m
from tests.pipeline.osim.exact.arm_problem import posed, swing

pytestmark = pytest.mark.osim
exact_ik = pytest.importorskip("pipeline.osim.exact.inverse_kinematics")
objective = pytest.importorskip("pipeline.osim.exact.marker_objective")
shared_models = pytest.importorskip("pipeline.osim.models.shared_model")


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_arm(tmp_path_factory.mktemp("arm") / "arm.osim")


def test_derivatives_are_those_of_the_objective(arm: Path) -> None:
    """Of pins the bending is exact, so that both derivatives are: against finite differences, one marker missing."""
    angles = np.column_stack(swing(5))
    positions = positions_m(*angles.T) + 0.05 * np.random.default_rng(0).normal(size=(5, 3, 3))
    positions[2, 1] = np.nan
    tasks = [CoordinateTask(name="elbow", weight=0.02, value=0.1)]
    problem, frames, _ = posed(arm, positions, (1.0, 2.0, 0.5), tasks)
    here, step = objective.local_model(problem, frames, angles), 1e-5
    for i in range(2):
        move = step * np.eye(2)[i]
        above, below = (objective.local_model(problem, frames, angles + sign * move) for sign in (1, -1))
        np.testing.assert_allclose((above.cost - below.cost) / (2 * step), -2 * here.descent[:, i], atol=1e-8)
        bent = (below.descent - above.descent) / (2 * step)
        np.testing.assert_allclose(bent, (here.curvature - here.bending)[:, i], atol=1e-8)


@pytest.mark.data
def test_a_whole_bodys_descent_is_that_of_the_objective(shared_data: Path) -> None:
    """Knees that slide as they turn, patellae coupled to them, markers missing, coordinates held: differences."""
    shared = shared_models.shared_model(shared_data / "opensim_reference" / "walking_3d" / "subject_walk_scaled.osim")
    rng = np.random.default_rng(3)
    labels = shared.summary.markers
    markers = Markers(
        time_s=np.arange(3) / 100, rate_hz=100.0, labels=labels, positions_m=rng.normal(size=(3, len(labels), 3))
    )
    tasks = [CoordinateTask(name="knee_angle_r", weight=3.0, value=0.2)]
    problem = exact_ik._problem(shared, markers, {name: rng.uniform(0.1, 5) for name in labels}, tasks)
    seen = rng.random((3, len(labels))) < 0.8
    frames = objective.MarkerFrames(
        measured_m=np.where(seen[..., None], markers.positions_m, 0.0),
        seen=seen,
        held=exact_ik._held(shared, markers.time_s),
    )
    free = rng.normal(scale=0.3, size=(3, len(problem.free)))
    found, step = objective.local_model(problem, frames, free).descent, 1e-6
    for i in range(free.shape[1]):
        move = step * np.eye(free.shape[1])[i]
        above, below = (objective.local_model(problem, frames, free + sign * move).cost for sign in (1, -1))
        slope = (above - below) / (2 * step)
        np.testing.assert_allclose(slope, -2 * found[:, i], rtol=1e-5, atol=1e-4, err_msg=str(problem.free[i]))
