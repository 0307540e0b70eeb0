"""Prediction intervals around curves, valid for unseen subjects whatever the distribution of the errors.

Conformal prediction for grouped data (Lee, Barber & Willett 2023, arXiv 2306.06342, HCP; Dunn, Wasserman & Ramdas 2022,
J Am Stat Assoc 118:2491). One subject's cycles are alike, so subjects are weighted, not cycles. At each point of the
cycle and for each channel, each of S held-out subjects has a weight of 1 / (S + 1), spread over the absolute errors of
its cycles; the remaining 1 / (S + 1), for the next subject, lies at infinity. The half-width is the weighted quantile
of these errors: a new subject's cycle lies inside with at least that probability, at each point, not as a whole curve.

The guarantee is for one model and subjects it was not trained on. As used here (`calibrate.py`) it is approximate: the
errors of several fold runs are pooled, and the run that gets the intervals is none of them.

N cycles, P points of each, K targets, S subjects.
"""

from collections.abc import Sequence

import numpy as np

from models.data.channels import FORCE_TARGETS, Channel
from warehouse.settings_file import Checked

INTERVAL_LEVEL = 0.9  # the share of measured values that intervals are to cover
# A sum of many weights may fall short of the level by a rounding error.
_ROUNDING = 1e-9


class Calibration(Checked):
    """Half-widths of the intervals, (P, K) per body mass, from the errors on `n_subjects` held-out subjects."""

    level: float
    n_subjects: int
    n_cycles: int
    half_width: tuple[tuple[float, ...], ...]

    def model_post_init(self, _context: object) -> None:
        """ValueError for rows of different length, or a negative half-width."""
        if len({len(row) for row in self.half_width}) != 1 or min(min(row) for row in self.half_width) < 0:
            raise ValueError("half_width must be one row a point of the cycle, of as many numbers >= 0, one a channel")


def without_negative_forces(curves: np.ndarray, channels: Sequence[Channel]) -> np.ndarray:
    """Curves (N, P, K) with negative forces set to zero, since muscles only pull. Moments are unchanged."""
    least = np.array([0.0 if channel in FORCE_TARGETS else -np.inf for channel in channels], dtype=curves.dtype)
    return np.maximum(curves, least)


def interval_limits(
    predicted: np.ndarray, half_width: np.ndarray, channels: Sequence[Channel]
) -> tuple[np.ndarray, np.ndarray]:
    """The lower and upper limits (N, P, K) around predictions, without negative forces."""
    lower, upper = predicted - half_width, predicted + half_width
    return without_negative_forces(lower, channels), without_negative_forces(upper, channels)


def fewest_subjects(level: float) -> int:
    """The smallest number of held-out subjects for an interval of this level: with fewer it is infinite."""
    return int(np.ceil(level / (1 - level) - _ROUNDING))


def calibration_from_errors(absolute_error: np.ndarray, subject: np.ndarray, level: float) -> Calibration | None:
    """Intervals from absolute errors (N, P, K) on held-out subjects (N,); None for too few subjects."""
    n_subjects = len(set(subject.tolist()))
    if n_subjects < fewest_subjects(level):
        return None
    half_width = quantile_by_subject(absolute_error, subject, level)
    return Calibration(
        level=level,
        n_subjects=n_subjects,
        n_cycles=len(subject),
        half_width=tuple(tuple(float(value) for value in row) for row in half_width),
    )


def quantile_by_subject(scores: np.ndarray, subject: np.ndarray, level: float) -> np.ndarray:
    """The conformal quantile of scores (N, …) along their first axis, infinite for too few subjects.

    Each subject has the same weight, however many cycles it has; the next subject's weight lies at infinity.
    """
    names, index, counts = np.unique(subject, return_inverse=True, return_counts=True)
    weight = 1 / ((len(names) + 1) * counts[index])
    if scores.ndim < 3:
        return _weighted_quantile(scores, weight, level)
    # Point by point, since sorting takes several times the memory of what is sorted.
    return np.stack([_weighted_quantile(scores[:, point], weight, level) for point in range(scores.shape[1])])


def _weighted_quantile(scores: np.ndarray, weight: np.ndarray, level: float) -> np.ndarray:
    """Along the first axis of scores (N, …); infinite where the weights (N,) don't add up to the level."""
    order = np.argsort(scores, axis=0, kind="stable")
    reached = np.cumsum(weight[order], axis=0) >= level - _ROUNDING
    first = np.argmax(reached, axis=0)
    values = np.take_along_axis(np.take_along_axis(scores, order, axis=0), first[None], axis=0)[0]
    return np.where(reached[-1], values, np.inf)


def shares_inside(measured: np.ndarray, low: np.ndarray, high: np.ndarray, subject: np.ndarray) -> dict[str, float]:
    """The share of each subject's points and channels (N, P, K) that lie within the limits, subjects sorted."""
    inside = (measured >= low) & (measured <= high)
    return {name: float(inside[subject == name].mean()) for name in sorted(set(subject.tolist()))}
