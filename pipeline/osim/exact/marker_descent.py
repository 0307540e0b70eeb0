"""Weighted least squares by Newton's method, many frames at once.

The first steps are damped as in Levenberg and Marquardt's method. Each frame has its own trust radius (Nocedal and
Wright 2006, chapter 4). Clamped coordinates stay in their range: where a step would leave it, the coordinate is held at
its bound (projected Newton method, Bertsekas 1982, SIAM J Control Optim 20:221).
Shapes: T frames, M markers, F free coordinates.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial

import numpy as np

from pipeline.osim.exact.marker_objective import LocalModel, MarkerFrames, Problem, local_model

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
_SHIFT_HALVINGS, _MAX_STOPS = 16, 4
# A coordinate this near to its bound (rad, m) is at it: sums of steps miss bounds by rounding.
_AT_BOUND = 1e-12
# Damping treats a coordinate that markers hardly show as if it had this share of the largest curvature.
_MIN_SCALE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """Free coordinates (T, F), whether each frame converged (T,), the objective (T,), markers' errors (T, M, 3)."""

    free: np.ndarray
    solved: np.ndarray
    cost: np.ndarray
    error_m: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence["Optimum"]) -> "Optimum":
        """The frames of all parts, in order."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in _PARTS})

    def of(self, frames: np.ndarray) -> "Optimum":
        """Some of the frames, by their numbers or a mask."""
        return Optimum(**{name: getattr(self, name)[frames] for name in _PARTS})

    def put(self, frames: np.ndarray, other: "Optimum") -> None:
        """Replace these frames by another's, in place."""
        for name in _PARTS:
            getattr(self, name)[frames] = getattr(other, name)


_PARTS = tuple(field.name for field in fields(Optimum))


def descend(problem: Problem, frames: MarkerFrames, start: np.ndarray, damping: float) -> Optimum:
    """The local optimum of every frame from its start (T, F). `damping` is `NEAR`, or `FAR` for careful first steps."""
    best = np.clip(start, problem.low, problem.high)
    solved = np.zeros(len(best), dtype=bool)
    radius, before = np.full(len(best), _LONGEST_STEP), np.full(len(best), np.inf)
    todo, part, here = np.arange(len(best)), frames, local_model(problem, frames, best)
    cost, error_m = here.cost.copy(), here.error_m.copy()
    for _ in range(_MAX_STEPS):
        step, promised = _step(problem, best[todo], here, damping, radius[todo])
        length = np.abs(step).max(axis=1, initial=0.0)
        shrinking, whole = _shrinking(length, before[todo]), length < 0.9 * radius[todo]
        telling = whole & (damping <= NEAR)
        # So short a step needs no check of where it leads: that would cost as much as another step.
        arrived = telling & (length <= _TOLERANCE * (1 - shrinking))
        solved[todo[arrived]] = True
        if arrived.all():
            break
        if arrived.any():
            going = ~arrived
            todo, part, here = todo[going], part.of(going), here.of(going)
            step, promised, length, shrinking, whole, telling = (
                values[going] for values in (step, promised, length, shrinking, whole, telling)
            )
        there = best[todo] + step
        model = local_model(problem, part, there)
        better, hidden, kept = _judged(here.cost, model.cost, promised)
        best[todo[better]] = there[better]
        here.take(better, model)
        cost[todo], error_m[todo] = here.cost, here.error_m
        ahead = telling & (length * shrinking <= _TOLERANCE * (1 - shrinking))
        # A frame also ends at a step whose gain is lost in rounding.
        done = np.where(better, ahead, hidden & (length <= 0.1 * _TOLERANCE) & (damping <= NEAR))
        # A step that was cut to the radius doesn't tell how fast steps shrink.
        before[todo] = np.where(better & whole, length, np.inf)
        radius[todo] = _next_radius(radius[todo], length, better, kept)
        damping = max(_DAMPING_FACTOR * damping, NEAR)
        solved[todo[done]] = True
        if done.all():
            break
        if done.any():
            todo, part, here = todo[~done], part.of(~done), here.of(~done)
    return Optimum(free=best, solved=solved, cost=cost, error_m=error_m)


def _judged(before: np.ndarray, after: np.ndarray, promised: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each step lowered the objective, whether rounding hides that, and its actual over predicted decrease.

    (T,) each. The last is 1 where rounding hides the decrease.
    """
    rounding = _ROUNDING * before + _SQUARED_ROUNDING_M2
    kept, clear = np.ones(len(before)), promised > rounding
    kept[clear] = (before - after)[clear] / promised[clear]
    return after <= before * (1 + 1e-14) + _SQUARED_ROUNDING_M2, np.abs(promised) <= rounding, kept


def _next_radius(radius: np.ndarray, length: np.ndarray, better: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """Each frame's next trust radius, (T,), from the actual over predicted decrease `kept` of the last step.

    After a step that raised the objective it is the minimum of the parabola through the two values and the slope.
    """
    lowest = length * np.clip(0.5 / (1 - np.minimum(kept, 0.0)), 0.1, 0.5)
    grown = np.where(kept > _TRUSTED, np.maximum(radius, _GROWTH * length), radius)
    shrunk = np.where(kept < 1 - _TRUSTED, 0.5 * length, grown)
    return np.minimum(np.where(better, shrunk, lowest), _LONGEST_STEP)


def _shrinking(length: np.ndarray, before: np.ndarray) -> np.ndarray:
    """Upper estimate of r, the length of each frame's next step over this one, (T,).

    The way left to the optimum is then at most the step times 1 / (1 - r), since Newton's steps shrink ever faster.
    """
    shrinks = np.where(np.isinf(before), _FIRST_SHRINKAGE, length / np.maximum(before, 1e-300))
    return np.clip(shrinks, _MIN_SHRINKAGE, 0.9)


def _step(
    problem: Problem, free: np.ndarray, model: LocalModel, damping: float, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The step (T, F) within the coordinates' ranges and `radius` (T,), and the decrease of the objective it predicts.

    While the radius is whole: Newton's step where the objective is convex, Gauss and Newton's elsewhere. Once a frame's
    radius was reduced: Newton's step, shortened to the radius. The minimum within the radius, which takes longer to
    find, replaces it where the objective isn't convex, or where bounds have turned the step uphill.
    """
    low, high = problem.low - free, problem.high - free
    diagonal = np.einsum("tii->ti", model.curvature)
    curvature = model.curvature - model.bending
    scale = np.maximum(diagonal, _MIN_SCALE * diagonal.max(axis=1, keepdims=True))
    np.einsum("tii->ti", curvature)[...] += damping * scale
    stopped = ((low >= -_AT_BOUND) & (model.descent < 0)) | ((high <= _AT_BOUND) & (model.descent > 0))
    convex, trusted = _convex(_without(stopped, curvature)), radius >= _LONGEST_STEP
    gauss = ~convex & trusted
    curvature[gauss] += model.bending[gauss]
    parts = (curvature, model.descent, stopped, low, high)
    step = np.zeros(free.shape)
    step[convex | gauss] = _bounded(_newton, *(part[convex | gauss] for part in parts))
    step *= np.minimum(1.0, _LONGEST_STEP / np.maximum(np.abs(step).max(axis=1, initial=0.0), 1e-300))[:, None]
    length = np.abs(step).max(axis=1, initial=0.0)
    long = ~trusted & convex & (length > radius)
    step[long] *= (radius[long] / length[long])[:, None]
    promised = _promise(curvature, model.descent, step)
    hard = ~trusted & (~convex | (long & (promised <= 0)))
    if hard.any():
        step[hard] = _bounded(partial(_in_radius, radius=radius[hard]), *(part[hard] for part in parts))
        promised[hard] = _promise(curvature[hard], model.descent[hard], step[hard])
    return step, promised


def _promise(curvature: np.ndarray, descent: np.ndarray, step: np.ndarray) -> np.ndarray:
    """The decrease (T,) of the quadratic model by steps (T, F)."""
    bent = (step * np.matmul(curvature, step[..., None])[..., 0]).sum(axis=1)
    return np.asarray(2 * (descent * step).sum(axis=1) - bent)


def _convex(curvature: np.ndarray) -> np.ndarray:
    """Whether each matrix (T, F, F) is positive definite, (T,)."""
    try:
        np.linalg.cholesky(curvature)
    except np.linalg.LinAlgError:
        return np.linalg.eigvalsh(curvature)[:, 0] > 0
    return np.ones(len(curvature), dtype=bool)


def _in_radius(curvature: np.ndarray, descent: np.ndarray, radius: np.ndarray) -> np.ndarray:
    """The minimum of a quadratic, convex or not, within `radius` (T,): steps (T, F).

    Moré and Sorensen (1983, SIAM J Sci Stat Comput 4:553): the step along each eigenvector is descent / (value +
    shift), with the smallest shift that makes the quadratic convex and the step short enough, found by bisection.
    """
    value, vector = np.linalg.eigh(curvature)
    along = np.matmul(vector.transpose(0, 2, 1), descent[..., None])[..., 0]
    least = np.maximum(0.0, -value[:, 0]) + 1e-12 * np.abs(value[:, -1])
    most = least + np.linalg.norm(along, axis=1) / radius
    for _ in range(_SHIFT_HALVINGS):
        shift = 0.5 * (least + most)
        long = np.linalg.norm(along / (value + shift[:, None]), axis=1) > radius
        least, most = np.where(long, shift, least), np.where(long, most, shift)
    return np.matmul(vector, (along / (value + most[:, None]))[..., None])[..., 0]


def _without(stopped: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """The matrices with the rows and columns of `stopped` coordinates (T, F) replaced by the identity's."""
    if not stopped.any():
        return matrix
    moves = ~stopped
    loose = matrix * (moves[:, :, None] & moves[:, None, :])
    np.einsum("tii->ti", loose)[...] += stopped
    return loose


def _newton(curvature: np.ndarray, descent: np.ndarray) -> np.ndarray:
    return np.linalg.solve(curvature, descent[..., None])[..., 0]


def _bounded(
    unbounded: Callable[[np.ndarray, np.ndarray], np.ndarray],
    curvature: np.ndarray,
    descent: np.ndarray,
    stopped: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
) -> np.ndarray:
    """A solver's step (T, F) with the `stopped` coordinates held; those that would leave their range stop at it."""
    known = np.zeros(descent.shape)
    for _ in range(_MAX_STOPS):
        right = descent
        if stopped.any():
            right = np.where(stopped, 0.0, descent - np.matmul(curvature, known[..., None])[..., 0])
        step = unbounded(_without(stopped, curvature), right) + known
        beyond = ((step < low) | (step > high)) & ~stopped
        if not beyond.any():
            break
        stopped = stopped | beyond
        known = np.where(stopped, np.clip(step, low, high), 0.0)
    return np.clip(step, low, high)
