"""Inverse kinematics of a whole walk: a good start for every frame, since limbs have local optima.

1. Every 16th frame is a key frame. The first and the last are solved from the model's default pose; the others start
   from the one solved before, from both ends towards the middle.
2. The frames halfway between solved ones start on a cubic through them, until none is left.
3. A frame that fits much worse than its neighbour tries the neighbour's pose, unless it follows smoothly from it.
4. Where a limb jumps, the next frames keep following the previous optimum while it costs at most 5 % more.

Shapes: T frames, M markers, F free coordinates.
"""

from dataclasses import dataclass, fields

import numpy as np

from pipeline.mechanics.markers.descent import FAR, NEAR, descend_frames
from pipeline.mechanics.markers.objective import TrackedFrames, TrackingProblem

# Key frames are a power of two apart. Fewer than this many make no cubic, or no polynomial of the fifth degree.
_KEY_EVERY, _MIN_CUBIC_KEYS, _MIN_QUINTIC_KEYS = 16, 4, 6
# A coordinate that turns farther than this from one solved frame to the next isn't interpolated.
_MAX_TURN_RAD = 0.5
# From the default pose: a fit better than this (root mean square) is accepted, else other starts are tried.
_GOOD_FIT_M = 0.03
# A frame is in the wrong optimum if its objective exceeds a neighbour's, and that of the optimum which the neighbour's
# pose leads to, by this factor: between consecutive frames, and between key frames.
_WORSE, _WORSE_BETWEEN_KEYS = 1.05, 1.2
# A frame is in its neighbour's optimum if no coordinate's step between them differs by more than this (rad, m) from the
# mean of the steps before and after.
_SMOOTH = 0.01
# A coordinate that moves faster than this (rad/s, m/s), several times what limbs do in walking, has jumped.
_MAX_SPEED = 25.0
# A key frame whose objective is so many times that of the best one is also solved from the default pose.
_POOR_FIT = 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkOptimum:
    """Free coordinates (T, F), whether each frame converged (T,), the objective (T,), markers' errors (T, M, 3).

    steps (T,): how many the descent to them took.
    """

    free: np.ndarray
    solved: np.ndarray
    cost: np.ndarray
    error_m: np.ndarray
    steps: np.ndarray

    def of(self, frames: np.ndarray) -> "WalkOptimum":
        """Some of the frames, by their numbers or a mask."""
        return WalkOptimum(**{name: getattr(self, name)[frames] for name in _PARTS})

    def put(self, frames: np.ndarray, other: "WalkOptimum") -> None:
        """Replace these frames by another's, in place."""
        for name in _PARTS:
            getattr(self, name)[frames] = getattr(other, name)


_PARTS = tuple(field.name for field in fields(WalkOptimum))


def solve_frames(problem: TrackingProblem, frames: TrackedFrames, time_s: np.ndarray) -> WalkOptimum:
    """The optimum of every frame. Of several, the one that follows from the neighbours, unless it costs much more.

    A forearm with two markers has two optima of nearly equal error, and which one is lower changes from frame to frame.
    Jumping between them would make moments that nobody exerted.
    """
    keys = np.arange(0, len(time_s), _KEY_EVERY)
    solved_keys = _solve_keys(problem, frames, keys)
    _retry(problem, frames, keys, solved_keys, _WORSE_BETWEEN_KEYS)
    whole = _fill_between(problem, frames, keys, solved_keys)
    _retry(problem, frames, np.arange(len(time_s)), whole, _WORSE)
    _put_off_jumps(problem, frames, time_s, whole)
    return whole


def _descended(
    problem: TrackingProblem, frames: TrackedFrames, which: np.ndarray, start: np.ndarray, damping: float
) -> WalkOptimum:
    return WalkOptimum(**descend_frames(problem, frames, which, start, damping)._asdict())


def _solve_keys(problem: TrackingProblem, frames: TrackedFrames, keys: np.ndarray) -> WalkOptimum:
    """Key frames: both ends from the default pose, the others from the one before, from both ends inwards at once.

    One that fits much worse than the best is also solved from the default pose.
    """
    n_keys = len(keys)
    ends = _from_default(problem, frames, keys[np.unique([0, n_keys - 1])])
    optimum = ends.of(np.r_[np.zeros(n_keys - 1, dtype=int), -1])
    for step in range(1, (n_keys + 1) // 2):
        new = np.unique([step, n_keys - 1 - step])
        before = np.array([step - 1, n_keys - step])[: len(new)]
        optimum.put(new, _descended(problem, frames, keys[new], optimum.free[before], NEAR))
    poor = np.flatnonzero(optimum.cost > _POOR_FIT * optimum.cost.min())
    poor = poor[(poor > 0) & (poor < n_keys - 1)]
    if len(poor):
        _keep_cheaper(optimum, poor, _from_default(problem, frames, keys[poor]))
    return optimum


def _fill_between(
    problem: TrackingProblem, frames: TrackedFrames, keys: np.ndarray, solved_keys: WalkOptimum
) -> WalkOptimum:
    """All frames, by halving the distance between solved ones, from the key frames on."""
    n_frames, every = len(frames.seen), _KEY_EVERY
    whole = solved_keys.of(np.zeros(n_frames, dtype=int))
    whole.put(keys, solved_keys)
    known = keys
    while every > 1:
        every //= 2
        new = np.arange(every, n_frames, 2 * every)
        if len(new):
            whole.put(new, _descended(problem, frames, new, _between(known, whole.free[known], new), NEAR))
        known = np.arange(0, n_frames, every)
    return whole


def _between(known: np.ndarray, poses: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Starts of new frames, each halfway between two of the evenly spaced known ones, or beyond the last, (T, F).

    They lie on the polynomial through the three known poses on either side, near an end through fewer. A
    coordinate that turns far between two known frames starts from the earlier one, since a pose halfway between two
    optima is a bad start. So do all coordinates beyond the last known frame, or if few frames are known.
    """
    start = poses[: len(new)].copy()
    if len(known) < _MIN_CUBIC_KEYS:
        return start
    halfway = np.empty((len(known) - 1, poses.shape[1]))
    # As changes from one of them, so that what does not move stays as it is to the last bit.
    left, right = poses[:-1], poses[1:]
    outer = (poses[:-3] - left[1:-1]) + (poses[3:] - left[1:-1])
    halfway[1:-1] = left[1:-1] + (9 * (right - left)[1:-1] - outer) / 16
    if len(known) >= _MIN_QUINTIC_KEYS:
        far = (poses[:-5] - left[2:-2]) + (poses[5:] - left[2:-2])
        halfway[2:-2] = left[2:-2] + (150 * (right - left)[2:-2] - 25 * outer[1:-1] + 3 * far) / 256
    for place, end in ((0, poses[:4]), (-1, poses[:-5:-1])):
        halfway[place] = end[0] + (15 * (end[1] - end[0]) - 5 * (end[2] - end[0]) + (end[3] - end[0])) / 16
    smooth = np.abs(np.diff(poses, axis=0)) < _MAX_TURN_RAD
    start[: len(halfway)][smooth] = halfway[smooth]
    return start


def _from_default(problem: TrackingProblem, frames: TrackedFrames, which: np.ndarray) -> WalkOptimum:
    """The best pose of each frame from the model's default pose, and from that turned about where the fit is poor."""
    default = np.clip(frames.held[which][:, problem.free], problem.low, problem.high)
    optimum = _from_afar(problem, frames, which, default)
    n_seen = np.maximum(frames.seen[which].sum(axis=1), 1)
    far = np.flatnonzero(np.sqrt((optimum.error_m**2).sum(axis=(1, 2)) / n_seen) > _GOOD_FIT_M)
    if len(far):
        for start in _turned(problem, default[far]):
            _keep_cheaper(optimum, far, _from_afar(problem, frames, which[far], start))
    return optimum


def _from_afar(problem: TrackingProblem, frames: TrackedFrames, which: np.ndarray, start: np.ndarray) -> WalkOptimum:
    """The better of two descents from one start (T, F).

    One first moves the whole body onto the markers with its joints fixed; the other moves everything at once. Each
    finds some limbs that the other misses.
    """
    carried = ~problem.residual
    stiff = problem._replace(
        low=np.where(carried, start[0], problem.low), high=np.where(carried, start[0], problem.high)
    )
    laid = _descended(stiff, frames, which, start, FAR).free
    both = _descended(problem, frames, np.r_[which, which], np.vstack([laid, start]), FAR)
    each = np.arange(len(start))
    optimum = both.of(each)
    _keep_cheaper(optimum, each, both.of(each + len(each)))
    return optimum


def _keep_cheaper(optimum: WalkOptimum, where: np.ndarray, other: WalkOptimum) -> None:
    """Replace frames by another's where those cost less, in place."""
    better = other.cost < optimum.cost[where]
    optimum.put(where[better], other.of(better))


def _turned(problem: TrackingProblem, default: np.ndarray) -> list[np.ndarray]:
    """The default pose with the whole body turned by 90, 180 and 270 degrees about each of its axes."""
    poses = []
    for k in np.flatnonzero(problem.residual & problem.rotational):
        for angle in (0.5 * np.pi, np.pi, -0.5 * np.pi):
            pose = default.copy()
            pose[:, k] = np.clip(pose[:, k] + angle, problem.low[k], problem.high[k])
            poses.append(pose)
    return poses


def _retry(
    problem: TrackingProblem, frames: TrackedFrames, which: np.ndarray, optimum: WalkOptimum, worse: float
) -> None:
    """Let frames in a wrong optimum try their neighbours' poses, until no more of them improve; in place."""
    for _ in range(len(which)):
        moved = [_try_neighbours(problem, frames, which, optimum, shift, worse) for shift in (1, -1)]
        if not any(moved):
            break


def _try_neighbours(
    problem: TrackingProblem,
    frames: TrackedFrames,
    which: np.ndarray,
    optimum: WalkOptimum,
    shift: int,
    worse: float,
) -> bool:
    """Whether the pose of the frame `shift` before led any frame to a better optimum, which is put in place."""
    here = np.arange(max(shift, 0), len(which) + min(shift, 0))
    here = here[optimum.cost[here] > worse * optimum.cost[here - shift]]
    if len(here):
        here = here[~(_unlike(optimum.free)[np.minimum(here, here - shift)] <= _SMOOTH)]
    if not len(here):
        return False
    other = _descended(problem, frames, which[here], optimum.free[here - shift], NEAR)
    better = other.solved & (worse * other.cost < optimum.cost[here])
    optimum.put(here[better], other.of(better))
    return bool(better.any())


def _unlike(poses: np.ndarray) -> np.ndarray:
    """How much each step from a pose (T, F) to the next differs from the mean of those around it, at most, (T - 1,)."""
    steps = np.diff(poses, axis=0)
    if len(steps) == 1:
        return np.array([np.inf])
    around = np.pad(steps, ((1, 1), (0, 0)), mode="reflect")
    return np.asarray(np.abs(steps - (around[:-2] + around[2:]) / 2).max(axis=1, initial=0.0))


def _put_off_jumps(problem: TrackingProblem, frames: TrackedFrames, time_s: np.ndarray, optimum: WalkOptimum) -> None:
    """At a jump, keep following the previous optimum while it lasts and costs at most 5 % more; in place."""
    farthest = _MAX_SPEED * np.diff(time_s)
    jumps = np.abs(np.diff(optimum.free, axis=0)).max(axis=1, initial=0.0) > farthest
    for t in range(1, len(time_s)):
        if not jumps[t - 1]:
            continue
        other = _descended(problem, frames, np.array([t]), optimum.free[t - 1 : t], NEAR)
        stays = np.abs(other.free[0] - optimum.free[t - 1]).max(initial=0.0) <= farthest[t - 1]
        if other.solved[0] and stays and other.cost[0] <= _WORSE * optimum.cost[t]:
            optimum.put(np.array([t]), other)
            if t < len(jumps):
                jumps[t] = np.abs(optimum.free[t + 1] - optimum.free[t]).max(initial=0.0) > farthest[t]
