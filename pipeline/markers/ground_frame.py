"""The ground frame: x forward, y up, z right, from the recording itself rather than from a table of rotations."""

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.records import Markers, Recording
from pipeline.session.profile import Profile

# A subject whose pelvis travels farther than this walks; others stand.
WALKING_TRAVEL_M = 0.5
# Walkways lie along an axis of the laboratory: a course within this angle of one is taken along it.
ALONG_AXIS_DEG = 20.0
# Nor does one whose pelvis gets on more slowly than this walk anywhere: it drifts on a treadmill's belt.
DRIFT_M_S = 0.1
# Plates of one floor face the same way, and their normal points from the feet to the pelvis: cosines of the angles.
ONE_FLOOR_COSINE, UPRIGHT_COSINE = 0.99, 0.8
# A forward direction (a unit vector) with less than this across the vertical is parallel to it.
LEAST_HORIZONTAL = 0.5

_AXES = {
    sign + name: (1.0 if sign == "+" else -1.0) * np.eye(3)[index] for index, name in enumerate("xyz") for sign in "+-"
}


def ground_rotation(recording: Recording, profile: Profile) -> np.ndarray:
    """(3, 3) whose rows are forward, up and right in the laboratory's frame: ground = rotation @ laboratory.

    Up is the plates' normal (without plates: the laboratory axis nearest to the line from feet to pelvis), and
    forward the way the pelvis travels, or faces when it stands, taken along the nearest laboratory axis when
    within 20 degrees of one. A profile may name either. TrialRejected if the markers that tell are missing.
    """
    up = _up(recording, profile)
    forward = _AXES[profile.forward] if profile.forward in _AXES else _forward(recording, profile, up)
    forward = forward - (forward @ up) * up
    length = np.linalg.norm(forward)
    if length < LEAST_HORIZONTAL:
        raise TrialRejected(
            "ground_frame",
            f"{recording.path.name}: forward {profile.forward!r} is parallel to up; correct the profile "
            f"{profile.name!r}.",
        )
    forward = forward / length
    return np.stack([forward, up, np.cross(forward, up)])


def to_ground(recording: Recording, rotation: np.ndarray, labels: tuple[str, ...]) -> Markers:
    """The named markers in the ground frame. The origin and the time base stay the laboratory's."""
    columns = [recording.marker_labels.index(label) for label in labels]
    return Markers(
        time_s=recording.time_s,
        rate_hz=recording.point_rate_hz,
        labels=labels,
        positions_m=recording.markers_m[:, columns] @ rotation.T,
    )


def _up(recording: Recording, profile: Profile) -> np.ndarray:
    if profile.up in _AXES:
        return _AXES[profile.up]
    standing = _feet_to_pelvis(recording, profile)
    if not recording.plates:
        return _nearest_axis(standing)
    up = recording.plates[0].normal
    for plate in recording.plates:
        if plate.normal @ up < ONE_FLOOR_COSINE:
            raise TrialRejected(
                "ground_frame",
                f"{recording.path.name}: plates 1 and {plate.number} face different ways "
                f"({np.round(up, 3)} and {np.round(plate.normal, 3)}), expected one floor. Check "
                "FORCE_PLATFORM:CORNERS.",
            )
    if standing @ up < UPRIGHT_COSINE * np.linalg.norm(standing):
        raise TrialRejected(
            "ground_frame",
            f"{recording.path.name}: the plates' normal {np.round(up, 3)} does not point from the feet to the pelvis "
            f"({np.round(standing, 3)} m). The order of FORCE_PLATFORM:CORNERS is probably wrong, or set `up` in "
            "the profile.",
        )
    return up


def _feet_to_pelvis(recording: Recording, profile: Profile) -> np.ndarray:
    """The mean vector (3,) from the feet to the pelvis over the frames that show both."""
    labels = _pelvis_labels(recording, profile), _foot_labels(profile)
    pelvis, feet = (_centre_of(recording, names) for names in labels)
    ways = (pelvis - feet)[np.isfinite(pelvis - feet).all(axis=1)]
    if not len(ways):
        raise TrialRejected(
            "ground_frame",
            f"{recording.path.name}: the pelvis' markers ({', '.join(labels[0])}) and the feet's "
            f"({', '.join(labels[1])}) are never visible in one frame, expected them together in most. "
            "Fill their gaps in the laboratory's software, or leave this recording out.",
        )
    return ways.mean(axis=0)


def _forward(recording: Recording, profile: Profile, up: np.ndarray) -> np.ndarray:
    labels = _pelvis_labels(recording, profile)
    centre = np.mean([recording.marker(label) for label in labels], axis=0)
    seen = centre[np.isfinite(centre).all(axis=1)]
    if not len(seen):
        raise TrialRejected(
            "ground_frame",
            f"{recording.path.name}: the pelvis markers {', '.join(labels)} are never visible together; "
            "expected at least one such frame. Fill their gaps in the laboratory's software, or leave this "
            "recording out.",
        )
    course = seen[-1] - seen[0]
    course = course - (course @ up) * up
    if np.linalg.norm(course) < max(WALKING_TRAVEL_M, DRIFT_M_S * len(seen) / recording.point_rate_hz):
        course = np.nanmean(_centre_of(recording, labels[:2]) - _centre_of(recording, labels[2:]), axis=0)
        course = course - (course @ up) * up
    axis = _nearest_axis(course)
    close = axis @ course > np.cos(np.radians(ALONG_AXIS_DEG)) * np.linalg.norm(course)
    return axis if close else course / np.linalg.norm(course)


def _nearest_axis(direction: np.ndarray) -> np.ndarray:
    return max(_AXES.values(), key=lambda axis: float(axis @ direction))


def _pelvis_labels(recording: Recording, profile: Profile) -> tuple[str, ...]:
    """Both anterior labels, then those posterior ones that the recording has."""
    front = (profile.pelvis.right_anterior, profile.pelvis.left_anterior)
    back = tuple(label for label in profile.pelvis.posterior if label in recording.marker_labels)
    missing = [label for label in front if label not in recording.marker_labels]
    if missing or not back:
        raise TrialRejected(
            "ground_frame",
            f"{recording.path.name}: lacks pelvis markers "
            f"{', '.join(missing) or ' / '.join(profile.pelvis.posterior)}, "
            f"which profile {profile.name!r} needs. Is it the right profile?",
        )
    return front + back


def _foot_labels(profile: Profile) -> tuple[str, ...]:
    return profile.right_foot.labels + profile.left_foot.labels


def _centre_of(recording: Recording, labels: tuple[str, ...]) -> np.ndarray:
    """The centre (T, 3) of those of the labels that are visible; NaN in frames that show none."""
    present = [recording.marker(label) for label in labels if label in recording.marker_labels]
    places = np.stack(present or [np.full((len(recording.time_s), 3), np.nan)])
    seen = np.isfinite(places).all(axis=2)
    total = np.where(seen[:, :, None], places, 0.0).sum(axis=0)
    count = seen.sum(axis=0)[:, None].astype(float)
    return np.divide(total, count, out=np.full_like(total, np.nan), where=count > 0)
