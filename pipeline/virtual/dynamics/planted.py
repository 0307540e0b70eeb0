"""A wished motion made possible: feet that stand still and a body in balance over them.

The nearest motion, in the sense of least squares, whose feet neither slip nor sink where they stand, whose joints stay
within the model's ranges, and whose whole-body dynamics put the centre of pressure where the feet are. Gauss-Newton
on the Fourier terms of all coordinates at once: the motion stays smooth and exactly periodic.

Shapes: N phases of one cycle, F free coordinates, K terms, A numbers of the footholds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.records import SIDES, Side
from pipeline.virtual.dynamics.residuals import (
    PARTS,
    PHASES,
    BodyMoment,
    Rows,
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

# Whole steps at first; then half ones, since limits that come and go would throw whole ones to and fro.
WHOLE_ROUNDS, MOST_ROUNDS = 5, 14
# Radians and metres: a change of the terms smaller than this ends the search. Limits that come and go can keep it from
# ending: what counts is what the motion found does, and its balance is exact all the same, since the ground's wrench is
# whatever that motion needs.
SETTLED = 2e-5
# A round that throws a joint this far is followed by worse ones.
HOPELESS = 1.0
# No motion that can be: a firmly planted part further than this from its place, or a centre of pressure further than
# this from the planned one, which would leave the sole.
MOST_SLIP_M = 0.020
MOST_PRESSURE_OFF_M = 0.060
# From this on a part stands firmly.
FIRM = 0.5

RIDING = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
RIDING_SD_M = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is wished: a motion, how the feet support it, and by how much each coordinate may give way.

    force: terms (K, 3) of the ground's whole force, in body weights. tolerance: standard deviation by
    coordinate, radians or metres; a coordinate without one keeps its wish.
    """

    motion: PeriodicMotion
    footing: Footing
    force: np.ndarray
    tolerance: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A motion that can be, and where its feet stand."""

    motion: PeriodicMotion
    footholds: Mapping[Side, Foothold]


class NoMotion(ValueError):
    """A wish that a body can't follow with its feet on the floor, or that the laboratory couldn't measure."""


def plant(body: Body, plan: Plan) -> Planted:
    """The nearest motion to the plan's that this body can do on this footing. NoMotion if none is found."""
    mechanics, names = body.mechanics, body.mechanics.names
    free = [names.index(name) for name in plan.tolerance]
    support = plan.footing.support(PHASES)
    motion = plan.motion
    moment = body_moment(body, motion, free)
    holds = {side: _first_foothold(moment, support[side], side, motion.stride_m) for side in SIDES}
    for number in range(MOST_ROUNDS):
        rows = list(residuals(mechanics, moment, motion, plan.force, support, holds, free))
        step, moved = _solve(rows, plan, motion, free)
        pace = 1.0 if number < WHOLE_ROUNDS else 0.5
        motion = motion.moved(free, pace * step)
        holds = _moved(holds, pace * moved)
        moment = body_moment(body, motion, free)
        if not SETTLED < np.abs(step).max() < HOPELESS:
            break
    faults = [*_slips(moment, motion.stride_m, support, holds), *_beyond(body, moment, free)]
    if faults:
        raise NoMotion(
            f"virtual subject {body.subject.subject_id}: no motion near the wished one keeps its feet on the floor and "
            f"its balance: {'; '.join(faults)}. Use another --seed."
        )
    return Planted(motion=motion, footholds=holds)


def _slips(
    moment: BodyMoment, stride_m: float, support: Mapping[Side, Support], holds: Mapping[Side, Foothold]
) -> Iterator[str]:
    """What stands on the floor and doesn't stay, or carries the body where no foot is."""
    for side in SIDES:
        for part in PARTS:
            off_m = from_foothold_m(moment, support[side], side, part, holds[side], stride_m)
            furthest_m = np.linalg.norm(off_m, axis=1)[down(support[side], part) > FIRM].max(initial=0.0)
            # Turned round, so that what is no number is a fault.
            if not furthest_m <= MOST_SLIP_M:
                yield f"the {side} {part} is {furthest_m:.3f} m from its place, at most {MOST_SLIP_M:.3f} m can be"
    furthest_m = np.abs(pressure_off_m(moment, stride_m, support, holds)).max()
    if not furthest_m <= MOST_PRESSURE_OFF_M:
        yield f"the centre of pressure is {furthest_m:.3f} m off, at most {MOST_PRESSURE_OFF_M:.3f} m can be"


def _beyond(body: Body, moment: BodyMoment, free: Sequence[int]) -> Iterator[str]:
    """Coordinates outside the model's range."""
    for column in free:
        name = body.mechanics.names[column]
        low, high = joint_ranges().get(name, (-np.inf, np.inf))
        value = moment.values[:, column]
        if not (low <= value.min() and value.max() <= high):
            found, range_ = np.degrees([value.min(), value.max()]), np.degrees([low, high])
            yield f"{name} takes {found[0]:.1f} to {found[1]:.1f} deg, the model {range_[0]:.1f} to {range_[1]:.1f}"


def _first_foothold(moment: BodyMoment, support: Support, side: Side, stride_m: float) -> Foothold:
    """Where the parts are on average while they are down."""
    found = {}
    for part in PARTS:
        place = moment.parts_m[side, part][:, [0, 2]].copy()
        place[:, 0] -= support.stride * stride_m
        found[f"{part}_m"] = np.average(place, axis=0, weights=down(support, part))
    return Foothold(**found)


def _solve(
    rows: Sequence[Rows], plan: Plan, motion: PeriodicMotion, free: Sequence[int]
) -> tuple[np.ndarray, np.ndarray]:
    """The step of the terms (K, F) and of the footholds (A,) that the linearised residuals ask for."""
    flat, bent = (derivative_basis(PHASES, motion.harmonics, order) / motion.period_s**order for order in (0, 2))
    sd = _term_sd(plan, len(motion.terms))
    n_terms, n_holds = sd.size, 4 * len(SIDES)
    wished = ((motion.terms - plan.motion.terms)[:, free] / sd).ravel()
    normal = np.zeros((n_terms + n_holds, n_terms + n_holds))
    normal[range(n_terms), range(n_terms)] = 1 / sd.ravel() ** 2
    right = np.concatenate([wished / sd.ravel(), np.zeros(n_holds)])
    for row in rows:
        slope = flat[:, :, None] * row.by_value[:, None, :]
        if row.by_acceleration is not None:
            slope = slope + bent[:, :, None] * row.by_acceleration[:, None, :]
        holds = np.zeros((len(PHASES), n_holds)) if row.by_foothold is None else row.by_foothold
        design = np.hstack([slope.reshape(len(PHASES), -1), holds])
        normal += design.T @ design
        right += design.T @ row.value
    # A foothold that no row speaks of stays.
    normal[range(n_terms, n_terms + n_holds), range(n_terms, n_terms + n_holds)] += 1e-6
    step = -np.linalg.solve(normal, right)
    return step[:n_terms].reshape(sd.shape), step[n_terms:]


def _term_sd(plan: Plan, n_terms: int) -> np.ndarray:
    """How far each term may move, (K, F): the higher, the less, so that accelerations stay what was wished."""
    harmonic = np.maximum(1, (np.arange(n_terms) + 1) // 2)
    sd = np.array(list(plan.tolerance.values())) / harmonic[:, None] ** 1.5
    # How high and where the pelvis rides is for the legs to say.
    sd[0, [name in RIDING for name in plan.tolerance]] = RIDING_SD_M
    return sd


def _moved(holds: Mapping[Side, Foothold], by: np.ndarray) -> dict[Side, Foothold]:
    found = {}
    for s, side in enumerate(SIDES):
        heel, ball = by[4 * s : 4 * s + 2], by[4 * s + 2 : 4 * s + 4]
        found[side] = replace(holds[side], heel_m=holds[side].heel_m + heel, ball_m=holds[side].ball_m + ball)
    return found
