"""Descent to the optimum of every frame, on an arm whose every pose is known."""

from dataclasses import dataclass

import numpy as np
import pytest

from pipeline.mechanics.markers.descent import FAR, NEAR, descend_frames
from pipeline.mechanics.markers.objective import TrackedFrames, TrackingProblem
from tests.pipeline.mechanics.markers.derivatives import derivatives
from tests.pipeline.mechanics.markers.two_pins import arm_frames, arm_problem, arm_swing
from tests.pipeline.osim.arm import positions_m


@dataclass(frozen=True)
class Found:
    free: np.ndarray
    solved: np.ndarray
    cost: np.ndarray
    error_m: np.ndarray
    steps: np.ndarray


def descended(problem: TrackingProblem, frames: TrackedFrames, start: np.ndarray, damping: float) -> Found:
    return Found(*descend_frames(problem, frames, np.arange(len(start)), np.ascontiguousarray(start), damping))


def test_a_bound_stops_a_coordinate_and_the_others_make_the_best_of_it() -> None:
    frames, bounded = arm_frames(positions_m(*arm_swing(12))), arm_problem(high=(np.inf, 0.8))
    found = descended(bounded, frames, np.zeros((12, 2)), FAR)
    assert found.solved.all()
    np.testing.assert_array_equal(found.free[:, 1], 0.8)
    slope = np.array([derivatives(bounded, frames, t, found.free[t]).descent for t in range(12)])
    np.testing.assert_allclose(slope[:, 0], 0.0, atol=1e-9)
    assert (slope[:, 1] > 0).all(), "it would go on if it could"


@pytest.mark.parametrize("seed", range(4))
def test_what_is_called_solved_is_an_optimum_within_random_bounds(seed: int) -> None:
    """From anywhere, of markers that no pose fits: nothing that may move would lower the objective."""
    random = np.random.default_rng(seed)
    for weights in random.choice([0.1, 1.0, 3.0, 100.0], (6, 3)):
        frames = arm_frames(positions_m(*random.uniform(-2, 2, (2, 100))) + 0.2 * random.normal(size=(100, 3, 3)))
        low, high = random.uniform(-1, -0.1, 2), random.uniform(0.1, 1, 2)
        bounded, start = arm_problem(weights.tolist(), low=low, high=high), random.uniform(-1, 1, (100, 2))
        for damping in (NEAR, FAR):
            found = descended(bounded, frames, start, damping)
            assert found.solved.all()
            for t in range(100):
                here = derivatives(bounded, frames, t, found.free[t])
                step = here.descent / np.diag(here.gauss).max()
                np.testing.assert_allclose(np.clip(found.free[t] + step, low, high), found.free[t], atol=1e-7)


def test_a_step_that_bounds_turn_uphill_is_not_the_end() -> None:
    measured = np.array([[[-0.056, -0.098, 0.111], [-0.204, -0.336, -0.024], [-0.326, -0.426, -0.092]]])
    bounded = arm_problem((0.0, 0.1, 0.1), low=(-0.838, -0.2325), high=(0.7107, 0.5835))
    found = descended(bounded, arm_frames(measured), np.array([[0.7107, 0.2358]]), NEAR)
    assert found.solved.all()
    assert found.free[0] == pytest.approx([-0.547, -0.2325], abs=1e-3)


def test_frames_are_solved_as_they_would_be_alone() -> None:
    angles = np.column_stack(arm_swing(6))
    noise = 0.01 * np.random.default_rng(5).normal(size=(6, 3, 3))
    problem, frames = arm_problem(), arm_frames(positions_m(*angles.T) + noise)
    together = descended(problem, frames, angles + 0.1, NEAR)
    for t in range(6):
        alone = descend_frames(problem, frames, np.array([t]), angles[t : t + 1] + 0.1, NEAR)
        np.testing.assert_array_equal(alone[0][0], together.free[t])


def test_errors_and_cost_are_those_of_the_pose_found() -> None:
    positions = positions_m(*arm_swing(4)) + 0.02 * np.random.default_rng(1).normal(size=(4, 3, 3))
    positions[2, 0] = np.nan
    problem, frames = arm_problem((1.0, 2.0, 3.0)), arm_frames(positions)
    found = descended(problem, frames, np.zeros((4, 2)), FAR)
    error_m = np.where(frames.seen[..., None], positions - positions_m(*found.free.T), 0.0)
    np.testing.assert_allclose(found.error_m, error_m, atol=1e-12)
    np.testing.assert_allclose(found.cost, ((error_m**2).sum(axis=2) * [1.0, 2.0, 3.0]).sum(axis=1), rtol=1e-12)


def test_steps_shrink_quadratically() -> None:
    """The Hessian is exact, so that few steps are needed though the markers fit badly."""
    noise = 0.05 * np.random.default_rng(2).normal(size=(50, 3, 3))
    angles = np.column_stack(arm_swing(50))
    found = descended(arm_problem(), arm_frames(positions_m(*angles.T) + noise), angles, NEAR)
    assert found.solved.all()
    assert found.steps.max() <= 6


def test_a_coordinate_that_moves_no_marker_stays() -> None:
    """The wrist lies on the axis of the elbow, as near as rounding has it."""
    problem = arm_problem()
    problem.markers.place_m[2] = 0.0
    positions = positions_m(*arm_swing(5)) + 0.01
    found = descended(problem, arm_frames(positions), np.full((5, 2), 0.2), NEAR)
    assert found.solved.all()
    np.testing.assert_array_equal(found.free[:, 1], 0.2)


def test_nothing_solved_comes_from_a_start_that_is_no_number() -> None:
    found = descended(arm_problem(), arm_frames(positions_m(*arm_swing(1))), np.array([[np.nan, 0.1]]), NEAR)
    assert not found.solved.any()
    assert not np.isfinite(found.cost).any()
