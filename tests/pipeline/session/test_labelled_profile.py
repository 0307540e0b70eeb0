import numpy as np
import pytest

from pipeline.landmarks.bony_places import MARKER_RADIUS_M, landmarks
from pipeline.session.labelled_profile import LabelledProfile, profile_from_labels

LOWER_BODY = [f"{side}{name}" for side in "RL" for name in ("ASI", "PSI", "THI", "KNE", "TIB", "ANK", "HEE", "TOE")]


def profile_of(labels, **entries):
    return profile_from_labels(LabelledProfile(name="lab", labels=tuple(labels), **entries))


def test_a_lower_bodys_labels_are_a_profile() -> None:
    profile = profile_of(LOWER_BODY)
    assert (profile.pelvis.right_anterior, profile.pelvis.left_anterior) == ("RASI", "LASI")
    assert profile.pelvis.posterior == ("RPSI", "LPSI")
    assert (profile.right_foot.heel, profile.left_foot.toe) == (("RHEE",), ("LTOE",))
    assert set(profile.required_labels) == {"RASI", "LASI", "RHEE", "RTOE", "LHEE", "LTOE"}
    assert {body for item in profile.measurements for body in item.scales} >= {
        "pelvis",
        "femur_r",
        "tibia_l",
        "calcn_r",
    }
    assert profile.held == {}


def test_a_marker_lies_over_its_bone_by_the_skin_and_its_own_radius() -> None:
    profile = profile_of(LOWER_BODY)
    knee = landmarks()["lateral_femoral_epicondyle"]
    for label, mirror in (("RKNE", 1), ("LKNE", -1)):
        off = np.subtract(profile.markers[label].location_m, np.multiply(knee.bone_m, (1, 1, mirror)))
        assert np.linalg.norm(off) == pytest.approx(knee.skin_mm * 1e-3 + MARKER_RADIUS_M, rel=1e-2)
        assert off[2] * mirror > 0
    assert profile.markers["RTHI"].landmark == ""
    assert profile.markers["RTHI"].location_m[2] == -profile.markers["LTHI"].location_m[2]


def test_softer_places_count_less() -> None:
    profile = profile_of([*LOWER_BODY, "RFTC", "LFTC"])
    weights = [profile.markers[label].ik_weight for label in ("RHEE", "RASI", "RANK", "RKNE", "RFTC")]
    assert weights == sorted(weights, reverse=True)
    # A trochanter's skin moves by three times as much as a spine's.
    assert profile.markers["RASI"].ik_weight / profile.markers["RFTC"].ik_weight == pytest.approx(9, rel=0.01)


def test_a_forefoot_may_be_the_middle_of_two() -> None:
    labels = [label for label in LOWER_BODY if not label.endswith("TOE")]
    profile = profile_of([*labels, "RMT1", "RMT5", "LMT1", "LMT5"])
    assert profile.right_foot.toe == ("RMT1", "RMT5")


def test_what_is_taken_off_after_the_static_trial_has_no_part_in_walks() -> None:
    profile = profile_of([*LOWER_BODY, "RMT1", "RMT5", "LMT1", "LMT5"], standing_only=("RTOE", "LTOE", "RKNE"))
    assert profile.right_foot.toe == ("RMT1", "RMT5")
    assert "RKNE" in profile.markers
    assert all("RKNE" not in pair for pair in profile.same_segment)


def test_labels_come_from_recordings_where_the_profile_lists_none() -> None:
    recordings = [set(LOWER_BODY) | {"RMKNE", "LMKNE", "C7"}, set(LOWER_BODY)]
    profile = profile_from_labels(LabelledProfile(name="auto"), recordings)
    assert set(profile.markers) == recordings[0]
    assert not profile.markers["RMKNE"].required


def test_a_profiles_own_word_goes_before_the_library() -> None:
    profile = profile_of(
        [*LOWER_BODY, "P1", "P2", "RMKNE"],
        landmarks={"P1": "tibial_tuberosity_r", "RTIB": "fibular_head_r"},
        technical={"femur_l": ("P2",)},
        unused=("RMKNE",),
    )
    assert profile.markers["P1"].landmark == "tibial_tuberosity"
    assert profile.markers["RTIB"].landmark == "fibular_head"
    assert (profile.markers["P2"].body, profile.markers["P2"].static_weight) == ("femur_l", 0)
    assert "RMKNE" not in profile.markers


@pytest.mark.parametrize(
    ("left_out", "message"),
    [
        ({"RASI"}, r"lab: .*right anterior superior iliac spine.*\[landmarks\]"),
        ({"RPSI", "LPSI"}, "posterior spines or the sacrum"),
        ({"LHEE"}, r"left heel.*LTOE"),
        ({"RTOE"}, r"right forefoot.*RHEE"),
    ],
)
def test_what_is_missing_is_named(left_out, message) -> None:
    with pytest.raises(ValueError, match=message):
        profile_of([label for label in LOWER_BODY if label not in left_out])


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ({"landmarks": {"RTHI": "knee_r"}}, "RTHI: there is no landmark 'knee'"),
        ({"landmarks": {"RTHI": "heel"}}, "RTHI: landmark 'heel' needs a side"),
        ({"landmarks": {"RTHI": "c7_r"}}, "RTHI: landmark 'c7' has no side"),
        ({"technical": {"thigh_r": ("RTHI",)}}, r"'thigh_r'; expected one of .*femur_r"),
        ({"landmarks": {"RKNE": "lateral_femoral_epicondyle_l"}}, "RKNE is said to be over .*_l, .* the other side"),
        ({"unused": ("RTHY",)}, "RTHY is not among its `labels`"),
        ({"landmarks": {"RTHI": "heel_r"}, "technical": {"femur_r": ("RTHI",)}}, "RTHI has more than one meaning"),
        ({"landmarks": {"RTHI": "heel_r", "RTIB": "heel_r"}}, "more than one label is over heel_r"),
    ],
)
def test_a_wrong_entry_is_named(entries, message) -> None:
    with pytest.raises(ValueError, match=message):
        profile_of(LOWER_BODY, **entries)


def test_a_label_that_is_left_alone_leaves_its_place_to_another() -> None:
    profile = profile_of([*LOWER_BODY, "RMT2", "LMT2"], unused=("RTOE", "LTOE"))
    assert (profile.right_foot.toe, profile.left_foot.toe) == (("RMT2",), ("LMT2",))
    assert "RTOE" not in profile.markers


def test_two_peoples_markers_are_no_profile() -> None:
    with pytest.raises(ValueError, match=r"labels are of 2 people"):
        profile_of([f"{number}:{label}" for number in (1, 2) for label in LOWER_BODY])


def test_arms_and_shoulders_are_guides() -> None:
    profile = profile_of([*LOWER_BODY, "RSHO", "RELB", "RWRA", "C7"])
    guides = {label for label, marker in profile.markers.items() if marker.guide}
    assert guides == {"RSHO", "RELB", "RWRA"}
    assert profile.held == {"pro_sup_r": 0.01}
