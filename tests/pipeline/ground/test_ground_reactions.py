import pytest

from pipeline.ground.contacts import PlateContact
from pipeline.ground.ground_reactions import stride_impulse_errors
from tests.pipeline.conftest import DOUBLE_S, MASS_KG, STANCE_S
from tests.pipeline.ground.plates_chain import wrenches_of


def test_a_stride_carries_the_bodys_weight(walker, profile, recipe):
    wrenches, events, _ = wrenches_of(walker.recording(), profile, recipe)
    errors = stride_impulse_errors(wrenches, events, MASS_KG)
    # Two stances of ramp, plateau, ramp, against the stride they support.
    expected = 2 * (STANCE_S - DOUBLE_S) / 1.1 - 1
    assert errors["right"] == [pytest.approx(expected, abs=0.02)]


def test_a_stride_during_which_a_hand_bore_weight_tells_nothing(walker, profile, recipe):
    wrenches, events, _ = wrenches_of(walker.recording(), profile, recipe)
    hand = PlateContact(plate=2, start_s=0.9, stop_s=1.0, side=None, reason="no foot on plate 2", peak_n=100.0)
    assert stride_impulse_errors(wrenches, events, MASS_KG, [hand]) == {"right": [], "left": []}
