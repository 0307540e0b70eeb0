"""Whether all of a session's files show the person that session.toml describes."""

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.records import Markers, Recording
from pipeline.session.profile import Profile
from pipeline.session.recipe import ScalingSettings
from pipeline.session.session import Subject


def check_subject_blocks(walk: Recording, static: Recording, subject: Subject, settings: ScalingSettings) -> None:
    """TrialRejected if the files' own subject blocks contradict each other or session.toml. Names are never shown."""
    names = walk.subject.fingerprint, static.subject.fingerprint
    if None not in names and names[0] != names[1]:
        raise TrialRejected(
            "subject",
            f"{walk.path.name} and {static.path.name} name different subjects in their SUBJECTS block, expected one "
            "person's files in a session. Move the file to its own session.",
        )
    for recording in (walk, static):
        check_subject_block(recording, subject, settings)


def check_subject_block(recording: Recording, subject: Subject, settings: ScalingSettings) -> None:
    """TrialRejected if a file states another height than session.toml.

    A mass is no such sign: it changes, and plates weigh it (`pipeline/ground/body_weight.py`).
    """
    height_m, tolerance = recording.subject.height_m, settings.max_stated_height_difference
    if height_m is not None and abs(height_m / subject.height_m - 1) > tolerance:
        raise TrialRejected(
            "subject",
            f"{recording.path.name} states a height of {height_m:g} m, session.toml {subject.height_m:g} m: "
            f"expected the same within {tolerance:.0%}. If the file is another person's, move it to its own "
            "session, else correct session.toml.",
        )


def check_segment_lengths(
    walk: Recording, markers: Markers, static: Markers, profile: Profile, settings: ScalingSettings
) -> None:
    """TrialRejected if two or more rigid segments measure differently in a walk than standing.

    One alone may be a marker that was put back elsewhere; two are another person, or swapped labels.
    """
    wrong, tolerance = [], settings.max_segment_difference
    for first, second in profile.same_segment:
        if {first, second} <= set(markers.labels) & set(static.labels):
            walking, standing = _length_m(markers, first, second), _length_m(static, first, second)
            if abs(walking / standing - 1) > tolerance:
                wrong.append(f"{first}-{second} {walking * 1e3:.0f} mm (standing {standing * 1e3:.0f} mm)")
    if len(wrong) > 1:
        raise TrialRejected(
            "subject",
            f"{walk.path.name}: {len(wrong)} segments measure over {tolerance:.0%} more or less than in the static "
            f"trial: {'; '.join(wrong)}; expected one person's lengths in both. If the file is another person's, "
            "move it to its own session, else correct its labels.",
        )


def _length_m(markers: Markers, first: str, second: str) -> float:
    """The median distance of two markers; NaN if no frame shows both."""
    between = np.linalg.norm(markers.marker(first) - markers.marker(second), axis=1)
    seen = between[np.isfinite(between)]
    return float(np.median(seen)) if len(seen) else float("nan")
