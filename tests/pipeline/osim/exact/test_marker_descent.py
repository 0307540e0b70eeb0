"""Descent to the optimum of every frame, on an arm whose every pose is known."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.pipeline.osim.arm import build_arm, positions_m
from tests.pipeline.osim.exact.arm_problem import posed, swing

pytestmark = pytest.mark.osim
descent = pytest.importorskip("pipeline.osim.exact.marker_descent")
objective = pytest.importorskip("pipeline.osim.exact.marker_objective")


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_arm(tmp_path_factory.mktemp("arm") / "arm.osim")


def test_a_bound_stops_a_coordinate_and_the_others_make_the_best_of_it(arm: Path) -> None:
    shoulder, elbow = swing(12)
    problem, frames, _ = posed(arm, positions_m(shoulder, elbow))
    bounded = replace(problem, high=np.array([np.inf, 0.8]))
    found = descent.descend(bounded, frames, np.zeros((12, 2)), descent.FAR)
    assert found.solved.all()
    np.testing.assert_array_equal(found.free[:, 1], 0.8)
    slope = objective.local_model(bounded, frames, found.free).descent
    np.testing.assert_allclose(slope[:, 0], 0.0, atol=1e-9)
    assert (slope[:, 1] > 0).all(), "it would go on if it could"


@pytest.mark.parametrize("seed", range(4))
def test_what_is_called_solved_is_an_optimum_within_random_bounds(arm: Path, seed: int) -> None:
    """From anywhere, of markers that no pose fits: nothing that may move would lower the objective."""
    random = np.random.default_rng(seed)
    for weights in random.choice([0.1, 1.0, 3.0, 100.0], (6, 3)):
        measured = positions_m(*random.uniform(-2, 2, (2, 100))) + 0.2 * random.normal(size=(100, 3, 3))
        problem, frames, _ = posed(arm, measured, weights.tolist())
        low, high = random.uniform(-1, -0.1, 2), random.uniform(0.1, 1, 2)
        bounded, start = replace(problem, low=low, high=high), random.uniform(-1, 1, (100, 2))
        for damping in (descent.NEAR, descent.FAR):
            found = descent.descend(bounded, frames, start, damping)
            here = objective.local_model(bounded, frames, found.free)
            step = here.descent / np.einsum("tii->ti", here.curvature).max(axis=1, keepdims=True)
            assert found.solved.all()
            np.testing.assert_allclose(np.clip(found.free + step, low, high), found.free, atol=1e-7)


def test_a_step_that_bounds_turn_uphill_is_not_the_end(arm: Path) -> None:
    measured = np.array([[[-0.056, -0.098, 0.111], [-0.204, -0.336, -0.024], [-0.326, -0.426, -0.092]]])
    problem, frames, _ = posed(arm, measured, (0.0, 0.1, 0.1))
    bounded = replace(problem, low=np.array([-0.838, -0.2325]), high=np.array([0.7107, 0.5835]))
    found = descent.descend(bounded, frames, np.array([[0.7107, 0.2358]]), descent.NEAR)
    assert found.solved.all() and found.free[0] == pytest.approx([-0.547, -0.2325], abs=1e-3)


def test_frames_are_solved_as_they_would_be_alone(arm: Path) -> None:
    angles = np.column_stack(swing(6))
    noise = 0.01 * np.random.default_rng(5).normal(size=(6, 3, 3))
    problem, frames, _ = posed(arm, positions_m(*angles.T) + noise)
    together = descent.descend(problem, frames, angles, descent.NEAR)
    for t in range(6):
        alone = descent.descend(problem, frames.of(np.array([t])), angles[t : t + 1], descent.NEAR)
        np.testing.assert_allclose(alone.free[0], together.free[t], atol=1e-10)
