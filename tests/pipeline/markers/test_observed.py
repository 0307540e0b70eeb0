from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.markers.observed import SEGMENTS, observed_runs, used_labels, worst_gaps
from pipeline.records import Markers
from tests.pipeline.conftest import with_every_label

RATE_HZ = 100.0
FRAMES = 200


@pytest.fixture
def markers(profile):
    """Every label of the profile, seen in all 200 frames."""
    labels = tuple(profile.markers)
    return Markers(
        time_s=np.arange(FRAMES) / RATE_HZ,
        rate_hz=RATE_HZ,
        labels=labels,
        positions_m=np.ones((FRAMES, len(labels), 3)),
    )


def hidden(markers: Markers, frames: slice, *labels: str) -> Markers:
    positions = markers.positions_m.copy()
    for label in labels:
        positions[frames, markers.labels.index(label)] = np.nan
    return replace(markers, positions_m=positions)


def test_all_is_observed_where_all_is_seen(walker, profile, markers, recipe):
    assert observed_runs(walker.recording(), markers, profile, recipe.markers) == (slice(0, FRAMES),)


def test_the_pelvis_needs_three_of_its_four_markers(walker, profile, markers, recipe):
    one = hidden(markers, slice(0, 50), "R_IPS")
    assert observed_runs(walker.recording(), one, profile, recipe.markers) == (slice(0, FRAMES),)
    two = hidden(one, slice(0, 50), "L_IPS")
    assert observed_runs(walker.recording(), two, profile, recipe.markers) == (slice(50, FRAMES),)


def test_a_leg_segment_needs_half_of_its_markers(walker, profile, markers, recipe):
    foot = [label for label, marker in profile.markers.items() if marker.body == "calcn_r"]
    assert len(foot) == 4
    assert (
        observed_runs(walker.recording(), hidden(markers, slice(120, 130), *foot[:2]), profile, recipe.markers)[-1].stop
        == FRAMES
    )
    found = observed_runs(walker.recording(), hidden(markers, slice(120, 130), *foot[:3]), profile, recipe.markers)
    assert found == (slice(0, 120), slice(130, FRAMES))


def test_every_run_of_half_a_second_is_taken(walker, profile, markers, recipe):
    pelvis = ("R_IAS", "L_IAS", "R_IPS")
    twice = hidden(hidden(markers, slice(0, 10), *pelvis), slice(70, 80), *pelvis)
    found = observed_runs(walker.recording(), twice, profile, recipe.markers)
    assert found == (slice(10, 70), slice(80, FRAMES))


def test_arms_and_trunk_say_nothing_about_the_legs(walker, profile, markers, recipe):
    others = [label for label, marker in profile.markers.items() if marker.body not in SEGMENTS]
    assert "CV7" in others
    assert observed_runs(walker.recording(), hidden(markers, slice(None), *others), profile, recipe.markers) == (
        slice(0, FRAMES),
    )


def test_half_a_second_is_enough_and_less_is_refused_by_name(walker, profile, markers, recipe):
    pelvis = ("R_IAS", "L_IAS", "R_IPS", "L_IPS")
    assert observed_runs(walker.recording(), hidden(markers, slice(50, None), *pelvis), profile, recipe.markers) == (
        slice(0, 50),
    )
    with pytest.raises(TrialRejected) as caught:
        observed_runs(walker.recording(), hidden(markers, slice(49, None), *pelvis), profile, recipe.markers)
    for word in ("walk.c3d", "at most 0.49 s", "expected at least 0.5 s", "R_IAS is missing for 1.51 s from 0.49 s"):
        assert word in caught.value.reason


def test_the_longest_gaps_come_first(markers):
    gaps = hidden(hidden(markers, slice(20, 30), "CV7"), slice(100, 150), "R_FCC")
    assert worst_gaps(gaps) == "R_FCC is missing for 0.50 s from 1.00 s; CV7 is missing for 0.10 s from 0.20 s"
    assert worst_gaps(markers) == ""


def test_labels_the_profile_does_not_know_are_left_out(walker, profile):
    given = (*profile.markers, "EXTRA")
    recording = walker.recording(marker_labels=given, markers_m=np.zeros((260, len(given), 3)))
    assert used_labels(recording, profile) == tuple(profile.markers)


def test_a_required_label_that_is_missing_is_named(walker, profile):
    optional = next(label for label, marker in profile.markers.items() if not marker.required)
    given = tuple(label for label in profile.markers if label not in ("R_FCC", "L_TTC", optional))
    recording = walker.recording(marker_labels=given, markers_m=np.zeros((260, len(given), 3)))
    with pytest.raises(TrialRejected) as caught:
        used_labels(recording, profile)
    for word in ("walk.c3d", "R_FCC", "L_TTC", "'isb_full_body' requires", "Label them"):
        assert word in caught.value.reason
    assert optional not in caught.value.reason


@pytest.mark.parametrize(
    ("hidden", "words"),
    [
        (("R_FTC", "R_FLE", "R_FME"), "the right thigh shows 0 markers, expected at least 1"),
        (("L_FAX", "L_TTC", "L_FAL", "L_TAM"), "the left shank shows 0 markers"),
        (("L_FLE", "L_FME", "L_FAX", "L_TTC", "L_TAM"), "the left thigh and shank show 2 markers, expected at least 3"),
        (("R_FM1", "R_FM5"), ""),
    ],
)
def test_a_segment_that_no_marker_shows_is_named(walker, profile, hidden, words):
    # As of a profile whose labels are all optional but heels, toes and spines.
    markers = {label: marker.model_copy(update={"required": False}) for label, marker in profile.markers.items()}
    lenient = profile.model_copy(update={"markers": markers})
    recording = with_every_label(walker.recording(), profile)
    places = recording.markers_m.copy()
    places[:, [recording.marker_labels.index(label) for label in hidden]] = np.nan
    if words:
        with pytest.raises(TrialRejected, match=words):
            used_labels(replace(recording, markers_m=places), lenient)
    else:
        assert set(used_labels(replace(recording, markers_m=places), lenient)).isdisjoint(hidden)


def test_frames_in_which_the_pelvis_faces_back_are_in_no_pass(walker, markers, profile, recipe):
    ahead = np.ones(FRAMES, dtype=bool)
    ahead[120:] = False
    assert observed_runs(walker.recording(), markers, profile, recipe.markers, ahead) == (slice(0, 120),)
