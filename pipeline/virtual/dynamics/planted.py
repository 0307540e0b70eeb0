"""The possible motion nearest to a planned one: feet that stand still and a body in balance over them.

Its feet neither slip nor sink where they stand, its joints stay within the model's ranges, and its whole-body dynamics
put the centre of pressure under the feet. It is found by Gauss and Newton's method on the Fourier terms of all
coordinates at once, which keeps the motion smooth and exactly periodic.

Shapes: N phases of one cycle, F free coordinates, K terms, A foothold variables.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.records import SIDES, Side
from pipeline.virtual.dynamics.residuals import (
    PARTS,
    PHASES,
    BodyMoment,
    Residual,
    body_moment,
    down,
    from_foothold_m,
    pressure_off_m,
    residuals,
)
from pipeline.virtual.gait.footfalls import Foothold, Footing, Support
from pipeline.virtual.gait.harmonics import derivative_basis
from pipeline.virtual.gait.motion import PeriodicMotion
from pipeline.virtual.person.body import Body
from pipeline.virtual.person.joint_ranges import joint_ranges

# Full steps at first; then half steps, since with full ones limits that switch on and off make it oscillate.
FULL_STEPS, MAX_STEPS = 5, 14
# Converged when no term changes by more than this (rad, m). Limits that switch on and off can prevent that, but the
# motion is judged by its residuals, and balanced exactly in any case, since the ground's wrench is what it asks for.
CONVERGED = 2e-5
# A step that moves a term this far (rad, m) never led anywhere.
DIVERGED = 1.0
# A motion is impossible if a firmly planted part is farther than this from its place, or the centre of pressure farther
# than this from the planned one, and so off the sole.
MAX_SLIP_M = 0.020
MAX_PRESSURE_OFF_M = 0.060
# A part stands firmly from this on.
FIRM = 0.5

# The legs decide where and how high the pelvis rides.
RIDING = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
RIDING_SD_M = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionPlan:
    """A planned motion, how the feet support it, and how far each coordinate may deviate.

    force: terms (K, 3) of the ground's whole force, in body weights. tolerance: standard deviation by coordinate,
    radians or metres; a coordinate without one is kept as planned.
    """

    motion: PeriodicMotion
    footing: Footing
    force: np.ndarray
    tolerance: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A possible motion, and where its feet stand."""

    motion: PeriodicMotion
    footholds: Mapping[Side, Foothold]


class NoMotion(ValueError):
    """A planned motion that the body can't make with its feet on the floor, or that the laboratory couldn't measure."""


def plant(body: Body, plan: MotionPlan) -> Planted:
    """The possible motion of this body nearest to the planned one. NoMotion if none is found."""
    mechanics, names = body.mechanics, body.mechanics.names
    free = [names.index(name) for name in plan.tolerance]
    support = plan.footing.support(PHASES)
    motion = plan.motion
    moment = body_moment(body, motion, free)
    holds = {side: _first_foothold(moment, support[side], side, motion.stride_m) for side in SIDES}
    for number in range(MAX_STEPS):
        rows = list(residuals(mechanics, moment, motion, plan.force, support, holds, free))
        step, moved = _solve(rows, plan, motion, free)
        pace = 1.0 if number < FULL_STEPS else 0.5
        motion = motion.moved(free, pace * step)
        holds = _moved(holds, pace * moved)
        moment = body_moment(body, motion, free)
        if not CONVERGED < np.abs(step).max() < DIVERGED:
            break
    faults = [*_slips(moment, motion.stride_m, support, holds), *_beyond(body, moment, free)]
    if faults:
        raise NoMotion(
            f"virtual subject {body.subject.subject_id}: no motion near the planned one keeps its feet on the floor "
            f"and its balance: {'; '.join(faults)}. Use another --seed."
        )
    return Planted(motion=motion, footholds=holds)


def _slips(
    moment: BodyMoment, stride_m: float, support: Mapping[Side, Support], holds: Mapping[Side, Foothold]
) -> Iterator[str]:
    """What slips, or carries the body where no foot is, in words."""
    for side in SIDES:
        for part in PARTS:
            off_m = from_foothold_m(moment, support[side], side, part, holds[side], stride_m)
            furthest_m = np.linalg.norm(off_m, axis=1)[down(support[side], part) > FIRM].max(initial=0.0)
            # Not `>`, so that NaN is a fault too.
            if not furthest_m <= MAX_SLIP_M:
                yield f"the {side} {part} is {furthest_m:.3f} m from its place, at most {MAX_SLIP_M:.3f} m can be"
    furthest_m = np.abs(pressure_off_m(moment, stride_m, support, holds)).max()
    if not furthest_m <= MAX_PRESSURE_OFF_M:
        yield f"the centre of pressure is {furthest_m:.3f} m off, at most {MAX_PRESSURE_OFF_M:.3f} m can be"


def _beyond(body: Body, moment: BodyMoment, free: Sequence[int]) -> Iterator[str]:
    """Coordinates outside the model's range, in words."""
    for column in free:
        name = body.mechanics.names[column]
        low, high = joint_ranges().get(name, (-np.inf, np.inf))
        value = moment.values[:, column]
        if not (low <= value.min() and value.max() <= high):
            taken, range_ = np.degrees([value.min(), value.max()]), np.degrees([low, high])
            yield f"{name} takes {taken[0]:.1f} to {taken[1]:.1f} deg, the model {range_[0]:.1f} to {range_[1]:.1f}"


def _first_foothold(moment: BodyMoment, support: Support, side: Side, stride_m: float) -> Foothold:
    """Each part's mean place while it is down."""
    places = {}
    for part in PARTS:
        place = moment.parts_m[side, part][:, [0, 2]].copy()
        place[:, 0] -= support.stride * stride_m
        places[f"{part}_m"] = np.average(place, axis=0, weights=down(support, part))
    return Foothold(**places)


def _solve(
    rows: Sequence[Residual], plan: MotionPlan, motion: PeriodicMotion, free: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """The Gauss-Newton step of the terms (K, F) and of the footholds (A,)."""
    flat, bent = (derivative_basis(PHASES, motion.harmonics, order) / motion.period_s**order for order in (0, 2))
    sd = _term_sd(plan, len(motion.terms))
    n_terms, n_holds = sd.size, 4 * len(SIDES)
    planned = ((motion.terms - plan.motion.terms)[:, free] / sd).ravel()
    normal = np.zeros((n_terms + n_holds, n_terms + n_holds))
    normal[range(n_terms), range(n_terms)] = 1 / sd.ravel() ** 2
    right = np.concatenate([planned / sd.ravel(), np.zeros(n_holds)])
    for row in rows:
        slope = flat[:, :, None] * row.by_value[:, None, :]
        if row.by_acceleration is not None:
            slope = slope + bent[:, :, None] * row.by_acceleration[:, None, :]
        holds = np.zeros((len(PHASES), n_holds)) if row.by_foothold is None else row.by_foothold
        design = np.hstack([slope.reshape(len(PHASES), -1), holds])
        normal += design.T @ design
        right += design.T @ row.value
    # A foothold that no residual depends on stays.
    normal[range(n_terms, n_terms + n_holds), range(n_terms, n_terms + n_holds)] += 1e-6
    step = -np.linalg.solve(normal, right)
    return step[:n_terms].reshape(sd.shape), step[n_terms:]


def _term_sd(plan: MotionPlan, n_terms: int) -> np.ndarray:
    """Standard deviations of the terms, (K, F): smaller for higher harmonics, which keeps accelerations as planned."""
    harmonic = np.maximum(1, (np.arange(n_terms) + 1) // 2)
    sd = np.array(list(plan.tolerance.values())) / harmonic[:, None] ** 1.5
    sd[0, [name in RIDING for name in plan.tolerance]] = RIDING_SD_M
    return sd


def _moved(holds: Mapping[Side, Foothold], by: np.ndarray) -> dict[Side, Foothold]:
    moved: dict[Side, Foothold] = {}
    for s, side in enumerate(SIDES):
        heel, ball = by[4 * s : 4 * s + 2], by[4 * s + 2 : 4 * s + 4]
        moved[side] = replace(holds[side], heel_m=holds[side].heel_m + heel, ball_m=holds[side].ball_m + ball)
    return moved
