"""How markers' places differ, and how palpated spines turn the pelvis: by plane geometry."""

import numpy as np
import pytest

from pipeline.landmarks.bony_places import landmarks
from pipeline.osim.models.default_model import model_file_of
from pipeline.osim.models.shared_model import shared_model
from pipeline.session.load_profile import load_profile
from pipeline.sizing.priors.landmarks import marker_prior
from pipeline.sizing.priors.places import (
    FOOT_BEFORE_ANKLE_SD_M,
    TORSION_SD_RAD,
    middles_of_spines,
    palpation_rad,
    place_covariance,
)

PROFILE = load_profile("isb_full_body")
SPINES = ("R_IAS", "L_IAS", "R_IPS", "L_IPS")


def placed_m(size: float) -> np.ndarray:
    return np.array([marker_prior(PROFILE.markers[label], (size, size, size)).placed_m for label in SPINES])


@pytest.mark.parametrize("size", [1.0, 0.7])
def test_palpation_turns_the_line_as_far_as_chance_does(size: float) -> None:
    """Spines are drawn off their places up and down, and the line through their middles is turned by so much."""
    places_m = placed_m(size)
    up_mm = np.array([landmarks()[PROFILE.markers[label].landmark].palpation_mm[1] for label in SPINES])
    drawn = places_m[:, 1] + 1e-3 * up_mm * np.random.default_rng(3).standard_normal((20_000, 4))
    ahead, behind = drawn[:, :2].mean(axis=1), drawn[:, 2:].mean(axis=1)
    length_m = places_m[:2, 0].mean() - places_m[2:, 0].mean()

    found = palpation_rad(PROFILE, SPINES, places_m)

    assert found == pytest.approx(np.arctan2(ahead - behind, length_m).std(), rel=0.03)


def test_palpation_turns_a_child_s_pelvis_further() -> None:
    """The markers' line is the bones' and what lies over them: 137 mm of which grow, and 41 don't."""
    adult, child = (np.degrees(palpation_rad(PROFILE, SPINES, placed_m(size))) for size in (1.0, 0.7))
    assert child / adult == pytest.approx((136.6 + 41.4) / (0.7 * 136.6 + 41.4), rel=5e-3)
    # It rises by 36 mm.
    assert adult == pytest.approx(np.degrees(np.hypot(10, 12) / np.sqrt(2) * 178 / (178**2 + 36**2)), rel=5e-3)


def test_spines_of_one_side_alone_are_no_middle() -> None:
    priors = {label: marker_prior(PROFILE.markers[label]) for label in SPINES}
    at_m = np.tile(placed_m(1.0), (4, 1, 1))
    at_m[1, 0] = np.nan
    at_m[2, 3] = np.nan
    at_m[3] = np.nan

    (ahead, expected_ahead), (behind, _) = middles_of_spines(PROFILE, SPINES, priors, at_m)

    np.testing.assert_array_equal(np.isfinite(ahead).all(axis=1), [True, False, True, False])
    np.testing.assert_array_equal(np.isfinite(behind).all(axis=1), [True, True, False, False])
    np.testing.assert_allclose(ahead[0], expected_ahead[0])


@pytest.mark.osim
def test_what_many_markers_share_grows_with_the_body() -> None:
    """The foot before its ankle, by the covariance of a heel's and a toe's place; the twist, by their levers."""
    skeleton = shared_model(model_file_of(None)).skeleton
    labels = ("R_FCC", "R_FM2")
    whole, half = (
        place_covariance(
            skeleton, PROFILE, labels, {label: marker_prior(PROFILE.markers[label], (size,) * 3) for label in labels}
        )
        for size in (1.0, 0.5)
    )
    heel, toe = (marker_prior(PROFILE.markers[label]) for label in labels)
    # The subtalar joint lies at (-0.0488, -0.0420, 0.0079) on the talus, whose origin is the ankle.
    ankle_m = np.array([0.04877, 0.04195, -0.00792])
    sideways = [TORSION_SD_RAD * (prior.placed_m - ankle_m)[0] for prior in (heel, toe)]
    forward = [TORSION_SD_RAD * (prior.placed_m - ankle_m)[2] for prior in (heel, toe)]
    assert whole[2, 5] == pytest.approx(sideways[0] * sideways[1], rel=1e-3)
    assert whole[0, 3] == pytest.approx(FOOT_BEFORE_ANKLE_SD_M**2 + forward[0] * forward[1], rel=1e-3)
    assert half[0, 3] < whole[0, 3] / 3
