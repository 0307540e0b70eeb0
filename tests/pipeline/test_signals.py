import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.signals import debounced, fill_gaps, low_pass, runs


def test_runs_are_half_open():
    assert runs(np.array([0, 1, 1, 0, 1], dtype=bool)) == [(1, 3), (4, 5)]
    assert runs(np.zeros(3, dtype=bool)) == []


@given(st.lists(st.booleans(), max_size=40))
def test_runs_rebuild_the_mask(values):
    mask = np.array(values, dtype=bool)
    rebuilt = np.zeros(len(mask), dtype=bool)
    for start, stop in runs(mask):
        rebuilt[start:stop] = True
    assert (rebuilt == mask).all()


def test_low_pass_is_down_3_db_at_its_cutoff_and_has_no_lag():
    time_s = np.arange(4000) / 200
    wave = np.sin(2 * np.pi * 6 * time_s)
    filtered = low_pass(wave, 200, 6.0)
    middle = slice(1000, 3000)
    gain = (filtered[middle] @ wave[middle]) / (wave[middle] @ wave[middle])
    assert gain == pytest.approx(10 ** (-3.0103 / 20), abs=1e-3)
    quadrature = filtered[middle] @ np.cos(2 * np.pi * 6 * time_s)[middle] / (wave[middle] @ wave[middle])
    assert abs(quadrature) < 1e-3


def test_low_pass_keeps_straight_lines_and_slow_motion():
    time_s = np.arange(300) / 100
    line = np.stack([2 + 3 * time_s, -time_s], axis=1)
    assert low_pass(line, 100, 6.0) == pytest.approx(line, abs=1e-3)


def test_low_pass_never_bridges_a_gap():
    signal = np.ones(200)
    signal[80:120] = np.nan
    signal[150:] = 5.0
    filtered = low_pass(signal, 100, 6.0)
    assert np.isnan(filtered[80:120]).all()
    assert filtered[:80] == pytest.approx(1.0)


def test_low_pass_drops_runs_too_short_to_filter():
    signal = np.full(100, np.nan)
    signal[10:15] = 1.0
    assert np.isnan(low_pass(signal, 100, 6.0)).all()


def test_low_pass_refuses_a_cutoff_beyond_the_rate():
    with pytest.raises(ValueError, match="cut-off 60"):
        low_pass(np.ones(100), 100, 60.0)


def test_short_gaps_are_filled_on_the_curve_and_long_ones_stay():
    time_s = np.arange(200) / 100
    track = np.stack([np.sin(3 * time_s), time_s, time_s**2], axis=1)[:, None, :]
    holed = track.copy()
    holed[40:55] = np.nan  # 0.15 s
    holed[100:140] = np.nan  # 0.40 s
    filled = fill_gaps(holed, 100, 0.2)
    assert filled[40:55] == pytest.approx(track[40:55], abs=1e-3)
    assert np.isnan(filled[100:140]).all()


def test_nothing_is_extrapolated():
    track = np.ones((50, 1, 3))
    track[:5] = np.nan
    track[-5:] = np.nan
    filled = fill_gaps(track, 100, 0.2)
    assert np.isnan(filled[:5]).all()
    assert np.isnan(filled[-5:]).all()


def test_debounce_joins_pauses_then_drops_pulses():
    mask = np.zeros(1000, dtype=bool)
    mask[100:400] = True
    mask[200:210] = False
    mask[700:705] = True
    assert runs(debounced(mask, 1000, 0.05)) == [(100, 400)]
