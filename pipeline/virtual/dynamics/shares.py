"""Who carries what in double support: the ground's wrench on the body, split between the feet.

A wrench is moment (N·m, about the ground frame's origin) then force (N), on the body. Shapes: P phases.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.records import SIDES, Side
from pipeline.virtual.dynamics.ground_wrench import centre_of_pressure

# Of the load on the foot that carries less.
MOST_PASSED = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Foot:
    """Where a foot presses, (P, 2), x and z in metres, NaN in the air; and its share of the vertical force, (P,)."""

    pressure_m: np.ndarray
    load: np.ndarray

    @property
    def carried_m(self) -> np.ndarray:
        """Its part of the whole's centre of pressure, (P, 2)."""
        return np.asarray(np.nan_to_num(self.pressure_m) * self.load[:, None])


def settled(wrench: np.ndarray, planned: Mapping[Side, Foot]) -> dict[Side, Foot]:
    """The feet as planned, but such that together they carry the wrench exactly.

    In double support a little of the load passes from foot to foot, which moves the whole's centre of pressure along
    the line between them, but never most of what the lighter one carries. What is left moves both feet's pressure.
    """
    right, left = planned["right"], planned["left"]
    off = _off(wrench, planned)
    between = np.nan_to_num(right.pressure_m - left.pressure_m)
    apart = np.maximum((between**2).sum(axis=1), np.finfo(float).tiny)
    most = np.maximum(MOST_PASSED * np.minimum(right.load, left.load), np.finfo(float).tiny)
    passing = most * np.tanh((off * between).sum(axis=1) / apart / most)
    shared: dict[Side, Foot] = {
        "right": replace(right, load=right.load + passing),
        "left": replace(left, load=left.load - passing),
    }
    off = _off(wrench, shared)
    return {side: replace(shared[side], pressure_m=shared[side].pressure_m + off) for side in SIDES}


def foot_forces_n(wrench: np.ndarray, feet: Mapping[Side, Foot], mass_centre_m: np.ndarray) -> dict[Side, np.ndarray]:
    """Each foot's force (P, 3); they add up to the wrench's.

    The vertical force goes by the loads. Each foot's horizontal force first points from its pressure to a place over
    the mass centre, as walkers' ground reactions nearly do (Maus et al. 2010, Nat Commun 1:70): so the trailing foot
    pushes and the leading one brakes. How far over it, this walker's own single support says. What the whole then
    lacks goes by the loads too.
    """
    towards = {}
    for side, foot in feet.items():
        lean = (mass_centre_m[:, [0, 2]] - np.nan_to_num(foot.pressure_m)) / mass_centre_m[:, [1]]
        towards[side] = lean * (foot.load * wrench[:, 4])[:, None]
    horizontal = wrench[:, [3, 5]]
    alone = np.minimum(*(foot.load for foot in feet.values())) == 0
    leaning = _proportion(horizontal[alone], sum(towards.values())[alone])
    lacking = horizontal - leaning * sum(towards.values())
    found = {}
    for side, foot in feet.items():
        along = leaning * towards[side] + foot.load[:, None] * lacking
        found[side] = np.column_stack([along[:, 0], foot.load * wrench[:, 4], along[:, 1]])
    return found


def _proportion(of: np.ndarray, to: np.ndarray) -> np.ndarray:
    """The factor of each column (P, 2) that fits best, (2,); 1 where nothing tells."""
    size = (to**2).sum(axis=0)
    return np.where(size > 0, (of * to).sum(axis=0) / np.where(size > 0, size, 1.0), 1.0)


def free_moment_nm(wrench: np.ndarray, feet: Mapping[Side, Foot], forces_n: Mapping[Side, np.ndarray]) -> np.ndarray:
    """What the forces at their centres of pressure leave of the moment about the vertical, (P,)."""
    left = wrench[:, 1].copy()
    for side, foot in feet.items():
        place, force = np.nan_to_num(foot.pressure_m), forces_n[side]
        left -= place[:, 1] * force[:, 0] - place[:, 0] * force[:, 2]
    return left


def _off(wrench: np.ndarray, feet: Mapping[Side, Foot]) -> np.ndarray:
    return np.asarray(centre_of_pressure(wrench) - sum(foot.carried_m for foot in feet.values()))
