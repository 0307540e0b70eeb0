"""On which body a marker is that no name tells: the one in whose frame it keeps its place.

Shapes: T frames, K points.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.landmarks.recognise import Place

# A marker belongs to a body in whose frame it moves by less than this, root mean square, in a walk: skin over a thigh
# moves it by 10 to 20 mm (Leardini et al. 2005, Gait Posture 21:212)...
RIGID_M = 0.02
# ... where it moves so many times as much in any other's, of those within reach.
CLEARLY = 1.5
# A body within reach has a marker no farther off than so many times the nearest of all.
REACH = 2.0
# A frame that says something shows the marker and the body; a motion that does so bends legs by so much, root mean
# square of the distance from pelvis to foot.
FEWEST_FRAMES = 20
LEAST_MOTION_M = 0.015
# Over a joint's axis, a landmark keeps its place on both of the joint's bodies, nearly.
_ON_AXES = {
    "lateral_femoral_epicondyle": "tibia",
    "medial_femoral_epicondyle": "tibia",
    "lateral_malleolus": "calcn",
    "medial_malleolus": "calcn",
}
_BODIES = ("pelvis", "femur_r", "femur_l", "tibia_r", "tibia_l", "calcn_r", "calcn_l", "torso")


def bodies_by_motion(
    paths_m: Mapping[str, np.ndarray], known: Mapping[str, Place], unknown: Sequence[str]
) -> dict[str, str]:
    """The body of each of these labels that the motion tells, of `paths_m` (T, 3), NaN where a marker isn't seen.

    A label is left out where no body holds it, or more than one does; standing tells nothing.
    """
    points = _points(paths_m, known)
    if not _bends(points):
        return {}
    others = np.stack([paths_m[label] for label in known if label in paths_m], axis=1)
    found = {}
    for label in unknown:
        if label in paths_m:
            reach_m = REACH * _nearest_m(paths_m[label], others)
            moved = {body: _moved_m(paths_m[label], on_it, reach_m) for body, on_it in points.items()}
            told = sorted((value, body) for body, value in moved.items() if np.isfinite(value))
            # What stays with the trunk may be the head's, or the arms'.
            legs = told and told[0][1] != "torso"
            if legs and told[0][0] < RIGID_M and (len(told) == 1 or told[1][0] > CLEARLY * told[0][0]):
                found[label] = told[0][1]
    return found


def _points(paths_m: Mapping[str, np.ndarray], known: Mapping[str, Place]) -> dict[str, np.ndarray]:
    """Each body's markers (T, K, 3), of bodies that have two or more."""
    points: dict[str, list[np.ndarray]] = {body: [] for body in _BODIES}
    for label, place in known.items():
        if label in paths_m:
            beyond = f"{_ON_AXES.get(place.landmark, '')}_{place.side}"
            for body in {place.body, beyond} & set(points):
                points[body].append(paths_m[label])
    return {body: np.stack(on_it, axis=1) for body, on_it in points.items() if len(on_it) > 1}


def _bends(points: Mapping[str, np.ndarray]) -> bool:
    for foot in ("calcn_r", "calcn_l"):
        if {"pelvis", foot} <= set(points):
            apart = np.linalg.norm(points["pelvis"].mean(axis=1) - points[foot].mean(axis=1), axis=1)
            seen = apart[np.isfinite(apart)]
            if len(seen) >= FEWEST_FRAMES and np.std(seen) > LEAST_MOTION_M:
                return True
    return False


def _nearest_m(path_m: np.ndarray, others_m: np.ndarray) -> float:
    """How far off the nearest of others (T, K, 3) is, in the median frame; NaN if none is ever seen with it."""
    apart = np.linalg.norm(others_m - path_m[:, None], axis=2)
    known = apart[:, np.isfinite(apart).any(axis=0)]
    return float(np.nanmedian(known, axis=0).min()) if known.shape[1] else float("nan")


def _moved_m(path_m: np.ndarray, body_m: np.ndarray, reach_m: float) -> float:
    """How far a marker (T, 3) moves in the frame of a body's markers (T, K, 3), root mean square.

    NaN where they are hardly seen together, or farther apart than `reach_m`. Two markers leave the turn about their
    line open: there the distances from both are judged.
    """
    seen = np.isfinite(path_m).all(axis=1) & np.isfinite(body_m).all(axis=(1, 2))
    if seen.sum() < FEWEST_FRAMES:
        return float("nan")
    marker, body = path_m[seen], body_m[seen]
    if not _nearest_m(marker, body) <= reach_m:
        return float("nan")
    if body.shape[1] == 2:
        apart = np.linalg.norm(body - marker[:, None], axis=2)
        return float(np.sqrt(np.var(apart, axis=0).mean()))
    local = _in_frame(marker, body)
    return float(np.sqrt(np.var(local, axis=0).sum()))


def _in_frame(marker: np.ndarray, body: np.ndarray) -> np.ndarray:
    """The marker's places (T, 3) once each frame's body is laid onto the first one's.

    After Kabsch (1976, Acta Cryst A32:922).
    """
    middle = body.mean(axis=1)
    shape = body[0] - middle[0]
    u, _, v = np.linalg.svd(np.einsum("tki,kj->tij", body - middle[:, None], shape))
    mirror = np.ones(u.shape[:2])
    mirror[:, 2] = np.sign(np.linalg.det(u @ v))
    turn = (u * mirror[:, None]) @ v
    local: np.ndarray = np.einsum("ti,tij->tj", marker - middle, turn)
    return local
