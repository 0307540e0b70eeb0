"""What keeps a wished motion from being possible, with its slopes: feet that slip or sink, a body out of balance.

Shapes: N phases of one cycle, F free coordinates, A numbers of the footholds.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.ground.contacts import GRAVITY_M_S2
from pipeline.osim.models.mechanics import Mechanics, Station
from pipeline.records import SIDES, Side
from pipeline.virtual.dynamics.ground_wrench import (
    PELVIS,
    centre_of_pressure,
    cross_matrix,
    root_to_wrench,
    wrench_of,
    wrench_per_acceleration,
)
from pipeline.virtual.dynamics.shares import Foot, foot_forces_n, free_moment_nm, settled
from pipeline.virtual.gait.footfalls import Foothold, Support
from pipeline.virtual.gait.harmonics import derivative_basis
from pipeline.virtual.gait.motion import PeriodicMotion
from pipeline.virtual.person.body import Body
from pipeline.virtual.person.joint_ranges import joint_ranges

PHASES = np.arange(64) / 64
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """One residual over the phases: value (N,) and its slopes to coordinates and accelerations (N, F), footholds."""

    value: np.ndarray
    by_value: np.ndarray
    by_acceleration: np.ndarray | None = None
    by_foothold: np.ndarray | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyMoment:
    """The body at all phases, with everything a residual needs."""

    mass_kg: float
    values: np.ndarray
    wrench: np.ndarray
    mass_centre_m: np.ndarray
    per_acceleration: np.ndarray
    parts_m: Mapping[tuple[Side, str], np.ndarray]
    part_slopes: Mapping[tuple[Side, str], np.ndarray]


def body_moment(body: Body, motion: PeriodicMotion, free: Sequence[int]) -> BodyMoment:
    """The body over one cycle of this motion, with slopes to the free coordinates."""
    mechanics = body.mechanics
    values, speeds, accelerations = motion.at(PHASES)
    forces = mechanics.generalized_forces(values, speeds, accelerations)
    found = mechanics.kinematics(values, [*(body.soles[side].heel.body for side in SIDES), PELVIS])
    jacobian = found.jacobian[..., free]
    to_wrench = root_to_wrench(mechanics.names, values, found.jacobian[:, -1])
    parts, slopes = {}, {}
    for s, side in enumerate(SIDES):
        for part in PARTS:
            station: Station = getattr(body.soles[side], part)
            arm = found.rotation[:, s] @ np.array(station.location_m)
            parts[side, part] = found.origin_m[:, s] + arm
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
    """How firmly a part stands, (N,), 0 to 1."""
    return np.asarray(getattr(support, f"{part}_down"))


def residuals(
    mechanics: Mechanics,
    moment: BodyMoment,
    motion: PeriodicMotion,
    force: np.ndarray,
    support: Mapping[Side, Support],
    holds: Mapping[Side, Foothold],
    free: Sequence[int],
) -> Iterator[Rows]:
    """Everything that is wrong with a motion; `force` is Plan's."""
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
    """Where a part is from where it should stand, (N, 3): forward, above the floor, to the right."""
    x_m, z_m = getattr(hold, f"{part}_m")
    wanted = np.column_stack([x_m + support.stride * stride_m, np.zeros(len(PHASES)), np.full(len(PHASES), z_m)])
    return np.asarray(moment.parts_m[side, part] - wanted)


def _planted_part(
    moment: BodyMoment, support: Support, side: Side, part: str, hold: Foothold, stride_m: float, column: int
) -> Iterator[Rows]:
    """How far a part is from its foothold, and above or below the floor."""
    slopes = moment.part_slopes[side, part]
    off = from_foothold_m(moment, support, side, part, hold, stride_m)
    weight = down(support, part) / SLIP_SD_M
    for axis, number in ((0, 0), (2, 1)):
        by_foothold = np.zeros((len(PHASES), 4 * len(SIDES)))
        by_foothold[:, column + number] = -weight
        yield Rows(
            value=weight * off[:, axis],
            by_value=weight[:, None] * slopes[:, axis],
            by_foothold=by_foothold,
        )
    yield Rows(value=weight * off[:, 1], by_value=weight[:, None] * slopes[:, 1])


def _clearance(moment: BodyMoment, support: Support, side: Side, part: str) -> Rows:
    """A part in the air that is too near to the floor."""
    height = moment.parts_m[side, part][:, 1]
    low = (height < CLEARANCE_M) & (support.load == 0)
    weight = low / CLEARANCE_SD_M
    return Rows(value=weight * (height - CLEARANCE_M), by_value=weight[:, None] * moment.part_slopes[side, part][:, 1])


def _balance(
    moment: BodyMoment, stride_m: float, support: Mapping[Side, Support], holds: Mapping[Side, Foothold]
) -> Iterator[Rows]:
    """The centre of pressure of the dynamics against the planned one, and the free moment about the vertical.

    The slopes leave out what only speeds change: a small part, and the next round sees it.
    """
    wrench, per_acceleration = moment.wrench, moment.per_acceleration
    force, up = wrench[:, 3:], wrench[:, [4]]
    # Momentum by speed is mass times the mass centre's way: force times that way is what the force's arm gains.
    shift = per_acceleration[:, 3:] / moment.mass_kg
    turned = cross_matrix(-force) @ shift
    actual, off = centre_of_pressure(wrench), pressure_off_m(moment, stride_m, support, holds)
    for axis, row, sign in ((0, 2, 1.0), (1, 0, -1.0)):
        weight = sign / up / PRESSURE_SD_M
        yield Rows(
            value=off[:, axis] / PRESSURE_SD_M,
            by_foothold=-_pressure_by_foothold(support, axis) / PRESSURE_SD_M,
            by_value=weight * turned[:, row],
            by_acceleration=weight * (per_acceleration[:, row] - sign * actual[:, [axis]] * per_acceleration[:, 4]),
        )
    pressure = _planned_pressure_m(stride_m, support, holds)
    feet = settled(wrench, {side: Foot(pressure_m=pressure[side], load=support[side].load) for side in SIDES})
    yaw = free_moment_nm(wrench, feet, foot_forces_n(wrench, feet, moment.mass_centre_m))
    # Feet push nearly towards the mass centre: about it, what turns the body is the free moment and little else.
    own = per_acceleration[:, 1] - (cross_matrix(moment.mass_centre_m) @ per_acceleration[:, 3:])[:, 1]
    yield Rows(value=yaw / YAW_SD_NM, by_value=np.zeros_like(own), by_acceleration=own / YAW_SD_NM)


def pressure_off_m(
    moment: BodyMoment, stride_m: float, support: Mapping[Side, Support], holds: Mapping[Side, Foothold]
) -> np.ndarray:
    """Where the dynamics put the centre of pressure less where it was planned, (N, 2): x and z."""
    pressure = _planned_pressure_m(stride_m, support, holds)
    planned = sum(np.nan_to_num(pressure[side]) * support[side].load[:, None] for side in SIDES)
    return np.asarray(centre_of_pressure(moment.wrench) - planned)


def _planned_pressure_m(
    stride_m: float, support: Mapping[Side, Support], holds: Mapping[Side, Foothold]
) -> dict[Side, np.ndarray]:
    return {side: holds[side].pressure_m(support[side], stride_m, side) for side in SIDES}


def _force(moment: BodyMoment, terms: np.ndarray) -> Iterator[Rows]:
    """The ground's whole force against the wished one."""
    weight_n = moment.mass_kg * GRAVITY_M_S2
    wished = derivative_basis(PHASES, (len(terms) - 1) // 2, 0) @ terms
    for axis in range(3):
        slope = moment.per_acceleration[:, 3 + axis] / (weight_n * FORCE_SD)
        yield Rows(
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


def _limits(mechanics: Mechanics, moment: BodyMoment, free: Sequence[int]) -> Iterator[Rows]:
    """Coordinates beyond their range, or nearly."""
    for f, column in enumerate(free):
        low, high = joint_ranges().get(mechanics.names[column], (-np.inf, np.inf))
        value = moment.values[:, column]
        beyond = value - np.clip(value, low + MARGIN_RAD, high - MARGIN_RAD)
        if beyond.any():
            slope = np.zeros((len(value), len(free)))
            slope[:, f] = (beyond != 0) / LIMIT_SD_RAD
            yield Rows(value=beyond / LIMIT_SD_RAD, by_value=slope)
