"""OpenSim's walking_3d: its ground reactions, and its markers filtered as the chain filters them."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from pipeline.osim.files import read_storage
from pipeline.records import FootWrench, Markers
from pipeline.signals import low_pass

FEET = {"right": "calcn_r", "left": "calcn_l"}
START_S, END_S = 0.45, 1.79


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
