from dataclasses import replace

import numpy as np
import pytest

from pipeline.markers.marker_leaps import without_leaps
from pipeline.records import Markers

RATE_HZ = 100.0
TIME_S = np.arange(200) / RATE_HZ


def walking(speed_m_s: float = 1.4) -> Markers:
    """A pelvis marker, and a foot that swings at up to twice its speed."""
    pelvis, foot = np.zeros((200, 3)), np.zeros((200, 3))
    pelvis[:, 0] = speed_m_s * TIME_S
    foot[:, 0] = pelvis[:, 0] + speed_m_s / (2 * np.pi) * np.sin(2 * np.pi * TIME_S)
    return Markers(time_s=TIME_S, rate_hz=RATE_HZ, labels=("LASI", "LHEE"), positions_m=np.stack([pelvis, foot], 1))


def displaced(markers: Markers, frames: slice, by_m: float, column: int = 1) -> Markers:
    positions_m = markers.positions_m.copy()
    positions_m[frames, column, 2] += by_m
    return replace(markers, positions_m=positions_m)


@pytest.mark.parametrize("n_frames", [1, 2, 20])
def test_a_marker_that_leaps_away_and_back_is_missing_in_between(recipe, n_frames):
    frames = slice(50, 50 + n_frames)
    found, (told,) = without_leaps(displaced(walking(), frames, 0.2), recipe.markers)

    gone = np.isnan(found.positions_m).any(axis=2)
    assert gone[frames, 1].all() and gone.sum() == n_frames
    kept = ~gone
    assert np.array_equal(found.positions_m[kept], walking().positions_m[kept])
    assert told.startswith("LHEE leaps by 2") and f"at 0.50 s and back {n_frames / 100:.2f} s later" in told


def test_what_people_do_is_left_alone(recipe):
    for markers in (walking(), walking(6.0), displaced(walking(), slice(50, 52), 0.05)):
        found, told = without_leaps(markers, recipe.markers)
        assert told == ()
        assert np.array_equal(found.positions_m, markers.positions_m)


def test_a_marker_that_stays_elsewhere_did_not_leap_back(recipe):
    """That is an exchanged label or a marker that came off: others say so, and nothing is taken away here."""
    for frames in (slice(50, None), slice(50, 75)):
        markers = displaced(walking(), frames, 0.2)
        assert without_leaps(markers, recipe.markers)[1] == ()


def test_two_leaps_are_two_and_what_lies_between_them_stays(recipe):
    markers = displaced(displaced(walking(), slice(50, 52), 0.2), slice(60, 61), -0.3)
    found, told = without_leaps(markers, recipe.markers)
    gone = np.isnan(found.positions_m[:, 1]).any(axis=1)
    assert np.flatnonzero(gone).tolist() == [50, 51, 60]
    assert len(told) == 2


def test_a_missing_marker_does_not_leap(recipe):
    markers = displaced(walking(), slice(50, 60), np.nan)
    assert without_leaps(markers, recipe.markers)[1] == ()
