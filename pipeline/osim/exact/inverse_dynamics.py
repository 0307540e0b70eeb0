"""Inverse dynamics of a motion: positions, speeds and accelerations of one spline, by Newton and Euler's laws.

Shapes: T frames, Q coordinates in the model's order.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import opensim as osim
from scipy.interpolate import CubicSpline

from pipeline.errors import TrialRejected
from pipeline.mechanics.bodies.newton_euler import generalized_forces
from pipeline.osim.asking.moments import all_forces, asked_moments
from pipeline.osim.asking.poses import Poses
from pipeline.osim.files import write_storage
from pipeline.osim.models.shared_model import SharedModel
from pipeline.osim.motion import natural_spline
from pipeline.records import Coordinates, FootWrench, Side
from pipeline.session.recipe import MechanicsLaw


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
    mechanics: MechanicsLaw,
) -> np.ndarray:
    """Net generalized forces (T, Q) that the motion asks for beside gravity, the ground and the model's passive forces.

    Muscles and actuators give none here. TrialRejected("inverse_dynamics", …) if the model lacks a foot's body.
    """
    skeleton = shared.skeleton
    external = [_about_origin(wrench, time_s) for wrench in wrenches]
    moments = generalized_forces(
        skeleton.tree,
        motion.values,
        motion.speeds,
        motion.accelerations,
        _feet(shared, wrenches, foot_bodies),
        np.stack(external, axis=1) if external else np.zeros((len(time_s), 0, 6)),
        mechanics == "opensim",
    )
    return moments + _passive(shared, motion)


def _feet(shared: SharedModel, wrenches: Sequence[FootWrench], foot_bodies: Mapping[Side, str]) -> np.ndarray:
    """The number of the body that each wrench acts on. TrialRejected if the model lacks one."""
    feet, bodies = [foot_bodies[wrench.side] for wrench in wrenches], shared.skeleton.bodies
    missing = sorted(set(feet) - set(bodies))
    if missing:
        raise TrialRejected(
            "inverse_dynamics",
            f"model {shared.summary.name} has no body {', '.join(missing)} for the ground to push; see the recipe.",
        )
    return np.array([bodies.index(foot) for foot in feet], dtype=np.int64)


def _about_origin(wrench: FootWrench, time_s: np.ndarray) -> np.ndarray:
    """A foot's wrench about the ground's origin, (T, 6); a cubic spline between samples, as the tools have it."""
    force, moment = (_sampled(wrench.time_s, each, time_s) for each in (wrench.force_n, wrench.moment_nm))
    return np.hstack([moment + np.cross(wrench.point_m, force), force])


def _passive(shared: SharedModel, motion: Motion) -> np.ndarray | float:
    """What the model's own springs, ligaments and limits give less, (T, Q): OpenSim is asked, if it has any."""
    every = all_forces(shared.model)
    driven = [force for force in every if osim.ScalarActuator.safeDownCast(force) is not None]
    if len(driven) == len(every):
        return 0.0
    poses, moved = Poses(shared.model), (motion.values, motion.speeds, motion.accelerations)
    return asked_moments(poses, *moved, without=driven) - asked_moments(poses, *moved, without=every)


def _sampled(from_s: np.ndarray, values: np.ndarray, at_s: np.ndarray) -> np.ndarray:
    if len(from_s) == len(at_s) and np.array_equal(from_s, at_s):
        return values
    return CubicSpline(from_s, values, bc_type="natural")(at_s)
