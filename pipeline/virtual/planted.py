"""A wished motion made possible: feet that stand still and a body in balance over them.

The nearest motion, in the sense of least squares, whose feet neither slip nor sink where they stand, whose joints stay
within the model's ranges, and whose whole-body dynamics put the centre of pressure where the feet are. Gauss-Newton
on the Fourier terms of all coordinates at once: the motion stays smooth and exactly periodic.

Shapes: N phases of one cycle, F free coordinates, K terms, A numbers of the footholds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.contacts import GRAVITY_M_S2
from pipeline.osim.mechanics import Mechanics, Station
from pipeline.records import SIDES, Side
from pipeline.virtual.body import Body
from pipeline.virtual.footfalls import Footing, Support
from pipeline.virtual.ground_wrench import (
    centre_of_pressure,
    cross_matrix,
    ground_wrench,
    wrench_per_acceleration,
)
from pipeline.virtual.harmonics import derivative_basis
from pipeline.virtual.joint_ranges import joint_ranges
from pipeline.virtual.motion import PeriodicMotion
from pipeline.virtual.shares import Foot, foot_forces_n, free_moment_nm, settled

PHASES = np.arange(64) / 64
# Whole steps at first; then half ones, since limits that come and go would throw whole ones to and fro.
WHOLE_ROUNDS, MOST_ROUNDS = 5, 14
# Radians and metres: a change of the terms smaller than this ends the search; what still changes more than the other
# after the last round has not come near to any motion. In between, the balance is exact all the same: the ground's
# wrench is whatever the motion found needs.
SETTLED, ASTRAY = 2e-5, 0.3
# A round that throws a joint this far is followed by worse ones.
HOPELESS = 1.0

# What one standard deviation is worth: how far a planted part may slip, the centre of pressure be from where it was
# planned, the ground turn the body about the vertical (on free vertical moments of walkers: Li et al. 2001,
# J Exp Biol 204:47), a coordinate pass its limit, a swinging sole come nearer to the floor than it clears it.
SLIP_SD_M = 0.004
PRESSURE_SD_M = 0.008
YAW_SD_NM = 3.0
LIMIT_SD_RAD = np.radians(0.3)
CLEARANCE_SD_M = 0.003
# Swinging feet clear the floor by a centimetre or more (Winter 1992, Phys Ther 72:45).
CLEARANCE_M = 0.010
# Kept from the ends of a coordinate's range, where inverse kinematics is clamped.
MARGIN_RAD = np.radians(1.5)

# Body weights by which the ground's force may be off.
FORCE_SD = 0.01

PARTS = ("heel", "ball")
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
class Foothold:
    """Where a foot stands: contact points of heel and ball on the floor, (2,) each, x and z in metres at stride 0."""

    heel_m: np.ndarray
    ball_m: np.ndarray

    def pressure_m(self, support: Support, stride_m: float, side: Side) -> np.ndarray:
        """The planned centre of pressure, (P, 2): x and z. NaN while the foot is in the air."""
        along = self.ball_m - self.heel_m
        outward = np.array([-along[1], along[0]]) * (1 if side == "right" else -1)
        place = self.heel_m + support.along[:, None] * along + support.outward[:, None] * outward
        place[:, 0] += support.stride * stride_m
        return place


@dataclass(frozen=True, slots=True, kw_only=True)
class Planted:
    """A motion that can be, and where its feet stand."""

    motion: PeriodicMotion
    footholds: Mapping[Side, Foothold]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rows:
    """One residual over the phases: value (N,) and its slopes to coordinates and accelerations (N, F), footholds."""

    value: np.ndarray
    by_value: np.ndarray
    by_acceleration: np.ndarray | None = None
    by_foothold: np.ndarray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Moment:
    """The body at all phases, with everything a residual needs."""

    mass_kg: float
    values: np.ndarray
    wrench: np.ndarray
    mass_centre_m: np.ndarray
    per_acceleration: np.ndarray
    parts_m: Mapping[tuple[Side, str], np.ndarray]
    part_slopes: Mapping[tuple[Side, str], np.ndarray]


class NoMotion(ValueError):
    """A wish that a body can't follow with its feet on the floor."""


def plant(body: Body, plan: Plan) -> Planted:
    """The nearest motion to the plan's that this body can do on this footing. NoMotion if none is found."""
    mechanics, names = body.mechanics, body.mechanics.names
    free = [names.index(name) for name in plan.tolerance]
    support = plan.footing.support(PHASES)
    motion = plan.motion
    moment = _moment(body, motion, free)
    holds = {side: _first_foothold(moment, support[side], side, motion.stride_m) for side in SIDES}
    for number in range(MOST_ROUNDS):
        rows = list(_residuals(mechanics, moment, plan, support, holds, free))
        step, moved = _solve(rows, plan, motion, free)
        pace = 1.0 if number < WHOLE_ROUNDS else 0.5
        motion = motion.moved(free, pace * step)
        holds = _moved(holds, pace * moved)
        change = np.abs(step).max()
        if not SETTLED < change < HOPELESS:
            break
        moment = _moment(body, motion, free)
    if not change < ASTRAY:
        raise NoMotion(
            f"virtual subject {body.subject.subject_id}: no motion near the wished one keeps its feet on the floor and "
            f"its balance; the last of {MOST_ROUNDS} rounds still moved it by {change:.2g}. Use another --seed."
        )
    return Planted(motion=motion, footholds=holds)


def _moment(body: Body, motion: PeriodicMotion, free: Sequence[int]) -> _Moment:
    mechanics = body.mechanics
    values, speeds, accelerations = motion.at(PHASES)
    forces = mechanics.generalized_forces(values, speeds, accelerations)
    bodies = [body.soles[side].heel.body for side in SIDES]
    rotation, origin = mechanics.transforms(values, bodies)
    jacobian = mechanics.frame_jacobians(values, bodies)[..., free]
    parts, slopes = {}, {}
    for s, side in enumerate(SIDES):
        for part in PARTS:
            station: Station = getattr(body.soles[side], part)
            arm = rotation[:, s] @ np.array(station.location_m)
            parts[side, part] = origin[:, s] + arm
            slopes[side, part] = jacobian[:, s, 3:] - cross_matrix(arm) @ jacobian[:, s, :3]
    return _Moment(
        mass_kg=body.subject.mass_kg,
        values=values,
        wrench=ground_wrench(mechanics, values, forces),
        mass_centre_m=mechanics.mass_centre_m(values),
        per_acceleration=wrench_per_acceleration(mechanics, values)[..., free],
        parts_m=parts,
        part_slopes=slopes,
    )


def _first_foothold(moment: _Moment, support: Support, side: Side, stride_m: float) -> Foothold:
    """Where the parts are on average while they are down."""
    found = {}
    for part in PARTS:
        place = moment.parts_m[side, part][:, [0, 2]].copy()
        place[:, 0] -= support.stride * stride_m
        found[f"{part}_m"] = np.average(place, axis=0, weights=_down(support, part))
    return Foothold(**found)


def _down(support: Support, part: str) -> np.ndarray:
    return np.asarray(getattr(support, f"{part}_down"))


def _residuals(
    mechanics: Mechanics,
    moment: _Moment,
    plan: Plan,
    support: Mapping[Side, Support],
    holds: Mapping[Side, Foothold],
    free: Sequence[int],
) -> Iterator[_Rows]:
    stride_m = plan.motion.stride_m
    for s, side in enumerate(SIDES):
        for p, part in enumerate(PARTS):
            column = 4 * s + 2 * p
            yield from _planted_part(moment, support[side], side, part, holds[side], stride_m, column)
            yield _clearance(moment, support[side], side, part)
    yield from _balance(moment, stride_m, support, holds)
    yield from _force(moment, plan.force)
    yield from _limits(mechanics, moment, free)


def _planted_part(
    moment: _Moment, support: Support, side: Side, part: str, hold: Foothold, stride_m: float, column: int
) -> Iterator[_Rows]:
    """How far a part is from its foothold, and above or below the floor."""
    at, slopes = moment.parts_m[side, part], moment.part_slopes[side, part]
    weight = _down(support, part) / SLIP_SD_M
    wanted = getattr(hold, f"{part}_m")
    for axis, number in ((0, 0), (2, 1)):
        ahead = support.stride * stride_m if axis == 0 else 0.0
        by_foothold = np.zeros((len(PHASES), 4 * len(SIDES)))
        by_foothold[:, column + number] = -weight
        yield _Rows(
            value=weight * (at[:, axis] - wanted[number] - ahead),
            by_value=weight[:, None] * slopes[:, axis],
            by_foothold=by_foothold,
        )
    yield _Rows(value=weight * at[:, 1], by_value=weight[:, None] * slopes[:, 1])


def _clearance(moment: _Moment, support: Support, side: Side, part: str) -> _Rows:
    """A part in the air that is too near to the floor."""
    height = moment.parts_m[side, part][:, 1]
    low = (height < CLEARANCE_M) & (support.load == 0)
    weight = low / CLEARANCE_SD_M
    return _Rows(value=weight * (height - CLEARANCE_M), by_value=weight[:, None] * moment.part_slopes[side, part][:, 1])


def _balance(
    moment: _Moment, stride_m: float, support: Mapping[Side, Support], holds: Mapping[Side, Foothold]
) -> Iterator[_Rows]:
    """The centre of pressure of the dynamics against the planned one, and the free moment about the vertical.

    The slopes leave out what only speeds change: a small part, and the next round sees it.
    """
    wrench, per_acceleration = moment.wrench, moment.per_acceleration
    force, up = wrench[:, 3:], wrench[:, [4]]
    # Momentum by speed is mass times the mass centre's way: force times that way is what the force's arm gains.
    shift = per_acceleration[:, 3:] / moment.mass_kg
    turned = cross_matrix(-force) @ shift
    pressure = {side: holds[side].pressure_m(support[side], stride_m, side) for side in SIDES}
    planned = sum(np.nan_to_num(pressure[side]) * support[side].load[:, None] for side in SIDES)
    actual = centre_of_pressure(wrench)
    for axis, row, sign in ((0, 2, 1.0), (1, 0, -1.0)):
        weight = sign / up / PRESSURE_SD_M
        yield _Rows(
            value=(actual - planned)[:, axis] / PRESSURE_SD_M,
            by_foothold=-_pressure_by_foothold(support, axis) / PRESSURE_SD_M,
            by_value=weight * turned[:, row],
            by_acceleration=weight * (per_acceleration[:, row] - sign * actual[:, [axis]] * per_acceleration[:, 4]),
        )
    feet = settled(wrench, {side: Foot(pressure_m=pressure[side], load=support[side].load) for side in SIDES})
    yaw = free_moment_nm(wrench, feet, foot_forces_n(wrench, feet, moment.mass_centre_m))
    # Feet push nearly towards the mass centre: about it, what turns the body is the free moment and little else.
    own = per_acceleration[:, 1] - (cross_matrix(moment.mass_centre_m) @ per_acceleration[:, 3:])[:, 1]
    yield _Rows(value=yaw / YAW_SD_NM, by_value=np.zeros_like(own), by_acceleration=own / YAW_SD_NM)


def _force(moment: _Moment, terms: np.ndarray) -> Iterator[_Rows]:
    """The ground's whole force against the wished one."""
    weight_n = moment.mass_kg * GRAVITY_M_S2
    wished = derivative_basis(PHASES, (len(terms) - 1) // 2, 0) @ terms
    for axis in range(3):
        slope = moment.per_acceleration[:, 3 + axis] / (weight_n * FORCE_SD)
        yield _Rows(
            value=(moment.wrench[:, 3 + axis] / weight_n - wished[:, axis]) / FORCE_SD,
            by_value=np.zeros_like(slope),
            by_acceleration=slope,
        )


def _pressure_by_foothold(support: Mapping[Side, Support], axis: int) -> np.ndarray:
    """How the planned centre of pressure, along x (0) or z (1), follows heel and ball footholds, (N, A)."""
    found = np.zeros((len(PHASES), 4 * len(SIDES)))
    for s, side in enumerate(SIDES):
        foot = support[side]
        along, outward = (np.nan_to_num(x) * foot.load for x in (foot.along, foot.outward))
        across = outward * (1 if side == "right" else -1) * (-1 if axis == 0 else 1)
        found[:, 4 * s + axis] = foot.load - along
        found[:, 4 * s + 2 + axis] = along
        found[:, 4 * s + 1 - axis] -= across
        found[:, 4 * s + 3 - axis] += across
    return found


def _limits(mechanics: Mechanics, moment: _Moment, free: Sequence[int]) -> Iterator[_Rows]:
    """Coordinates beyond their range, or nearly."""
    for f, column in enumerate(free):
        low, high = joint_ranges().get(mechanics.names[column], (-np.inf, np.inf))
        value = moment.values[:, column]
        beyond = value - np.clip(value, low + MARGIN_RAD, high - MARGIN_RAD)
        if beyond.any():
            slope = np.zeros((len(value), len(free)))
            slope[:, f] = (beyond != 0) / LIMIT_SD_RAD
            yield _Rows(value=beyond / LIMIT_SD_RAD, by_value=slope)


def _solve(
    rows: Sequence[_Rows], plan: Plan, motion: PeriodicMotion, free: Sequence[int]
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
