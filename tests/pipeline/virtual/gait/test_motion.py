"""A steady motion: one cycle again and again, further on by a stride."""

import numpy as np

from pipeline.virtual.gait.motion import PeriodicMotion, follow

NAMES = ("pelvis_tx", "knee_angle_r", "knee_angle_r_beta", "knee_angle_l", "knee_angle_l_beta")
TERMS = np.zeros((3, 5))
TERMS[:, 0] = 0.1, 0.02, 0.0
TERMS[:, 1] = 0.3, 0.0, 0.2
MOTION = PeriodicMotion(names=NAMES, terms=follow(NAMES, TERMS), period_s=1.2, stride_m=1.5)


def test_it_goes_a_stride_each_cycle():
    first, _, _ = MOTION.at(np.array([0.2]))
    later, _, _ = MOTION.at(np.array([1.2]))
    np.testing.assert_allclose(later - first, [[1.5, 0, 0, 0, 0]], atol=1e-12)


def test_speeds_are_per_second():
    _, speeds, accelerations = MOTION.at(np.array([0.0]))
    assert np.isclose(speeds[0, 0], 1.5 / 1.2)
    assert np.isclose(speeds[0, 1], 0.2 * 2 * np.pi / 1.2)
    assert np.isclose(accelerations[0, 0], -0.02 * (2 * np.pi / 1.2) ** 2)


def test_the_patella_follows_the_knee_also_when_it_is_moved():
    moved = MOTION.moved([1], np.full((3, 1), 0.01))
    values, _, _ = moved.at(np.array([0.3]))
    assert values[0, 2] == values[0, 1] != MOTION.at(np.array([0.3]))[0][0, 1]
