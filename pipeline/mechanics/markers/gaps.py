"""Coordinates in frames that show none of their markers: a toe out of sight, an arm at a walk's end.

They are interpolated between the frames that show them. Which coordinates a marker shows is tested at a few poses.
Shapes: T frames, M markers, K tasks, Q coordinates, F free ones.
"""

import numpy as np
from scipy.interpolate import PchipInterpolator

from pipeline.mechanics.arrays import Tree
from pipeline.mechanics.bodies.forward import Pose, new_pose, place_bodies
from pipeline.mechanics.bodies.functions import evaluate_at
from pipeline.mechanics.bodies.poses import follow_drivers
from pipeline.mechanics.compiled import inner, kernel
from pipeline.mechanics.markers.objective import TrackedFrames, TrackingProblem

# A marker shows a coordinate if a radian (or a metre) of it moves the marker by more than this.
_SHOWN_M = 1e-9
# More than one pose is tested, since at a single one a joint's motion may vanish.
_POSES = 4


def bridge_gaps(problem: TrackingProblem, frames: TrackedFrames, time_s: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The poses (T, F), each coordinate interpolated over the frames that don't show it and held beyond the last.

    The interpolant is monotone between neighbours and so never overshoots them (Fritsch and Carlson 1980, SIAM J Numer
    Anal 17:238). A coordinate that no frame shows is left as it is.
    """
    if (frames.seen == frames.seen[0]).all():
        return free.copy()
    shown = _shown(problem, frames, free)
    filled = free.copy()
    for k in np.flatnonzero(shown.any(axis=0) & ~shown.all(axis=0)):
        there, gone = np.flatnonzero(shown[:, k]), np.flatnonzero(~shown[:, k])
        at_s = np.clip(time_s[gone], time_s[there[0]], time_s[there[-1]])
        known = free[there, k]
        filled[gone, k] = PchipInterpolator(time_s[there], known)(at_s) if len(there) > 1 else known[0]
    return filled


def _shown(problem: TrackingProblem, frames: TrackedFrames, free: np.ndarray) -> np.ndarray:
    """Whether each frame's markers, or a task, determine each free coordinate, (T, F)."""
    some = np.unique(np.linspace(0, len(free) - 1, _POSES).astype(int))
    poses = frames.held[some]
    poses[:, problem.free] = free[some]
    moved, held = _what_moves(problem, poses)
    shown = (frames.seen * (problem.weight > 0)).astype(float) @ moved > 0
    return np.asarray(shown | (held[problem.task_weight > 0].any(axis=0)))


def _what_moves(problem: TrackingProblem, poses: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """1 where a free coordinate moves a marker (M, F), and True where it moves a task's (K, F), at any pose (T, Q)."""
    n_free, velocity, at = len(problem.free), np.zeros((poses.shape[1], 3)), np.zeros(3)
    moved, held = np.zeros((len(problem.weight), n_free)), np.zeros((len(problem.task_weight), n_free), dtype=np.bool_)
    _find_what_moves(problem, poses, new_pose(problem.tree), velocity, at, moved, held)
    return moved, held


@kernel
def _find_what_moves(
    problem: TrackingProblem,
    poses: np.ndarray,
    pose: Pose,
    velocity: np.ndarray,
    at: np.ndarray,
    moved: np.ndarray,
    held: np.ndarray,
) -> None:
    tree, n_free = problem.tree, problem.free.shape[0]
    n_markers, n_tasks = problem.weight.shape[0], problem.task_weight.shape[0]
    for t in range(poses.shape[0]):
        follow_drivers(tree, poses[t])
        place_bodies(tree, poses[t], pose)
        for m in range(n_markers):
            _clear(velocity)
            body = problem.markers.body[m]
            _place(pose.rotation[body], pose.origin_m[body], problem.markers.place_m[m], at)
            for k in range(tree.first_carrier[body], tree.first_carrier[body + 1]):
                axis = tree.carrier[k]
                if tree.coordinate[axis] >= 0:
                    _add_velocity(pose.screw[axis], pose.slope[axis], at, velocity[tree.coordinate[axis]])
            _fold_velocity(tree, poses[t], velocity)
            for k in range(n_free):
                u, v, w = velocity[problem.free[k], 0], velocity[problem.free[k], 1], velocity[problem.free[k], 2]
                if u * u + v * v + w * w > _SHOWN_M * _SHOWN_M:
                    moved[m, k] = 1.0
        for task in range(n_tasks):
            _clear(velocity)
            velocity[problem.task_coordinate[task], 0] = 1.0
            _fold_velocity(tree, poses[t], velocity)
            for k in range(n_free):
                held[task, k] |= velocity[problem.free[k], 0] != 0.0


@inner
def _clear(velocity: np.ndarray) -> None:
    """Set a velocity (Q, 3) to zero."""
    for c in range(velocity.shape[0]):
        for i in range(3):
            velocity[c, i] = 0.0


@inner
def _place(rotation: np.ndarray, origin: np.ndarray, place: np.ndarray, at: np.ndarray) -> None:
    """Put a body's point (3,) at its place in the ground frame, `at` (3,)."""
    for i in range(3):
        at[i] = origin[i] + rotation[i, 0] * place[0] + rotation[i, 1] * place[1] + rotation[i, 2] * place[2]


@inner
def _add_velocity(screw: np.ndarray, slope: float, at: np.ndarray, velocity: np.ndarray) -> None:
    """Add the velocity (3,) that a screw (6,) times `slope` gives the point `at` (3,)."""
    velocity[0] += slope * (screw[3] + screw[1] * at[2] - screw[2] * at[1])
    velocity[1] += slope * (screw[4] + screw[2] * at[0] - screw[0] * at[2])
    velocity[2] += slope * (screw[5] + screw[0] * at[1] - screw[1] * at[0])


@inner
def _fold_velocity(tree: Tree, values: np.ndarray, velocity: np.ndarray) -> None:
    """Give drivers what the coordinates coupled to them do, velocity (Q, 3) for unit rates; in place."""
    for c in range(tree.dependent.shape[0] - 1, -1, -1):
        slope = evaluate_at(tree.functions, tree.coupling[c], values[tree.driver[c]])[1]
        for i in range(3):
            velocity[tree.driver[c], i] += slope * velocity[tree.dependent[c], i]
