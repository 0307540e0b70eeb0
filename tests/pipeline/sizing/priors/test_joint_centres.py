"""Hip centres by published regressions, against the equations by hand."""

import numpy as np
import pytest

from pipeline.sizing.priors.joint_centres import hip_centres

# A pelvis 240 mm wide and 140 mm deep, x ahead, y up, z to the right; legs of 860 mm.
RIGHT, LEFT, BEHIND = np.array([[0.14, 1.0, 0.12]]), np.array([[0.14, 1.0, -0.12]]), np.array([[0.0, 1.0, 0.0]])
LEG_M = np.array([0.86])
UNKNOWN = np.array([np.nan])
ON_BONES = {"over_anterior_m": (0.0, 0.0, 0.0), "over_posterior_m": 0.0}


def test_by_the_pelvis_alone_it_is_harringtons() -> None:
    right, left = hip_centres(RIGHT, LEFT, BEHIND, leg_m=UNKNOWN, **ON_BONES)
    # Harrington et al. 2007, mm: -0.24 depth - 9.9 = -43.5, -0.30 width - 10.9 = -82.9, 0.33 width + 7.3 = 86.5.
    np.testing.assert_allclose(right, [[0.14 - 0.0435, 1 - 0.0829, 0.0865]], atol=1e-9)
    np.testing.assert_allclose(left, [[0.14 - 0.0435, 1 - 0.0829, -0.0865]], atol=1e-9)


def test_with_a_leg_it_is_the_mean_of_harringtons_and_haras() -> None:
    right, _ = hip_centres(RIGHT, LEFT, BEHIND, leg_m=LEG_M, **ON_BONES)
    # Hara et al. 2016, mm: 11 - 0.063 leg = -43.18, -9 - 0.078 leg = -76.08, 8 + 0.086 leg = 81.96.
    middle = np.array([[-43.5 - 43.18, -82.9 - 76.08, 86.5 + 81.96]]) / 2e3
    np.testing.assert_allclose(right, np.array([[0.14, 1.0, 0.0]]) + middle, atol=1e-9)


def test_it_turns_and_moves_with_the_pelvis() -> None:
    turn = np.linalg.qr(np.random.default_rng(4).normal(size=(3, 3)))[0]
    turn *= np.linalg.det(turn)
    by_m = np.array([0.3, -0.2, 1.1])

    still = hip_centres(RIGHT, LEFT, BEHIND, leg_m=LEG_M, **ON_BONES)
    turned = hip_centres(*(place @ turn.T + by_m for place in (RIGHT, LEFT, BEHIND)), leg_m=LEG_M, **ON_BONES)

    for one, other in zip(still, turned, strict=True):
        np.testing.assert_allclose(other, one @ turn.T + by_m, atol=1e-12)


@pytest.mark.parametrize("missing", [0, 1, 2])
def test_a_marker_that_is_not_seen_leaves_it_unknown_in_that_frame(missing: int) -> None:
    places = [np.repeat(place, 2, axis=0) for place in (RIGHT, LEFT, BEHIND)]
    places[missing][1] = np.nan
    right, left = hip_centres(*places, leg_m=np.repeat(LEG_M, 2), **ON_BONES)
    assert np.isfinite(right[0]).all()
    assert np.isnan(right[1]).all()
    assert np.isnan(left[1]).all()


def test_markers_stand_before_behind_and_beside_their_bones() -> None:
    on_skin = (
        RIGHT + np.array([0.016, 0, 0.006]),
        LEFT + np.array([0.016, 0, -0.006]),
        BEHIND - np.array([0.027, 0, 0]),
    )
    over = {"over_anterior_m": (0.016, 0.0, 0.006), "over_posterior_m": 0.027}

    marked = hip_centres(*on_skin, leg_m=LEG_M, **over)

    for one, other in zip(hip_centres(RIGHT, LEFT, BEHIND, leg_m=LEG_M, **ON_BONES), marked, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-12)
