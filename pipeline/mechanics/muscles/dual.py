"""One frame's controls of least effort: Newton's method on the dual of a quadratic programme, block by block, compiled.

A frame asks: minimise Σ ½ w (x − c)² subject to A x + s λ = b and low ≤ x ≤ high. For a price λ of each equation the
cheapest controls are x = clip(c + Aᵀλ / w), and the price that balances the equations minimises a convex, piecewise
quadratic function. Newton's method with a line search ends on it after finitely many steps from anywhere (Qi and Sun
1993, Math Program 58:353). The answer is then computed anew from which controls are at their bounds, so it doesn't
depend on the start. Where no x within its bounds makes b, prices grow without end in a direction that proves it
(Farkas' lemma): along it, b lies beyond all that can be made.

Shapes: F equations, N controls, K blocks, E entries of the gain A, as in `blocks.py`; M equations and J controls of a
block.
"""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.compiled import kernel
from pipeline.mechanics.muscles.blocks import Blocks

# Equations must hold to this, in their own units (N·m and N). They are solved to a tenth of it, or to what the dual's
# rounding allows: where a reserve works at a hundred times its optimal force, that is less.
BALANCED, _TOLERANCE, _ROUNDING = 1e-8, 1e-9, 1e-15
# What became of a block.
SOLVED, UNSOLVED, IMPOSSIBLE = 0, 1, 2
# A proof must exceed the rounding of its sums by this, relative to them. Few blocks need one before so many steps.
_PROOF_MARGIN = 1e-12
_FIRST_PROOF = 6
_MAX_STEPS = 200
_MAX_HALVINGS = 50
# Share of the predicted decrease that a step must achieve (Nocedal and Wright 2006, section 3.1).
_SUFFICIENT = 1e-4
# A Hessian is singular if a pivot falls below this share of its diagonal (an equation with all controls at their
# bounds). It is then regularised by a share of its mean diagonal.
_SINGULAR, _DAMPING = 1e-13, 1e-12
# A balanced block takes so many more steps until the controls at bounds stay the same.
_PATIENCE = 5
# Controls' wishes may contradict their being at a bound, or not, by this: absolutely, or relative to the wish.
_CONTRADICTION = 1e-9
# Corrections of what the dual's rounding leaves short, while it is above this.
_CORRECTIONS, _EVEN = 3, 1e-10


class DualWork(NamedTuple):
    """Working space for one frame; controls and equations are in the order of their blocks.

    low, high, weight, ease = 1 / weight, root = √ease, centre, control, pull (N,); side and held (N,): which bound a
    control is at, -1, 0 or 1, now and in the Hessian. dual, target, gradient, step, there (F,). hessian, factor, packed:
    for the largest block. steps (1,): Newton steps taken so far.
    """

    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray
    ease: np.ndarray
    root: np.ndarray
    centre: np.ndarray
    control: np.ndarray
    pull: np.ndarray
    side: np.ndarray
    held: np.ndarray
    dual: np.ndarray
    target: np.ndarray
    gradient: np.ndarray
    step: np.ndarray
    there: np.ndarray
    hessian: np.ndarray
    factor: np.ndarray
    packed: np.ndarray
    steps: np.ndarray


class _Block(NamedTuple):
    """A block's share of the working space, its gain (M, J), and the softness of its equations."""

    gain: np.ndarray
    softness: float
    low: np.ndarray
    high: np.ndarray
    weight: np.ndarray
    ease: np.ndarray
    root: np.ndarray
    centre: np.ndarray
    control: np.ndarray
    pull: np.ndarray
    side: np.ndarray
    held: np.ndarray
    dual: np.ndarray
    target: np.ndarray
    gradient: np.ndarray
    step: np.ndarray
    there: np.ndarray
    hessian: np.ndarray
    factor: np.ndarray
    packed: np.ndarray
    steps: np.ndarray


@kernel
def new_dual_work(blocks: Blocks) -> DualWork:
    """Room for any frame of these blocks."""
    n_equations, n_controls, rows, columns = blocks.equation.shape[0], blocks.control.shape[0], 0, 0
    for block in range(blocks.first_equation.shape[0] - 1):
        rows = max(rows, blocks.first_equation[block + 1] - blocks.first_equation[block])
        columns = max(columns, blocks.first_control[block + 1] - blocks.first_control[block])
    reals, sides, of_equations = (
        np.zeros((8, n_controls)),
        np.zeros((2, n_controls), np.int64),
        np.zeros((5, n_equations)),
    )
    return DualWork(
        reals[0],
        reals[1],
        reals[2],
        reals[3],
        reals[4],
        reals[5],
        reals[6],
        reals[7],
        sides[0],
        sides[1],
        of_equations[0],
        of_equations[1],
        of_equations[2],
        of_equations[3],
        of_equations[4],
        np.zeros((rows, rows)),
        np.zeros((rows, rows)),
        np.zeros((rows, columns)),
        np.zeros(1, dtype=np.int64),
    )


@kernel
def place_bounds(
    blocks: Blocks, low: np.ndarray, high: np.ndarray, weight: np.ndarray, centre: np.ndarray, work: DualWork
) -> None:
    """Say what controls cost and their bounds, (N,) each, for the frames that follow: weight 2 and centre 0 for Σ x²."""
    for k in range(blocks.control.shape[0]):
        source = blocks.control[k]
        work.low[k], work.high[k], work.centre[k] = low[source], high[source], centre[source]
        work.weight[k], work.ease[k], work.root[k] = weight[source], 1.0 / weight[source], 1.0 / np.sqrt(weight[source])


@kernel
def solve_frame(
    blocks: Blocks,
    entry: np.ndarray,
    target: np.ndarray,
    softness: float,
    dual: np.ndarray,
    control: np.ndarray,
    status: np.ndarray,
    work: DualWork,
) -> bool:
    """Minimise Σ ½ weight (x − centre)² subject to gain x + softness λ = target and low ≤ x ≤ high; True if solved.

    Weights, centres and bounds are those of `place_bounds`. entry (E,): the gain's. target (F,). dual (F,): on entry
    where each block starts, NaN for none; on return its λ, NaN for blocks that aren't solved unless they are soft.
    control (N,) and status (K,) are written: SOLVED for the optimum; IMPOSSIBLE if it is proved that there are no such
    controls; else UNSOLVED. Solved controls don't depend on the start.
    """
    solved = True
    for block in range(status.shape[0]):
        row, end = blocks.first_equation[block], blocks.first_equation[block + 1]
        for i in range(row, end):
            work.target[i], work.dual[i] = target[blocks.equation[i]], dual[blocks.equation[i]]
        if _solve_alone(blocks, block, entry, softness, work):
            status[block] = SOLVED
        else:
            status[block] = _solve_block(_block(blocks, block, entry, softness, work))
        solved = solved and status[block] == SOLVED
        for i in range(row, end):
            dual[blocks.equation[i]] = work.dual[i] if status[block] == SOLVED or softness != 0.0 else np.nan
    for k in range(blocks.control.shape[0]):
        control[blocks.control[k]] = work.control[k]
    return solved


@kernel
def _solve_alone(blocks: Blocks, block: int, entry: np.ndarray, softness: float, work: DualWork) -> bool:
    """Solve a block without equations, or one of one equation and one control that makes it; False for others."""
    first, last = blocks.first_control[block], blocks.first_control[block + 1]
    row, end = blocks.first_equation[block], blocks.first_equation[block + 1]
    if row == end:
        for k in range(first, last):
            work.control[k] = min(max(work.centre[k], work.low[k]), work.high[k])
        return True
    if softness != 0.0 or end - row != 1 or last - first != 1:
        return False
    a = entry[blocks.first_entry[block]]
    x = work.target[row] / a
    if not (work.low[first] <= x <= work.high[first] and abs(a * x - work.target[row]) <= _TOLERANCE):
        return False
    work.control[first], work.dual[row] = x, work.weight[first] * (x - work.centre[first]) / a
    return True


@kernel
def _block(blocks: Blocks, block: int, entry: np.ndarray, softness: float, work: DualWork) -> _Block:
    """A block's share of the working space."""
    a, b = blocks.first_control[block], blocks.first_control[block + 1]
    i, j = blocks.first_equation[block], blocks.first_equation[block + 1]
    return _Block(
        entry[blocks.first_entry[block] : blocks.first_entry[block + 1]].reshape((j - i, b - a)),
        softness,
        work.low[a:b],
        work.high[a:b],
        work.weight[a:b],
        work.ease[a:b],
        work.root[a:b],
        work.centre[a:b],
        work.control[a:b],
        work.pull[a:b],
        work.side[a:b],
        work.held[a:b],
        work.dual[i:j],
        work.target[i:j],
        work.gradient[i:j],
        work.step[i:j],
        work.there[i:j],
        work.hessian,
        work.factor,
        work.packed,
        work.steps,
    )


@kernel
def _solve_block(block: _Block) -> int:
    """Solve a block from its start; from none if that fails."""
    if np.isfinite(_largest(block.dual)):
        status = _newton(block)
        if status != UNSOLVED or block.softness != 0.0:
            return status
    _start(block)
    return _newton(block)


@kernel
def _start(block: _Block) -> None:
    """Put a block's dual where it would be without bounds."""
    block.side[:] = 0
    _factorise(block)
    _subtract_made(block.gain, block.centre, block.target, block.dual)
    _divide(block.factor, block.dual)


@kernel
def _newton(block: _Block) -> int:
    """Newton's method from a block's dual, until it is solved or proved to have no solution."""
    dual, gradient, step, hard = block.dual, block.gradient, block.step, block.softness == 0.0
    value, _ = _evaluate(block, dual)
    regular, same, balanced = False, False, 0
    rounding = _rounding(block)
    for steps in range(_MAX_STEPS):
        off = _largest(gradient)
        if not np.isfinite(off):
            return UNSOLVED
        if same and regular and _finish(block, regular):
            return SOLVED
        if off <= max(_TOLERANCE, rounding * _largest(dual)):
            if not hard:
                return SOLVED
            balanced += 1
        if balanced > _PATIENCE:
            return SOLVED if _finish(block, _factorise(block)) else UNSOLVED
        if hard and steps >= _FIRST_PROOF and proves(block, dual):
            return IMPOSSIBLE
        if not same:
            regular = _factorise(block)
        for i in range(step.shape[0]):
            step[i] = -gradient[i]
        _divide(block.factor, step)
        block.steps[0] += 1
        value, same = _search(block, value)
    return UNSOLVED


@kernel
def _search(block: _Block, value: float) -> tuple[float, bool]:
    """Move a block's dual along its step, halved until the dual function has decreased enough from `value`.

    Returns that function, and whether the step was whole and left all controls at the bounds that its Hessian supposes.
    """
    dual, step, there, promised, size = block.dual, block.step, block.there, 0.0, 0.0
    for i in range(dual.shape[0]):
        promised += block.gradient[i] * step[i]
        size += abs(dual[i] * block.target[i])
    slack = 1e-14 * (1.0 + abs(value) + size)
    new, same, length = value, False, 1.0
    for _ in range(_MAX_HALVINGS):
        for i in range(dual.shape[0]):
            there[i] = dual[i] + length * step[i]
        new, same = _evaluate(block, there)
        if new <= value + _SUFFICIENT * length * promised + slack:
            break
        length *= 0.5
    dual[:] = there
    return new, same and length == 1.0


@kernel
def _evaluate(block: _Block, dual: np.ndarray) -> tuple[float, bool]:
    """The negative dual function of a block, and whether its controls are at the bounds that its Hessian supposes.

    Writes its pulls, controls, their sides, and the gradient.
    """
    low, high, ease, weight, centre = block.low, block.high, block.ease, block.weight, block.centre
    control, pull, side, held, gradient = block.control, block.pull, block.side, block.held, block.gradient
    _pull(block.gain, dual, pull)
    different = 0
    for k in range(control.shape[0]):
        wish = centre[k] + pull[k] * ease[k]
        control[k] = min(max(wish, low[k]), high[k])
        at_low, at_high = wish <= low[k], wish >= high[k]
        now = -1 if at_low else (1 if at_high else 0)
        different += now != held[k]
        side[k] = now
    value = 0.0
    for k in range(control.shape[0]):
        from_centre = control[k] - centre[k]
        value += control[k] * pull[k] - 0.5 * weight[k] * from_centre * from_centre
    _subtract_made(block.gain, control, block.target, gradient)
    for i in range(dual.shape[0]):
        value += dual[i] * (0.5 * block.softness * dual[i] - block.target[i])
        gradient[i] = block.softness * dual[i] - gradient[i]
    return value, different == 0


@kernel
def _pull(gain: np.ndarray, dual: np.ndarray, pull: np.ndarray) -> None:
    """gainᵀ dual, (J,), is written."""
    for k in range(pull.shape[0]):
        pull[k] = gain[0, k] * dual[0]
    for i in range(1, dual.shape[0]):
        price = dual[i]
        for k in range(pull.shape[0]):
            pull[k] += gain[i, k] * price


@kernel
def _subtract_made(gain: np.ndarray, control: np.ndarray, target: np.ndarray, left: np.ndarray) -> None:
    """target − gain control, (M,), is written to `left`."""
    n = control.shape[0]
    whole = n - n % 4
    for i in range(target.shape[0]):
        # Four parts that a processor can add up side by side.
        a, b, c, d = 0.0, 0.0, 0.0, 0.0
        for k in range(0, whole, 4):
            a += gain[i, k] * control[k]
            b += gain[i, k + 1] * control[k + 1]
            c += gain[i, k + 2] * control[k + 2]
            d += gain[i, k + 3] * control[k + 3]
        for k in range(whole, n):
            a += gain[i, k] * control[k]
        left[i] = target[i] - ((a + b) + (c + d))


@kernel
def _factorise(block: _Block) -> bool:
    """Make and factorise a block's Hessian from its controls' sides; False if it had to be regularised."""
    gain, root, side, packed, hessian = block.gain, block.root, block.side, block.packed, block.hessian
    n_equations, n_controls = gain.shape
    block.held[:] = side
    inside = 0
    for k in range(n_controls):
        if side[k] == 0:
            for i in range(n_equations):
                packed[i, inside] = gain[i, k] * root[k]
            inside += 1
    mean = 0.0
    for i in range(n_equations):
        for j in range(i + 1):
            total, other = 0.0, 0.0
            for k in range(0, inside - 1, 2):
                total += packed[i, k] * packed[j, k]
                other += packed[i, k + 1] * packed[j, k + 1]
            if inside % 2:
                total += packed[i, inside - 1] * packed[j, inside - 1]
            hessian[i, j] = total + other
        hessian[i, i] += block.softness
        mean += hessian[i, i] / n_equations
    if _decompose(hessian, n_equations, block.factor):
        return True
    for i in range(n_equations):
        hessian[i, i] += _DAMPING * max(mean, 1.0)
    _decompose(hessian, n_equations, block.factor)
    return False


@kernel
def _decompose(matrix: np.ndarray, n: int, factor: np.ndarray) -> bool:
    """Decompose a symmetric matrix, the lower triangle of (n, n), into L D Lᵀ; False if it is singular to rounding.

    `factor` holds L below its diagonal, 1 / D on it and D Lᵀ above.
    """
    regular = True
    for j in range(n):
        pivot = matrix[j, j]
        for k in range(j):
            pivot -= factor[j, k] * factor[k, j]
        least = _SINGULAR * matrix[j, j]
        if not pivot > least:
            regular = False
            pivot = max(least, 1e-300)
        for i in range(j + 1, n):
            rest = matrix[i, j]
            for k in range(j):
                rest -= factor[i, k] * factor[k, j]
            factor[j, i], factor[i, j] = rest, rest / pivot
        factor[j, j] = 1.0 / pivot
    return regular


@kernel
def _divide(factor: np.ndarray, vector: np.ndarray) -> None:
    """Solve L D Lᵀ x = vector, in place."""
    n = vector.shape[0]
    for i in range(n):
        for k in range(i):
            vector[i] -= factor[i, k] * vector[k]
    for i in range(n):
        vector[i] *= factor[i, i]
    for i in range(n - 1, -1, -1):
        for k in range(i + 1, n):
            vector[i] -= factor[k, i] * vector[k]


@kernel
def _finish(block: _Block, regular: bool) -> bool:
    """Compute a block's answer from which of its controls are at bounds in its Hessian; False if it isn't the optimum.

    Where the Hessian isn't `regular`, the dual stays as it is.
    """
    control, held, price, low, high = block.control, block.held, block.step, block.low, block.high
    centre, ease, pull = block.centre, block.ease, block.pull
    price[:] = block.dual
    if regular:
        for k in range(control.shape[0]):
            control[k] = centre[k] if held[k] == 0 else (low[k] if held[k] < 0 else high[k])
        _subtract_made(block.gain, control, block.target, price)
        _divide(block.factor, price)
    _pull(block.gain, price, pull)
    against = False
    for k in range(control.shape[0]):
        wish = centre[k] + pull[k] * ease[k]
        margin = _CONTRADICTION * max(1.0, abs(wish))
        # How far the wish lies from where it must: below the lower bound, within both, or above the upper one.
        astray = low[k] - wish if held[k] >= 0 else wish - low[k]
        against |= astray > margin
        astray = wish - high[k] if held[k] <= 0 else high[k] - wish
        against |= astray > margin
        control[k] = min(max(wish, low[k]), high[k])
    if against:
        return False
    block.dual[:] = price
    return _even(block) <= BALANCED


@kernel
def _even(block: _Block) -> float:
    """Correct a block's controls for what the dual's rounding leaves short; the largest shortfall after it.

    Controls have a far smaller rounding error than the dual.
    """
    short, control = block.there, block.control
    left = 0.0
    for correction in range(_CORRECTIONS + 1):
        _subtract_made(block.gain, control, block.target, short)
        left = _largest(short)
        if left <= _EVEN or correction == _CORRECTIONS:
            break
        _divide(block.factor, short)
        _pull(block.gain, short, block.pull)
        for k in range(control.shape[0]):
            if block.held[k] == 0:
                better = control[k] + block.pull[k] * block.ease[k]
                control[k] = min(max(better, block.low[k]), block.high[k])
    return left


@kernel
def proves(block: _Block, ray: np.ndarray) -> bool:
    """Whether this direction of a block's dual, (M,), proves that no controls within their bounds make its target."""
    beyond, sums = 0.0, 0.0
    for i in range(ray.shape[0]):
        beyond += ray[i] * block.target[i]
        sums += abs(ray[i] * block.target[i])
    for k in range(block.control.shape[0]):
        pull, size = 0.0, 0.0
        for i in range(ray.shape[0]):
            pull += block.gain[i, k] * ray[i]
            size += abs(block.gain[i, k] * ray[i])
        if pull != 0.0:
            furthest = block.high[k] if pull > 0.0 else block.low[k]
            beyond -= furthest * pull
            sums += abs(furthest) * size
    return np.isfinite(sums) and beyond > _PROOF_MARGIN * sums


@kernel
def proves_impossible(
    blocks: Blocks, entry: np.ndarray, target: np.ndarray, ray: np.ndarray, proved: np.ndarray, work: DualWork
) -> None:
    """Whether a direction of the dual, ray (F,), proves that blocks have no solution; proved (K,) is written."""
    for i in range(blocks.equation.shape[0]):
        work.target[i], work.dual[i] = target[blocks.equation[i]], ray[blocks.equation[i]]
    for block in range(proved.shape[0]):
        if blocks.first_equation[block] == blocks.first_equation[block + 1]:
            proved[block] = False
        else:
            part = _block(blocks, block, entry, 0.0, work)
            proved[block] = proves(part, part.dual)


@kernel
def _rounding(block: _Block) -> float:
    """The rounding error of a block's gradient for a dual of one."""
    gain, sums = block.gain, block.there
    sums[:] = 0.0
    for k in range(gain.shape[1]):
        size = 0.0
        for i in range(gain.shape[0]):
            size += abs(gain[i, k]) * block.ease[k]
        for i in range(gain.shape[0]):
            sums[i] += abs(gain[i, k]) * size
    return _ROUNDING * _largest(sums)


@kernel
def _largest(vector: np.ndarray) -> float:
    """The largest absolute value; NaN if there is one."""
    largest = 0.0
    for x in vector:
        if not abs(x) <= largest:
            largest = abs(x)
    return largest
