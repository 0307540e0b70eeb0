"""One trial of a possible motion: coordinates, markers, ground reactions and moments, sampled as instruments do."""

from collections.abc import Mapping

import numpy as np

from pipeline.osim.models.mechanics import Mechanics
from pipeline.records import SIDES, Coordinates, GeneralizedForces, Side
from pipeline.virtual.dynamics.ground_wrench import ground_wrench
from pipeline.virtual.dynamics.planted import Planted
from pipeline.virtual.dynamics.shares import FootShare, foot_forces_n, free_moment_nm, settled
from pipeline.virtual.gait.footfalls import Footing
from pipeline.virtual.gait.harmonics import at_phases
from pipeline.virtual.person.body import Body
from pipeline.virtual.records import ANALOG_RATE_HZ, MARKER_RATE_HZ, FootContact, FootLoad, Performance

# One cycle of a motion of few harmonics is known wholly from this many phases; between them by its Fourier series.
FINE = 96


def perform(
    body: Body, planted: Planted, footing: Footing, phase: np.ndarray, contacts: tuple[FootContact, ...]
) -> Performance:
    """The performance over these phases (T,), one a marker frame."""
    values, speeds, accelerations = planted.motion.at(phase)
    mechanics = body.mechanics
    load = _load(body, planted, footing, _analog_phase(phase))
    needed = mechanics.generalized_forces(values, speeds, accelerations)
    time_s, names = np.arange(len(phase)) / MARKER_RATE_HZ, mechanics.names
    rotational = np.array([coordinate.rotational for coordinate in mechanics.coordinates])
    return Performance(
        coordinates=Coordinates(time_s=time_s, names=names, rotational=rotational, values=values),
        speeds=speeds,
        accelerations=accelerations,
        moments=GeneralizedForces(
            time_s=time_s, names=names, rotational=rotational, values=needed - _given(body, values, load)
        ),
        marker_names=tuple(body.markers),
        markers_m=_markers_m(body, planted, phase),
        load=load,
        contacts=contacts,
    )


def last_sample_s(frames: int) -> float:
    """When the last analog sample of so many marker frames is taken: the recording's end."""
    return frames / MARKER_RATE_HZ - 1 / ANALOG_RATE_HZ


def _analog_phase(phase: np.ndarray) -> np.ndarray:
    """Phases of the analog samples: a whole number to a frame, the last frame's too."""
    ratio = round(ANALOG_RATE_HZ / MARKER_RATE_HZ)
    step = (phase[-1] - phase[0]) / (len(phase) - 1) / ratio
    return np.asarray(phase[0] + step * np.arange(len(phase) * ratio))


def _load(body: Body, planted: Planted, footing: Footing, phase: np.ndarray) -> dict[Side, FootLoad]:
    """Each foot's ground reaction at these phases."""
    wrench, mass_centre_m = _over_one_cycle(body.mechanics, planted, phase)
    support = footing.support(phase)
    motion = planted.motion
    feet = settled(
        wrench,
        {
            side: FootShare(
                pressure_m=planted.footholds[side].pressure_m(support[side], motion.stride_m, side),
                load=support[side].load,
            )
            for side in SIDES
        },
    )
    forces_n = foot_forces_n(wrench, feet, mass_centre_m)
    turning_nm = free_moment_nm(wrench, feet, forces_n)
    return {side: _foot_load(forces_n[side], feet[side], turning_nm) for side in SIDES}


def _foot_load(force_n: np.ndarray, foot: FootShare, turning_nm: np.ndarray) -> FootLoad:
    cop = np.column_stack([foot.pressure_m[:, 0], np.zeros(len(force_n)), foot.pressure_m[:, 1]])
    return FootLoad(
        force_n=force_n,
        cop_m=np.where(foot.load[:, None] > 0, cop, np.nan),
        free_moment_nm=turning_nm * foot.load,
    )


def _over_one_cycle(mechanics: Mechanics, planted: Planted, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The ground's wrench (P, 6) about the origin and the mass centre (P, 3), from those of one cycle.

    The next cycle is the same, a stride farther on.
    """
    motion = planted.motion
    fine = np.arange(FINE) / FINE
    values, speeds, accelerations = motion.at(fine)
    wrench = ground_wrench(mechanics, values, mechanics.generalized_forces(values, speeds, accelerations))
    centre = mechanics.mass_centre_m(values)
    # About a point that travels with the body, which makes the wrench periodic.
    gone = motion.stride_m * fine
    wrench[:, 2] -= gone * wrench[:, 4]
    wrench[:, 1] += gone * wrench[:, 5]
    centre[:, 0] -= gone
    wrench, centre = at_phases(wrench, phase), at_phases(centre, phase)
    gone = motion.stride_m * phase
    wrench[:, 2] += gone * wrench[:, 4]
    wrench[:, 1] -= gone * wrench[:, 5]
    centre[:, 0] += gone
    return wrench, centre


def _given(body: Body, values: np.ndarray, load: Mapping[Side, FootLoad]) -> np.ndarray:
    """Generalized forces (T, Q) of the ground on both feet, at the marker frames."""
    ratio = round(ANALOG_RATE_HZ / MARKER_RATE_HZ)
    total = np.zeros_like(values)
    for side in SIDES:
        foot = load[side]
        at = np.flatnonzero(foot.force_n[::ratio, 1] > 0)
        turning = np.zeros((len(at), 3))
        turning[:, 1] = foot.free_moment_nm[::ratio][at]
        total[at] += body.mechanics.wrench_forces(
            values[at], body.soles[side].heel.body, foot.force_n[::ratio][at], turning, foot.cop_m[::ratio][at]
        )
    return total


def _markers_m(body: Body, planted: Planted, phase: np.ndarray) -> np.ndarray:
    fine = np.arange(FINE) / FINE
    values, _, _ = planted.motion.at(fine)
    places = body.mechanics.positions_m(values, list(body.markers.values()))
    places[..., 0] -= planted.motion.stride_m * fine[:, None]
    markers_m = at_phases(places, phase)
    markers_m[..., 0] += planted.motion.stride_m * phase[:, None]
    return markers_m
