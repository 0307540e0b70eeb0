"""The interpolation with which a gait cycle is sampled and resampled."""

import numpy as np


def monotone_cubic(at_known: np.ndarray, values: np.ndarray, at: np.ndarray) -> np.ndarray:
    """Interpolate values (T, C), known at increasing `at_known` (T,), at `at` (P,) -> (P, C).

    Monotone cubic interpolation (Fritsch & Carlson 1980, SIAM J Numer Anal 17:238): straight lines stay straight,
    and no force overshoots below zero. ValueError for NaN, and where there are fewer than two known values.
    """
    # Imported here: a machine that only trains needs no scipy.
    from scipy.interpolate import PchipInterpolator

    resampled: np.ndarray = PchipInterpolator(at_known, values)(at)
    return resampled


def resample_cycles(values: np.ndarray, points: int) -> np.ndarray:
    """Resample cycles (N, P, C) at `points` equally spaced phases -> (N, points, C).

    A channel of a cycle that holds NaN becomes NaN throughout.
    """
    n_cycles, stored_points, n_channels = values.shape
    if points == stored_points:
        return values
    curves = np.moveaxis(values, 1, 0).reshape(stored_points, n_cycles * n_channels)
    known = np.isfinite(curves).all(axis=0)
    resampled = np.full((points, curves.shape[1]), np.nan)
    if known.any():
        resampled[:, known] = monotone_cubic(
            np.linspace(0, 1, stored_points), curves[:, known], np.linspace(0, 1, points)
        )
    return np.moveaxis(resampled.reshape(points, n_cycles, n_channels), 0, 1)
