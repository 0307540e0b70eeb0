"""The others: the median curve and the spread of all subjects except the one that is judged.

Shapes: S subjects, C channels, P samples.
"""

from dataclasses import dataclass

import numpy as np

from reports.audit.curves import nan_median
from warehouse.channels import ALL_CHANNELS, FORCE_CHANNELS, MOMENT_CHANNELS

# With fewer others an outlier can't be told from two clusters of two.
LEAST_OTHERS = 4
# Among more subjects, one curve moves neither the median nor the spread.
_MANY = 100
# Median absolute deviations are too small in small samples; factors by the number of values, n/(n - 0.8) above
# (Croux and Rousseeuw 1992, Computational Statistics 1:411).
_SMALL_SAMPLE = {2: 1.196, 3: 1.495, 4: 1.363, 5: 1.206, 6: 1.200, 7: 1.140, 8: 1.129, 9: 1.107}
# A normal distribution's standard deviation over its median absolute deviation.
_NORMAL = 1.4826
# A tenth of 20 others are several people, and what several people do is not one person's error: some use their
# hamstrings where the others don't. A tenth of a normal distribution is farther than 1.6449 standard deviations from
# its median.
_SEVERAL, _TENTH, _OF_TENTH = 20, 0.1, 1.6449
# Where all subjects agree the spread is close to zero, and any difference would be many times the spread: these are
# the smallest differences that matter.
_FLOORS = {
    **dict.fromkeys(ALL_CHANNELS, 1.0),
    **dict.fromkeys(FORCE_CHANNELS, 0.1),
    **dict.fromkeys(MOMENT_CHANNELS, 0.02),
}
FLOOR = np.array([_FLOORS[name] for name in ALL_CHANNELS], dtype=np.float32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Others:
    """For each subject the other subjects' median `center` and robust standard deviation `spread`, (S, C, P).

    `n` says how many others know each channel (S, C). Center and spread are NaN where fewer than `LEAST_OTHERS` do, and
    for a subject who doesn't know the channel.
    """

    center: np.ndarray
    spread: np.ndarray
    n: np.ndarray

    @property
    def limit(self) -> np.ndarray:
        """The distance from the others that is too far, in each channel (S, C)."""
        return distance_limit(np.maximum(self.n, 1))


def others_of(curves: np.ndarray) -> Others:
    """Center and spread of the others of each of S subjects, from those who know every sample of the channel.

    The spread has a floor: half of its root mean square over the cycle, and the smallest difference that matters.
    """
    known = np.isfinite(curves).all(axis=-1)
    center, spread = np.full_like(curves, np.nan), np.full_like(curves, np.nan)
    # Channels are mostly known for the same subjects: those with the same pattern are computed together.
    for pattern in np.unique(known, axis=1).T:
        who = np.flatnonzero(pattern)
        channels = np.flatnonzero((known == pattern[:, None]).all(axis=0))
        if len(who) > LEAST_OTHERS:
            place = np.ix_(who, channels)
            center[place], spread[place] = _of_known(curves[place], FLOOR[channels])
    return Others(center=center, spread=spread, n=known.sum(axis=0) - known)


def _of_known(curves: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(curves) > _MANY:
        center, spread = _center_and_spread(curves, floor)
        return np.broadcast_to(center, curves.shape), np.broadcast_to(spread, curves.shape)
    results = [_center_and_spread(np.delete(curves, index, axis=0), floor) for index in range(len(curves))]
    return np.stack([center for center, _ in results]), np.stack([spread for _, spread in results])


def distance_limit(n_others: np.ndarray | int) -> np.ndarray:
    """The largest distance from `n_others` others, in robust standard deviations (root mean square over the cycle).

    3.5 among many (Iglewicz and Hoaglin 1993), more among few, whose spread is itself uncertain. Fewer than one in a
    thousand normally distributed curves with three or more independent features are farther (`benchmarks/audit.py`).
    """
    return np.asarray(3.5 * (1 + 4 / np.asarray(n_others)))


def distances(curves: np.ndarray, center: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Root mean square over the cycle of (curve - center) / spread: (..., C, P) -> (..., C)."""
    return np.asarray(np.sqrt((((curves - center) / spread) ** 2).mean(axis=-1)))


def correlations(curves: np.ndarray, center: np.ndarray) -> np.ndarray:
    """Pearson's correlation over the cycle with the others' median: (..., C, P) -> (..., C). NaN for a constant."""
    one = curves - curves.mean(axis=-1, keepdims=True)
    other = center - center.mean(axis=-1, keepdims=True)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(_products(one, other) / np.sqrt(_products(one, one) * _products(other, other)))


def _products(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    return np.asarray(np.einsum("...p,...p->...", one, other))


def robust_sd(curves: np.ndarray) -> np.ndarray:
    """The standard deviation over the first axis, estimated from the median absolute deviation for normal values.

    One wrong curve among several hardly moves it.
    """
    n = len(curves)
    return np.asarray(_NORMAL * _SMALL_SAMPLE.get(n, n / (n - 0.8)) * nan_median(np.abs(curves - nan_median(curves))))


def spread_of(curves: np.ndarray) -> np.ndarray:
    """`robust_sd`, or more where a tenth of at least twenty curves deviates more than a normal distribution's would."""
    deviation = robust_sd(curves)
    if len(curves) < _SEVERAL:
        return deviation
    deviations = np.abs(curves - nan_median(curves))
    rank = int((1 - _TENTH) * len(curves))
    return np.maximum(deviation, np.partition(deviations, rank, axis=0)[rank] / _OF_TENTH)


def _center_and_spread(rest: np.ndarray, floor: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    deviation = spread_of(rest)
    usual = np.sqrt((deviation**2).mean(axis=-1, keepdims=True))
    return nan_median(rest), np.sqrt(deviation**2 + (0.5 * usual) ** 2 + floor[:, None] ** 2)
