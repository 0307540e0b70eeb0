"""Where the hip's centre lies in the pelvis: by regressions, by the walk itself, and by the model. Metres.

The pelvis' frame is the markers' own: origin midway between the anterior iliac spines, x forward from between the
posterior ones, z to the right. Shapes: T frames, M markers.
"""

from collections.abc import Mapping

import numpy as np

from pipeline.records import Markers, Side
from pipeline.session.profile import Pelvis

SIGN: Mapping[Side, float] = {"right": 1.0, "left": -1.0}


def pelvis_frames(markers: Markers, pelvis: Pelvis) -> tuple[np.ndarray, np.ndarray, float, float]:
    """Rotations (T, 3, 3) to ground, origins (T, 3), mean depth and width between the spines."""
    right, left = markers.marker(pelvis.right_anterior), markers.marker(pelvis.left_anterior)
    middle = (right + left) / 2
    behind = np.mean([markers.marker(label) for label in pelvis.posterior if label in markers.labels], axis=0)
    z, forward = right - left, middle - behind
    width, depth = (float(np.nanmean(np.linalg.norm(each, axis=1))) for each in (z, forward))
    z = z / np.linalg.norm(z, axis=1, keepdims=True)
    x = forward - z * np.sum(forward * z, axis=1, keepdims=True)
    x = x / np.linalg.norm(x, axis=1, keepdims=True)
    return np.stack([x, np.cross(z, x), z], axis=-1), middle, depth, width


def harrington_m(side: Side, depth_m: float, width_m: float) -> np.ndarray:
    """Harrington et al. 2007 (J Biomech 40:595), by pelvic depth and width."""
    return np.array([-0.24 * depth_m - 0.0099, -0.30 * width_m - 0.0109, SIGN[side] * (0.33 * width_m + 0.0073)])


def hara_m(side: Side, leg_m: float) -> np.ndarray:
    """Hara et al. 2016 (Sci Rep 6:37707), by leg length from the anterior spine to the medial malleolus."""
    return np.array([0.011 - 0.063 * leg_m, -0.009 - 0.078 * leg_m, SIGN[side] * (0.008 + 0.086 * leg_m)])


def rigid_poses(places: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations (T, 3, 3) and origins (T, 3) of a segment from its markers (T, M, 3), by least squares.

    Söderkvist & Wedin 1993 (J Biomech 26:1473), against the markers' mean shape after two rounds.
    """
    shape = places[len(places) // 2] - places[len(places) // 2].mean(axis=0)
    for _ in range(2):
        centre = places.mean(axis=1)
        u, _, vt = np.linalg.svd(np.einsum("tmi,mj->tij", places - centre[:, None], shape))
        flip = np.ones((len(places), 3))
        flip[:, 2] = np.linalg.det(u @ vt)
        rotation = (u * flip[:, None, :]) @ vt
        shape = np.einsum("tij,tmi->mj", rotation, places - centre[:, None]) / len(places)
    return rotation, centre


def score_m(pelvis_places: np.ndarray, thigh_places: np.ndarray) -> np.ndarray:
    """The point that stays nearest to itself on both segments, in ground at each frame (T, 3), as the pelvis has it.

    Symmetrical centre of rotation estimation (Ehrig et al. 2006, J Biomech 39:2798).
    """
    (first, first_at), (second, second_at) = rigid_poses(pelvis_places), rigid_poses(thigh_places)
    system = np.concatenate([first, -second], axis=2).reshape(-1, 6)
    solution, *_ = np.linalg.lstsq(system, (second_at - first_at).reshape(-1), rcond=None)
    return np.einsum("tij,j->ti", first, solution[:3]) + first_at


def in_pelvis_m(points: np.ndarray, rotation: np.ndarray, origin: np.ndarray) -> np.ndarray:
    """A point's mean place (3,) in the pelvis' frame, of places (T, 3) in ground."""
    return np.asarray(np.nanmean(np.einsum("tji,tj->ti", rotation, points - origin), axis=0))
