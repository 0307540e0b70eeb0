"""The fitted curves against what textbooks say of normal gait."""

import numpy as np
import pytest

from pipeline.virtual.gait.harmonics import basis
from pipeline.virtual.gait.normal_gait import (
    GAIT_HARMONICS,
    GROUND_FORCES,
    LIMB,
    REFERENCE_SPEED,
    TRUNK,
    normal_gait,
    normal_rollover,
    step_law,
)
from pipeline.virtual.person.proportions import dimensionless_speed, speed_m_s

PHASE = np.linspace(0, 1, 101)


def curve(name, speed=REFERENCE_SPEED):
    return basis(PHASE, GAIT_HARMONICS) @ normal_gait()[name].at_speed(speed)


def test_every_signal_has_six_adults():
    assert set(normal_gait()) == {*LIMB, *TRUNK, *GROUND_FORCES}
    assert all(gait.adults.shape == (1 + 2 * GAIT_HARMONICS, 6) for gait in normal_gait().values())


def test_joints_move_as_perry_and_burnfield_say():
    # Perry and Burnfield (2010), ch. 4-6: 40 degrees at the hip, 60 at the knee early in swing, 15-20 in loading.
    hip, knee, ankle = (np.degrees(curve(name)) for name in ("hip_flexion", "knee_angle", "ankle_angle"))
    assert np.ptp(hip) == pytest.approx(40, abs=5)
    assert knee.max() == pytest.approx(60, abs=5) and 0.68 < PHASE[knee.argmax()] < 0.75
    assert 12 < knee[10:20].max() < 22
    assert ankle.min() < -10 and 0.58 < PHASE[ankle.argmin()] < 0.66


def test_faster_walkers_swing_their_hips_more():
    slow, fast = (np.ptp(curve("hip_flexion", speed)) for speed in (0.25, 0.6))
    assert np.degrees(fast - slow) > 5


def test_the_ground_carries_one_body_and_pushes_as_much_as_it_brakes():
    assert normal_gait()["vertical_force"].mean[0] == pytest.approx(1.0, abs=0.02)
    assert normal_gait()["forward_force"].mean[0] == pytest.approx(0.0, abs=0.01)


def test_steps_grow_with_cadence_up_to_the_free_one():
    law = step_law()
    # Strides of adults at free speed average 1.41 m (Perry and Burnfield 2010).
    assert law.stride_m(1.7, 115) == pytest.approx(1.41, abs=0.1)
    assert law.stride_m(1.7, 78) < law.stride_m(1.7, 115) == law.stride_m(1.7, 135)
    # Perry and Burnfield (2010): the foot stands for 62 % of a cycle at free speed, less when faster.
    assert law.stance(0.42) == pytest.approx(0.61, abs=0.02)
    assert law.stance(0.6) < law.stance(0.3)


def test_pressure_rolls_forward_under_the_foot():
    phase, along, outward = normal_rollover()
    assert phase[0] == 0 and phase[-1] == 1
    assert (np.diff(along) > 0).all() and along[0] > -0.1 and along[-1] < 1.3
    assert np.abs(outward).max() < 0.2


def test_speeds_are_free_of_size():
    assert speed_m_s(dimensionless_speed(1.3, 1.6), 1.6) == pytest.approx(1.3)
    assert dimensionless_speed(1.3, 1.6) > dimensionless_speed(1.3, 1.9)
