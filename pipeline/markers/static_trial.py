"""How the subject stands: the shape that sizing measures, and that walks are compared with."""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.markers.ground_frame import ground_rotation, to_ground
from pipeline.markers.observed import used_labels
from pipeline.markers.swapped_labels import fix_swaps, model_places
from pipeline.recordings.read_recording import read_recording
from pipeline.records import Markers, Recording
from pipeline.session.profile import Profile
from pipeline.session.recipe import ScalingSettings
from pipeline.session.setup import SessionSetup
from warehouse.provenance import file_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticTrial:
    """A recording of the session's person, and one frame of it in the ground frame, which tells their shape.

    `stands`: it is a static trial, and the frame is a standing pose; without one it is a walk. `warnings` say what had
    to be put right in the pose.
    """

    recording: Recording
    pose: Markers
    warnings: tuple[str, ...]
    stands: bool = True


# The walks of a session come one after another and share its static trial: the last one is kept, by its content.
_last: dict[Hashable, StaticTrial] = {}


def read_static(setup: SessionSetup) -> StaticTrial:
    """A session's static trial, or without one the first of the walks that size the body that can be used.

    TrialRejected if it can't be read, or a required marker is not seen in it.
    """
    settings = setup.recipe.scaling
    paths = (setup.session.static,) if setup.session.static else tuple(t.path for t in setup.session.sizing_trials)
    made_from = tuple((path, _sha256(path)) for path in paths), setup.profile.model_dump_json(), settings
    if made_from not in _last:
        if setup.session.static:
            static = pose_static(
                read_recording(setup.session.static, needed=setup.profile.required_labels), setup.profile, settings
            )
        else:
            static = _pose_of_a_walk(paths, setup.profile, settings)
        _last.clear()
        _last[made_from] = static
    return _last[made_from]


def _pose_of_a_walk(paths: Sequence[Path], profile: Profile, settings: ScalingSettings) -> StaticTrial:
    """The frame that shows most markers, of the first walk that can be read; TrialRejected with why none can."""
    if not paths:
        raise TrialRejected(
            "scaling",
            "there is no static trial, and `sizing` in session.toml names no walk, so that nothing shows the subject. "
            "Name walks there, leave `sizing` out for the first few, or name a `static`.",
        )
    reasons = []
    for path in paths:
        try:
            recording = read_recording(path, needed=profile.required_labels)
            labels = used_labels(recording, profile)
            markers = to_ground(recording, ground_rotation(recording, profile), labels)
        except TrialRejected as rejected:
            reasons.append(rejected.reason)
            continue
        seen = np.isfinite(markers.positions_m).all(axis=2)
        best = int(seen.sum(axis=1).argmax())
        shown = [column for column in range(len(labels)) if seen[best, column]]
        pose = Markers(
            time_s=markers.time_s[best : best + 1],
            rate_hz=markers.rate_hz,
            labels=tuple(labels[column] for column in shown),
            positions_m=markers.positions_m[best : best + 1, shown],
        )
        fixed, warnings = fix_swaps(pose, model_places(profile), profile, settings)
        return StaticTrial(
            recording=recording,
            pose=fixed,
            warnings=tuple(f"{path.name}: {warning}" for warning in warnings),
            stands=False,
        )
    raise TrialRejected("scaling", f"there is no static trial, and no walk that sizes the body: {'; '.join(reasons)}")


def pose_static(recording: Recording, profile: Profile, settings: ScalingSettings) -> StaticTrial:
    """The pose: each marker's mean over the middle of the trial. TrialRejected if a required one is not seen there."""
    labels = used_labels(recording, profile)
    rotation = ground_rotation(recording, profile)
    markers = to_ground(recording, rotation, labels)
    middle = len(markers.time_s) // 2
    window = markers.positions_m[averaged_window(len(markers.time_s), markers.rate_hz, settings)]
    seen = np.isfinite(window).all(axis=2)
    hidden = [label for column, label in enumerate(labels) if not seen[:, column].any()]
    needed = [label for label in hidden if profile.markers[label].required]
    if needed:
        raise TrialRejected(
            "scaling",
            f"{recording.path.name}: the markers {', '.join(needed)} are not visible in the middle "
            f"{settings.static_window_s} s of the static trial, expected all of the profile's. Record another static "
            "trial, or choose another as `static`.",
        )
    shown = [column for column in range(len(labels)) if seen[:, column].any()]
    mean_m = np.stack([window[seen[:, column], column].mean(axis=0) for column in shown])
    pose = Markers(
        time_s=markers.time_s[middle : middle + 1],
        rate_hz=markers.rate_hz,
        labels=tuple(labels[column] for column in shown),
        positions_m=mean_m[None],
    )
    fixed, warnings = fix_swaps(pose, model_places(profile), profile, settings)
    if warnings:
        # Exchanged spines made the pelvis face elsewhere, and the ground frame with it.
        right = ground_rotation(_relabelled(recording, pose, fixed), profile)
        if not np.allclose(right, rotation):
            fixed = replace(fixed, positions_m=fixed.positions_m @ rotation @ right.T)
    named = tuple(f"{recording.path.name}: {warning}" for warning in warnings)
    return StaticTrial(recording=recording, pose=fixed, warnings=named)


def _relabelled(recording: Recording, pose: Markers, fixed: Markers) -> Recording:
    """The recording with labels exchanged as they were in the pose."""
    columns = list(range(len(recording.marker_labels)))
    for label in fixed.labels:
        same = (pose.positions_m[0] == fixed.marker(label)[0]).all(axis=1)
        meant = pose.labels[int(np.argmax(same))]
        columns[recording.marker_labels.index(label)] = recording.marker_labels.index(meant)
    return replace(recording, markers_m=recording.markers_m[:, columns])


def averaged_window(n_frames: int, rate_hz: float, settings: ScalingSettings) -> slice:
    """The middle frames of a static trial, whose mean is the pose."""
    half, middle = max(1, round(settings.static_window_s * rate_hz / 2)), n_frames // 2
    return slice(max(0, middle - half), middle + half)


def _sha256(path: Path) -> str:
    """The content's hash; "" for a file that can't be read, which its reader explains."""
    try:
        return file_sha256(path)
    except OSError:
        return ""
