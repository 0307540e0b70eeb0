"""The controls of least effort that make given generalized forces, to the optimum, frame by frame.

Each frame asks: minimise Σ |x|^p subject to A x = b and low ≤ x ≤ high. With p = 2 that is a quadratic programme,
solved by `dual.py` in compiled code. Other exponents are a few such programmes, one after the other (sequential
quadratic programming). Frames that can't be solved get the controls that come nearest, and a proof if there is one.

Shapes: T frames, F equations, N controls, K blocks and E entries as in `blocks.py`.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pipeline.mechanics.compiled import kernel
from pipeline.mechanics.muscles.blocks import (
    Blocks,
    block_of_controls,
    block_of_equations,
    block_parts,
    entry_places,
    find_blocks,
)
from pipeline.mechanics.muscles.dual import (
    BALANCED,
    IMPOSSIBLE,
    SOLVED,
    DualWork,
    new_dual_work,
    place_bounds,
    proves_impossible,
    solve_frame,
)

# A proof leaves out equations whose shortfall is below this share of the block's largest.
_TELLING = 1e-3
_MAX_HALVINGS = 50
# Share of the predicted decrease that a step must achieve (Nocedal and Wright 2006, section 3.1).
_SUFFICIENT = 1e-4
# Blocks that can't be solved get soft equations: the objective then includes half this times the squared shortfall.
# Costs rise step by step, each solution starting the next: with the last cost alone Newton's method may not converge.
_SOFT_COSTS = (1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6)
# The curvature of |x|^p vanishes at 0 for p > 2, which would make steps far too long: it has a floor, which falls by
# this factor in every step.
_FIRST_FLOOR, _FLOOR_FACTOR, _LAST_FLOOR = 0.05, 0.3, 1e-4
_CONTROL_TOLERANCE = 1e-9
_MAX_PROGRAMMES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class LeastEffort:
    """Controls (T, N); shortfall (T, F) is the target less what the controls produce.

    solved (T,): the controls are the optimum, and no shortfall is above `BALANCED`.
    impossible (T,): it is proved that no controls within the bounds produce the target. Those given have the least
    shortfall in each block that can't be solved, whose largest entry says where.
    Where neither is True the optimum was not reached; above exponent 2 the controls may still produce the target.
    """

    control: np.ndarray
    shortfall: np.ndarray
    solved: np.ndarray
    impossible: np.ndarray


class Programmes(NamedTuple):
    """Quadratic programmes of several frames, as `solve_frame` takes them.

    entry (T, E), target (T, F), low and high (N,), weight and centre (T, N).
    """

    entry: np.ndarray
    target: np.ndarray
    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray
    centre: np.ndarray

    def of(self, frames: np.ndarray) -> "Programmes":
        """These frames' programmes."""
        return self._replace(
            entry=self.entry[frames],
            target=self.target[frames],
            weight=self.weight[frames],
            centre=self.centre[frames],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    control: np.ndarray  # (T, N)
    dual: np.ndarray  # (T, F)
    solved: np.ndarray  # (T, K)
    impossible: np.ndarray  # (T, K)


def least_effort_controls(
    gain: np.ndarray,
    target: np.ndarray,
    low: np.ndarray,
    high: np.ndarray,
    exponent: float,
    blocks: Blocks | None = None,
) -> LeastEffort:
    """The controls x (T, N) of least effort within `low` and `high` (N,) with `gain` (T, F, N) @ x = `target` (T, F).

    Every equation should have a reserve of its own, so that it can be solved independently of the others. `blocks`
    says where the gain may differ from zero, if that is known; it is taken as zero elsewhere.
    ValueError if the exponent is below 2, a bound is above its other, a number is NaN or the shapes don't fit.
    """
    n_frames, n_equations, n_controls = gain.shape
    if target.shape != (n_frames, n_equations) or low.shape != (n_controls,) or high.shape != (n_controls,):
        raise ValueError(
            f"target {target.shape} and bounds {low.shape}, {high.shape} don't fit a gain of {gain.shape}; expected "
            f"{(n_frames, n_equations)}, {(n_controls,)}."
        )
    if not np.isfinite(gain).all():
        raise ValueError("gain and target must be finite.")
    if blocks is None:
        blocks = find_blocks((gain != 0).any(axis=0))
    equation, control = entry_places(blocks)
    return least_effort_in_blocks(blocks, gain[:, equation, control], target, low, high, exponent)


def least_effort_in_blocks(
    blocks: Blocks, entry: np.ndarray, target: np.ndarray, low: np.ndarray, high: np.ndarray, exponent: float
) -> LeastEffort:
    """The same, from the gain's entries (T, E) only."""
    _require_sound(entry, target, low, high, exponent)
    shape = (len(entry), len(blocks.control))
    programmes = Programmes(
        entry=np.ascontiguousarray(entry, dtype=np.float64),
        target=np.ascontiguousarray(target, dtype=np.float64),
        low=np.ascontiguousarray(low, dtype=np.float64),
        high=np.ascontiguousarray(high, dtype=np.float64),
        weight=np.full(shape, 2.0),
        centre=np.zeros(shape),
    )
    answer = _solve(blocks, programmes, None)
    rest = np.flatnonzero(~answer.solved.all(axis=1))
    if len(rest):
        _soften(blocks, programmes, answer, rest)
    feasible = np.flatnonzero(answer.solved.all(axis=1))
    if exponent != 2 and len(feasible):
        _refine(blocks, programmes, exponent, answer, feasible)
    shortfall = _shortfall(blocks, programmes, answer.control)
    balanced = np.abs(shortfall).max(axis=1, initial=0.0) <= BALANCED
    return LeastEffort(
        control=answer.control,
        shortfall=shortfall,
        solved=answer.solved.all(axis=1) & balanced,
        impossible=np.any(answer.impossible, axis=1),
    )


def _require_sound(entry: np.ndarray, target: np.ndarray, low: np.ndarray, high: np.ndarray, exponent: float) -> None:
    if not exponent >= 2:
        raise ValueError(f"exponent {exponent:g}: effort can be minimised exactly for exponents of 2 and more.")
    if not (low <= high).all():
        raise ValueError(f"control {int(np.argmax(~(low <= high)))} has its lower bound above its upper one, or NaN.")
    if (low == np.inf).any() or (high == -np.inf).any():
        raise ValueError("a control's bounds leave it no finite value.")
    if not (np.isfinite(entry).all() and np.isfinite(target).all()):
        raise ValueError("gain and target must be finite.")


def _solve(blocks: Blocks, programmes: Programmes, dual: np.ndarray | None, softness: float = 0.0) -> _Answer:
    """All frames, from these duals (T, F), NaN for none; without them, each from the frame's before."""
    n_frames = len(programmes.entry)
    start = np.full(programmes.target.shape, np.nan) if dual is None else dual.copy()
    control = np.empty((n_frames, len(blocks.control)))
    status = np.empty((n_frames, len(blocks.first_equation) - 1), dtype=np.int64)
    _solve_frames(blocks, programmes, softness, dual is None, start, control, status, new_dual_work(blocks))
    return _Answer(control=control, dual=start, solved=status == SOLVED, impossible=status == IMPOSSIBLE)


@kernel
def _solve_frames(
    blocks: Blocks,
    programmes: Programmes,
    softness: float,
    follow: bool,
    dual: np.ndarray,
    control: np.ndarray,
    status: np.ndarray,
    work: DualWork,
) -> None:
    """Solve each frame as `solve_frame` does; dual (T, F), control (T, N) and status (T, K) are written.

    `follow` starts each frame from the dual of the one before.
    """
    for t in range(programmes.entry.shape[0]):
        if follow and t > 0:
            for i in range(dual.shape[1]):
                dual[t, i] = dual[t - 1, i]
        place_bounds(blocks, programmes.low, programmes.high, programmes.weight[t], programmes.centre[t], work)
        solve_frame(blocks, programmes.entry[t], programmes.target[t], softness, dual[t], control[t], status[t], work)


def _shortfall(blocks: Blocks, programmes: Programmes, control: np.ndarray) -> np.ndarray:
    """What is asked less what controls (T, N) make, (T, F)."""
    short = programmes.target.copy()
    for gain, equations, controls in block_parts(blocks, programmes.entry):
        short[:, equations] -= np.matmul(gain, control[:, controls, None])[..., 0]
    return short


def _soften(blocks: Blocks, programmes: Programmes, answer: _Answer, frames: np.ndarray) -> None:
    """Blocks that weren't solved at once: solved again, from the solution with soft equations; in place.

    Where that fails too they keep it: it has the least shortfall and, among such, the least effort.
    """
    some = programmes.of(frames)
    nearest = _solve(blocks, some, np.full(some.target.shape, np.nan), 1 / _SOFT_COSTS[0])
    for cost in _SOFT_COSTS[1:]:
        nearest = _solve(blocks, some, nearest.dual, 1 / cost)
    hard = _solve(blocks, some, nearest.dual)
    ray = _telling(blocks, _shortfall(blocks, some, nearest.control))
    proved = proves_impossible(blocks, some.entry, some.target, some.low, some.high, ray)
    redo = ~answer.solved[frames]
    by_control, by_equation = block_of_controls(blocks), block_of_equations(blocks)
    fixed = np.where(hard.solved[:, by_control], hard.control, nearest.control)
    answer.control[frames] = np.where(redo[:, by_control], fixed, answer.control[frames])
    answer.dual[frames] = np.where(redo[:, by_equation], hard.dual, answer.dual[frames])
    none = answer.impossible[frames] | hard.impossible | proved
    answer.impossible[frames] = none & redo & ~hard.solved
    answer.solved[frames] |= hard.solved


def _telling(blocks: Blocks, short: np.ndarray) -> np.ndarray:
    """Shortfalls (T, F) without those far below their block's largest."""
    size, by_equation = np.abs(short), block_of_equations(blocks)
    largest = np.zeros((len(short), len(blocks.first_equation) - 1))
    for block in np.unique(by_equation):
        largest[:, block] = size[:, by_equation == block].max(axis=1)
    return np.where(size > _TELLING * largest[:, by_equation], short, 0.0)


def _refine(blocks: Blocks, programmes: Programmes, exponent: float, answer: _Answer, frames: np.ndarray) -> None:
    """Minimise Σ |x|^p from feasible controls by quadratic models of it, in place; all iterates are feasible.

    Frames that don't converge keep the best controls they reached, and are no longer `solved`.
    """
    floor = np.full(len(frames), _FIRST_FLOOR)
    for _ in range(_MAX_PROGRAMMES):
        x, here = answer.control[frames], programmes.of(frames)
        slope = exponent * np.sign(x) * np.abs(x) ** (exponent - 1)
        curvature = exponent * (exponent - 1) * np.maximum(np.abs(x), floor[:, None]) ** (exponent - 2)
        model = here._replace(weight=curvature, centre=x - slope / curvature)
        wanted = _solve(blocks, model, answer.dual[frames])
        step = wanted.control - x
        there = x + _share(x, step, slope, exponent)[:, None] * step
        # Where a model is too flat to be solved, the frame stays and tries one with a higher floor.
        good = np.abs(_shortfall(blocks, here, there)).max(axis=1, initial=0.0) <= BALANCED
        answer.control[frames[good]], answer.dual[frames[good]] = there[good], wanted.dual[good]
        # While the floor is high, short steps don't mean convergence.
        left = ~good | (np.abs(step).max(axis=1, initial=0.0) > _CONTROL_TOLERANCE) | (floor > _LAST_FLOOR)
        floor = np.where(good, floor * _FLOOR_FACTOR, np.minimum(floor / _FLOOR_FACTOR**2, _FIRST_FLOOR))
        frames, floor = frames[left], floor[left]
        if not len(frames):
            break
    answer.solved[frames] = False


def _share(control: np.ndarray, step: np.ndarray, slope: np.ndarray, exponent: float) -> np.ndarray:
    """The factor of each frame's step, (T,), halved until the effort has decreased enough."""
    effort = (np.abs(control) ** exponent).sum(axis=1)
    promised = (slope * step).sum(axis=1)
    share = np.ones(len(control))
    for _ in range(_MAX_HALVINGS):
        new = (np.abs(control + share[:, None] * step) ** exponent).sum(axis=1)
        worse = new > effort + _SUFFICIENT * share * promised + 1e-14 * effort
        if not worse.any():
            break
        share[worse] /= 2
    return share
