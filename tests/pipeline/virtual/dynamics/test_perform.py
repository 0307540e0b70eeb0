"""A performance repeats with its motion, a stride farther on, at whatever phases it is sampled."""

import numpy as np
import pytest

from pipeline.records import SIDES
from pipeline.virtual.dynamics.perform import last_sample_s, perform
from pipeline.virtual.dynamics.planted import plant
from pipeline.virtual.records import ANALOG_RATE_HZ, MARKER_RATE_HZ
from pipeline.virtual.walk import walking_plan


@pytest.mark.osim
def test_a_cycle_later_all_is_the_same_a_stride_farther_on(body, style):
    plan = walking_plan(body, style, "med")
    planted = plant(body, plan)
    phase = np.linspace(0.03, 0.9, 40)
    now, later = (perform(body, planted, plan.footing, each, ()) for each in (phase, phase + 1))

    stride_m = np.array([planted.motion.stride_m, 0.0, 0.0])
    np.testing.assert_allclose(
        later.markers_m - now.markers_m, np.broadcast_to(stride_m, now.markers_m.shape), atol=1e-9
    )
    np.testing.assert_allclose(later.moments.values, now.moments.values, atol=1e-6)
    for side in SIDES:
        assert len(now.load[side].force_n) == len(phase) * ANALOG_RATE_HZ / MARKER_RATE_HZ
        np.testing.assert_allclose(later.load[side].force_n, now.load[side].force_n, atol=1e-6)
        np.testing.assert_allclose(later.load[side].cop_m, now.load[side].cop_m + stride_m, atol=1e-9)
        in_the_air = now.load[side].force_n[:, 1] == 0
        assert np.isnan(now.load[side].cop_m[in_the_air]).all()


def test_the_last_analog_sample_is_before_the_next_frame():
    assert last_sample_s(100) == pytest.approx(0.999)
