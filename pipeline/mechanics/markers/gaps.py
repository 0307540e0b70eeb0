"""Coordinates in frames that show none of their markers: a toe out of sight, an arm at a walk's end.

They are interpolated between the frames that show them. Which coordinates a marker shows is tested at a few poses.
Shapes: T frames, M markers, K tasks, Q coordinates, F free ones.
"""

import numpy as np
from scipy.interpolate import PchipInterpolator

from pipeline.mechanics.arrays import Tree
from pipeline.mechanics.bodies.poses import body_jacobians, body_places, coupling_slopes, fold, follow_couplings
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
    tree, body = problem.tree, problem.markers.body
    follow_couplings(tree, poses)
    rotation, _ = body_places(tree, poses)
    jacobian = body_jacobians(tree, poses, body)
    arm_m = (rotation[:, body] @ problem.markers.place_m[:, :, None])[..., 0]
    turned = np.cross(jacobian[:, :, :3], arm_m[..., None], axis=2)
    velocity = _of_drivers(tree, poses, jacobian[:, :, 3:] + turned)
    moved = np.linalg.norm(velocity[..., problem.free], axis=2) > _SHOWN_M
    tasks = np.eye(poses.shape[1])[problem.task_coordinate]
    held = _of_drivers(tree, poses, np.tile(tasks, (len(poses), 1, 1)))[..., problem.free] != 0
    return moved.any(axis=0).astype(float), held.any(axis=0)


def _of_drivers(tree: Tree, poses: np.ndarray, moving: np.ndarray) -> np.ndarray:
    """What coordinates do (T, …, Q), drivers with the coordinates coupled to them."""
    fold(tree, coupling_slopes(tree, poses), moving)
    return moving
