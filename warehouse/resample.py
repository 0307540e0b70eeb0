"""The one interpolation with which a gait cycle is sampled and sampled again."""

import numpy as np


def monotone_cubic(at_known: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Values (T, C), known at increasing `at_known` (T,), at `at` (P,) -> (P, C).

    Monotone cubic interpolation (Fritsch & Carlson 1980, SIAM J Numer Anal 17:238): straight lines stay straight,
    and no force overshoots below zero. ValueError for NaN, and where there are fewer than two known values.
    """
    # Only who resamples needs scipy: a machine that trains does not.
    from scipy.interpolate import PchipInterpolator

    resampled: np.ndarray = PchipInterpolator(at_known, values)(at)
    return resampled


def resample_cycles(values: np.ndarray, points: int) -> np.ndarray:
    """Cycles (N, P, C) at `points` equal steps over the same cycles -> (N, points, C).

    A channel of a cycle that holds NaN comes out as NaN throughout: what is not known can't be interpolated.
    """
    n_cycles, stored_points, n_channels = values.shape
    if points == stored_points:
        return values
    curves = np.moveaxis(values, 1, 0).reshape(stored_points, n_cycles * n_channels)
    known = np.isfinite(curves).all(axis=0)
    found = np.full((points, curves.shape[1]), np.nan)
    if known.any():
        found[:, known] = monotone_cubic(np.linspace(0, 1, stored_points), curves[:, known], np.linspace(0, 1, points))
    return np.moveaxis(found.reshape(points, n_cycles, n_channels), 0, 1)
