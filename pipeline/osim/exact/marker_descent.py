"""Least squares by Newton's method, damped as Levenberg's and Marquardt's at first, many frames at once.

Each frame has its own trust radius (Nocedal and Wright 2006, chapter 4).

Clamped coordinates stay in their range: those at a bound that the step would leave are held (projected Newton method,
Bertsekas 1982, SIAM J Control Optim 20:221).
Shapes: T frames, M markers, F free coordinates.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from functools import partial

import numpy as np

from pipeline.osim.exact.marker_objective import Around, Frames, Problem, evaluate

# A step's error is foretold from how fast steps shrink; below this, in radians and metres, a frame is solved.
_TOLERANCE = 1e-8
_MAX_STEPS = 200
# How much of a step the next one is: before it is known, and at least.
_UNKNOWN_RATIO, _LEAST_RATIO = 0.3, 1e-3
# Damping, relative to a coordinate's own curvature: where the start is near, and where it is far; then less each step.
NEAR, FAR = 1e-9, 30.0
_LESS = 0.1
# A step that keeps this share of its promise may be followed by one so many times as long.
_TRUSTED, _GROWTH = 0.75, 2.5
# A promise below this share of the objective says nothing, nor does one below what rounding makes of perfect markers.
_ROUNDING, _SQUARED_ROUNDING_M2 = 1e-12, 1e-26
# No turn beyond this in one step (rad, m): far from the optimum the model of the objective isn't worth more.
_LONGEST_STEP = 1.0
_SHIFT_HALVINGS, _MAX_STOPS = 16, 4
# A coordinate that is nearer than this to its bound (rad, m) is at it: sums of steps miss bounds by their rounding.
_AT_BOUND = 1e-12
# A coordinate that markers hardly show counts as this share of the best shown one where steps are damped.
_LEAST_SCALE = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """Free coordinates (T, F), whether they are the optimum (T,), their objective (T,), markers' errors (T, M, 3)."""

    free: np.ndarray
    solved: np.ndarray
    cost: np.ndarray
    error_m: np.ndarray

    @classmethod
    def joined(cls, parts: Sequence["Optimum"]) -> "Optimum":
        """One after the other."""
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in _PARTS})

    def of(self, frames: np.ndarray) -> "Optimum":
        """Some of the frames, by their numbers or a mask."""
        return Optimum(**{name: getattr(self, name)[frames] for name in _PARTS})

    def put(self, frames: np.ndarray, other: "Optimum") -> None:
        """Take these frames from another, in place."""
        for name in _PARTS:
            getattr(self, name)[frames] = getattr(other, name)


_PARTS = tuple(field.name for field in fields(Optimum))


def solve(problem: Problem, frames: Frames, start: np.ndarray, damping: float) -> Optimum:
    """The optimum of every frame near its start (T, F): `NEAR`, or `FAR`, where the first steps must be careful."""
    best = np.clip(start, problem.low, problem.high)
    solved = np.zeros(len(best), dtype=bool)
    radius, before = np.full(len(best), _LONGEST_STEP), np.full(len(best), np.inf)
    todo, part, here = np.arange(len(best)), frames, evaluate(problem, frames, best)
    cost, error_m = here.cost.copy(), here.error_m.copy()
    for _ in range(_MAX_STEPS):
        step, promised = _step(problem, best[todo], here, damping, radius[todo])
        length = np.abs(step).max(axis=1, initial=0.0)
        shrinking, whole = _shrinking(length, before[todo]), length < 0.9 * radius[todo]
        telling = whole & (damping <= NEAR)
        # A step that is so short says by itself that the optimum is here: looking there would cost as much as a step.
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
        model = evaluate(problem, part, there)
        better, blurred, kept = _judged(here.cost, model.cost, promised)
        best[todo[better]] = there[better]
        here.take(better, model)
        cost[todo], error_m[todo] = here.cost, here.error_m
        ahead = telling & (length * shrinking <= _TOLERANCE * (1 - shrinking))
        # A step that only rounding keeps from being better ends the frame too.
        done = np.where(better, ahead, blurred & (length <= 0.1 * _TOLERANCE) & (damping <= NEAR))
        # One that was cut short says nothing of how steps shrink.
        before[todo] = np.where(better & whole, length, np.inf)
        radius[todo] = _next_radius(radius[todo], length, better, kept)
        damping = max(_LESS * damping, NEAR)
        solved[todo[done]] = True
        if done.all():
            break
        if done.any():
            todo, part, here = todo[~done], part.of(~done), here.of(~done)
    return Optimum(free=best, solved=solved, cost=cost, error_m=error_m)


def _judged(before: np.ndarray, after: np.ndarray, promised: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether each step was any good, whether rounding hides that, and how much of its promise it kept, (T,) each.

    The last is 1 where rounding hides it, or nothing was promised.
    """
    rounding = _ROUNDING * before + _SQUARED_ROUNDING_M2
    kept, told = np.ones(len(before)), promised > rounding
    kept[told] = (before - after)[told] / promised[told]
    return after <= before * (1 + 1e-14) + _SQUARED_ROUNDING_M2, np.abs(promised) <= rounding, kept


def _next_radius(radius: np.ndarray, length: np.ndarray, better: np.ndarray, kept: np.ndarray) -> np.ndarray:
    """How far each frame's next step may go, (T,), by how much of its promise the last one kept.

    After a step that was no good, to where a parabola through what it gave has its lowest point.
    """
    lowest = length * np.clip(0.5 / (1 - np.minimum(kept, 0.0)), 0.1, 0.5)
    grown = np.where(kept > _TRUSTED, np.maximum(radius, _GROWTH * length), radius)
    shrunk = np.where(kept < 1 - _TRUSTED, 0.5 * length, grown)
    return np.minimum(np.where(better, shrunk, lowest), _LONGEST_STEP)


def _shrinking(length: np.ndarray, before: np.ndarray) -> np.ndarray:
    """By how much less each frame's steps take it, r, (T,), at most: a step's 1 / (1 - r) is the way to the optimum.

    Newton's steps shrink faster from one to the next.
    """
    shrinks = np.where(np.isinf(before), _UNKNOWN_RATIO, length / np.maximum(before, 1e-300))
    return np.clip(shrinks, _LEAST_RATIO, 0.9)


def _step(
    problem: Problem, free: np.ndarray, model: Around, damping: float, radius: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The step (T, F) within the coordinates' ranges and `radius` (T,), and by how much it should lower the objective.

    Newton's own; Gauss and Newton's where the objective isn't convex. Where a step has disappointed before, what of
    Newton's is within the radius; the lowest point within it, which is dearer to find, where the objective isn't convex
    either, or where what stops at bounds leaves a step that leads up.
    """
    low, high = problem.low - free, problem.high - free
    diagonal = np.einsum("tii->ti", model.curvature)
    curvature = model.curvature - model.bending
    scale = np.maximum(diagonal, _LEAST_SCALE * diagonal.max(axis=1, keepdims=True))
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
    """By how much steps (T, F) lower a quadratic, (T,)."""
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
    """The lowest point of a quadratic, convex or not, no farther away than `radius` (T,): steps (T, F).

    Moré and Sorensen (1983, SIAM J Sci Stat Comput 4:553): along each eigenvector descent / (value + shift), with the
    smallest shift that makes the sum convex and the step short enough, found by halving an interval.
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
    """The matrices with the `stopped` rows and columns (T, F) cut loose from the others."""
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
    """An unbounded solver's step (T, F) without the `stopped`; what it would push out of its range stops there too."""
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
