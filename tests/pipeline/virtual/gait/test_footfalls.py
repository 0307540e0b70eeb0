"""Feet on the floor: loads that pass from one to the other, parts that come down and lift in order."""

import numpy as np
import pytest

from pipeline.virtual.gait.footfalls import Standing, Steps

STEPS = Steps(left_strike=0.49, right_stance=0.62, left_stance=0.6)
PHASE = np.linspace(0, 1, 2001, endpoint=False)


def test_the_feet_carry_all_of_the_load_at_any_time():
    support = STEPS.support(PHASE)
    np.testing.assert_allclose(support["right"].load + support["left"].load, 1.0, atol=1e-12)


def test_a_foot_carries_all_alone_and_nothing_in_swing():
    right = STEPS.support(PHASE)["right"]
    alone = (PHASE > 0.1) & (PHASE < 0.48)
    np.testing.assert_allclose(right.load[alone], 1.0, atol=1e-12)
    assert not right.load[PHASE > 0.621].any()
    assert np.isnan(right.along[PHASE > 0.621]).all()


def test_load_passes_without_a_jump():
    for support in STEPS.support(PHASE).values():
        assert np.abs(np.diff(support.load, append=support.load[0])).max() < 0.01


def test_the_heel_lands_first_and_lifts_first():
    right = STEPS.support(np.array([0.01, 0.25, 0.5, 0.8]))["right"]
    np.testing.assert_array_equal(right.heel_down, [1, 1, 0, 0])
    np.testing.assert_array_equal(right.ball_down, [0, 1, 1, 0])


def test_pressure_goes_from_heel_to_toes():
    right = STEPS.support(np.linspace(0, 0.61, 50))["right"]
    assert (np.diff(right.along) > 0).all()
    assert right.along[0] < 0.15 and 1.0 < right.along[-1] < 1.3


def test_a_left_foothold_belongs_to_its_own_stride():
    np.testing.assert_array_equal(STEPS.support(np.array([0.05, 0.6, 1.05, 1.6]))["left"].stride, [-1, 0, 0, 1])


def test_steps_without_double_support_are_refused():
    with pytest.raises(ValueError, match="no double support"):
        Steps(left_strike=0.5, right_stance=0.48, left_stance=0.6)


def test_who_stands_carries_half_on_each_foot():
    support = Standing(centre_along=0.4, sway_along=0.02, sway_across=0.01).support(PHASE)
    assert support["right"].load.mean() == pytest.approx(0.5)
    assert np.ptp(support["right"].load) == pytest.approx(0.02, rel=0.01)
    np.testing.assert_allclose(support["right"].load + support["left"].load, 1.0)
