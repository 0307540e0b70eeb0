"""Mean and standard deviation of every channel, from training subjects only."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

import numpy as np
import pyarrow as pa

from warehouse.channels import ALL_CHANNELS
from warehouse.release.columns import RELEASED_CHANNELS
from warehouse.release.split import ReleaseSplit, subject_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistic:
    """One channel's mean and standard deviation (of the samples themselves: divisor n), over its `n` known samples.

    Both are None where no sample is known.
    """

    n: int
    mean: float | None
    sd: float | None


def channel_statistics(parts: Iterable[pa.Table], split: ReleaseSplit) -> dict[str, Statistic]:
    """The statistics of every channel of the release over the rows of `parts`; NaN counts as not known.

    ValueError if any row belongs to a subject that is not in training.
    """
    channels = {name: (0, 0.0, 0.0) for name in ALL_CHANNELS}
    for part in parts:
        _refuse_others(part, split)
        for name in RELEASED_CHANNELS:
            if name in channels or name in part.column_names:
                channels[name] = _merged(channels.get(name, (0, 0.0, 0.0)), _moments(part.column(name)))
    return {name: _statistic(*sums) for name, sums in channels.items()}


def as_plain(statistics: dict[str, Statistic]) -> dict[str, object]:
    """Plain data, for `stats.json`."""
    return {name: asdict(statistic) for name, statistic in statistics.items()}


def subjects_of(table: pa.Table) -> list[str]:
    """The subjects of a table's rows as `cohort/subject`, each once."""
    pairs = table.select(["cohort", "subject"]).group_by(["cohort", "subject"]).aggregate([])
    return [subject_id(row["cohort"], row["subject"]) for row in pairs.to_pylist()]


def _refuse_others(part: pa.Table, split: ReleaseSplit) -> None:
    others: Sequence[str] = sorted(set(subjects_of(part)) - set(split.train))
    if others:
        raise ValueError(f"statistics are taken from training subjects only; {', '.join(others)} are not in training.")


def _moments(column: pa.ChunkedArray) -> tuple[int, float, float]:
    values = column.to_numpy().astype(np.float64)
    known = values[np.isfinite(values)]
    if len(known) == 0:
        return 0, 0.0, 0.0
    return len(known), float(known.mean()), float(((known - known.mean()) ** 2).sum())


def _merged(left: tuple[int, float, float], right: tuple[int, float, float]) -> tuple[int, float, float]:
    # Count, mean and sum of squared deviations of two parts together (Chan et al. 1983, Am Stat 37:242).
    n = left[0] + right[0]
    if n == 0:
        return left
    step = right[1] - left[1]
    return n, left[1] + step * right[0] / n, left[2] + right[2] + step**2 * left[0] * right[0] / n


def _statistic(n: int, mean: float, squares: float) -> Statistic:
    return Statistic(n=n, mean=mean, sd=float(np.sqrt(squares / n))) if n else Statistic(n=0, mean=None, sd=None)
