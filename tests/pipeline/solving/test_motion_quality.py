"""A stride's motion is judged by the bulk of its frames, so that neither one frame nor one bad marker hides."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.records import Coordinates, Kinematics, KinematicsResult
from pipeline.solving.leaps import Leap
from pipeline.solving.motion_quality import MotionQuality, motion_quality, notes_of, why_not_followed
from tests.pipeline.solutions import LEFT, RIGHT, TIME_S, a_solution

MARKERS = ("R_IAS", "L_IAS", "R_FM2", "L_FM2")


def motion(error_m: float = 0.008) -> Kinematics:
    """Four markers, all off by the same."""
    coordinates = a_solution().kinematics.coordinates
    return Kinematics(coordinates=coordinates, marker_names=MARKERS, marker_error_m=np.full((len(TIME_S), 4), error_m))


def quality_of(kinematics: Kinematics, recipe, stride=RIGHT, ranges=None, leaps=()) -> MotionQuality:
    return motion_quality(stride, kinematics, ranges or {}, leaps, recipe.quality)


def test_a_missing_marker_is_not_an_error_of_zero():
    still = Coordinates(time_s=TIME_S[:2], names=(), rotational=np.array([], dtype=bool), values=np.empty((2, 0)))
    error_m = np.array([[0.01, 0.01, 0.5], [np.nan, 0.015, 0.5]])
    found = KinematicsResult(coordinates=still, marker_names=("R_IAS", "L_IAS", "R_HLE"), marker_error_m=error_m)

    judged = found.judged_by(["R_IAS", "L_IAS"])

    assert judged.marker_rms_m == pytest.approx([0.01, 0.015])
    assert judged.marker_max_m.tolist() == [0.01, 0.015]
    assert judged.worst_marker.tolist() == ["R_IAS", "L_IAS"]


def test_figures_are_percentiles_over_the_strides_own_frames(recipe):
    kinematics = motion(0.0)
    # The right stride has fifty frames: errors of 0, 1, ..., 49 mm.
    kinematics.marker_error_m[:50, 2] = np.arange(50) * 1e-3
    kinematics.marker_error_m[50:, 1] = 0.03
    right, left = quality_of(kinematics, recipe), quality_of(kinematics, recipe, LEFT)

    assert (right.worst_marker, right.marker_error_m) == ("R_FM2", pytest.approx(0.95 * 49e-3))
    # Of four markers one is off: half of it, root mean square.
    assert right.marker_rms_m == pytest.approx(0.95 * 49e-3 / 2)
    assert (right.peak_marker, right.peak_m, right.peak_s) == ("R_FM2", pytest.approx(0.049), pytest.approx(0.49))
    assert (left.worst_marker, left.marker_error_m) == ("L_IAS", pytest.approx(0.03))


@pytest.mark.parametrize(("frames", "stands"), [(1, True), (2, True), (4, False), (50, False)])
def test_single_frames_of_a_marker_cost_no_stride_but_a_twentieth_does(recipe, frames, stands):
    """Fifty frames: the 95th percentile lies between the third and the fourth largest."""
    kinematics = motion()
    kinematics.marker_error_m[30 : 30 + frames, 2] = 0.061
    if frames == 50:
        kinematics.marker_error_m[:50, 2] = 0.061
    found = quality_of(kinematics, recipe)

    assert (why_not_followed(found, recipe.quality) == "") is stands
    # A wrong frame is never silent.
    assert found.peak_frames == frames
    notes = notes_of(found, recipe.quality)
    assert notes[0].startswith("R_FM2 61 mm at 0.")
    assert ("1 frame:" in notes[0]) is (frames == 1)


def test_a_marker_off_is_told_with_its_size_its_time_and_the_rest(recipe):
    kinematics = motion()
    kinematics.marker_error_m[10:30, 2] = 0.048
    kinematics.marker_error_m[20, 2] = 0.061
    assert why_not_followed(quality_of(kinematics, recipe), recipe.quality) == (
        "marker R_FM2 is 48 mm off in the 95th percentile of frames, expected at most 40 mm "
        "(R_FM2 61 mm at 0.20 s, other markers 8 mm)"
    )


def test_markers_that_are_all_a_little_off_lose_a_stride_together(recipe):
    why = why_not_followed(quality_of(motion(0.021), recipe), recipe.quality)
    assert why.startswith("markers are 21 mm off in the 95th percentile of frames, root mean square, expected at most")
    assert why_not_followed(quality_of(motion(0.02), recipe), recipe.quality) == ""


def test_a_marker_that_is_never_seen_is_not_judged(recipe):
    kinematics = motion()
    kinematics.marker_error_m[:50, 3] = np.nan
    kinematics.marker_error_m[50:, 3] = 0.09
    assert why_not_followed(quality_of(kinematics, recipe), recipe.quality) == ""
    assert "L_FM2" in why_not_followed(quality_of(kinematics, recipe, LEFT), recipe.quality)


def test_a_stop_is_told_and_beyond_its_share_loses_the_stride(recipe):
    kinematics = motion()
    values = kinematics.coordinates.values.copy()
    knee = kinematics.coordinates.names.index("knee_angle_r")
    values[:1, knee] = -0.3
    ranges = {"knee_angle_r": (-0.3, 2.0)}
    touched = replace(kinematics, coordinates=replace(kinematics.coordinates, values=values))
    found = quality_of(touched, recipe, ranges=ranges)
    assert why_not_followed(found, recipe.quality) == ""
    assert notes_of(found, recipe.quality) == ("knee_angle_r lies on an end of its range in 2% of frames",)

    values[:5, knee] = -0.3
    why = why_not_followed(quality_of(touched, recipe, ranges=ranges), recipe.quality)
    assert why == "knee_angle_r lies on an end of its range in 10% of frames, expected at most 2%"
    # The other leg's joints are another stride's.
    assert why_not_followed(quality_of(touched, recipe, LEFT, ranges=ranges), recipe.quality) == ""


def test_a_leap_of_the_pelvis_loses_the_stride_that_it_is_in(recipe):
    leap = Leap(name="pelvis_tx", time_s=0.2, size=0.3, rotational=False)
    assert "pelvis_tx leaps by 0.30 m" in why_not_followed(quality_of(motion(), recipe, leaps=[leap]), recipe.quality)
    assert why_not_followed(quality_of(motion(), recipe, LEFT, leaps=[leap]), recipe.quality) == ""
