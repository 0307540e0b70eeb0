"""Quiet standing: weight over both feet, hardly any movement."""

import numpy as np
import pytest

from pipeline.ground.contacts import GRAVITY_M_S2
from pipeline.virtual.dynamics.stand import stand

pytestmark = pytest.mark.osim


@pytest.fixture(scope="module")
def standing(body):
    return stand(body)


def test_both_feet_carry_the_body(body, standing):
    weight_n = body.subject.mass_kg * GRAVITY_M_S2
    for load in standing.load.values():
        np.testing.assert_allclose(load.force_n[:, 1], weight_n / 2, rtol=0.05)
    total = sum(load.force_n for load in standing.load.values())
    np.testing.assert_allclose(total[:, 1], weight_n, rtol=0.01)
    np.testing.assert_allclose(total[:, [0, 2]], 0.0, atol=5)


def test_nothing_is_left_over_at_the_pelvis(standing):
    assert np.abs(standing.moments.values[:, :6]).max() < 0.1


def test_it_is_quiet_but_not_frozen(standing):
    sway = np.ptp(standing.markers_m, axis=0)
    assert 1e-4 < sway[standing.marker_names.index("CV7")].max() < 0.02
    assert sway[standing.marker_names.index("R_FM2")].max() < 1e-3


def test_feet_stand_on_the_floor(standing):
    for name, height_m in (("R_FCC", 0.025), ("L_FCC", 0.025), ("R_FM2", 0.035), ("L_FM2", 0.035)):
        at = standing.markers_m[:, standing.marker_names.index(name)]
        assert at[:, 1].mean() == pytest.approx(height_m, abs=0.01)
