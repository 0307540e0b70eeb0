"""Inverse kinematics of whole bodies: poses known beforehand are found, and none near a found one is better."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.mechanics.arrays import MarkerPlaces
from pipeline.mechanics.bodies.poses import body_places, follow_couplings
from pipeline.mechanics.markers.fit import CoordinateRoles, fit_poses, tracking_problem
from pipeline.mechanics.markers.objective import TrackingProblem
from pipeline.records import CoordinateTask, Markers
from tests.pipeline.mechanics.markers.two_pins import arm_problem, arm_swing, arm_tree, held_poses, times_s
from tests.pipeline.osim.arm import positions_m


def test_forward_then_inverse_is_identity() -> None:
    shoulder, elbow = arm_swing()
    fit = fit_poses(arm_problem(), times_s(70), positions_m(shoulder, elbow), held_poses(70))
    np.testing.assert_allclose(fit.values, np.column_stack([shoulder, elbow]), atol=1e-8)
    np.testing.assert_allclose(fit.marker_error_m, 0.0, atol=1e-8)


def test_an_error_is_the_distance_of_its_marker_and_nan_where_none_was_seen() -> None:
    positions = positions_m(*arm_swing()) + np.array([0.0, 0.0, 0.01])
    positions[5, 2] = np.nan
    fit = fit_poses(arm_problem(), times_s(70), positions, held_poses(70))
    assert np.isnan(fit.marker_error_m[5, 2])
    fit.marker_error_m[5, 2] = 0.01
    np.testing.assert_allclose(fit.marker_error_m, 0.01, atol=1e-9)


def test_held_coordinates_keep_their_poses() -> None:
    shoulder, elbow = arm_swing()
    problem = arm_problem()
    locked = tracking_problem(
        problem.tree,
        problem.markers,
        problem.weight,
        CoordinateRoles(
            locked=np.array([False, True]),
            low=np.full(2, -np.inf),
            high=np.full(2, np.inf),
            residual=np.zeros(2, dtype=bool),
            rotational=np.ones(2, dtype=bool),
        ),
    )
    held = np.column_stack([np.zeros(70), elbow])
    fit = fit_poses(locked, times_s(70), positions_m(shoulder, elbow), held)
    np.testing.assert_array_equal(fit.values[:, 1], elbow)
    np.testing.assert_allclose(fit.values[:, 0], shoulder, atol=1e-9)


def test_a_frame_that_does_not_converge_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline.mechanics.markers import fit

    real = fit.solve_frames

    def failing(*arguments: object) -> object:
        optimum = real(*arguments)
        optimum.solved[[12, 40]] = False
        return optimum

    monkeypatch.setattr(fit, "solve_frames", failing)
    with pytest.raises(TrialRejected, match=r"2 frames did not converge, the first at 0\.120 s"):
        fit_poses(arm_problem(), times_s(70), positions_m(*arm_swing()), held_poses(70))


@pytest.mark.parametrize("wrong", ["nan", "frames", "markers", "none"])
def test_impossible_input_is_the_callers_fault(wrong: str) -> None:
    positions, held, time_s = positions_m(*arm_swing()), held_poses(70), times_s(70)
    if wrong == "nan":
        held[3, 1] = np.nan
    elif wrong == "frames":
        held = held[:-1]
    elif wrong == "markers":
        positions = positions[:, :2]
    else:
        positions, held, time_s = positions[:0], held[:0], time_s[:0]
    with pytest.raises(ValueError, match=r"held poses|marker positions|no frames"):
        fit_poses(arm_problem(), time_s, positions, held)


@pytest.mark.parametrize(
    ("weights", "tasks", "low"),
    [
        ((1.0, np.nan, 1.0), (), (-np.inf, -np.inf)),
        ((1.0, -1.0, 1.0), (), (-np.inf, -np.inf)),
        ((1.0, 1.0, 1.0), ((0, np.inf, 0.0),), (-np.inf, -np.inf)),
        ((1.0, 1.0, 1.0), ((0, 1.0, np.nan),), (-np.inf, -np.inf)),
        ((1.0, 1.0, 1.0), (), (np.nan, -np.inf)),
    ],
)
def test_impossible_weights_and_ranges_are_the_callers_fault(weights: tuple, tasks: tuple, low: tuple) -> None:
    with pytest.raises(ValueError, match=r"weights|values|ranges"):
        arm_problem(weights, tasks, low=low)


def test_limbs_come_before_what_carries_them() -> None:
    none = np.zeros(2, dtype=bool)
    roles = CoordinateRoles(
        locked=none, low=np.full(2, -np.inf), high=np.full(2, np.inf), residual=none, rotational=none
    )
    markers = MarkerPlaces(body=np.array([2]), place_m=np.zeros((1, 3)))
    assert tracking_problem(arm_tree(), markers, np.ones(1), roles).free.tolist() == [1, 0]


@pytest.fixture(scope="module")
def walk_model(shared_data: Path) -> object:
    shared_models = pytest.importorskip("pipeline.osim.models.shared_model")
    return shared_models.shared_model(shared_data / "opensim_reference" / "walking_3d" / "subject_walk_scaled.osim")


@pytest.mark.osim
@pytest.mark.data
def test_random_poses_of_a_whole_body_are_found_again(walk_model: object) -> None:
    """Markers put by OpenSim at random poses: each is found from 0.1 rad away."""
    from pipeline.mechanics.markers.descent import NEAR, descend_frames
    from pipeline.osim.exact.inverse_kinematics import marker_problem
    from tests.pipeline.mechanics.markers.whole_body import frames_of

    labels, random = walk_model.summary.markers, np.random.default_rng(7)
    problem = marker_problem(walk_model, labels, dict.fromkeys(labels, 1.0), ())
    poses = np.zeros((20, len(walk_model.names)))
    poses[:, problem.free] = np.clip(random.uniform(-0.4, 0.4, (20, len(problem.free))), problem.low, problem.high)
    follow_couplings(problem.tree, poses)
    markers = Markers(time_s=times_s(20), rate_hz=100.0, labels=labels, positions_m=by_opensim_m(walk_model, poses))
    frames = frames_of(walk_model, markers)._replace(held=poses)
    start = np.ascontiguousarray(poses[:, problem.free] + random.uniform(-0.1, 0.1, (20, len(problem.free))))
    free, solved, cost, _, _ = descend_frames(problem, frames, np.arange(20), start, NEAR)
    assert solved.all()
    assert cost.max() < 1e-15
    shown = np.abs(free - start).max(axis=0) > 0
    np.testing.assert_allclose(free[:, shown], poses[:, problem.free][:, shown], atol=1e-8)


def by_opensim_m(shared: object, poses: np.ndarray) -> np.ndarray:
    """Where OpenSim has a model's markers, (T, M, 3)."""
    from pipeline.osim.asking.poses import Poses

    driven, every = Poses(shared.model), shared.model.getMarkerSet()
    markers = [every.get(name) for name in shared.summary.markers]
    return np.array([[m.getLocationInGround(driven.state).to_numpy() for m in markers] for _ in driven.at(poses)])


@pytest.mark.osim
@pytest.mark.data
@pytest.mark.parametrize("task", [(), (CoordinateTask(name="knee_angle_r", weight=2.0, value=0.3),)])
def test_no_pose_near_a_walks_is_better(shared_data: Path, walk_model: object, task: tuple) -> None:
    """Its arm and toes lose their markers for a while."""
    from benchmarks.engines import read_walk
    from pipeline.osim.exact.inverse_kinematics import fit_markers, marker_problem
    from pipeline.osim.inputs import tracked_markers

    walk = read_walk(shared_data / "opensim_reference" / "walking_3d")
    tracked = tracked_markers(walk.markers, walk.weights, walk_model.summary)
    hide = {"RTOE": slice(0, 20), "LTOE": slice(50, 60), "RFAsuperior": slice(100, None), "RFAradius": slice(100, None)}
    for label, gap in hide.items():
        if label in tracked.labels:
            tracked.positions_m[gap, tracked.labels.index(label)] = np.nan
    problem = marker_problem(walk_model, tracked.labels, walk.weights, task)
    found = fit_markers(walk_model, tracked, walk.weights, task)
    assert (np.isnan(found.marker_error_m) == np.isnan(tracked.positions_m).any(axis=2)).all()
    best = objective(problem, found.values, tracked.positions_m)
    for place, coordinate in enumerate(problem.free):
        for step in (-1e-4, 1e-4):
            poses = found.values.copy()
            poses[:, coordinate] = np.clip(poses[:, coordinate] + step, problem.low[place], problem.high[place])
            follow_couplings(problem.tree, poses)
            assert (objective(problem, poses, tracked.positions_m) >= best * (1 - 1e-12)).all()


def objective(problem: TrackingProblem, poses: np.ndarray, measured_m: np.ndarray) -> np.ndarray:
    """Σ w |marker − measured|² + Σ w (coordinate − value)² of poses (T, Q), (T,), from where bodies are."""
    rotation, origin_m = body_places(problem.tree, poses)
    body, local = problem.markers.body, problem.markers.place_m
    at = np.einsum("tmij,mj->tmi", rotation[:, body], local) + origin_m[:, body]
    held = problem.task_weight * (poses[:, problem.task_coordinate] - problem.task_value) ** 2
    squares = np.nansum((at - measured_m) ** 2, axis=2)
    return squares @ problem.weight + held.sum(axis=1)
