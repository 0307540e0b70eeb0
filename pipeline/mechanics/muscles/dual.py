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

from pipeline.mechanics.compiled import inner
from pipeline.mechanics.muscles.blocks import Blocks, block_parts

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


# Rows of the working space: of a control,
_LOW, _HIGH, _WEIGHT, _EASE, _ROOT, _CENTRE, _CONTROL, _PULL = range(8)
_OF_CONTROL = 8
# which bound a control is at, -1, 0 or 1, now and in the Hessian,
_NOW, _HELD = 0, 1
# of an equation, and the matrices.
_DUAL, _TARGET, _GRADIENT, _STEP, _THERE = range(5)
_OF_EQUATION = 5
_HESSIAN, _FACTOR = 0, 1


class DualWork(NamedTuple):
    """Working space for one frame, block after block; few arrays, as each costs time whenever a kernel is called.

    of_control (8 N,): rows of low, high, weight, ease = 1 / weight, root = √ease, centre, control and pull, (8, J) for
    each block. side (2 N,) and of_equation (5 F,) in the same way. matrix (2, M, M) and packed (M, J) for the largest
    block. steps (1,): Newton steps taken so far.
    """

    of_control: np.ndarray
    side: np.ndarray
    of_equation: np.ndarray
    matrix: np.ndarray
    packed: np.ndarray
    steps: np.ndarray


class _Block(NamedTuple):
    """A block's gain (M, J), the softness of its equations, and its share of the working space."""

    gain: np.ndarray
    softness: float
    of_control: np.ndarray
    side: np.ndarray
    of_equation: np.ndarray
    matrix: np.ndarray
    packed: np.ndarray


def new_dual_work(blocks: Blocks) -> DualWork:
    """Room for any frame of these blocks. Not compiled: allocating takes numba long to compile."""
    rows, columns = 0, 0
    for block in range(blocks.first_equation.shape[0] - 1):
        rows = max(rows, blocks.first_equation[block + 1] - blocks.first_equation[block])
        columns = max(columns, blocks.first_control[block + 1] - blocks.first_control[block])
    return DualWork(
        np.zeros(_OF_CONTROL * blocks.control.shape[0]),
        np.zeros(2 * blocks.control.shape[0], dtype=np.int64),
        np.zeros(_OF_EQUATION * blocks.equation.shape[0]),
        np.zeros((2, rows, rows)),
        np.zeros((rows, columns)),
        np.zeros(1, dtype=np.int64),
    )


@inner
def place_bounds(
    blocks: Blocks, low: np.ndarray, high: np.ndarray, weight: np.ndarray, centre: np.ndarray, work: DualWork
) -> None:
    """Set bounds, weights and centres of the controls, (N,) each, for the frames that follow.

    Weight 2 and centre 0 minimise Σ x².
    """
    for block in range(blocks.first_control.shape[0] - 1):
        a, b = blocks.first_control[block], blocks.first_control[block + 1]
        own = work.of_control[_OF_CONTROL * a : _OF_CONTROL * b].reshape((_OF_CONTROL, b - a))
        for k in range(b - a):
            source = blocks.control[a + k]
            own[_LOW, k], own[_HIGH, k], own[_CENTRE, k] = low[source], high[source], centre[source]
            own[_WEIGHT, k], own[_EASE, k] = weight[source], 1.0 / weight[source]
            own[_ROOT, k] = np.sqrt(own[_EASE, k])


@inner
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
        status[block] = SOLVED
        if not _solve_alone(blocks, block, entry, target, softness, dual, control, work):
            status[block] = _solve_tied(blocks, block, entry, target, softness, dual, control, work)
            solved = solved and status[block] == SOLVED
    return solved


@inner
def _solve_alone(
    blocks: Blocks,
    block: int,
    entry: np.ndarray,
    target: np.ndarray,
    softness: float,
    dual: np.ndarray,
    control: np.ndarray,
    work: DualWork,
) -> bool:
    """Solve a block without equations, or one of one equation and one control that makes it; False for others."""
    first, last = blocks.first_control[block], blocks.first_control[block + 1]
    row, end = blocks.first_equation[block], blocks.first_equation[block + 1]
    own, n = work.of_control[_OF_CONTROL * first : _OF_CONTROL * last], last - first
    if row == end:
        for k in range(n):
            control[blocks.control[first + k]] = min(max(own[_CENTRE * n + k], own[_LOW * n + k]), own[_HIGH * n + k])
        return True
    if softness != 0.0 or end - row != 1 or n != 1:
        return False
    a, b = entry[blocks.first_entry[block]], target[blocks.equation[row]]
    x = b / a
    if not (own[_LOW] <= x <= own[_HIGH] and abs(a * x - b) <= _TOLERANCE):
        return False
    control[blocks.control[first]] = x
    dual[blocks.equation[row]] = own[_WEIGHT] * (x - own[_CENTRE]) / a
    return True


@inner
def _solve_tied(
    blocks: Blocks,
    block: int,
    entry: np.ndarray,
    target: np.ndarray,
    softness: float,
    dual: np.ndarray,
    control: np.ndarray,
    work: DualWork,
) -> int:
    """Solve a block from its start; from none if that fails."""
    part, first, row = (
        _block(blocks, block, entry, softness, work),
        blocks.first_control[block],
        blocks.first_equation[block],
    )
    n_equations, started = part.gain.shape[0], True
    for i in range(n_equations):
        part.of_equation[_TARGET, i] = target[blocks.equation[row + i]]
        part.of_equation[_DUAL, i] = dual[blocks.equation[row + i]]
        started = started and np.isfinite(part.of_equation[_DUAL, i])
    status = UNSOLVED
    for attempt in range(2):
        if attempt == 1 or not started:
            _start(part)
        status = _newton(part, work.steps)
        if status != UNSOLVED or softness != 0.0 or not started:
            break
    keep = status == SOLVED or softness != 0.0
    for i in range(n_equations):
        dual[blocks.equation[row + i]] = part.of_equation[_DUAL, i] if keep else np.nan
    for k in range(part.gain.shape[1]):
        control[blocks.control[first + k]] = part.of_control[_CONTROL, k]
    return status


@inner
def _block(blocks: Blocks, block: int, entry: np.ndarray, softness: float, work: DualWork) -> _Block:
    """A block's gain and its share of the working space."""
    a, b = blocks.first_control[block], blocks.first_control[block + 1]
    i, j = blocks.first_equation[block], blocks.first_equation[block + 1]
    return _Block(
        entry[blocks.first_entry[block] : blocks.first_entry[block + 1]].reshape((j - i, b - a)),
        softness,
        work.of_control[_OF_CONTROL * a : _OF_CONTROL * b].reshape((_OF_CONTROL, b - a)),
        work.side[2 * a : 2 * b].reshape((2, b - a)),
        work.of_equation[_OF_EQUATION * i : _OF_EQUATION * j].reshape((_OF_EQUATION, j - i)),
        work.matrix,
        work.packed,
    )


@inner
def _start(block: _Block) -> None:
    """Put a block's dual where it would be without bounds."""
    dual = block.of_equation[_DUAL]
    for k in range(block.side.shape[1]):
        block.side[_NOW, k] = 0
    _factorise(block)
    _shortfall(block.gain, block.of_control[_CENTRE], block.of_equation[_TARGET], dual)
    _divide(block.matrix[_FACTOR], dual)


@inner
def _newton(block: _Block, counter: np.ndarray) -> int:
    """Newton's method from a block's dual, until it is solved or proved to have no solution."""
    dual, gradient, step = block.of_equation[_DUAL], block.of_equation[_GRADIENT], block.of_equation[_STEP]
    value, same = _evaluate(block, dual)[0], False
    regular, balanced, rounding = False, 0, 0.0
    for steps in range(_MAX_STEPS):
        off = _largest(gradient)
        if steps == _FIRST_PROOF:
            rounding = _rounding(block)
        balanced += off <= max(_TOLERANCE, rounding * _largest(dual))
        if balanced and block.softness != 0.0:
            return SOLVED
        if not same:
            regular = _factorise(block)
        if ((same and regular) or balanced > _PATIENCE) and _finish(block, regular):
            return SOLVED
        if balanced > _PATIENCE or not np.isfinite(off):
            return UNSOLVED
        if steps >= _FIRST_PROOF and _proves(block, dual):
            return IMPOSSIBLE
        for i in range(step.shape[0]):
            step[i] = -gradient[i]
        _divide(block.matrix[_FACTOR], step)
        counter[0] += 1
        value, same = _search(block, value)
    return UNSOLVED


@inner
def _search(block: _Block, value: float) -> tuple[float, bool]:
    """Move a block's dual along its step, halved until the dual function has decreased enough from `value`.

    Returns that function, and whether the step was whole and left all controls at the bounds that its Hessian supposes.
    """
    dual, step, there = block.of_equation[_DUAL], block.of_equation[_STEP], block.of_equation[_THERE]
    gradient, target = block.of_equation[_GRADIENT], block.of_equation[_TARGET]
    promised, size = 0.0, 0.0
    for i in range(dual.shape[0]):
        promised += gradient[i] * step[i]
        size += abs(dual[i] * target[i])
    slack = 1e-14 * (1.0 + abs(value) + size)
    new, same, length = value, False, 1.0
    for _ in range(_MAX_HALVINGS):
        for i in range(dual.shape[0]):
            there[i] = dual[i] + length * step[i]
        new, same = _evaluate(block, there)
        if new <= value + _SUFFICIENT * length * promised + slack:
            break
        length *= 0.5
    for i in range(dual.shape[0]):
        dual[i] = there[i]
    return new, same and length == 1.0


@inner
def _evaluate(block: _Block, dual: np.ndarray) -> tuple[float, bool]:
    """The negative dual function of a block, and whether its controls are at the bounds that its Hessian supposes.

    Writes its pulls, controls, their sides, and the gradient.
    """
    own, side = block.of_control, block.side
    gradient, target = block.of_equation[_GRADIENT], block.of_equation[_TARGET]
    _pull(block.gain, dual, own[_PULL])
    different, value = 0, 0.0
    for k in range(own.shape[1]):
        low, high, centre, pull = own[_LOW, k], own[_HIGH, k], own[_CENTRE, k], own[_PULL, k]
        wish = centre + pull * own[_EASE, k]
        now = -1 if wish <= low else (1 if wish >= high else 0)
        x = min(max(wish, low), high)
        different += now != side[_HELD, k]
        side[_NOW, k], own[_CONTROL, k] = now, x
        value += x * pull - 0.5 * own[_WEIGHT, k] * (x - centre) * (x - centre)
    _shortfall(block.gain, own[_CONTROL], target, gradient)
    for i in range(dual.shape[0]):
        value += dual[i] * (0.5 * block.softness * dual[i] - target[i])
        gradient[i] = block.softness * dual[i] - gradient[i]
    return value, different == 0


@inner
def _pull(gain: np.ndarray, dual: np.ndarray, pull: np.ndarray) -> None:
    """Write gainᵀ dual, (J,), to `pull`."""
    for k in range(pull.shape[0]):
        pull[k] = gain[0, k] * dual[0]
    for i in range(1, dual.shape[0]):
        price = dual[i]
        for k in range(pull.shape[0]):
            pull[k] += gain[i, k] * price


@inner
def _shortfall(gain: np.ndarray, control: np.ndarray, target: np.ndarray, short: np.ndarray) -> None:
    """Write target − gain control, (M,), to `short`."""
    for i in range(target.shape[0]):
        short[i] = target[i] - _dot(gain, i, control, control.shape[0])


@inner
def _dot(matrix: np.ndarray, row: int, vector: np.ndarray, n: int) -> float:
    """The sum of n products of a matrix's row and a vector, in four parts that a processor adds up side by side."""
    a, b, c, d, whole = 0.0, 0.0, 0.0, 0.0, n - n % 4
    for k in range(0, whole, 4):
        a += matrix[row, k] * vector[k]
        b += matrix[row, k + 1] * vector[k + 1]
        c += matrix[row, k + 2] * vector[k + 2]
        d += matrix[row, k + 3] * vector[k + 3]
    for k in range(whole, n):
        a += matrix[row, k] * vector[k]
    return (a + b) + (c + d)


@inner
def _factorise(block: _Block) -> bool:
    """Make and factorise a block's Hessian from its controls' sides; False if it had to be regularised."""
    gain, own, side, packed = block.gain, block.of_control, block.side, block.packed
    hessian, factor = block.matrix[_HESSIAN], block.matrix[_FACTOR]
    n_equations, inside = gain.shape[0], 0
    for k in range(gain.shape[1]):
        side[_HELD, k] = side[_NOW, k]
        if side[_NOW, k] == 0:
            for i in range(n_equations):
                packed[i, inside] = gain[i, k] * own[_ROOT, k]
            inside += 1
    mean = 0.0
    for i in range(n_equations):
        for j in range(i + 1):
            hessian[i, j] = _dot(packed, i, packed[j], inside)
        hessian[i, i] += block.softness
        mean += hessian[i, i] / n_equations
    if _decompose(hessian, n_equations, factor):
        return True
    for i in range(n_equations):
        hessian[i, i] += _DAMPING * max(mean, 1.0)
    _decompose(hessian, n_equations, factor)
    return False


@inner
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


@inner
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


@inner
def _finish(block: _Block, regular: bool) -> bool:
    """Compute a block's answer from which of its controls are at bounds in its Hessian; False if it isn't the optimum.

    Where the Hessian isn't `regular`, the dual stays as it is; where equations are soft, the answer does.
    """
    if block.softness != 0.0:
        return True
    own, held = block.of_control, block.side[_HELD]
    dual, price, against = block.of_equation[_DUAL], block.of_equation[_STEP], False
    for i in range(dual.shape[0]):
        price[i] = dual[i]
    if regular:
        for k in range(own.shape[1]):
            bound = own[_LOW, k] if held[k] < 0 else own[_HIGH, k]
            own[_CONTROL, k] = own[_CENTRE, k] if held[k] == 0 else bound
        _shortfall(block.gain, own[_CONTROL], block.of_equation[_TARGET], price)
        _divide(block.matrix[_FACTOR], price)
    _pull(block.gain, price, own[_PULL])
    for k in range(own.shape[1]):
        low, high, wish = own[_LOW, k], own[_HIGH, k], own[_CENTRE, k] + own[_PULL, k] * own[_EASE, k]
        # How far the wish is on the wrong side of each bound.
        under = wish - low if held[k] < 0 else low - wish
        over = high - wish if held[k] > 0 else wish - high
        against |= max(under, over) > _CONTRADICTION * max(1.0, abs(wish))
        own[_CONTROL, k] = min(max(wish, low), high)
    # Controls that aren't the optimum are balanced too: a model of an effort may be too flat to be solved.
    if _even(block) > BALANCED or against:
        return False
    for i in range(dual.shape[0]):
        dual[i] = price[i]
    return True


@inner
def _even(block: _Block) -> float:
    """Correct a block's controls for what the dual's rounding leaves short; the largest shortfall after it.

    Controls have a far smaller rounding error than the dual.
    """
    own, held, short, left = block.of_control, block.side[_HELD], block.of_equation[_THERE], 0.0
    for correction in range(_CORRECTIONS + 1):
        _shortfall(block.gain, own[_CONTROL], block.of_equation[_TARGET], short)
        left = _largest(short)
        if left <= _EVEN or correction == _CORRECTIONS:
            break
        _divide(block.matrix[_FACTOR], short)
        _pull(block.gain, short, own[_PULL])
        for k in range(own.shape[1]):
            if held[k] == 0:
                better = own[_CONTROL, k] + own[_PULL, k] * own[_EASE, k]
                own[_CONTROL, k] = min(max(better, own[_LOW, k]), own[_HIGH, k])
    return left


@inner
def _proves(block: _Block, ray: np.ndarray) -> bool:
    """Whether this direction of a block's dual, (M,), proves that no controls within their bounds make its target.

    Soft equations always have a solution.
    """
    if block.softness != 0.0:
        return False
    own, target, beyond, sums = block.of_control, block.of_equation[_TARGET], 0.0, 0.0
    for i in range(ray.shape[0]):
        beyond += ray[i] * target[i]
        sums += abs(ray[i] * target[i])
    for k in range(own.shape[1]):
        pull, size = 0.0, 0.0
        for i in range(ray.shape[0]):
            pull += block.gain[i, k] * ray[i]
            size += abs(block.gain[i, k] * ray[i])
        if pull != 0.0:
            furthest = own[_HIGH, k] if pull > 0.0 else own[_LOW, k]
            beyond -= furthest * pull
            sums += abs(furthest) * size
    return np.isfinite(sums) and beyond > _PROOF_MARGIN * sums


def proves_impossible(
    blocks: Blocks, entry: np.ndarray, target: np.ndarray, low: np.ndarray, high: np.ndarray, ray: np.ndarray
) -> np.ndarray:
    """Whether directions of the dual, ray (T, F), prove that blocks have no solution: (T, K)."""
    proved = np.zeros((len(ray), len(blocks.first_equation) - 1), dtype=bool)
    for block, (gain, equation, control) in enumerate(block_parts(blocks, entry)):
        if len(equation):
            direction = ray[:, equation]
            pull = (direction[:, None] @ gain)[:, 0]
            size = (np.abs(direction)[:, None] @ np.abs(gain))[:, 0]
            furthest = np.where(pull > 0, high[control], low[control])
            used = np.where(pull != 0, furthest, 0.0)
            made = direction * target[:, equation]
            beyond = made.sum(axis=1) - (used * pull).sum(axis=1)
            sums = np.abs(made).sum(axis=1) + (np.abs(used) * size).sum(axis=1)
            proved[:, block] = np.isfinite(sums) & (beyond > _PROOF_MARGIN * sums)
    return proved


@inner
def _rounding(block: _Block) -> float:
    """The rounding error of a block's gradient for a dual of one."""
    gain, sums = block.gain, block.of_equation[_THERE]
    for i in range(sums.shape[0]):
        sums[i] = 0.0
    for k in range(gain.shape[1]):
        size = 0.0
        for i in range(gain.shape[0]):
            size += abs(gain[i, k]) * block.of_control[_EASE, k]
        for i in range(gain.shape[0]):
            sums[i] += abs(gain[i, k]) * size
    return _ROUNDING * _largest(sums)


@inner
def _largest(vector: np.ndarray) -> float:
    """The largest absolute value; NaN if there is one."""
    largest = 0.0
    for x in vector:
        if np.isnan(x):
            return x
        largest = max(largest, abs(x))
    return largest
