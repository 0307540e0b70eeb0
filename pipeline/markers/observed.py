"""Which frames of a walk show enough markers to say where the body was."""

import math
from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from pipeline.c3d.modelled_points import why_no_marker
from pipeline.errors import TrialRejected
from pipeline.records import Markers, Recording
from pipeline.session.profile import Profile
from pipeline.session.recipe import MarkerSettings
from pipeline.signals import runs

# The segments whose angles are stored as inputs.
SEGMENTS = ("pelvis", "femur_r", "femur_l", "tibia_r", "tibia_l", "calcn_r", "calcn_l")
# Three points fix a rigid body; all other segments hang on the pelvis.
PELVIS_MARKERS = 3
# A thigh hangs on its hip and a shank on its knee, a hinge: three markers tell both; a foot's line takes two.
LEAST_MARKERS = (("femur", "thigh", 1), ("tibia", "shank", 1), ("calcn", "foot", 2))
LEAST_OF_LEG = 3


def used_labels(recording: Recording, profile: Profile) -> tuple[str, ...]:
    """The profile's labels that this recording shows at least once. TrialRejected names required ones it lacks."""
    shown = [
        label
        for column, label in enumerate(recording.marker_labels)
        if np.isfinite(recording.markers_m[:, column]).all(axis=1).any()
    ]
    lacking = [label for label in profile.required_labels if label not in shown]
    if lacking:
        raise TrialRejected(
            "markers",
            f"{recording.path.name}: lacks the markers {', '.join(lacking)}, or never shows them; profile "
            f"{profile.name!r} requires them "
            f"(found {', '.join(shown[:60])}{_computed(recording, lacking)}). Label them, or choose or write another "
            "profile.",
        )
    _refuse_unseen_segments(recording.path.name, shown, profile)
    return tuple(label for label in profile.markers if label in shown)


def _refuse_unseen_segments(source: str, shown: Sequence[str], profile: Profile) -> None:
    """TrialRejected names a segment of pelvis or legs whose place these markers don't tell."""
    on = [profile.markers[label].body.replace("toes", "calcn") for label in shown if label in profile.markers]
    wanting = []
    for side, word in (("r", "right"), ("l", "left")):
        for segment, name, least in LEAST_MARKERS:
            count = on.count(f"{segment}_{side}")
            if count < least:
                wanting.append(f"the {word} {name} shows {count} markers, expected at least {least}")
        leg = on.count(f"femur_{side}") + on.count(f"tibia_{side}")
        if leg < LEAST_OF_LEG:
            wanting.append(f"the {word} thigh and shank show {leg} markers, expected at least {LEAST_OF_LEG}")
    if on.count("pelvis") < PELVIS_MARKERS:
        wanting.append(f"the pelvis shows {on.count('pelvis')} markers, expected at least {PELVIS_MARKERS}")
    if wanting:
        raise TrialRejected(
            "markers",
            f"{source}: {'; '.join(wanting)}, so its angles can't be told by profile {profile.name!r} (found "
            f"{', '.join(shown[:60])}). Label its markers, or say in a profile what they are (`gait2hip profile`).",
        )


def _computed(recording: Recording, lacking: Sequence[str]) -> str:
    told = [words for label in lacking if (words := why_no_marker(recording, label))]
    return "".join(f"; {words}" for words in told)


def observed_runs(
    recording: Recording, markers: Markers, profile: Profile, settings: MarkerSettings, ahead: np.ndarray | None = None
) -> tuple[slice, ...]:
    """The runs of frames that show every segment of the legs, in time; TrialRejected if none is long enough.

    `ahead` (T,): the frames in which the pelvis faces forward; None: all.
    """
    shown = segments_shown(markers, profile, settings)
    windows = runs(
        np.logical_and.reduce([np.ones(len(markers.time_s), dtype=bool) if ahead is None else ahead, *shown.values()])
    )
    usable = [slice(start, stop) for start, stop in windows if stop - start >= settings.min_window_s * markers.rate_hz]
    if not usable:
        longest_s = max((stop - start for start, stop in windows), default=0) / markers.rate_hz
        raise TrialRejected(
            "markers",
            f"{recording.path.name}: at most {longest_s:.2f} s on end show every segment of the legs, expected at "
            f"least {settings.min_window_s} s: {worst_gaps(markers)}. Fill the gaps in the laboratory's software, or "
            "leave the trial out.",
        )
    return tuple(usable)


def segments_shown(markers: Markers, profile: Profile, settings: MarkerSettings) -> dict[str, np.ndarray]:
    """In which frames (T,) each segment of pelvis and legs shows enough of its markers to be placed."""
    shown = {}
    for segment, labels in _by_segment(markers, profile).items():
        seen = np.sum([np.isfinite(markers.marker(label)).all(axis=1) for label in labels], axis=0)
        share = math.ceil(settings.min_segment_marker_ratio * len(labels))
        shown[segment] = seen >= (min(PELVIS_MARKERS, len(labels)) if segment == "pelvis" else share)
    return shown


def worst_gaps(markers: Markers) -> str:
    """The longest gaps by marker, worst first, in words; "" if there is none."""
    gaps = []
    for label in markers.labels:
        missing = runs(~np.isfinite(markers.marker(label)).all(axis=1))
        if missing:
            start, stop = max(missing, key=lambda gap: gap[1] - gap[0])
            gaps.append(((stop - start) / markers.rate_hz, label, float(markers.time_s[start])))
    gaps.sort(reverse=True)
    return "; ".join(f"{label} is missing for {length:.2f} s from {at:.2f} s" for length, label, at in gaps[:4])


def _by_segment(markers: Markers, profile: Profile) -> dict[str, list[str]]:
    labels_of: dict[str, list[str]] = defaultdict(list)
    for label in markers.labels:
        marker = profile.markers[label]
        if marker.ik_weight > 0 and marker.body in SEGMENTS:
            labels_of[marker.body].append(label)
    return labels_of
