"""Angles that no leg can have: beyond any joint's reach, infinite, or radians under a label of degrees.

T frames or points of a cycle, C = 10 angles in the order of `INPUT_COORDINATES`.
"""

from collections.abc import Mapping

import numpy as np

from warehouse.channels import INPUT_COORDINATES

# Degrees, flexion, adduction, internal rotation and dorsiflexion positive. Healthy men reach 120 ± 8 of hip flexion and
# 10 ± 5 of extension, 39 ± 7 of abduction and 31 ± 7 of adduction, 33 ± 8 of either rotation, 144 ± 7 of knee flexion,
# 15 ± 6 of dorsiflexion and 40 ± 7 of plantarflexion (Roaas & Andersson 1982, Acta Orthop Scand 53:205): the limits lie
# four of their SDs or more beyond, so that a zero off by 20 degrees passes and a number of another kind doesn't.
_REACH_DEG: Mapping[str, tuple[float, float]] = {
    "hip_flexion": (-60.0, 155.0),
    "hip_adduction": (-70.0, 65.0),
    "hip_rotation": (-90.0, 90.0),
    "knee_angle": (-40.0, 175.0),
    "ankle_angle": (-90.0, 65.0),
}
REACH_DEG = np.array([_REACH_DEG[name[:-2]] for name in INPUT_COORDINATES])
# A stride swings the hip by 30-45 degrees, a shuffle by 10 or more: these are 0.5-0.8 and 0.2 rad. No angle of a walk
# exceeds 2 rad, 115 degrees.
_LEAST_SWING_DEG, _MOST_RAD = 3.0, 2.0
_HIPS = [INPUT_COORDINATES.index(name) for name in ("hip_flexion_r", "hip_flexion_l")]


def impossible(angles_deg: np.ndarray) -> str:
    """What no walking leg does in angles (T, C), in a sentence without its subject; "" if there is nothing.

    NaN is not known, and no fault.
    """
    if np.isinf(angles_deg).any():
        frame, channel = np.argwhere(np.isinf(angles_deg))[0]
        return f"{INPUT_COORDINATES[channel]} is infinite at sample {frame}: correct it, or leave it out"
    with np.errstate(invalid="ignore"):
        beyond = (angles_deg < REACH_DEG[:, 0]) | (angles_deg > REACH_DEG[:, 1])
    if beyond.any():
        frame, channel = np.argwhere(beyond)[0]
        low, high = REACH_DEG[channel]
        return (
            f"{INPUT_COORDINATES[channel]} is {angles_deg[frame, channel]:.6g} degrees at sample {frame}, and no joint "
            f"goes beyond {low:g} to {high:g}: another unit, another sign (flexion is positive), or another column?"
        )
    known = np.isfinite(angles_deg)
    if known.any() and np.abs(angles_deg[known]).max() <= _MOST_RAD and not _swings(angles_deg):
        return (
            f"no angle exceeds {np.abs(angles_deg[known]).max():.3g} degrees, and the hips swing by less than "
            f"{_LEAST_SWING_DEG:g}: these are radians, or nobody walks. Convert them, or correct the label"
        )
    return ""


def _swings(angles_deg: np.ndarray) -> bool:
    hips = angles_deg[:, _HIPS]
    known = hips[np.isfinite(hips).all(axis=1)]
    return len(known) == 0 or bool((np.ptp(known, axis=0) >= _LEAST_SWING_DEG).any())


def impossible_cycles(where: str, cycles_deg: np.ndarray) -> str:
    """The same of cycles (N, T, C), with the first wrong one's number after `where`, and how many are wrong."""
    first, count = "", 0
    for number, cycle in enumerate(cycles_deg):
        if fault := impossible(cycle):
            first, count = first or f"cycle {number}: {fault}", count + 1
    return first and f"{where}: {count} of {len(cycles_deg)} cycles can't be a walk's. {first}."
