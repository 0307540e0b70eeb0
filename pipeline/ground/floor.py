"""The floor under the feet: how it moves (a treadmill's belt), and which foot is on it when.

Everything here is in the ground frame. Shapes: T marker frames.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.records import SIDES, ForcePlate, Markers, Side
from pipeline.session.profile import FootLabels, Profile, foot_of
from pipeline.session.recipe import GroundReactionSettings

# The toes reach beyond the second metatarsal's head by about this share of its distance from the heel.
TOE_OVERHANG = 0.35
# Half a foot's breadth at the ball, as a share of the same distance: breadth over length is 0.377 in men and women of
# ANSUR II (Gordon et al. 2014), and the foot is 1 + TOE_OVERHANG long.
HALF_BREADTH = 0.254
# Plates of one floor have gaps of some millimetres: a sole over one bears on both.
GAP_M = 0.01
# Feet that swing low, or roll, are left out of the floor's velocity step by step.
_NARROWER_M_S = (1.0, 0.5, 0.25, 0.15, 0.15, 0.15)
_GROUND = [0, 2]


def belt_velocity_m_s(markers: Markers, profile: Profile, settings: GroundReactionSettings) -> np.ndarray:
    """The velocity (3,) of the floor: that of the feet while they are low; zero if slower than a belt runs.

    A foot that bears weight doesn't slip, and heels and toes are low in stance longer than in swing: in most low
    frames they move as the floor does. Zero, too, if no foot is seen.
    """
    found = []
    for side in SIDES:
        for place, velocity in _ends(markers, foot_of(profile, side)):
            low = place[:, 1] < np.nanmin(place[:, 1]) + settings.on_floor_height_m
            found.append(velocity[low & np.isfinite(velocity).all(axis=1)])
    moving = np.concatenate([*found, np.empty((0, 3))])
    if not len(moving):
        return np.zeros(3)
    velocity = np.zeros(3)
    # Then over those frames alone that are near the median, until that stands still.
    for near_m_s in (np.inf, *_NARROWER_M_S):
        near = moving[np.linalg.norm(moving - velocity, axis=1) < near_m_s]
        velocity = (np.median(near, axis=0) if len(near) else velocity) * np.array([1.0, 0.0, 1.0])
    return velocity if np.linalg.norm(velocity) > settings.min_belt_speed_m_s else np.zeros(3)


def on_floor(
    markers: Markers, profile: Profile, side: Side, settings: GroundReactionSettings, belt_m_s: np.ndarray
) -> np.ndarray:
    """Whether the heel or the toe of a foot is low, and slow against the floor, (T,) boolean."""
    down = np.zeros(len(markers.time_s), dtype=bool)
    for place, velocity in _ends(markers, foot_of(profile, side)):
        low = place[:, 1] < np.nanmin(place[:, 1]) + settings.on_floor_height_m
        down |= low & (np.linalg.norm(velocity - belt_m_s, axis=1) < settings.on_floor_speed_m_s)
    return down


def foot_outline_m(heel_m: np.ndarray, toe_m: np.ndarray) -> np.ndarray:
    """The sole's heel, toes' tip and both sides of the ball, (4, 3), from the markers at heel and toe, (3,) each."""
    axis = (toe_m - heel_m) * np.array([1.0, 0.0, 1.0])
    across = HALF_BREADTH * np.array([-axis[2], 0.0, axis[0]])
    return np.stack([heel_m, heel_m + axis * (1 + TOE_OVERHANG), toe_m + across, toe_m - across])


def foot_beyond_m(heel_m: np.ndarray, toe_m: np.ndarray, plates: Sequence[ForcePlate]) -> tuple[float, int]:
    """How far a sole, markers at heel and toe (3,) each, reaches over the edge of plates that lie side by side, metres.

    Zero if it is wholly on them. And the number of the plate that is nearest to the foot.
    """
    outline = foot_outline_m(heel_m, toe_m)
    inside = np.stack([distance_to_edge_m(outline, plate.corners_m) for plate in plates])
    beyond_m = -float(inside.max(axis=0).min())
    nearest = plates[int(inside.mean(axis=1).argmax())].number
    return (beyond_m if beyond_m > GAP_M else 0.0), nearest


def distance_to_foot_m(points_m: np.ndarray, heel_m: np.ndarray, toe_m: np.ndarray) -> np.ndarray:
    """Horizontal distance (T,) from points (T, 3) to the foot's axis, heel to the toes' tips; NaN where unseen."""
    heel, point = heel_m[:, _GROUND], points_m[:, _GROUND]
    axis = (toe_m[:, _GROUND] - heel) * (1 + TOE_OVERHANG)
    along = np.sum((point - heel) * axis, axis=1) / np.sum(axis * axis, axis=1)
    nearest = heel + np.clip(along, 0, 1)[:, None] * axis
    return np.linalg.norm(point - nearest, axis=1)


def distance_to_edge_m(points_m: np.ndarray, corners_m: np.ndarray) -> np.ndarray:
    """Horizontal distance (T,) from points (T, 3) inwards to the nearest edge of a plate; negative outside it."""
    corners = corners_m[:, _GROUND]
    centre = corners.mean(axis=0)
    distances = []
    for index in range(4):
        start, stop = corners[index], corners[(index + 1) % 4]
        edge = (stop - start) / np.linalg.norm(stop - start)
        inward = np.array([-edge[1], edge[0]])
        inward = inward * np.sign((centre - start) @ inward)
        distances.append((points_m[:, _GROUND] - start) @ inward)
    return np.min(distances, axis=0)


def _ends(markers: Markers, foot: FootLabels) -> list[tuple[np.ndarray, np.ndarray]]:
    """Places and velocities (T, 3) of a foot's heel and toe, of those that are seen at all."""
    places = [markers.middle(labels) for labels in (foot.heel, foot.toe)]
    return [
        (place, np.gradient(place, 1 / markers.rate_hz, axis=0)) for place in places if np.isfinite(place[:, 1]).any()
    ]
