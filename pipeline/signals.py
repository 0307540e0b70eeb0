"""Time series: filling short gaps, zero-lag low-pass filtering, runs of true values."""

import math
from collections import defaultdict
from functools import lru_cache

import numpy as np
from scipy.interpolate import CubicSpline
from scipy.signal import butter, sosfiltfilt

# Two passes of a second-order filter square its gain; this moves -3 dB back to the asked frequency
# (Winter 2009, Biomechanics and Motor Control of Human Movement, eq. 3.9).
_TWO_PASSES = (math.sqrt(2) - 1) ** 0.25
# A cut-off must lie below this share of the rate.
HIGHEST_CUTOFF = 0.45
# Frames that the filter mirrors at each end; a shorter run can't be filtered.
_PAD_FRAMES = 9


def runs(mask: np.ndarray) -> list[tuple[int, int]]:
    """Half-open index ranges [start, stop) over which a boolean (T,) is true, in order."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], mask, [False])).astype(np.int8)))
    return [(int(start), int(stop)) for start, stop in edges.reshape(-1, 2)]


def fill_gaps(positions_m: np.ndarray, rate_hz: float, max_gap_s: float) -> np.ndarray:
    """Markers (T, M, 3) with gaps of at most `max_gap_s` filled by a cubic spline; longer ones stay NaN.

    Gaps at the ends are never filled: nothing is extrapolated.
    """
    filled = positions_m.copy()
    for marker in range(positions_m.shape[1]):
        seen = np.isfinite(positions_m[:, marker]).all(axis=1)
        short = [gap for gap in _inner_gaps(seen) if (gap[1] - gap[0]) / rate_hz <= max_gap_s + 1e-9]
        if short:
            frames = np.flatnonzero(seen)
            spline = CubicSpline(frames, positions_m[frames, marker])
            for start, stop in short:
                filled[start:stop, marker] = spline(np.arange(start, stop))
    return filled


def _inner_gaps(seen: np.ndarray) -> list[tuple[int, int]]:
    if seen.sum() < 4:
        return []
    return [(start, stop) for start, stop in runs(~seen) if start > 0 and stop < len(seen)]


def low_pass(signal: np.ndarray, rate_hz: float, cutoff_hz: float) -> np.ndarray:
    """Zero-lag fourth-order Butterworth along the first axis; -3 dB at `cutoff_hz` after both passes.

    NaN stays NaN: each finite run of a column is filtered by itself, and a run too short to filter
    becomes NaN. ValueError if the cut-off is not below half the rate.
    """
    if not 0 < cutoff_hz < HIGHEST_CUTOFF * rate_hz:
        raise ValueError(f"cut-off {cutoff_hz} Hz must lie below 0.45 times the rate, {rate_hz} Hz.")
    # Winter's correction acts on the prewarped (analog) frequency.
    warped = math.tan(math.pi * cutoff_hz / rate_hz) / _TWO_PASSES
    corrected_hz = math.atan(warped) * rate_hz / math.pi
    sections = _second_order(corrected_hz, rate_hz)
    columns = signal.reshape(len(signal), -1)
    result = np.full(columns.shape, np.nan)
    if np.isfinite(columns).all() and len(columns) > _pad(rate_hz, cutoff_hz):
        return sosfiltfilt(sections, columns, axis=0, padlen=_pad(rate_hz, cutoff_hz)).reshape(signal.shape)
    for (start, stop), together in _columns_by_run(columns).items():
        if stop - start > _PAD_FRAMES:
            pad = min(_pad(rate_hz, cutoff_hz), stop - start - 1)
            result[start:stop, together] = sosfiltfilt(sections, columns[start:stop, together], axis=0, padlen=pad)
    return result.reshape(signal.shape)


@lru_cache(maxsize=16)
def _second_order(cutoff_hz: float, rate_hz: float) -> np.ndarray:
    sections: np.ndarray = butter(2, cutoff_hz, fs=rate_hz, output="sos")
    return sections


def _columns_by_run(columns: np.ndarray) -> dict[tuple[int, int], list[int]]:
    """Which columns of (T, C) are finite over each run of frames: a marker's three are filtered in one call."""
    together: dict[tuple[int, int], list[int]] = defaultdict(list)
    finite = np.isfinite(columns)
    for column in range(columns.shape[1]):
        for run in runs(finite[:, column]):
            together[run].append(column)
    return together


def _pad(rate_hz: float, cutoff_hz: float) -> int:
    # The filter's memory is about one period of its cut-off: mirror that much, so that the ends settle.
    return max(_PAD_FRAMES, math.ceil(rate_hz / cutoff_hz))


def debounced(mask: np.ndarray, rate_hz: float, shortest_s: float) -> np.ndarray:
    """A boolean (T,) without pauses, then without pulses, shorter than `shortest_s`."""
    frames = shortest_s * rate_hz
    steady = mask.copy()
    for start, stop in runs(~steady):
        if stop - start < frames and start > 0 and stop < len(mask):
            steady[start:stop] = True
    for start, stop in runs(steady):
        if stop - start < frames:
            steady[start:stop] = False
    return steady
