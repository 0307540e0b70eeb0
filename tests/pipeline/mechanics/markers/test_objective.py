"""The objective of inverse kinematics: its first and second derivatives against finite differences."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.mechanics.arrays import MarkerPlaces
from pipeline.mechanics.markers.objective import TrackedFrames, TrackingProblem
from pipeline.records import CoordinateTask
from tests.pipeline.mechanics.markers.derivatives import derivatives
from tests.pipeline.mechanics.markers.two_pins import arm_frames, arm_problem, arm_swing
from tests.pipeline.osim.arm import positions_m


def check(problem: TrackingProblem, frames: TrackedFrames, free: np.ndarray, step: float = 1e-5) -> None:
    """Of frame 0 at a pose (F,): both derivatives by central differences."""
    here = derivatives(problem, frames, 0, free)
    for i in range(len(free)):
        move = step * np.eye(len(free))[i]
        above, below = (derivatives(problem, frames, 0, free + sign * move) for sign in (1, -1))
        slope, bend = (above.cost - below.cost) / (2 * step), (below.descent - above.descent) / (2 * step)
        name, scale = f"coordinate {problem.free[i]}", np.abs(here.hessian).max()
        np.testing.assert_allclose(slope, -2 * here.descent[i], rtol=1e-6, atol=1e-8 * scale, err_msg=name)
        np.testing.assert_allclose(bend, here.hessian[i], rtol=1e-6, atol=1e-8 * scale, err_msg=name)


def test_derivatives_are_those_of_the_objective() -> None:
    positions = positions_m(*arm_swing(1)) + 0.05 * np.random.default_rng(0).normal(size=(1, 3, 3))
    problem = arm_problem((1.0, 2.0, 0.5), [(1, 0.02, 0.1)])
    check(problem, arm_frames(positions), np.array([0.3, 0.7]))
    positions[0, 1] = np.nan
    check(problem, arm_frames(positions), np.array([0.3, 0.7]))


def test_without_errors_the_hessian_is_gauss_and_newtons() -> None:
    angles = np.array([0.3, 0.7])
    here = derivatives(arm_problem(), arm_frames(positions_m(*angles[:, None])), 0, angles)
    assert here.cost == pytest.approx(0.0, abs=1e-30)
    np.testing.assert_allclose(here.hessian, here.gauss, atol=1e-15)


@pytest.mark.osim
@pytest.mark.data
@pytest.mark.parametrize(
    ("model", "tasks"),
    [
        (("walking_3d", "subject_walk_scaled.osim"), ("knee_angle_r_beta", "hip_flexion_l")),
        (("gait2354", "gait2354_simbody.osim"), ("knee_angle_r",)),
        (("gait2392", "gait2392_thelen2003muscle.osim"), ()),
    ],
)
def test_of_whole_bodies_too(shared_data: Path, model: Sequence[str], tasks: Sequence[str]) -> None:
    """Knees that slide as they turn, patellae coupled to them and held, markers missing: no part is left out."""
    from pipeline.osim.exact.inverse_kinematics import marker_problem
    from pipeline.osim.models.shared_model import shared_model

    file = shared_data.joinpath("opensim_reference", *model)
    shared, random = shared_model(file), np.random.default_rng(3)
    held = [CoordinateTask(name=name, weight=3.0, value=0.2) for name in tasks]
    problem = marker_problem(shared, (), {}, held)
    # One on every body, the patellae and hands included.
    body = np.arange(1, len(problem.tree.parent))
    markers = MarkerPlaces(body=body, place_m=random.normal(scale=0.1, size=(len(body), 3)))
    problem = problem._replace(markers=markers, weight=random.uniform(0.1, 5, len(body)))
    seen = random.random((1, len(body))) < 0.9
    measured = np.where(seen[..., None], random.normal(size=(1, len(body), 3)), 0.0)
    frames = TrackedFrames(measured_m=measured, seen=seen, held=random.normal(scale=0.2, size=(1, len(shared.names))))
    check(problem, frames, random.uniform(-0.4, 0.4, len(problem.free)))
