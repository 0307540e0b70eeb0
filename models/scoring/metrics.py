"""How far predictions are from measurements: the published figures, and those by channel.

N cycles, P points of each, K channels of one unit, S subjects. No argument may hold NaN.
"""

from dataclasses import dataclass

import numpy as np

from warehouse.settings_file import Checked

# Resamples of a bootstrap, and its seed, so that the same figures give the same interval.
_RESAMPLES = 4000
_SEED = 2025


@dataclass(frozen=True, slots=True, kw_only=True)
class Errors:
    """Over all cycles, points and channels together, as Gait2Hip-60 (arXiv 2605.30374) defines its three figures.

    `r2_one_mean` is about one grand mean of all channels, which makes it high wherever channels differ in size.
    `channel_r2` is the usual one.
    """

    rmse: float
    mae: float
    r2_one_mean: float


class Interval(Checked):
    """The middle 95 % of a bootstrap over subjects."""

    low: float
    high: float


def errors(measured: np.ndarray, predicted: np.ndarray) -> Errors:
    """Of arrays of any one shape."""
    difference = predicted.astype(np.float64) - measured
    scatter = measured.astype(np.float64) - measured.mean(dtype=np.float64)
    return Errors(
        rmse=float(np.sqrt(np.mean(difference**2))),
        mae=float(np.mean(np.abs(difference))),
        r2_one_mean=_share_explained(np.sum(difference**2), np.sum(scatter**2)),
    )


def errors_by_subject(measured: np.ndarray, predicted: np.ndarray, subject: np.ndarray) -> dict[str, Errors]:
    """Each subject's errors over all of its cycles (N, P, K), subjects sorted."""
    return {
        name: errors(measured[subject == name], predicted[subject == name]) for name in sorted(set(subject.tolist()))
    }


def channel_rmse(measured: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(N, P, K) -> (K,), all cycles together."""
    return np.sqrt(np.mean((predicted.astype(np.float64) - measured) ** 2, axis=(0, 1)))


def channel_r2(measured: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(N, P, K) -> (K,): the share of each channel's scatter about its own mean; NaN for a constant channel."""
    residual = np.sum((predicted.astype(np.float64) - measured) ** 2, axis=(0, 1))
    scatter = np.sum((measured - measured.mean(axis=(0, 1), dtype=np.float64)) ** 2, axis=(0, 1))
    return np.array([_share_explained(*pair) for pair in zip(residual, scatter, strict=True)])


def channel_nrmse(measured: np.ndarray, predicted: np.ndarray) -> np.ndarray:
    """(N, P, K) -> (K,): RMSE as a share of the range of the measured mean curve; NaN for a flat one.

    The range of the mean curve, not of all values: one odd cycle must not make every error look small.
    """
    curve_range = np.ptp(measured.mean(axis=0, dtype=np.float64), axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(curve_range > 0, channel_rmse(measured, predicted) / curve_range, np.nan)


def mean_interval(values: np.ndarray) -> Interval | None:
    """A 95 % interval of the mean of S subjects' figures; None for fewer than three subjects.

    Percentile bootstrap (Efron & Tibshirani 1993, chapter 13).
    """
    if len(values) < 3:
        return None
    drawn = np.random.default_rng(_SEED).integers(len(values), size=(_RESAMPLES, len(values)))
    low, high = np.percentile(values[drawn].mean(axis=1), [2.5, 97.5])
    return Interval(low=float(low), high=float(high))


def _share_explained(residual: float, scatter: float) -> float:
    return float(1 - residual / scatter) if scatter > 0 else float("nan")
