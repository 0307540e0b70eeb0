"""Starts, descent and objective of inverse kinematics on an arm whose every pose is known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import CoordinateTask, Markers
from tests.pipeline.osim.arm import MARKERS, build_arm, positions_m

pytestmark = pytest.mark.osim
exact_ik = pytest.importorskip("pipeline.osim.exact.inverse_kinematics")
descent = pytest.importorskip("pipeline.osim.exact.marker_descent")
objective = pytest.importorskip("pipeline.osim.exact.marker_objective")
starts = pytest.importorskip("pipeline.osim.exact.marker_starts")
shared_models = pytest.importorskip("pipeline.osim.models.shared_model")

RATE_HZ = 100.0


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_arm(tmp_path_factory.mktemp("arm") / "arm.osim")


def tracked(positions: np.ndarray) -> Markers:
    time_s = np.arange(len(positions)) / RATE_HZ
    return Markers(time_s=time_s, rate_hz=RATE_HZ, labels=tuple(MARKERS), positions_m=positions)


def posed(
    model: Path, positions: np.ndarray, weights: Sequence[float] = (1, 1, 1), tasks: Sequence[CoordinateTask] = ()
) -> tuple[object, object, np.ndarray]:
    """The problem, its frames and their times: NaN is a marker out of sight."""
    shared, markers = shared_models.shared_model(model), tracked(positions)
    problem = exact_ik._problem(shared, markers, dict(zip(MARKERS, map(float, weights), strict=True)), tasks)
    seen = np.isfinite(positions).all(axis=2)
    held = exact_ik._held(shared, markers.time_s)
    frames = objective.MarkerFrames(measured_m=np.where(seen[..., None], positions, 0.0), seen=seen, held=held)
    return problem, frames, markers.time_s


def swing(n_frames: int = 70) -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(n_frames) / RATE_HZ
    return 0.4 * np.sin(4 * t), 0.9 + 0.3 * np.sin(6 * t)


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


def test_a_bound_stops_a_coordinate_and_the_others_make_the_best_of_it(arm: Path) -> None:
    from dataclasses import replace

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
    from dataclasses import replace

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
    from dataclasses import replace

    measured = np.array([[[-0.056, -0.098, 0.111], [-0.204, -0.336, -0.024], [-0.326, -0.426, -0.092]]])
    problem, frames, _ = posed(arm, measured, (0.0, 0.1, 0.1))
    bounded = replace(problem, low=np.array([-0.838, -0.2325]), high=np.array([0.7107, 0.5835]))
    found = descent.descend(bounded, frames, np.array([[0.7107, 0.2358]]), descent.NEAR)
    assert found.solved.all() and found.free[0] == pytest.approx([-0.547, -0.2325], abs=1e-3)


def test_from_far_away_the_arm_is_found(arm: Path) -> None:
    shoulder, elbow = np.full(4, 2.5), np.full(4, -1.4)
    problem, frames, time_s = posed(arm, positions_m(shoulder, elbow))
    found = starts.solve_walk(problem, frames, time_s)
    assert found.solved.all()
    np.testing.assert_allclose(np.exp(1j * found.free), np.exp(1j * np.column_stack([shoulder, elbow])), atol=1e-8)


def mirrored(shoulder: np.ndarray, elbow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The other pose with the wrist in the same place."""
    hinge, wrist = positions_m(shoulder, elbow)[:, 1:].swapaxes(0, 1)
    along = wrist / np.linalg.norm(wrist, axis=1, keepdims=True)
    other = 2 * (hinge * along).sum(axis=1, keepdims=True) * along - hinge
    return np.arctan2(other[:, 0], -other[:, 1]), -elbow


def test_a_forearm_stays_on_its_side_while_the_other_is_hardly_cheaper(arm: Path) -> None:
    """The wrist alone has two poses. What else is seen tells them apart by hundredths, now one way, now the other."""
    truth = swing(70)
    mirror = mirrored(*truth)
    positions = positions_m(*truth)
    np.testing.assert_allclose(positions_m(*mirror)[:, 2], positions[:, 2], atol=1e-12)
    # The elbow's marker lies on the line from shoulder to wrist, nearer to one side or the other; the third only adds
    # the same error to both sides.
    sides = positions[:, 1], positions_m(*mirror)[:, 1]
    leaning = 0.5 + 0.004 * np.sign(np.sin(np.arange(70) / 3))[:, None]
    positions[:, 1] = leaning * sides[0] + (1 - leaning) * sides[1]
    weights = (0.0, 1.0, 100.0)
    problem, frames, time_s = posed(arm, positions, weights)
    alone = [descent.descend(problem, frames, np.column_stack(side), descent.NEAR) for side in (truth, mirror)]
    cheaper = alone[0].cost < alone[1].cost
    assert 20 < cheaper.sum() < 50, "neither side is the better one throughout"
    assert (np.abs(alone[0].cost / alone[1].cost - 1) < 0.05).all()
    found = starts.solve_walk(problem, frames, time_s)
    assert found.solved.all()
    assert np.abs(np.diff(found.free, axis=0)).max() < 0.1
    assert len(set(np.sign(found.free[:, 1]))) == 1


def test_a_real_jump_is_followed(arm: Path) -> None:
    shoulder, elbow = swing(60)
    shoulder[31:] += 1.5
    problem, frames, time_s = posed(arm, positions_m(shoulder, elbow))
    found = starts.solve_walk(problem, frames, time_s)
    assert found.solved.all()
    np.testing.assert_allclose(found.free, np.column_stack([shoulder, elbow]), atol=1e-8)


def test_frames_without_the_wrist_keep_the_elbow_of_their_neighbours(arm: Path) -> None:
    shoulder, elbow = swing(70)
    positions = positions_m(shoulder, elbow)
    positions[20:30, 2] = np.nan
    problem, frames, time_s = posed(arm, positions)
    found = starts.solve_walk(problem, frames, time_s)
    assert found.solved.all()
    seen = np.r_[0:20, 30:70]
    np.testing.assert_allclose(found.free[:, 0], shoulder, atol=1e-8)
    np.testing.assert_allclose(found.free[seen, 1], elbow[seen], atol=1e-8)
    near = elbow[15:35]
    assert (found.free[20:30, 1] > near.min() - 0.1).all()
    assert (found.free[20:30, 1] < near.max() + 0.1).all()


def test_what_no_marker_ever_shows_stays_at_its_default(arm: Path) -> None:
    shoulder, elbow = swing(40)
    positions = positions_m(shoulder, elbow)
    positions[:, 2] = np.nan
    problem, frames, time_s = posed(arm, positions)
    found = starts.solve_walk(problem, frames, time_s)
    assert found.solved.all()
    np.testing.assert_array_equal(found.free[:, 1], 0.3)
    np.testing.assert_allclose(found.free[:, 0], shoulder, atol=1e-8)


def test_frames_are_solved_as_they_would_be_alone(arm: Path) -> None:
    angles = np.column_stack(swing(6))
    noise = 0.01 * np.random.default_rng(5).normal(size=(6, 3, 3))
    problem, frames, _ = posed(arm, positions_m(*angles.T) + noise)
    together = descent.descend(problem, frames, angles, descent.NEAR)
    for t in range(6):
        alone = descent.descend(problem, frames.of(np.array([t])), angles[t : t + 1], descent.NEAR)
        np.testing.assert_allclose(alone.free[0], together.free[t], atol=1e-10)
