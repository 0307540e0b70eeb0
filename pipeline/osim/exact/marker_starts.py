"""Where inverse kinematics starts: limbs have local optima, and only a good start keeps a frame out of them.

Of every 16th frame the first and the last are solved from the model's default, and the others from these on, each from
the one before it, until both ways meet in the middle. What lies halfway between solved frames starts on a spline
through them, again and again until none is left. Frames that disagree with their neighbours try the neighbours' poses.
Most frames are solved together with many others, since a call of numpy costs more than its arithmetic.
Shapes: T frames, F free coordinates.
"""

from dataclasses import replace

import numpy as np
from scipy.interpolate import CubicSpline

from pipeline.osim.exact.marker_descent import FAR, NEAR, Optimum, solve
from pipeline.osim.exact.marker_objective import Frames, Problem

# The first frames to be solved, a power of two apart; fewer than this many are no spline, and turns beyond this (rad)
# no smooth motion.
_KEY_EVERY, _SPLINE_KEYS = 16, 4
_FAR_TURN = 0.5
# A first pose whose markers are nearer than this (root mean square, m) is the right one; else other starts are tried.
_NEAR_M = 0.03
# A frame went astray if its objective is larger than a neighbour's, and than what that one's pose leads to, by this
# factor: of frames next to each other, and of frames far apart. A limb that would have turned faster than this (rad/s),
# several times what it does in walking, has jumped.
_ASTRAY, _ASTRAY_FAR, _FASTEST = 1.05, 1.2, 25.0
# A frame far from the others that fits so much worse than the best of them is solved by itself too.
_SUSPICIOUS = 4.0


def solve_all(problem: Problem, frames: Frames, time_s: np.ndarray) -> Optimum:
    """The optimum of every frame. Of several, that which neighbouring frames lead to, unless another is cheaper by far.

    A forearm with two markers has two optima of nearly equal error; whichever is lower changes from frame to frame, and
    a motion that jumped between them would ask for moments that nobody made.
    """
    keys = np.arange(0, len(time_s), _KEY_EVERY)
    far_apart = _retried(problem, frames.of(keys), _follow(problem, frames.of(keys)), _ASTRAY_FAR)
    whole = _retried(problem, frames, _refine(problem, frames, far_apart), _ASTRAY)
    return _unbroken(problem, frames, time_s, whole)


def _follow(problem: Problem, frames: Frames) -> Optimum:
    """Frames far apart: both ends by themselves, each other from the one before it on the way in from its end.

    Two ways at once, since a call of numpy costs more than its arithmetic. Any that fits far worse also by itself.
    """
    n_frames = len(frames.seen)
    found = _alone(problem, frames.of(np.unique([0, n_frames - 1]))).of(np.r_[np.zeros(n_frames - 1, dtype=int), -1])
    for step in range(1, (n_frames + 1) // 2):
        new = np.unique([step, n_frames - 1 - step])
        before = np.array([step - 1, n_frames - step])[: len(new)]
        found.put(new, solve(problem, frames.of(new), found.free[before], NEAR))
    strange = np.flatnonzero(found.cost > _SUSPICIOUS * found.cost.min())
    strange = strange[(strange > 0) & (strange < n_frames - 1)]
    if len(strange):
        _keep_cheaper(found, strange, _alone(problem, frames.of(strange)))
    return found


def _refine(problem: Problem, frames: Frames, keys: Optimum) -> Optimum:
    """All frames, from every n-th."""
    n_frames, every = len(frames.seen), _KEY_EVERY
    known = np.arange(0, n_frames, every)
    whole = keys.of(np.zeros(n_frames, dtype=int))
    whole.put(known, keys)
    while every > 1:
        every //= 2
        new = np.arange(every, n_frames, 2 * every)
        if len(new):
            whole.put(new, solve(problem, frames.of(new), _between(known, whole.free[known], new), NEAR))
        known = np.arange(0, n_frames, every)
    return whole


def _between(known: np.ndarray, poses: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Where to start new frames: on cubic splines through poses (T, F) of known ones.

    A coordinate that has turned far from one known frame to the next starts where the frame before has it, since
    halfway between two optima is a bad place; so do all where few frames are known, and those beyond the last.
    """
    before = np.searchsorted(known, new) - 1
    start = poses[before]
    if len(known) >= _SPLINE_KEYS:
        turned = np.abs(poses[np.minimum(before + 1, len(known) - 1)] - start)
        smooth = (turned < _FAR_TURN) & (new < known[-1])[:, None]
        start = np.where(smooth, CubicSpline(known, poses)(new), start)
    return start


def _alone(problem: Problem, frames: Frames) -> Optimum:
    """The best pose of each frame, from the model's default; where it stays far from the markers, turned too.

    From afar two ways are gone, since each finds some limbs that the other loses.
    """
    default = np.clip(frames.held[:, problem.free], problem.low, problem.high)
    found = _from_afar(problem, frames, default)
    far = np.flatnonzero(np.sqrt((found.error_m**2).sum(axis=(1, 2)) / frames.seen.sum(axis=1)) > _NEAR_M)
    if len(far):
        for start in _turned(problem, default[far]):
            _keep_cheaper(found, far, _from_afar(problem, frames.of(far), start))
    return found


def _from_afar(problem: Problem, frames: Frames, start: np.ndarray) -> Optimum:
    """Frames from one start (T, F): with the whole body laid on the markers before a joint moves, and all at once."""
    coordinates = problem.shared.summary.coordinates
    carried = np.array([not coordinates[i].residual for i in problem.free])
    stiff = replace(
        problem, low=np.where(carried, start[0], problem.low), high=np.where(carried, start[0], problem.high)
    )
    laid = solve(stiff, frames, start, FAR).free
    each = np.arange(len(start))
    both = solve(problem, frames.of(np.r_[each, each]), np.vstack([laid, start]), FAR)
    found = both.of(each)
    _keep_cheaper(found, each, both.of(each + len(each)))
    return found


def _keep_cheaper(found: Optimum, where: np.ndarray, other: Optimum) -> None:
    """Put another's frames in place of these, where they are cheaper."""
    better = other.cost < found.cost[where]
    found.put(where[better], other.of(better))


def _turned(problem: Problem, default: np.ndarray) -> list[np.ndarray]:
    """The default pose, with the whole body turned by a quarter, a half and three quarters about each of its angles."""
    coordinates = problem.shared.summary.coordinates
    turns = [k for k, i in enumerate(problem.free) if coordinates[i].residual and coordinates[i].rotational]
    found = []
    for k in turns:
        for angle in (0.5 * np.pi, np.pi, -0.5 * np.pi):
            pose = default.copy()
            pose[:, k] = np.clip(pose[:, k] + angle, problem.low[k], problem.high[k])
            found.append(pose)
    return found


def _retried(problem: Problem, frames: Frames, found: Optimum, astray: float) -> Optimum:
    """The same, after frames that went astray have tried their neighbours' poses; what helps is passed on."""
    for _ in range(len(found.cost)):
        moved = [_try_neighbours(problem, frames, found, shift, astray) for shift in (1, -1)]
        if not any(moved):
            break
    return found


def _try_neighbours(problem: Problem, frames: Frames, found: Optimum, shift: int, astray: float) -> bool:
    """Whether any frame went astray and the pose of the frame `shift` before it led it back; put in place."""
    here = np.arange(max(shift, 0), len(found.cost) + min(shift, 0))
    here = here[found.cost[here] > astray * found.cost[here - shift]]
    if not len(here):
        return False
    other = solve(problem, frames.of(here), found.free[here - shift], NEAR)
    better = other.solved & (astray * other.cost < found.cost[here])
    found.put(here[better], other.of(better))
    return bool(better.any())


def _unbroken(problem: Problem, frames: Frames, time_s: np.ndarray, found: Optimum) -> Optimum:
    """The same, each jump put off as long as the optimum before it lasts and isn't dearer by a twentieth."""
    for t in range(1, len(time_s)):
        fastest = _FASTEST * (time_s[t] - time_s[t - 1])
        if np.abs(found.free[t] - found.free[t - 1]).max(initial=0.0) <= fastest:
            continue
        other = solve(problem, frames.of(np.array([t])), found.free[t - 1 : t], NEAR)
        stays = np.abs(other.free[0] - found.free[t - 1]).max(initial=0.0) <= fastest
        if other.solved[0] and stays and other.cost[0] <= _ASTRAY * found.cost[t]:
            found.put(np.array([t]), other)
    return found
