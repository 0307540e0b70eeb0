"""OpenSim's walking_3d: its ground reactions, its markers filtered as the chain filters them, and how it was walked."""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.osim.engines import load_engine
from pipeline.osim.files import read_storage
from pipeline.records import Coordinates, FootWrench, GeneralizedForces, KinematicsResult, Markers
from pipeline.signals import low_pass
from tests.pipeline.osim.settings import ik_settings

FEET = {"right": "calcn_r", "left": "calcn_l"}
START_S, END_S = 0.45, 1.79
# OpenSim's path over two surfaces starts from places that it has kept of its first iteration; gaslat's is then up to
# 7 mm short.
CUT_SHORT = ("gaslat_r", "gaslat_l")
# All its muscles whose paths it iterates, until their angle to the surfaces is within 0.1 degrees.
ITERATED = (*CUT_SHORT, "gasmed_r", "gasmed_l")


@dataclass(frozen=True)
class Walk:
    """What the markers say by engine `exact`: its moments are as OpenSim computes them."""

    model: Path
    markers: Markers
    weights: dict[str, float]
    found: KinematicsResult
    motion: Coordinates
    wrenches: tuple[FootWrench, FootWrench]
    moments: GeneralizedForces


def solved_walk(folder: Path, whole: Markers, weights: dict[str, float], directory: Path) -> Walk:
    """The walk of the markers in `folder`."""
    exact, model, markers = load_engine("exact"), folder / "subject_walk_scaled.osim", smooth_markers(whole)
    found = exact.inverse_kinematics(
        model, markers, marker_weights=weights, settings=ik_settings(1e-9), directory=directory
    )
    motion = replace(found.coordinates, values=low_pass(found.coordinates.values, markers.rate_hz, 15.0))
    wrenches = (wrench(folder, "right"), wrench(folder, "left"))
    moments = exact.inverse_dynamics(
        model, motion, wrenches, foot_bodies=FEET, mechanics="opensim", directory=directory
    )
    return Walk(
        model=model,
        markers=markers,
        weights=weights,
        found=found,
        motion=motion,
        wrenches=wrenches,
        moments=moments,
    )


def smooth_markers(whole: Markers) -> Markers:
    """The walk's markers, low-passed at 6 Hz before they are cut to the frames with ground reactions."""
    smooth = low_pass(whole.positions_m.reshape(len(whole.time_s), -1), whole.rate_hz, 6.0)
    window = (whole.time_s > START_S - 1e-6) & (whole.time_s < END_S + 1e-6)
    return replace(whole, time_s=whole.time_s[window], positions_m=smooth.reshape(whole.positions_m.shape)[window])


def wrench(folder: Path, side: str) -> FootWrench:
    columns, time_s, values, _ = read_storage(folder / "grf_walk.mot")
    letter = side[0]
    force, point, torque = (
        values[:, [columns.index(f"{quantity}{axis}") for axis in "xyz"]]
        for quantity in (f"ground_force_{letter}_v", f"ground_force_{letter}_p", f"ground_torque_{letter}_")
    )
    return on_the_floor(side, time_s, force, point, torque)


def plate_wrench(file: Path, plate: int, side: str) -> FootWrench:
    """What one plate of the adults' reference measured, called a foot's: engines ask no more."""
    columns, time_s, values, _ = read_storage(file)
    force, point, torque = (
        values[:, [columns.index(f"ground_force_{plate}_{quantity}{axis}") for axis in "xyz"]] for quantity in "vpm"
    )
    return on_the_floor(side, time_s, force, point, torque)


def on_the_floor(side: str, time_s: np.ndarray, force: np.ndarray, point: np.ndarray, torque: np.ndarray) -> FootWrench:
    """A force at points of the floor (T, 3), with a torque, as a wrench about the origin."""
    return FootWrench(
        side=side,
        time_s=time_s,
        point_m=np.zeros(3),
        force_n=force,
        moment_nm=torque + np.cross(point, force),
        cop_m=point,
        free_moment_nm=torque[:, 1],
        known=np.ones(len(time_s), dtype=bool),
        reason=np.full(len(time_s), ""),
    )
