"""Weighted least squares by Newton's method, one frame after the other.

The first steps are damped as in Levenberg and Marquardt's method. Each frame has a trust radius (Nocedal and Wright
2006, chapter 4). Clamped coordinates stay in their range: where a step would leave it, the coordinate is held at its
bound (projected Newton method, Bertsekas 1982, SIAM J Control Optim 20:221).
Shapes: T frames, N of them to solve, M markers, F free coordinates.
"""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.arrays import reals
from pipeline.mechanics.compiled import inner, kernel
from pipeline.mechanics.linear_algebra import factor_cholesky, forward_substitute, solve_factored
from pipeline.mechanics.markers.objective import (
    MarkerRoom,
    TrackedFrames,
    TrackingProblem,
    find_curvature,
    find_descent,
    new_marker_room,
    weigh,
)

# A frame is solved when its remaining distance to the optimum (rad, m), estimated from how fast steps shrink, is less.
_TOLERANCE = 1e-8
_MAX_STEPS = 200
# Length of the next step over this one: the estimate before two steps are known, and the smallest estimate used.
_FIRST_SHRINKAGE, _MIN_SHRINKAGE = 0.3, 1e-3
# Damping relative to a coordinate's own curvature, for starts near the optimum and far from it; each step reduces it.
NEAR, FAR = 1e-9, 30.0
_DAMPING_FACTOR = 0.1
# A step that achieves this share of the decrease it predicted lets the radius grow to so many times the step.
_TRUSTED, _GROWTH = 0.75, 2.5
# A predicted decrease below this share of the objective, or below the rounding of a perfect fit, means nothing.
_ROUNDING, _SQUARED_ROUNDING_M2 = 1e-12, 1e-26
# Longest step (rad, m): farther from a pose its quadratic model of the objective doesn't hold.
_LONGEST_STEP = 1.0
_MAX_STOPS, _MAX_SHIFTS, _MAX_STIFFENINGS = 4, 50, 12
# A step within the radius is long enough at this share of it.
_NEARLY = 0.9
# A coordinate this near to its bound (rad, m) is at it: sums of steps miss bounds by rounding.
_AT_BOUND = 1e-12
# Damping treats a coordinate that markers hardly show as if it had this share of the largest curvature.
_MIN_SCALE = 1e-6
# After a step shorter than this (rad, m), another with the same curvature shows whether the optimum is reached.
_WORTH_A_LOOK = 1e-4
# A coordinate whose own curvature is this small a share of the largest moves markers by rounding only: it stays.
_UNSEEN = 1e-14


class DescentRoom(NamedTuple):
    """Room for the steps of a frame: the quadratic model of the objective around the best pose yet, and its minimum.

    descent (F,): half its negative gradient; damping (F,): what is added to the curvature's diagonal. factor (F, F): of
    the curvature without the `stopped` coordinates, and `factored` (1,), whether it is that of the whole Newton step.
    low and high (F,): the range of a step.
    """

    descent: np.ndarray
    damping: np.ndarray
    factor: np.ndarray
    there: np.ndarray
    factored: np.ndarray
    stopped: np.ndarray
    low: np.ndarray
    high: np.ndarray
    known: np.ndarray
    right: np.ndarray
    step: np.ndarray
    spare: np.ndarray


def _new_descent_room(n_free: int) -> DescentRoom:
    return DescentRoom(
        descent=np.zeros(n_free),
        damping=np.zeros(n_free),
        factor=np.zeros((n_free, n_free)),
        there=np.zeros(n_free),
        factored=np.zeros(1, dtype=np.bool_),
        stopped=np.zeros(n_free, dtype=np.bool_),
        low=np.zeros(n_free),
        high=np.zeros(n_free),
        known=np.zeros(n_free),
        right=np.zeros(n_free),
        step=np.zeros(n_free),
        spare=np.zeros(n_free),
    )


class Descents(NamedTuple):
    """Where descents of N frames ended.

    Free coordinates (N, F), whether each frame converged (N,), its objective (N,), errors of markers (N, M, 3),
    measured less modelled and zero where unseen, and how many steps were taken (N,).
    """

    free: np.ndarray
    solved: np.ndarray
    cost: np.ndarray
    error_m: np.ndarray
    steps: np.ndarray


def descend_frames(
    problem: TrackingProblem, frames: TrackedFrames, which: np.ndarray, start: np.ndarray, damping: float
) -> Descents:
    """The local optimum of frames `which` (N,), each from its start (N, F); `damping` is `NEAR`, or `FAR` for care.

    A frame's answer depends on that frame alone. NaN in a start stays NaN, and is never solved.
    """
    n_frames, n_free = len(which), len(problem.free)
    found = Descents(
        free=reals(np.clip(start, problem.low, problem.high)),
        solved=np.zeros(n_frames, dtype=np.bool_),
        cost=np.zeros(n_frames),
        error_m=np.zeros((n_frames, len(problem.weight), 3)),
        steps=np.zeros(n_frames, dtype=np.int64),
    )
    room = new_marker_room(problem, frames.held.shape[1])
    _descend_frames(problem, frames, which, damping, room, _new_descent_room(n_free), found)
    return found


@kernel
def _descend_frames(
    problem: TrackingProblem,
    frames: TrackedFrames,
    which: np.ndarray,
    damping: float,
    room: MarkerRoom,
    work: DescentRoom,
    found: Descents,
) -> None:
    for i in range(which.shape[0]):
        found.solved[i], found.cost[i], found.steps[i] = _descend(
            problem, frames, which[i], found.free[i], damping, found.error_m[i], room, work
        )


@inner
def _descend(
    problem: TrackingProblem,
    frames: TrackedFrames,
    t: int,
    best: np.ndarray,
    damping: float,
    error_m: np.ndarray,
    room: MarkerRoom,
    work: DescentRoom,
) -> tuple[bool, float, int]:
    """Move `best` (F,) to frame t's optimum, in place: whether it got there, the objective, and how many steps."""
    radius, before = _LONGEST_STEP, np.inf
    cost, promised, length, shrinking, whole, telling = np.inf, 0.0, 0.0, _FIRST_SHRINKAGE, False, False
    _copy(best, work.there)
    for taken in range(_MAX_STEPS):
        after = weigh(problem, frames, t, work.there, room)
        if taken == 0 and not after < np.inf:
            return False, after, 0
        rounding = _ROUNDING * cost + _SQUARED_ROUNDING_M2
        better = taken == 0 or after <= cost * (1 + 1e-14) + _SQUARED_ROUNDING_M2
        # A frame also ends at a step whose gain is lost in rounding.
        done = abs(promised) <= rounding and length <= 0.1 * _TOLERANCE and damping <= NEAR
        kept = (cost - after) / promised if promised > rounding else 1.0
        if better:
            _keep(room, work, best, error_m)
            cost = after
            done = telling and length * shrinking <= _TOLERANCE * (1 - shrinking)
        if done:
            return True, cost, taken
        if better:
            find_descent(problem, room)
            if telling and length <= _WORTH_A_LOOK and _is_near(length, room, work):
                return True, cost, taken
            find_curvature(problem, room)
        if taken > 0:
            # A step that was cut to the radius doesn't tell how fast steps shrink.
            before = length if better and whole else np.inf
            radius = _next_radius(radius, length, better, kept)
            damping = max(_DAMPING_FACTOR * damping, NEAR)
        promised = _find_step(problem, best, damping, radius, room, work)
        length = _longest(work.step)
        shrinking, whole = _shrinkage(length, before), length < 0.9 * radius
        telling = whole and damping <= NEAR
        # So short a step needs no check of where it leads: that would cost as much as another step.
        if telling and length <= _TOLERANCE * (1 - shrinking):
            return True, cost, taken
        for k in range(best.shape[0]):
            work.there[k] = best[k] + work.step[k]
    return False, cost, _MAX_STEPS


@inner
def _keep(room: MarkerRoom, work: DescentRoom, best: np.ndarray, error_m: np.ndarray) -> None:
    """Keep the pose last weighed as the best one (F,), and its markers' errors (M, 3)."""
    _copy(work.there, best)
    for m in range(error_m.shape[0]):
        _copy(room.error_m[m], error_m[m])


@inner
def _is_near(length: float, room: MarkerRoom, work: DescentRoom) -> bool:
    """Whether the optimum is near enough, by another step with the factor of the last one, of this length."""
    if not work.factored[0]:
        return False
    for k in range(work.step.shape[0]):
        work.right[k] = 0.0 if work.stopped[k] else room.descent[k]
        # A coordinate at its bound must want to stay there.
        if work.stopped[k] and room.descent[k] * work.descent[k] < 0:
            return False
    solve_factored(work.factor, work.right)
    rest = _longest(work.right)
    return rest <= _TOLERANCE * (1 - _shrinkage(rest, length))


@inner
def _copy(source: np.ndarray, target: np.ndarray) -> None:
    """Element by element: whole-array assignment brings code for its errors, which takes seconds to compile."""
    for i in range(source.shape[0]):
        target[i] = source[i]


@inner
def _longest(step: np.ndarray) -> float:
    """The largest part of a step (F,); NaN if there is one."""
    longest = 0.0
    for each in step:
        if np.isnan(each):
            return np.nan
        longest = max(longest, abs(each))
    return longest


@inner
def _shrinkage(length: float, before: float) -> float:
    """Upper estimate of r, the length of the next step over this one.

    The way left to the optimum is then at most the step times 1 / (1 - r), since Newton's steps shrink ever faster.
    """
    if before == np.inf:
        return _FIRST_SHRINKAGE
    return min(max(length / max(before, 1e-300), _MIN_SHRINKAGE), 0.9)


@inner
def _next_radius(radius: float, length: float, better: bool, kept: float) -> float:
    """The next trust radius, from the actual over predicted decrease `kept` of the last step.

    After a step that raised the objective it is the minimum of the parabola through the two values and the slope.
    """
    if not better:
        # The objective may have become NaN: then by the least.
        share = 0.5 / (1 - min(kept, 0.0))
        return length * (min(max(share, 0.1), 0.5) if share == share else 0.1)
    if kept > _TRUSTED:
        radius = max(radius, _GROWTH * length)
    elif kept < 1 - _TRUSTED:
        radius = 0.5 * length
    return min(radius, _LONGEST_STEP)


@inner
def _find_step(
    problem: TrackingProblem, best: np.ndarray, damping: float, radius: float, room: MarkerRoom, work: DescentRoom
) -> float:
    """Find the step within the coordinates' ranges and the radius; the decrease of the objective that it predicts.

    While the radius is whole: Newton's step where the objective is convex, Gauss and Newton's elsewhere. Once the
    radius was reduced: Newton's step, shortened to the radius. The minimum within the radius, which takes longer
    to find, replaces it where the objective isn't convex, or where bounds have turned the step uphill.
    """
    for k in range(best.shape[0]):
        work.low[k], work.high[k] = problem.low[k] - best[k], problem.high[k] - best[k]
        work.descent[k] = room.descent[k]
    trusted = radius >= _LONGEST_STEP
    _damp(room.gauss, damping, work)
    curvature = room.hessian
    convex = _bounded_step(curvature, room.gauss, np.inf, work)
    if not convex and trusted:
        curvature = room.gauss
        _stiff_step(curvature, damping, work)
    if convex or trusted:
        limit = _LONGEST_STEP if trusted else radius
        cut = _shorten(work.step, limit)
        promised = _promise(curvature, work)
        if trusted or not cut or promised > 0:
            return promised
    _bounded_step(curvature, room.gauss, radius, work)
    return _promise(curvature, work)


@inner
def _shorten(step: np.ndarray, limit: float) -> bool:
    """Shorten a step (F,) whose largest part exceeds the limit; whether it did."""
    length = _longest(step)
    if not length > limit:
        return False
    for k in range(step.shape[0]):
        step[k] *= limit / length
    return True


@inner
def _stiff_step(gauss: np.ndarray, damping: float, work: DescentRoom) -> None:
    """Gauss and Newton's step, damped as much as rounding asks for; NaN if that isn't enough."""
    for _ in range(_MAX_STIFFENINGS):
        found = _bounded_step(gauss, gauss, np.inf, work)
        work.factored[0] = False
        if found:
            return
        damping *= 10.0
        _damp(gauss, damping, work)
    work.step[:] = np.nan


@inner
def _damp(gauss: np.ndarray, damping: float, work: DescentRoom) -> None:
    """What damping adds to the curvature's diagonal."""
    size = work.step.shape[0]
    least = _MIN_SCALE * _largest_diagonal(gauss, size)
    for k in range(size):
        work.damping[k] = damping * max(gauss[k, k], least)


@inner
def _largest_diagonal(matrix: np.ndarray, size: int) -> float:
    largest = 0.0
    for k in range(size):
        largest = max(largest, matrix[k, k])
    return largest


@inner
def _stop_at_bounds(gauss: np.ndarray, work: DescentRoom) -> None:
    """Stop the coordinates that are at a bound and would leave it, and those that no marker shows."""
    unseen = _UNSEEN * _largest_diagonal(gauss, work.step.shape[0])
    for k in range(work.step.shape[0]):
        work.stopped[k] = (
            (work.low[k] >= -_AT_BOUND and work.descent[k] < 0)
            or (work.high[k] <= _AT_BOUND and work.descent[k] > 0)
            or gauss[k, k] <= unseen
        )


@inner
def _promise(curvature: np.ndarray, work: DescentRoom) -> float:
    """The decrease of the quadratic model by the step."""
    promised, step = 0.0, work.step
    for i in range(step.shape[0]):
        bent = 0.0
        for j in range(i + 1, step.shape[0]):
            bent += curvature[i, j] * step[j]
        promised += step[i] * (2 * (work.descent[i] - bent) - (curvature[i, i] + work.damping[i]) * step[i])
    return promised


@inner
def _bounded_step(curvature: np.ndarray, gauss: np.ndarray, radius: float, work: DescentRoom) -> bool:
    """The step to the model's minimum within the radius; coordinates that would leave their range stop at it.

    False, and no step, where the radius is infinite and the model not convex.
    """
    size = work.step.shape[0]
    work.known[:] = 0.0
    _stop_at_bounds(gauss, work)
    work.factored[0] = False
    for attempt in range(_MAX_STOPS):
        _without_stopped(curvature, work)
        if not _within(curvature, radius, work):
            return False
        beyond = False
        for k in range(size):
            work.step[k] += work.known[k]
            if not work.stopped[k] and not (work.low[k] <= work.step[k] <= work.high[k]):
                work.stopped[k] = beyond = True
        if not beyond:
            work.factored[0] = attempt == 0 and radius == np.inf
            break
        for k in range(size):
            work.known[k] = min(max(work.step[k], work.low[k]), work.high[k]) if work.stopped[k] else 0.0
    for k in range(size):
        work.step[k] = min(max(work.step[k], work.low[k]), work.high[k])
    return True


@inner
def _without_stopped(curvature: np.ndarray, work: DescentRoom) -> None:
    """The right side that is left to the coordinates which aren't stopped."""
    size = work.step.shape[0]
    for i in range(size):
        work.right[i] = 0.0 if work.stopped[i] else work.descent[i]
    for j in range(size):
        share = work.known[j]
        if share != 0.0:
            for i in range(size):
                if not work.stopped[i]:
                    work.right[i] -= curvature[min(i, j), max(i, j)] * share


@inner
def _copy_shifted(curvature: np.ndarray, shift: float, work: DescentRoom) -> None:
    """The curvature's upper triangle, damped and shifted; of stopped coordinates, the identity's rows and columns."""
    size = work.step.shape[0]
    for i in range(size):
        for j in range(i, size):
            work.factor[i, j] = curvature[i, j]
        work.factor[i, i] += work.damping[i] + shift
    for k in range(size):
        if work.stopped[k]:
            for i in range(k):
                work.factor[i, k] = 0.0
            for j in range(k + 1, size):
                work.factor[k, j] = 0.0
            work.factor[k, k] = 1.0


@inner
def _within(curvature: np.ndarray, radius: float, work: DescentRoom) -> bool:
    """The minimum of the quadratic, convex or not, within a radius; False if that is infinite and the quadratic not.

    False, and steps of NaN, also where rounding leaves no minimum.

    Moré and Sorensen (1983, SIAM J Sci Stat Comput 4:553): the least shift of the diagonal that makes the quadratic
    convex and its minimum near enough, by Newton's method on 1 / length, between bounds that close in.
    """
    least, most, shift = 0.0, np.inf, 0.0
    for attempt in range(_MAX_SHIFTS):
        _copy_shifted(curvature, shift, work)
        suggested = -1.0
        if factor_cholesky(work.factor):
            _copy(work.right, work.step)
            solve_factored(work.factor, work.step)
            if radius == np.inf:
                return True
            length = np.sqrt(_squared(work.step))
            if length <= radius:
                if shift == 0.0 or length >= _NEARLY * radius or most - least <= 1e-6 * most:
                    return True
                most = shift
            else:
                least = shift
            _copy(work.step, work.spare)
            forward_substitute(work.factor, work.spare)
            suggested = shift + length * length / max(_squared(work.spare), 1e-300) * (length / radius - 1.0)
        elif radius == np.inf:
            return False
        else:
            least = shift
        if attempt == 0:
            most = _sufficient_shift(curvature, radius, work)
        shift = suggested if least < suggested < most else max(np.sqrt(least * most), least + 0.01 * (most - least))
        if attempt == _MAX_SHIFTS - 2:
            shift = most
    work.step[:] = np.nan
    return False


@inner
def _sufficient_shift(curvature: np.ndarray, radius: float, work: DescentRoom) -> float:
    """A shift that makes the matrix convex for sure (Gershgorin), and the minimum near enough."""
    size = work.step.shape[0]
    largest = 0.0
    for i in range(size):
        row = work.damping[i]
        for j in range(size):
            row += abs(curvature[min(i, j), max(i, j)])
        largest = max(largest, row)
    return largest + np.sqrt(_squared(work.right)) / radius


@inner
def _squared(values: np.ndarray) -> float:
    total = 0.0
    for value in values:
        total += value * value
    return total
