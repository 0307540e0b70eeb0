"""Coordinates in frames that show none of their markers: a toe out of sight, an arm at a walk's end.

They are interpolated between the frames that show them. Which coordinates a marker shows is tested at a few poses.
Shapes: T frames, M markers, Q coordinates, F free ones.
"""

import numpy as np
from scipy.interpolate import PchipInterpolator

from pipeline.osim.exact.marker_objective import MarkerFrames, Problem, expand, task_row

# A marker shows a coordinate if a radian (or a metre) of it moves the marker by more than this.
_SHOWN_M = 1e-9
# More than one pose is tested, since at a single one a joint's motion may vanish.
_POSES = 4


def carry_over(problem: Problem, frames: MarkerFrames, time_s: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The poses (T, F), each coordinate interpolated over the frames that don't show it and held beyond the last.

    The interpolant is monotone between neighbours and so never overshoots them (Fritsch and Carlson 1980, SIAM J Numer
    Anal 17:238). A coordinate that no frame shows is left as it is.
    """
    shown = _shown(problem, frames, free)
    filled = free.copy()
    for k in np.flatnonzero(shown.any(axis=0) & ~shown.all(axis=0)):
        there, gone = np.flatnonzero(shown[:, k]), np.flatnonzero(~shown[:, k])
        at_s = np.clip(time_s[gone], time_s[there[0]], time_s[there[-1]])
        known = free[there, k]
        filled[gone, k] = PchipInterpolator(time_s[there], known)(at_s) if len(there) > 1 else known[0]
    return filled


def _shown(problem: Problem, frames: MarkerFrames, free: np.ndarray) -> np.ndarray:
    """Whether each frame's markers, or a task, determine each free coordinate, (T, F)."""
    some = np.unique(np.linspace(0, len(free) - 1, _POSES).astype(int))
    values = expand(problem, frames.of(some), free[some])
    shown = (frames.seen * (problem.weight > 0)).astype(float) @ _moved(problem, values) > 0
    for coordinate, weight, _ in problem.tasks:
        if weight > 0:
            shown |= (task_row(problem, values, coordinate) != 0).any(axis=0)
    return shown


def _moved(problem: Problem, values: np.ndarray) -> np.ndarray:
    """1 where a free coordinate moves a marker at any of these poses (T, Q), else 0: (M, F)."""
    motion = problem.shared.poses.kinematics(values, problem.bodies)
    jacobian = motion.jacobian
    problem.shared.couplers.slopes(values).fold(jacobian)
    jacobian = jacobian[:, problem.body][..., problem.free]
    arm = np.matmul(motion.rotation[:, problem.body], problem.local_m[:, :, None])[..., 0]
    turned = np.cross(jacobian[..., :3, :], arm[..., None], axis=2)
    speed = np.linalg.norm(jacobian[..., 3:, :] + turned, axis=2)
    moved: np.ndarray = (speed > _SHOWN_M).any(axis=0).astype(float)
    return moved
