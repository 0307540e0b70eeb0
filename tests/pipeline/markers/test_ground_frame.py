from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.markers.ground_frame import ground_rotation, to_ground
from tests.pipeline.conftest import LABORATORY, SPEED_M_S


def test_forward_up_and_right_are_found(walker, profile):
    rotation = ground_rotation(walker.recording(), profile)
    assert rotation == pytest.approx(LABORATORY.T)
    assert np.linalg.det(rotation) == pytest.approx(1.0)


def test_walking_back_along_the_walkway_turns_the_frame(walker, profile):
    recording = walker.recording()
    turn = np.diag([-1.0, -1.0, 1.0])
    back = replace(recording, markers_m=recording.markers_m @ turn)
    assert ground_rotation(back, profile) == pytest.approx(LABORATORY.T @ turn)


def test_without_plates_up_is_from_feet_to_pelvis(walker, profile):
    assert ground_rotation(walker.recording(plates=()), profile) == pytest.approx(LABORATORY.T)


def test_standing_faces_forward(walker, profile):
    recording = walker.recording()
    still = np.repeat(recording.markers_m[:1], len(recording.time_s), axis=0)
    assert ground_rotation(replace(recording, markers_m=still), profile) == pytest.approx(LABORATORY.T)


def test_who_drifts_back_on_a_belt_walks_forward(walker, profile):
    recording = replace(walker, duration_s=12.0).recording()
    belt_m = LABORATORY @ np.array([SPEED_M_S + 0.07, 0.0, 0.0])
    on_belt = recording.markers_m - (recording.time_s[:, None] * belt_m)[:, None, :]
    assert ground_rotation(replace(recording, markers_m=on_belt), profile) == pytest.approx(LABORATORY.T)


def test_a_walkway_across_the_axes_keeps_its_own_direction(walker, profile):
    recording = walker.recording()
    angle = np.radians(40)
    turn = np.array([[np.cos(angle), -np.sin(angle), 0], [np.sin(angle), np.cos(angle), 0], [0, 0, 1]])
    rotation = ground_rotation(replace(recording, markers_m=recording.markers_m @ turn.T, plates=()), profile)
    assert rotation == pytest.approx(LABORATORY.T @ turn.T)


def test_a_profile_may_fix_both(walker, profile):
    fixed = profile.model_copy(update={"up": "+z", "forward": "-y"})
    assert ground_rotation(walker.recording(), fixed)[0] == pytest.approx([0, -1, 0])


def test_parallel_axes_are_refused(walker, profile):
    with pytest.raises(TrialRejected, match="parallel to up"):
        ground_rotation(walker.recording(), profile.model_copy(update={"up": "+z", "forward": "-z"}))


def test_plates_upside_down_are_refused(walker, profile):
    recording = walker.recording()
    plates = tuple(replace(plate, normal=-plate.normal) for plate in recording.plates)
    with pytest.raises(TrialRejected, match="CORNERS"):
        ground_rotation(replace(recording, plates=plates), profile)


def test_plates_of_different_floors_are_refused(walker, profile):
    recording = walker.recording()
    first, second = recording.plates
    with pytest.raises(TrialRejected, match="one floor"):
        ground_rotation(replace(recording, plates=(first, replace(second, normal=-second.normal))), profile)


def test_a_missing_pelvis_is_named(walker, profile):
    recording = walker.recording()
    keep = [i for i, label in enumerate(recording.marker_labels) if label != "R_IAS"]
    lacking = replace(
        recording,
        marker_labels=tuple(recording.marker_labels[i] for i in keep),
        markers_m=recording.markers_m[:, keep],
    )
    with pytest.raises(TrialRejected, match="R_IAS"):
        ground_rotation(lacking, profile)


def test_markers_are_turned_and_time_is_kept(walker, profile):
    recording = walker.recording()
    markers = to_ground(recording, ground_rotation(recording, profile), ("R_FCC", "R_IAS"))
    assert markers.marker("R_FCC") == pytest.approx(walker.heel("right", recording.time_s))
    assert markers.time_s is recording.time_s
