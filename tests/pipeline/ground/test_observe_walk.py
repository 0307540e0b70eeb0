from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.ground import observe_walk as module
from pipeline.markers.ground_frame import to_ground
from pipeline.markers.static_trial import StaticTrial
from pipeline.session.session import Subject


@pytest.mark.parametrize(
    ("rates", "why"),
    [
        ({"point_rate_hz": 25.0}, r"markers were recorded at 25 Hz.*than 33 Hz for coordinate_cutoff_hz = 15"),
        ({"analog_rate_hz": 10.0}, r"forces were recorded at 10 Hz.*than 13 Hz for force_cutoff_hz = 6"),
    ],
)
def test_a_recording_too_slow_for_what_is_solved_of_it_is_named(monkeypatch, walker, profile, recipe, rates, why):
    """A walk that only sizes the body may be as slow: its key knows nothing of these cut-offs."""
    slow = replace(walker, **rates).recording()
    monkeypatch.setattr(module, "read_recording", lambda *_: slow)
    subject = Subject(id="S01", mass_kg=70.0, height_m=1.75)
    setup = SimpleNamespace(
        recipe=recipe,
        profile=profile,
        session=SimpleNamespace(subject=subject),
        plates_lag_s=None,
        plate_corrections={},
    )
    static = StaticTrial(pose=to_ground(walker.recording(), np.eye(3), ()), recording=walker.recording(), warnings=())
    with pytest.raises(TrialRejected, match=rf"walk\.c3d: {why}"):
        module.observe_walk(setup, SimpleNamespace(path=slow.path, forces=None), static)
