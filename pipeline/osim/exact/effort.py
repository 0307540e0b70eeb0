"""The controls of least effort that make given generalized forces, to the optimum, many frames at once. Pure numpy.

Each frame t asks: minimise Σ |x|^p subject to A x = b and low ≤ x ≤ high. With p = 2 that is a strictly convex
quadratic programme with far fewer equations than unknowns, so its dual is solved instead: x = clip(c + Aᵀλ / w), and
a Newton step on λ is one small linear system. The dual is convex and piecewise quadratic; with a line search Newton's
method ends on it after finitely many steps from anywhere (Qi and Sun 1993, Math Program 58:353). Other exponents are
a few such programmes, one after the other (sequential quadratic programming). Where no x within its bounds makes b,
the dual grows without end in a direction that proves it (Farkas' lemma): along it, b lies beyond all that can be made.

Shapes: T frames, F equations, N controls.
"""

from dataclasses import dataclass, replace

import numpy as np

# Equations must hold to this, in their own units (N·m and N). They are solved to a tenth of it, or to what the dual's
# rounding allows: where a reserve works at a hundred times its optimal force, that is less.
BALANCED, _TOLERANCE, _ROUNDING = 1e-8, 1e-9, 1e-15
# A proof must exceed the rounding of its sums by this, relative to them.
_PROOF_MARGIN = 1e-12
# A proof leaves out equations whose shortfall is below this share of the largest.
_TELLING = 1e-3
_MAX_STEPS = 200
_MAX_HALVINGS = 50
# Share of the predicted decrease that a step must achieve (Nocedal and Wright 2006, section 3.1).
_SUFFICIENT = 1e-4
# Regularises a singular Hessian (an equation with all controls at their bounds); relative to its mean diagonal.
_DAMPING = 1e-12
# Every so many frames are solved first; the others start from their interpolated duals.
_KEY_EVERY = 8
# Frames that can't be solved get soft equations: the objective then includes half this times the squared shortfall.
# Costs rise step by step, each solution starting the next: with the last cost alone Newton's method may not converge.
_SOFT_COSTS = (1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6)
# The curvature of |x|^p vanishes at 0 for p > 2, which would make steps far too long: it has a floor, which falls by
# this factor in every step.
_FIRST_FLOOR, _FLOOR_FACTOR, _LAST_FLOOR = 0.05, 0.3, 1e-4
_CONTROL_TOLERANCE = 1e-9
_MAX_PROGRAMMES = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """Controls (T, N); shortfall (T, F) is the target less what the controls produce.

    solved (T,): the controls are the optimum, and no shortfall is above `BALANCED`.
    impossible (T,): it is proved that no controls within the bounds produce the target. Those given have the least
    shortfall, whose largest entry says where.
    Where neither is True the optimum was not reached; above exponent 2 the controls may still produce the target.
    """

    control: np.ndarray
    shortfall: np.ndarray
    solved: np.ndarray
    impossible: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Programme:
    """Minimise Σ ½ weight (x − centre)² subject to gain x + softness λ = target and low ≤ x ≤ high, per frame."""

    gain: np.ndarray  # (T, F, N)
    target: np.ndarray  # (T, F)
    low: np.ndarray  # (N,)
    high: np.ndarray  # (N,)
    weight: np.ndarray  # (T, N)
    centre: np.ndarray  # (T, N)
    softness: float = 0.0

    def of(self, frames: np.ndarray) -> "_Programme":
        return replace(
            self,
            gain=self.gain[frames],
            target=self.target[frames],
            weight=self.weight[frames],
            centre=self.centre[frames],
        )

    def control(self, pull: np.ndarray) -> np.ndarray:
        """The x that minimises the Lagrangian, for the dual λ with this pull Aᵀλ (T, N)."""
        return np.clip(self.centre + pull / self.weight, self.low, self.high)

    def value(self, dual: np.ndarray, pull: np.ndarray, control: np.ndarray) -> np.ndarray:
        """The negative dual function, (T,): convex in λ, and minimised."""
        gained = (control * pull - 0.5 * self.weight * (control - self.centre) ** 2).sum(axis=1)
        return gained - (dual * self.target).sum(axis=1) + 0.5 * self.softness * (dual**2).sum(axis=1)

    def gradient(self, dual: np.ndarray, control: np.ndarray) -> np.ndarray:
        return _times(self.gain, control) - self.target + self.softness * dual

    def impossible(self, ray: np.ndarray, pull: np.ndarray) -> np.ndarray:
        """Whether this direction of the dual (T, F), with its pull, proves that no x produces the target, (T,).

        Soft equations always have a solution.
        """
        if self.softness:
            return np.zeros(len(ray), dtype=bool)
        furthest = np.where(pull > 0, self.high, np.where(pull < 0, self.low, 0.0))
        bounded = np.isfinite(furthest).all(axis=1)
        furthest[~bounded] = 0.0
        beyond = (ray * self.target).sum(axis=1) - (furthest * pull).sum(axis=1)
        proved: np.ndarray = bounded & (beyond > 0)
        some = np.flatnonzero(proved)
        most = _times(np.abs(self.gain[some]), np.abs(furthest[some])) + np.abs(self.target[some])
        proved[some] = beyond[some] > _PROOF_MARGIN * (np.abs(ray[some]) * most).sum(axis=1)
        return proved

    def tolerance(self) -> np.ndarray:
        """The gradient's rounding error for a dual of one, (T,)."""
        size = np.abs(self.gain)
        largest: np.ndarray = _times(size, size.sum(axis=1) / self.weight).max(axis=1, initial=0.0)
        return _ROUNDING * largest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Answer:
    control: np.ndarray  # (T, N)
    dual: np.ndarray  # (T, F)
    solved: np.ndarray  # (T,)
    impossible: np.ndarray  # (T,)

    def put(self, frames: np.ndarray, other: "_Answer") -> None:
        """Replace these frames by another's, in place."""
        for name in ("control", "dual", "solved", "impossible"):
            getattr(self, name)[frames] = getattr(other, name)


def least_effort(gain: np.ndarray, target: np.ndarray, low: np.ndarray, high: np.ndarray, exponent: float) -> Effort:
    """The controls x (T, N) of least effort within `low` and `high` (N,) with `gain` (T, F, N) @ x = `target` (T, F).

    Every equation should have a reserve of its own, so that it can be solved independently of the others.
    ValueError if the exponent is below 2, a bound is above its other, a number is NaN or the shapes don't fit.
    """
    _require_sound(gain, target, low, high, exponent)
    shape = (len(gain), gain.shape[2])
    programme = _Programme(
        gain=gain, target=target, low=low, high=high, weight=np.full(shape, 2.0), centre=np.zeros(shape)
    )
    answer = _solve(programme)
    rest = np.flatnonzero(~answer.solved)
    if len(rest):
        proved = answer.impossible.copy()
        answer.put(rest, _softly(programme.of(rest)))
        answer.impossible[proved & ~answer.solved] = True
    feasible = np.flatnonzero(answer.solved)
    if exponent != 2 and len(feasible):
        _refine(programme, exponent, answer, feasible)
    shortfall = target - _times(gain, answer.control)
    balanced = _short(gain, answer.control, target) <= BALANCED
    return Effort(
        control=answer.control, shortfall=shortfall, solved=answer.solved & balanced, impossible=answer.impossible
    )


def _require_sound(gain: np.ndarray, target: np.ndarray, low: np.ndarray, high: np.ndarray, exponent: float) -> None:
    n_frames, n_equations, n_controls = gain.shape
    if target.shape != (n_frames, n_equations) or low.shape != (n_controls,) or high.shape != (n_controls,):
        raise ValueError(
            f"target {target.shape} and bounds {low.shape}, {high.shape} don't fit a gain of {gain.shape}; expected "
            f"{(n_frames, n_equations)}, {(n_controls,)}."
        )
    if not exponent >= 2:
        raise ValueError(f"exponent {exponent:g}: effort can be minimised exactly for exponents of 2 and more.")
    if not (low <= high).all():
        raise ValueError(f"control {int(np.argmax(low > high))} has its lower bound above its upper one, or NaN.")
    if not (np.isfinite(gain).all() and np.isfinite(target).all()):
        raise ValueError("gain and target must be finite.")


def _times(gain: np.ndarray, control: np.ndarray) -> np.ndarray:
    return np.matmul(gain, control[..., None])[..., 0]


def _short(gain: np.ndarray, control: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The largest shortfall of each frame, (T,)."""
    short: np.ndarray = np.abs(target - _times(gain, control)).max(axis=1, initial=0.0)
    return short


def _pull(gain: np.ndarray, dual: np.ndarray) -> np.ndarray:
    return np.matmul(dual[:, None, :], gain)[:, 0]


def _solve(programme: _Programme) -> _Answer:
    """All frames, from duals interpolated between key frames."""
    n_frames = len(programme.gain)
    keys = np.unique(np.r_[np.arange(0, n_frames, _KEY_EVERY), n_frames - 1])
    some = programme.of(keys)
    duals = _newton(some, _without_bounds(some)).dual
    frames = np.arange(n_frames)
    start = np.column_stack([np.interp(frames, keys, column) for column in duals.T])
    return _newton(programme, start)


def _softly(programme: _Programme) -> _Answer:
    """Frames that weren't solved at once: solved again, from the solution with soft equations.

    Where that fails too they keep it: it has the least shortfall and, among such, the least effort.
    """
    soft = replace(programme, softness=1 / _SOFT_COSTS[0])
    nearest = _newton(soft, _without_bounds(soft))
    for cost in _SOFT_COSTS[1:]:
        nearest = _newton(replace(programme, softness=1 / cost), nearest.dual)
    short = programme.target - _times(programme.gain, nearest.control)
    ray = np.where(np.abs(short) > _TELLING * np.abs(short).max(axis=1, keepdims=True), short, 0.0)
    hard = _newton(programme, nearest.dual)
    impossible = hard.impossible | programme.impossible(ray, _pull(programme.gain, ray))
    control = np.where(hard.solved[:, None], hard.control, nearest.control)
    return replace(hard, control=control, impossible=impossible & ~hard.solved)


def _without_bounds(programme: _Programme) -> np.ndarray:
    """The dual (T, F) of the problem without its bounds."""
    scaled = programme.gain / programme.weight[:, None, :]
    hessian = _damped(np.matmul(scaled, programme.gain.transpose(0, 2, 1)), programme.softness)
    short = programme.target - _times(programme.gain, programme.centre)
    return np.linalg.solve(hessian, short[..., None])[..., 0]


def _damped(hessian: np.ndarray, softness: float) -> np.ndarray:
    diagonal = np.einsum("tii->ti", hessian)
    diagonal += softness + _DAMPING * np.maximum(diagonal.mean(axis=1, keepdims=True), 1.0)
    return hessian


def _newton(programme: _Programme, start: np.ndarray) -> _Answer:
    """Newton's method on the dual of every frame, until it is solved or proved to have no solution."""
    dual, control = start.copy(), np.empty(programme.weight.shape)
    solved, impossible = np.zeros(len(start), dtype=bool), np.zeros(len(start), dtype=bool)
    todo, part, tolerance = np.arange(len(start)), programme, programme.tolerance()
    for _ in range(_MAX_STEPS):
        here = dual[todo]
        pull = _pull(part.gain, here)
        control[todo] = x = part.control(pull)
        gradient, value = part.gradient(here, x), part.value(here, pull, x)
        off = np.abs(gradient).max(axis=1, initial=0.0)
        done = off <= _TOLERANCE
        rough = np.flatnonzero(~done & (off <= tolerance[todo] * np.abs(here).max(axis=1, initial=0.0)))
        if part.softness:
            done[rough] = True
        elif len(rough):
            control[todo[rough]] = evened = _evened(part.of(rough), pull[rough], x[rough], gradient[rough])
            done[rough] = _short(part.gain[rough], evened, part.target[rough]) <= BALANCED
        solved[todo[done]] = True
        none = ~done & part.impossible(here, pull)
        impossible[todo[none]] = True
        left = np.flatnonzero(~done & ~none)
        if not len(left):
            break
        if len(left) < len(todo):
            todo, part = todo[left], part.of(left)
            here, pull, gradient, value = here[left], pull[left], gradient[left], value[left]
        step = _newton_step(part, pull, gradient)
        dual[todo] = here + _length(part, here, pull, value, gradient, step)[:, None] * step
    return _Answer(control=control, dual=dual, solved=solved, impossible=impossible)


def _evened(programme: _Programme, pull: np.ndarray, control: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    """Controls (T, N) corrected for the shortfall that the dual's rounding leaves; theirs is far smaller."""
    change = _slope(programme, pull) * _pull(programme.gain, _newton_step(programme, pull, gradient))
    return np.clip(control + change, programme.low, programme.high)


def _newton_step(programme: _Programme, pull: np.ndarray, gradient: np.ndarray) -> np.ndarray:
    slope = _slope(programme, pull)
    hessian = np.matmul(programme.gain * slope[:, None, :], programme.gain.transpose(0, 2, 1))
    return -np.linalg.solve(_damped(hessian, programme.softness), gradient[..., None])[..., 0]


def _slope(programme: _Programme, pull: np.ndarray) -> np.ndarray:
    """The derivative of controls with respect to their pull, (T, N): zero at a bound."""
    wanted = programme.centre + pull / programme.weight
    return ((wanted > programme.low) & (wanted < programme.high)) / programme.weight


def _length(
    programme: _Programme,
    dual: np.ndarray,
    pull: np.ndarray,
    value: np.ndarray,
    gradient: np.ndarray,
    step: np.ndarray,
) -> np.ndarray:
    """The factor of each frame's step, (T,), halved until the dual has decreased enough."""
    along = _pull(programme.gain, step)
    promised = (gradient * step).sum(axis=1)
    rounding = 1e-14 * (1 + np.abs(value) + np.abs(dual * programme.target).sum(axis=1))
    length = np.ones(len(dual))
    for _ in range(_MAX_HALVINGS):
        there, pulled = dual + length[:, None] * step, pull + length[:, None] * along
        new = programme.value(there, pulled, programme.control(pulled))
        worse = new > value + _SUFFICIENT * length * promised + rounding
        if not worse.any():
            break
        length[worse] /= 2
    return length


def _refine(programme: _Programme, exponent: float, answer: _Answer, frames: np.ndarray) -> None:
    """Minimise Σ |x|^p from feasible controls by quadratic models of it, in place; all iterates are feasible.

    Frames that don't converge keep the best controls they reached, and are no longer `solved`.
    """
    floor = np.full(len(frames), _FIRST_FLOOR)
    for _ in range(_MAX_PROGRAMMES):
        x = answer.control[frames]
        slope = exponent * np.sign(x) * np.abs(x) ** (exponent - 1)
        curvature = exponent * (exponent - 1) * np.maximum(np.abs(x), floor[:, None]) ** (exponent - 2)
        model = replace(programme.of(frames), weight=curvature, centre=x - slope / curvature)
        target = _newton(model, answer.dual[frames])
        step = target.control - x
        there = x + _share(x, step, slope, exponent)[:, None] * step
        # Where a model is too flat to be solved, the frame stays and tries one with a higher floor.
        good = _short(programme.gain[frames], there, programme.target[frames]) <= BALANCED
        answer.control[frames[good]], answer.dual[frames[good]] = there[good], target.dual[good]
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
