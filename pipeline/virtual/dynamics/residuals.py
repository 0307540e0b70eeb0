"""Residuals of a planned motion, with their derivatives: feet that slip or sink, a body out of balance.

All are zero for a motion that is possible. Each is divided by its standard deviation, so that they can be added.
Shapes: N phases of one cycle, F free coordinates, A foothold variables.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.ground.contacts import GRAVITY_M_S2
from pipeline.osim.models.mechanics import Mechanics, Station
from pipeline.records import SIDES, Side
from pipeline.virtual.dynamics.ground_wrench import (
    PELVIS,
    cross_matrix,
    floor_pressure_m,
    root_to_wrench,
    wrench_of,
    wrench_per_acceleration,
)
from pipeline.virtual.dynamics.shares import FootShare, foot_forces_n, free_moment_nm, settled
from pipeline.virtual.gait.footfalls import Foothold, Support
from pipeline.virtual.gait.harmonics import derivative_basis
from pipeline.virtual.gait.motion import PeriodicMotion
from pipeline.virtual.person.body import Body
from pipeline.virtual.person.joint_ranges import joint_ranges

PHASES = np.arange(64) / 64
# Standard deviations: of a planted part from its foothold, and of the centre of pressure from the planned one.
SLIP_SD_M = 0.004
PRESSURE_SD_M = 0.008
# Of the free moment about the vertical (of walkers: Li et al. 2001, J Exp Biol 204:47).
YAW_SD_NM = 3.0
# Of a coordinate beyond its range, which is narrowed by a margin: inverse kinematics is clamped at its ends.
LIMIT_SD_RAD = np.radians(0.3)
MARGIN_RAD = np.radians(1.5)
# Swinging feet clear the floor by a centimetre or more (Winter 1992, Phys Ther 72:45).
CLEARANCE_M = 0.010
CLEARANCE_SD_M = 0.003
# Of the ground's force, in body weights.
FORCE_SD = 0.01

PARTS = ("heel", "ball")


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """One residual at all phases: its value (N,) and its derivatives with respect to what the motion is made of.

    These are the free coordinates and their accelerations, (N, F) each, and the footholds, (N, A). None is zero.
    """

    value: np.ndarray
    by_value: np.ndarray
    by_acceleration: np.ndarray | None = None
    by_foothold: np.ndarray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyMoment:
    """The body at all phases: its pose, the ground's wrench on it, its mass centre and its feet, with derivatives."""

    mass_kg: float
    values: np.ndarray
    wrench: np.ndarray
    mass_centre_m: np.ndarray
    per_acceleration: np.ndarray
    parts_m: Mapping[tuple[Side, str], np.ndarray]
    part_slopes: Mapping[tuple[Side, str], np.ndarray]


def body_moment(body: Body, motion: PeriodicMotion, free: Sequence[int]) -> BodyMoment:
    """The body over one cycle of this motion, with derivatives with respect to the free coordinates."""
    mechanics = body.mechanics
    values, speeds, accelerations = motion.at(PHASES)
    forces = mechanics.generalized_forces(values, speeds, accelerations)
    kinematics = mechanics.kinematics(values, [*(body.soles[side].heel.body for side in SIDES), PELVIS])
    jacobian = kinematics.jacobian[..., free]
    to_wrench = root_to_wrench(mechanics.names, values, kinematics.jacobian[:, -1])
    parts, slopes = {}, {}
    for s, side in enumerate(SIDES):
        for part in PARTS:
            station: Station = getattr(body.soles[side], part)
            arm = kinematics.rotation[:, s] @ np.array(station.location_m)
            parts[side, part] = kinematics.origin_m[:, s] + arm
            slopes[side, part] = jacobian[:, s, 3:] - cross_matrix(arm) @ jacobian[:, s, :3]
    return BodyMoment(
        mass_kg=body.subject.mass_kg,
        values=values,
        wrench=wrench_of(to_wrench, mechanics.names, forces),
        mass_centre_m=mechanics.mass_centre_m(values),
        per_acceleration=wrench_per_acceleration(to_wrench, mechanics, values)[..., free],
        parts_m=parts,
        part_slopes=slopes,
    )


def down(support: Support, part: str) -> np.ndarray:
    """How firmly a part stands on the floor, (N,), 0 to 1."""
    return np.asarray(getattr(support, f"{part}_down"))


def residuals(
    mechanics: Mechanics,
    moment: BodyMoment,
    motion: PeriodicMotion,
    force: np.ndarray,
    support: Mapping[Side, Support],
    holds: Mapping[Side, Foothold],
    free: Sequence[int],
) -> Iterator[Residual]:
    """All residuals of a motion; `force` (K, 3) are the terms of the planned ground force."""
    for s, side in enumerate(SIDES):
        for p, part in enumerate(PARTS):
            column = 4 * s + 2 * p
            yield from _planted_part(moment, support[side], side, part, holds[side], motion.stride_m, column)
            yield _clearance(moment, support[side], side, part)
    yield from _balance(moment, motion.stride_m, support, holds)
    yield from _force(moment, force)
    yield from _limits(mechanics, moment, free)


def from_foothold_m(
    moment: BodyMoment, support: Support, side: Side, part: str, hold: Foothold, stride_m: float
) -> np.ndarray:
    """A part's place less where it should stand, (N, 3): forward, up, to the right."""
    x_m, z_m = getattr(hold, f"{part}_m")
    planned = np.column_stack([x_m + support.stride * stride_m, np.zeros(len(PHASES)), np.full(len(PHASES), z_m)])
    return np.asarray(moment.parts_m[side, part] - planned)


def _planted_part(
    moment: BodyMoment, support: Support, side: Side, part: str, hold: Foothold, stride_m: float, column: int
) -> Iterator[Residual]:
    """A standing part's distance from its foothold along the floor, and from the floor."""
    slopes = moment.part_slopes[side, part]
    off = from_foothold_m(moment, support, side, part, hold, stride_m)
    weight = down(support, part) / SLIP_SD_M
    for axis, number in ((0, 0), (2, 1)):
        by_foothold = np.zeros((len(PHASES), 4 * len(SIDES)))
        by_foothold[:, column + number] = -weight
        yield Residual(
            value=weight * off[:, axis],
            by_value=weight[:, None] * slopes[:, axis],
            by_foothold=by_foothold,
        )
    yield Residual(value=weight * off[:, 1], by_value=weight[:, None] * slopes[:, 1])


def _clearance(moment: BodyMoment, support: Support, side: Side, part: str) -> Residual:
    """What a swinging part lacks of the clearance over the floor."""
    height = moment.parts_m[side, part][:, 1]
    low = (height < CLEARANCE_M) & (support.load == 0)
    weight = low / CLEARANCE_SD_M
    return Residual(
        value=weight * (height - CLEARANCE_M), by_value=weight[:, None] * moment.part_slopes[side, part][:, 1]
    )


def _balance(
    moment: BodyMoment, stride_m: float, support: Mapping[Side, Support], holds: Mapping[Side, Foothold]
) -> Iterator[Residual]:
    """The centre of pressure that the dynamics ask for less the planned one, and the free moment about the vertical.

    Derivatives with respect to speeds are left out: they are small, and the next iteration corrects for them.
    """
    wrench, per_acceleration = moment.wrench, moment.per_acceleration
    force, up = wrench[:, 3:], wrench[:, [4]]
    # Momentum per unit speed over mass is how the mass centre moves with a coordinate; the force's arm moves with it.
    shift = per_acceleration[:, 3:] / moment.mass_kg
    turned = cross_matrix(-force) @ shift
    actual, off = floor_pressure_m(wrench), pressure_off_m(moment, stride_m, support, holds)
    for axis, row, sign in ((0, 2, 1.0), (1, 0, -1.0)):
        weight = sign / up / PRESSURE_SD_M
        yield Residual(
            value=off[:, axis] / PRESSURE_SD_M,
            by_foothold=-_pressure_by_foothold(support, axis) / PRESSURE_SD_M,
            by_value=weight * turned[:, row],
            by_acceleration=weight * (per_acceleration[:, row] - sign * actual[:, [axis]] * per_acceleration[:, 4]),
        )
    pressure = _planned_pressure_m(stride_m, support, holds)
    feet = settled(wrench, {side: FootShare(pressure_m=pressure[side], load=support[side].load) for side in SIDES})
    yaw = free_moment_nm(wrench, feet, foot_forces_n(wrench, feet, moment.mass_centre_m))
    # Feet push nearly towards the mass centre, so about it little else than the free moment turns the body.
    own = per_acceleration[:, 1] - (cross_matrix(moment.mass_centre_m) @ per_acceleration[:, 3:])[:, 1]
    yield Residual(value=yaw / YAW_SD_NM, by_value=np.zeros_like(own), by_acceleration=own / YAW_SD_NM)


def pressure_off_m(
    moment: BodyMoment, stride_m: float, support: Mapping[Side, Support], holds: Mapping[Side, Foothold]
) -> np.ndarray:
    """The centre of pressure that the dynamics ask for less the planned one, (N, 2): x and z."""
    pressure = _planned_pressure_m(stride_m, support, holds)
    planned = sum(np.nan_to_num(pressure[side]) * support[side].load[:, None] for side in SIDES)
    return np.asarray(floor_pressure_m(moment.wrench) - planned)


def _planned_pressure_m(
    stride_m: float, support: Mapping[Side, Support], holds: Mapping[Side, Foothold]
) -> dict[Side, np.ndarray]:
    return {side: holds[side].pressure_m(support[side], stride_m, side) for side in SIDES}


def _force(moment: BodyMoment, terms: np.ndarray) -> Iterator[Residual]:
    """The ground's whole force less the planned one."""
    weight_n = moment.mass_kg * GRAVITY_M_S2
    planned = derivative_basis(PHASES, (len(terms) - 1) // 2, 0) @ terms
    for axis in range(3):
        slope = moment.per_acceleration[:, 3 + axis] / (weight_n * FORCE_SD)
        yield Residual(
            value=(moment.wrench[:, 3 + axis] / weight_n - planned[:, axis]) / FORCE_SD,
            by_value=np.zeros_like(slope),
            by_acceleration=slope,
        )


def _pressure_by_foothold(support: Mapping[Side, Support], axis: int) -> np.ndarray:
    """The derivative of the planned centre of pressure along x (0) or z (1) with respect to the footholds, (N, A)."""
    slopes = np.zeros((len(PHASES), 4 * len(SIDES)))
    for s, side in enumerate(SIDES):
        foot = support[side]
        along, outward = (np.nan_to_num(x) * foot.load for x in (foot.along, foot.outward))
        across = outward * (1 if side == "right" else -1) * (-1 if axis == 0 else 1)
        slopes[:, 4 * s + axis] = foot.load - along
        slopes[:, 4 * s + 2 + axis] = along
        slopes[:, 4 * s + 1 - axis] -= across
        slopes[:, 4 * s + 3 - axis] += across
    return slopes


def _limits(mechanics: Mechanics, moment: BodyMoment, free: Sequence[int]) -> Iterator[Residual]:
    """Coordinates beyond their narrowed range."""
    for f, column in enumerate(free):
        low, high = joint_ranges().get(mechanics.names[column], (-np.inf, np.inf))
        value = moment.values[:, column]
        beyond = value - np.clip(value, low + MARGIN_RAD, high - MARGIN_RAD)
        if beyond.any():
            slope = np.zeros((len(value), len(free)))
            slope[:, f] = (beyond != 0) / LIMIT_SD_RAD
            yield Residual(value=beyond / LIMIT_SD_RAD, by_value=slope)
