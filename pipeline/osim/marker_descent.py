"""Least squares by the method of Levenberg and Marquardt, many frames at once, each with its own damping.

Clamped coordinates stay in their range: those at a bound that the step would leave are held (projected Newton method,
Bertsekas 1982, SIAM J Control Optim 20:221).
Shapes: T frames, M markers, F free coordinates.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.osim.marker_objective import Around, Frames, Problem, evaluate

# A step's error is foretold from how fast steps shrink; below this, in radians and metres, a frame is solved.
_TOLERANCE = 1e-8
_MAX_STEPS = 200
# How much of a step the next one is: before it is known, and at least.
_UNKNOWN_RATIO, _LEAST_RATIO = 0.3, 1e-3
# Damping, relative to a coordinate's own curvature: first, smallest, largest, and its factors.
_FIRST_DAMPING, _LEAST_DAMPING, _MOST_DAMPING = 1e-6, 1e-10, 1e6
_LESS, _MORE = 0.1, 10.0
# No turn beyond this in one step (rad, m): far from the optimum the model of the objective isn't worth more.
_LONGEST_STEP = 0.5
# After a step shorter than this (rad, m), or from markers nearer than this (root mean square, m), the next step is
# Newton's: the whole second derivative can be trusted.
_SHORT_STEP, _NEAR_M = 0.1, 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Optimum:
    """Free coordinates (T, F), whether they are the optimum (T,), and how far markers stay away (T, M, 3)."""

    free: np.ndarray
    solved: np.ndarray
    error_m: np.ndarray

    def of(self, frames: np.ndarray) -> "Optimum":
        """Some of the frames, by their numbers or a mask."""
        return Optimum(free=self.free[frames], solved=self.solved[frames], error_m=self.error_m[frames])

    def put(self, frames: np.ndarray, other: "Optimum") -> None:
        """Take these frames from another, in place."""
        self.free[frames], self.solved[frames], self.error_m[frames] = other.free, other.solved, other.error_m


def solve(problem: Problem, frames: Frames, start: np.ndarray) -> Optimum:
    """The optimum of every frame near its start (T, F)."""
    best = np.clip(start, problem.low, problem.high)
    solved = np.zeros(len(best), dtype=bool)
    damping = np.full(len(best), _FIRST_DAMPING)
    before = np.full(len(best), np.inf)
    todo, part, here = np.arange(len(best)), frames, evaluate(problem, frames, best)
    error_m, close = here.error_m.copy(), near(here.error_m, frames.seen)
    for _ in range(_MAX_STEPS):
        step = _step(problem, best[todo], here, damping[todo], close[todo])
        there = best[todo] + step
        model = evaluate(problem, part, there)
        length = np.abs(step).max(axis=1, initial=0.0)
        better = model.cost <= here.cost * (1 + 1e-14)
        best[todo[better]] = there[better]
        here.take(better, model)
        error_m[todo] = here.error_m
        done = _ended(length, before[todo], better, damping[todo])
        close[todo] = better & (length < _SHORT_STEP)
        before[todo] = np.where(better, length, np.inf)
        damping[todo] = np.clip(np.where(better, _LESS, _MORE) * damping[todo], _LEAST_DAMPING, _MOST_DAMPING)
        solved[todo[done]] = True
        if done.all():
            break
        if done.any():
            todo, part, here = todo[~done], part.of(~done), here.of(~done)
    return Optimum(free=best, solved=solved, error_m=error_m)


def near(error_m: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Whether markers are about where they should be, (T,)."""
    return np.sqrt((error_m**2).sum(axis=(1, 2)) / seen.sum(axis=1)) <= _NEAR_M


def _ended(length: np.ndarray, before: np.ndarray, better: np.ndarray, damping: np.ndarray) -> np.ndarray:
    """Whether what is left to go is below the tolerance, (T,).

    Where steps shrink by a factor r, r / (1 - r) of the last is left; Newton's shrink faster from step to step.
    A step that only rounding keeps from being better ends the frame too.
    """
    ratio = np.clip(np.where(np.isinf(before), _UNKNOWN_RATIO, length / before), _LEAST_RATIO, 0.9)
    ahead = length * ratio / (1 - ratio)
    return np.where(better, ahead <= _TOLERANCE, length <= 0.1 * _TOLERANCE) & (damping <= 1e-3)


def _step(problem: Problem, free: np.ndarray, model: Around, damping: np.ndarray, close: np.ndarray) -> np.ndarray:
    """The damped step (T, F) that stays in the coordinates' ranges: those it would push out stop at their bound.

    Newton's own where the optimum is `close` (T,), Gauss and Newton's elsewhere.
    """
    low, high = problem.low - free, problem.high - free
    diagonal = np.einsum("tii->ti", model.curvature)
    scale = np.maximum(diagonal, 1e-9 * diagonal.max(axis=1, keepdims=True))
    damped = model.curvature - close[:, None, None] * model.bending
    np.einsum("tii->ti", damped)[...] += damping[:, None] * scale
    stopped = ((low >= 0) & (model.descent < 0)) | ((high <= 0) & (model.descent > 0))
    step = _solve_unless(stopped, damped, model.descent, np.zeros(free.shape))
    for _ in range(3):
        beyond = ((step < low) | (step > high)) & ~stopped
        if not beyond.any():
            break
        stopped = stopped | beyond
        step = _solve_unless(stopped, damped, model.descent, np.clip(np.where(stopped, step, 0.0), low, high))
    step = np.clip(step, low, high)
    return step * np.minimum(1.0, _LONGEST_STEP / np.maximum(np.abs(step).max(axis=1, keepdims=True), 1e-300))


def _solve_unless(stopped: np.ndarray, matrix: np.ndarray, right: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Solve matrix @ x = right, frame by frame, with x given as `at` where `stopped`."""
    if not stopped.any():
        return np.linalg.solve(matrix, right[..., None])[..., 0]
    moves = ~stopped
    held = matrix * (moves[:, :, None] & moves[:, None, :])
    np.einsum("tii->ti", held)[...] += stopped
    rest = np.where(moves, right - np.matmul(matrix, np.where(stopped, at, 0.0)[..., None])[..., 0], at)
    return np.linalg.solve(held, rest[..., None])[..., 0]
