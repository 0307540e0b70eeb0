from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.markers.trajectories import faces_forward, trajectories
from pipeline.records import Markers


def test_a_recording_too_slow_for_the_cut_off_is_named(walker, profile, recipe):
    slow = replace(walker, point_rate_hz=12.0).recording()
    with pytest.raises(TrialRejected, match=r"walk.c3d: markers were recorded at 12 Hz.*than 13 Hz for marker_cutoff"):
        trajectories(slow, None, profile, recipe)


def test_who_comes_back_faces_forward_no_more(profile):
    labels = (profile.pelvis.right_anterior, profile.pelvis.left_anterior)
    across = np.array([[[0.1, 0.9, 0.12], [0.1, 0.9, -0.12]]])
    turned = across[:, ::-1]
    places = np.concatenate([across, across, turned, np.full((1, 2, 3), np.nan)])
    markers = Markers(time_s=np.arange(4) / 100, rate_hz=100.0, labels=labels, positions_m=places)
    assert list(faces_forward(markers, profile)) == [True, True, False, True]
