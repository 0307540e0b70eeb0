"""Intervals around predicted curves that hold for subjects never seen, whatever the errors' distribution.

Conformal prediction for data in groups (Lee, Barber & Willett 2023, arXiv 2306.06342, HCP; Dunn, Wasserman & Ramdas
2022, J Am Stat Assoc 118:2491): one subject's cycles are alike, so that subjects count, not cycles. At each point of
the cycle and for each channel, every one of S subjects who were held out spreads a weight of 1 / (S + 1) over its own
cycles' absolute errors, and the remaining 1 / (S + 1) lies at infinity, for the subject to come. The half-width is the
weighted quantile of these errors: a new subject's cycle lies inside with at least that probability, point by point,
not as a whole curve.

That is exact for one model and subjects whom it never saw. As used here (`models/predicting/calibrate.py`) it is an
approximation: errors of several folds' models are pooled, and these are not the model whose curves get the intervals.

N cycles, P points of each, K targets, S subjects.
"""

from collections.abc import Sequence

import numpy as np

from models.data.channels import FORCES, Channel
from warehouse.settings_file import Checked

# How much of what is measured the intervals are to hold.
LEVEL = 0.9
# Sums of many weights that should be the level itself may fall short of it by a rounding.
_ROUNDING = 1e-9


class Calibration(Checked):
    """Half-widths of the intervals, (P, K) per body mass, and on how many held-out subjects' errors they rest."""

    level: float
    n_subjects: int
    n_cycles: int
    half_width: tuple[tuple[float, ...], ...]

    def model_post_init(self, _context: object) -> None:
        """ValueError for rows of different length, or a negative half-width."""
        if len({len(row) for row in self.half_width}) != 1 or min(min(row) for row in self.half_width) < 0:
            raise ValueError("half_width must be one row a point of the cycle, of as many numbers >= 0, one a channel")


def possible(curves: np.ndarray, channels: Sequence[Channel]) -> np.ndarray:
    """Curves (N, P, K) with forces below zero set to zero: muscles don't push. Moments are left as they are."""
    least = np.array([0.0 if channel in FORCES else -np.inf for channel in channels], dtype=curves.dtype)
    return np.maximum(curves, least)


def limits(predicted: np.ndarray, half_width: np.ndarray, channels: Sequence[Channel]) -> tuple[np.ndarray, np.ndarray]:
    """The lower and the upper limit (N, P, K) around predictions, so far as they are possible: lower <= upper."""
    return possible(predicted - half_width, channels), possible(predicted + half_width, channels)


def fewest_subjects(level: float) -> int:
    """Of how many held-out subjects an interval of this level can be told: with fewer it is infinite."""
    return int(np.ceil(level / (1 - level) - _ROUNDING))


def calibrate(absolute_error: np.ndarray, subject: np.ndarray, level: float) -> Calibration | None:
    """From absolute errors (N, P, K) of models that never saw the subjects (N,); None for too few subjects."""
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

    Every subject counts the same, however many cycles it has, and the subject to come counts as one at infinity.
    """
    names, who, counts = np.unique(subject, return_inverse=True, return_counts=True)
    weight = 1 / ((len(names) + 1) * counts[who])
    if scores.ndim < 3:
        return _weighted_quantile(scores, weight, level)
    # One point of the cycle after the other: sorting takes several times the memory of what is sorted.
    return np.stack([_weighted_quantile(scores[:, point], weight, level) for point in range(scores.shape[1])])


def _weighted_quantile(scores: np.ndarray, weight: np.ndarray, level: float) -> np.ndarray:
    """Of scores (N, …) along their first axis; infinite where the weights (N,) don't add up to the level."""
    order = np.argsort(scores, axis=0, kind="stable")
    reached = np.cumsum(weight[order], axis=0) >= level - _ROUNDING
    first = np.argmax(reached, axis=0)
    values = np.take_along_axis(np.take_along_axis(scores, order, axis=0), first[None], axis=0)[0]
    return np.where(reached[-1], values, np.inf)


def shares_inside(measured: np.ndarray, low: np.ndarray, high: np.ndarray, subject: np.ndarray) -> dict[str, float]:
    """The share of each subject's points and channels (N, P, K) that lie within the limits, subjects sorted."""
    inside = (measured >= low) & (measured <= high)
    return {name: float(inside[subject == name].mean()) for name in sorted(set(subject.tolist()))}
