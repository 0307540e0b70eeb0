"""Speed without dimension: one gait for short and tall people."""

import pytest

from pipeline.virtual.person.proportions import dimensionless_speed, speed_m_s


def test_one_is_the_speed_at_which_a_stiff_leg_would_take_off():
    # v² / L = g with a leg of 0.530 of 1.70 m.
    assert dimensionless_speed((9.80665 * 0.530 * 1.70) ** 0.5, 1.70) == pytest.approx(1)


def test_a_taller_person_walks_faster_at_the_same_dimensionless_speed():
    assert speed_m_s(0.42, 1.96) == pytest.approx(speed_m_s(0.42, 1.0) * 1.4)


@pytest.mark.parametrize("height_m", [1.45, 1.9])
def test_there_and_back_is_the_same_speed(height_m):
    assert speed_m_s(dimensionless_speed(1.3, height_m), height_m) == pytest.approx(1.3)
