"""Where a profile's markers should be, and how well that is known."""

import numpy as np
import pytest

from pipeline.landmarks.bony_places import MARKER_RADIUS_M, landmarks
from pipeline.session.load_profile import fixed_profiles, load_profile
from pipeline.session.profile import ProfileMarker
from pipeline.sizing.priors.landmarks import (
    TECHNICAL_SD_M,
    UNNAMED_SD_M,
    marker_prior,
    placed_prior,
    spine_under,
)

MIRRORED = np.array([1.0, 1.0, -1.0])


def marker(landmark: str, body: str, z_m: float = 0.0, static_weight: float = 1.0) -> ProfileMarker:
    return ProfileMarker(
        body=body, location_m=(0.01, 0.02, z_m), ik_weight=1.0, static_weight=static_weight, landmark=landmark
    )


@pytest.mark.parametrize("name", [name for name, of in landmarks().items() if of.body.endswith("_r")])
def test_a_left_landmark_is_the_rights_mirror_image(name: str) -> None:
    body = landmarks()[name].body
    right, left = marker_prior(marker(name, body)), marker_prior(marker(name, body[:-1] + "l"))
    np.testing.assert_allclose(left.bone_m, right.bone_m * MIRRORED)
    np.testing.assert_allclose(left.over_m, right.over_m * MIRRORED)
    assert left.place_sd_m == right.place_sd_m
    assert left.soft_tissue_m == right.soft_tissue_m


@pytest.mark.parametrize("side", [1, -1])
def test_a_spine_of_the_pelvis_lies_on_the_side_of_its_marker(side: int) -> None:
    found = marker_prior(marker("anterior_superior_iliac_spine", "pelvis", 0.12 * side))
    assert np.sign(found.bone_m[2]) == side


def test_a_marker_lies_over_its_bone_by_skin_and_its_radius() -> None:
    landmark = landmarks()["lateral_malleolus"]
    found = marker_prior(marker("lateral_malleolus", "tibia_r"))
    assert found.bone_m == landmark.bone_m
    assert np.linalg.norm(found.over_m) == pytest.approx(landmark.skin_mm * 1e-3 + MARKER_RADIUS_M, rel=1e-3)
    assert not found.technical
    # Palpation, skin and the bone's own shape, none of which is less than a millimetre.
    assert all(found.place_sd_m[axis] > landmark.palpation_mm[axis] * 1e-3 for axis in range(3))


def test_without_a_bone_it_is_near_where_the_profile_says_and_a_technical_one_anywhere() -> None:
    near, anywhere = marker_prior(marker("", "femur_r", 0.05)), marker_prior(marker("", "femur_r", 0.05, 0.0))
    assert near.bone_m == anywhere.bone_m == (0.01, 0.02, 0.05)
    assert near.over_m == (0.0, 0.0, 0.0)
    assert (near.place_sd_m, near.technical) == ((UNNAMED_SD_M,) * 3, False)
    assert (anywhere.place_sd_m, anywhere.technical) == ((TECHNICAL_SD_M,) * 3, True)


def test_a_landmark_there_is_not_is_named_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r"no landmark 'elbow_tip'; there are: .*greater_trochanter"):
        marker_prior(marker("elbow_tip", "femur_r"))


def test_a_landmark_on_another_body_is_refused() -> None:
    with pytest.raises(ValueError, match="'lateral_malleolus' is on tibia_r, the profile's marker on femur_l"):
        marker_prior(marker("lateral_malleolus", "femur_l"))


@pytest.mark.parametrize("profile", fixed_profiles())
def test_every_packaged_marker_has_a_prior_within_a_hand_of_where_the_profile_has_it(profile: str) -> None:
    for label, one in load_profile(profile).markers.items():
        found = marker_prior(one)
        apart_m = np.linalg.norm(np.add(found.bone_m, found.over_m) - one.location_m)
        assert apart_m < 0.1, f"{label} lies {1e3 * apart_m:.0f} mm from its landmark"


def test_a_childs_bones_differ_as_much_less_as_they_are_smaller_and_its_skin_and_palpation_do_not() -> None:
    from pipeline.sizing.priors.landmarks import SHAPE_SD_M

    landmark = landmarks()["lateral_malleolus"]
    whole, half = (marker_prior(marker("lateral_malleolus", "tibia_r"), (size, size, size)) for size in (1.0, 0.5))
    lost = np.square(whole.place_sd_m) - np.square(half.place_sd_m)
    np.testing.assert_allclose(lost, 0.75 * np.square(SHAPE_SD_M["tibia_r"]))
    np.testing.assert_allclose(half.placed_m, np.multiply(landmark.bone_m, 0.5) + whole.over_m)


def test_a_place_on_another_bone_is_where_the_profile_has_it() -> None:
    named = marker("lateral_malleolus", "tibia_r", 0.05)
    found = placed_prior(named)
    assert found.bone_m == named.location_m
    assert found.place_sd_m == (UNNAMED_SD_M,) * 3
    # Skin moves there as it does anywhere.
    assert found.soft_tissue_m == marker_prior(named).soft_tissue_m


@pytest.mark.parametrize("profile", fixed_profiles())
def test_the_pelvis_table_says_over_which_spine_a_label_is(profile: str) -> None:
    """As the landmarks that packaged profiles name say too."""
    named = load_profile(profile)
    plain = {label: one.model_copy(update={"landmark": ""}) for label, one in named.markers.items()}
    unnamed = named.model_copy(update={"markers": plain})
    for label in (named.pelvis.right_anterior, named.pelvis.left_anterior, *named.pelvis.posterior):
        assert spine_under(unnamed, label) == spine_under(named, label) == landmarks()[named.markers[label].landmark]
