"""Coordinates in frames that show nothing of them: a toe whose markers are out of sight, an arm at a walk's end.

Nothing there says where they are, so they follow from the frames that do. What a marker shows at all is asked of a few
poses. Shapes: T frames, M markers, Q coordinates, F free ones.
"""

import numpy as np
from scipy.interpolate import PchipInterpolator

from pipeline.osim.exact.marker_objective import Frames, Problem, expand, task_row

# A marker that a radian (or a metre) of a coordinate moves by less than this doesn't show it.
_SHOWN_M = 1e-9
# Some poses, since a joint may stand still at one of them.
_POSES = 4


def carry_over(problem: Problem, frames: Frames, time_s: np.ndarray, free: np.ndarray) -> np.ndarray:
    """The poses (T, F), with every coordinate on a curve between the frames that show it, and kept beyond the last.

    The curve is monotone between neighbours (Fritsch and Carlson 1980, SIAM J Numer Anal 17:238), so it nowhere goes
    farther than they do. A coordinate that no frame shows is left as it is.
    """
    shown = _shown(problem, frames, free)
    found = free.copy()
    for k in np.flatnonzero(shown.any(axis=0) & ~shown.all(axis=0)):
        there, gone = np.flatnonzero(shown[:, k]), np.flatnonzero(~shown[:, k])
        at_s = np.clip(time_s[gone], time_s[there[0]], time_s[there[-1]])
        known = free[there, k]
        found[gone, k] = PchipInterpolator(time_s[there], known)(at_s) if len(there) > 1 else known[0]
    return found


def _shown(problem: Problem, frames: Frames, free: np.ndarray) -> np.ndarray:
    """Whether a frame's markers, or a task, show each free coordinate, (T, F)."""
    some = np.unique(np.linspace(0, len(free) - 1, _POSES).astype(int))
    values = expand(problem, frames.of(some), free[some])
    told = (frames.seen * (problem.weight > 0)).astype(float) @ _moved(problem, values) > 0
    for coordinate, weight, _ in problem.tasks:
        if weight > 0:
            told |= (task_row(problem, values, coordinate) != 0).any(axis=0)
    return told


def _moved(problem: Problem, values: np.ndarray) -> np.ndarray:
    """Which free coordinates move which marker at some of these poses (T, Q), (M, F) of ones and zeros."""
    motion = problem.shared.poses.kinematics(values, problem.bodies)
    jacobian = motion.jacobian
    problem.shared.couplers.slopes(values).fold(jacobian)
    jacobian = jacobian[:, problem.body][..., problem.free]
    arm = np.matmul(motion.rotation[:, problem.body], problem.local_m[:, :, None])[..., 0]
    turned = np.cross(jacobian[..., :3, :], arm[..., None], axis=2)
    speed = np.linalg.norm(jacobian[..., 3:, :] + turned, axis=2)
    found: np.ndarray = (speed > _SHOWN_M).any(axis=0).astype(float)
    return found
