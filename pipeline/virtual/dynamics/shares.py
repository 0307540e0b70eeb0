"""The ground's wrench on the body, split between the feet in double support.

A wrench is moment (N·m, about the ground frame's origin) then force (N), on the body. Shapes: P phases.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.records import SIDES, Side
from pipeline.virtual.dynamics.ground_wrench import floor_pressure_m

# Largest part of the lighter foot's load that may pass to or from the other foot.
MAX_PASSED = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class FootShare:
    """A foot's centre of pressure (P, 2), x and z in metres, NaN in the air; its share of the vertical force (P,)."""

    pressure_m: np.ndarray
    load: np.ndarray

    @property
    def carried_m(self) -> np.ndarray:
        """The foot's part of the whole centre of pressure, (P, 2)."""
        return np.asarray(np.nan_to_num(self.pressure_m) * self.load[:, None])


def settled(wrench: np.ndarray, planned: Mapping[Side, FootShare]) -> dict[Side, FootShare]:
    """The planned feet, changed so that together they carry the wrench exactly.

    In double support some load passes from one foot to the other, which moves the whole centre of pressure along the
    line between them. The rest of the difference moves both feet's centres of pressure.
    """
    right, left = planned["right"], planned["left"]
    off = _off(wrench, planned)
    between = np.nan_to_num(right.pressure_m - left.pressure_m)
    apart = np.maximum((between**2).sum(axis=1), np.finfo(float).tiny)
    most = np.maximum(MAX_PASSED * np.minimum(right.load, left.load), np.finfo(float).tiny)
    passing = most * np.tanh((off * between).sum(axis=1) / apart / most)
    shared: dict[Side, FootShare] = {
        "right": replace(right, load=right.load + passing),
        "left": replace(left, load=left.load - passing),
    }
    off = _off(wrench, shared)
    return {side: replace(shared[side], pressure_m=shared[side].pressure_m + off) for side in SIDES}


def foot_forces_n(
    wrench: np.ndarray, feet: Mapping[Side, FootShare], mass_centre_m: np.ndarray
) -> dict[Side, np.ndarray]:
    """Each foot's force (P, 3); they add up to the wrench's.

    The vertical force is divided by the loads. Horizontally each foot pushes towards a point above the mass centre, as
    walkers' feet nearly do (Maus et al. 2010, Nat Commun 1:70), so that the trailing foot drives and the leading one
    brakes. The height of that point is fitted to this walker's single support. What is missing of the whole force is
    divided by the loads too.
    """
    towards = {}
    for side, foot in feet.items():
        lean = (mass_centre_m[:, [0, 2]] - np.nan_to_num(foot.pressure_m)) / mass_centre_m[:, [1]]
        towards[side] = lean * (foot.load * wrench[:, 4])[:, None]
    horizontal = wrench[:, [3, 5]]
    alone = np.minimum(*(foot.load for foot in feet.values())) == 0
    leaning = _proportion(horizontal[alone], sum(towards.values())[alone])
    lacking = horizontal - leaning * sum(towards.values())
    forces_n = {}
    for side, foot in feet.items():
        along = leaning * towards[side] + foot.load[:, None] * lacking
        forces_n[side] = np.column_stack([along[:, 0], foot.load * wrench[:, 4], along[:, 1]])
    return forces_n


def _proportion(of: np.ndarray, to: np.ndarray) -> np.ndarray:
    """The best factor between two signals (P, 2), by column, (2,); 1 where `to` is zero throughout."""
    size = (to**2).sum(axis=0)
    return np.where(size > 0, (of * to).sum(axis=0) / np.where(size > 0, size, 1.0), 1.0)


def free_moment_nm(
    wrench: np.ndarray, feet: Mapping[Side, FootShare], forces_n: Mapping[Side, np.ndarray]
) -> np.ndarray:
    """The moment about the vertical, less that of the feet's forces at their centres of pressure, (P,)."""
    left = wrench[:, 1].copy()
    for side, foot in feet.items():
        place, force = np.nan_to_num(foot.pressure_m), forces_n[side]
        left -= place[:, 1] * force[:, 0] - place[:, 0] * force[:, 2]
    return left


def _off(wrench: np.ndarray, feet: Mapping[Side, FootShare]) -> np.ndarray:
    return np.asarray(floor_pressure_m(wrench) - sum(foot.carried_m for foot in feet.values()))
