"""Inverse dynamics of a motion in process: positions, speeds and accelerations of one spline, one pass over the frames.

Shapes: T frames, Q coordinates in the model's order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import opensim as osim
from scipy.interpolate import CubicSpline

from pipeline.errors import TrialRejected
from pipeline.osim.files import write_storage
from pipeline.osim.models.mechanics import generalized_forces
from pipeline.osim.models.poses import BodyKinematics
from pipeline.osim.models.shared_model import SharedModel
from pipeline.osim.motion import natural_spline
from pipeline.records import Coordinates, FootWrench, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Motion:
    """values, speeds and accelerations, (T, Q) each."""

    values: np.ndarray
    speeds: np.ndarray
    accelerations: np.ndarray


def differentiated(shared: SharedModel, coordinates: Coordinates, lowpass_hz: float | None, directory: Path) -> Motion:
    """The motion on its natural quintic spline, filtered by OpenSim's own filter first if a cut-off is given."""
    time_s = coordinates.time_s
    values = coordinates.values[:, [coordinates.names.index(name) for name in shared.names]]
    if lowpass_hz is None:
        spline = natural_spline(time_s, values)
    else:
        spline = natural_spline(*_low_passed(shared.names, time_s, values, lowpass_hz, directory))
    return Motion(
        values=spline(time_s),
        speeds=spline.derivative(1)(time_s),
        accelerations=spline.derivative(2)(time_s),
    )


def _low_passed(
    names: Sequence[str], time_s: np.ndarray, values: np.ndarray, lowpass_hz: float, directory: Path
) -> tuple[np.ndarray, np.ndarray]:
    """What OpenSim's tools make of `lowpass_hz`: mirrored at both ends by half the record, then filtered."""
    path = directory / "unfiltered.sto"
    write_storage(path, names, time_s, values)
    storage = osim.Storage(str(path))
    storage.pad(storage.getSize() // 2)
    storage.lowpassIIR(float(lowpass_hz))
    times, column = osim.ArrayDouble(), osim.ArrayDouble()
    storage.getTimeColumn(times)
    filtered = np.empty((times.getSize(), len(names)))
    for i in range(len(names)):
        storage.getDataColumn(i, column)
        filtered[:, i] = [column.get(t) for t in range(column.getSize())]
    return np.array([times.get(t) for t in range(times.getSize())]), filtered


def moments_of(
    shared: SharedModel,
    motion: Motion,
    wrenches: Sequence[FootWrench],
    foot_bodies: Mapping[Side, str],
    time_s: np.ndarray,
) -> np.ndarray:
    """Net generalized forces (T, Q) that the motion asks for beside gravity, the ground and the model's passive forces.

    Muscles and actuators give none here. TrialRejected("inverse_dynamics", …) if the model lacks a foot's body.
    """
    poses, forces = shared.poses, shared.model.getForceSet()
    feet = _feet(shared, wrenches, foot_bodies)
    driven = [forces.get(i) for i in range(forces.getSize()) if osim.ScalarActuator.safeDownCast(forces.get(i))]
    switched_on = [force for force in driven if force.appliesForce(poses.state)]
    for force in switched_on:
        force.setAppliesForce(poses.state, False)
    try:
        solver, reading = osim.InverseDynamicsSolver(shared.model), poses.reading(feet, len(time_s))
        meanwhile = (reading.take,) if feet else ()
        moments = generalized_forces(poses, solver, motion.values, motion.speeds, motion.accelerations, *meanwhile)
    finally:
        for force in switched_on:
            force.setAppliesForce(poses.state, True)
    if feet:
        moments -= _ground_forces(reading.kinematics(), wrenches, time_s)
    return moments


def _feet(shared: SharedModel, wrenches: Sequence[FootWrench], foot_bodies: Mapping[Side, str]) -> list[str]:
    """The body that each wrench acts on. TrialRejected if the model lacks one."""
    feet = [foot_bodies[wrench.side] for wrench in wrenches]
    missing = sorted(set(feet) - set(shared.summary.body_mass_kg))
    if missing:
        raise TrialRejected(
            "inverse_dynamics",
            f"model {shared.summary.name} has no body {', '.join(missing)} for the ground to push; see the recipe.",
        )
    return feet


def _ground_forces(feet: BodyKinematics, wrenches: Sequence[FootWrench], time_s: np.ndarray) -> np.ndarray:
    """Generalized forces (T, Q) of the ground on the feet; a cubic spline between samples, as the tools have it."""
    forces = np.zeros((len(time_s), feet.jacobian.shape[-1]))
    for b, wrench in enumerate(wrenches):
        force, moment = (_sampled(wrench.time_s, each, time_s) for each in (wrench.force_n, wrench.moment_nm))
        about_origin = moment + np.cross(wrench.point_m - feet.origin_m[:, b], force)
        forces += np.einsum("tij,ti->tj", feet.jacobian[:, b], np.hstack([about_origin, force]))
    return forces


def _sampled(from_s: np.ndarray, values: np.ndarray, at_s: np.ndarray) -> np.ndarray:
    if len(from_s) == len(at_s) and np.array_equal(from_s, at_s):
        return values
    return CubicSpline(from_s, values, bc_type="natural")(at_s)
