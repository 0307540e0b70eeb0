from dataclasses import replace

import pytest

from pipeline.errors import TrialRejected
from pipeline.markers.trajectories import trajectories


def test_a_recording_too_slow_for_the_cut_off_is_named(walker, profile, recipe):
    slow = replace(walker, point_rate_hz=12.0).recording()
    with pytest.raises(TrialRejected, match=r"walk.c3d: markers were recorded at 12 Hz.*than 13 Hz for marker_cutoff"):
        trajectories(slow, None, profile, recipe)
