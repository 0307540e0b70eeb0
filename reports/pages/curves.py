"""Mean curves over the gait cycle, and the spread between subjects.

Shapes: N cycles, P samples of a cycle.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from warehouse.errors import WarehouseError


@dataclass(frozen=True, slots=True, kw_only=True)
class PageCycles:
    """Gait cycles as arrays: cohort, subject and condition (N,), and values (N, P) by channel, NaN if not known."""

    cohort: np.ndarray
    subject: np.ndarray
    condition: np.ndarray
    values: Mapping[str, np.ndarray]

    def where(self, cohort: str, condition: str) -> "PageCycles":
        """The cycles of one cohort walking in one condition."""
        return self.take((self.cohort == cohort) & (self.condition == condition))

    def take(self, kept: np.ndarray) -> "PageCycles":
        """The cycles chosen by a mask (N,)."""
        return PageCycles(
            cohort=self.cohort[kept],
            subject=self.subject[kept],
            condition=self.condition[kept],
            values={name: values[kept] for name, values in self.values.items()},
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """The mean over subjects of each subject's mean cycle, (P,), and the standard deviation between subjects.

    `sd` is NaN with fewer than two subjects; NaN cycles are left out.
    """

    mean: np.ndarray
    sd: np.ndarray
    n_subjects: int
    n_cycles: int


def page_cycles(table: pa.Table, channels: Sequence[str]) -> PageCycles:
    """Cycles from the long table, cycle after cycle. WarehouseError if they differ in their number of samples."""
    starts = np.flatnonzero(table["sample"].to_numpy() == 0)
    lengths = np.diff([*starts, table.num_rows])
    if len(set(lengths)) > 1:
        raise WarehouseError(
            f"gait cycles of {', '.join(map(str, sorted(set(lengths))))} samples lie side by side: they were made by "
            "recipes with different cycle_points. Ingest their sessions by one recipe, or choose a cohort."
        )
    first = table.take(pa.array(starts))
    n_samples = int(lengths[0]) if len(lengths) else 0
    return PageCycles(
        cohort=_texts(first, "cohort"),
        subject=_texts(first, "subject"),
        condition=_texts(first, "condition"),
        values={name: table[name].to_numpy().reshape(len(starts), n_samples) for name in channels},
    )


def band(cycles: PageCycles, channel: str) -> Band:
    """Mean and spread of one channel; every subject counts once, whatever their number of cycles."""
    values = cycles.values[channel]
    known = np.isfinite(values).all(axis=1)
    means = [values[known & (cycles.subject == who)].mean(axis=0) for who in np.unique(cycles.subject[known])]
    n_samples = values.shape[1]
    stacked = np.array(means).reshape(len(means), n_samples)
    return Band(
        mean=stacked.mean(axis=0) if means else np.full(n_samples, np.nan),
        sd=stacked.std(axis=0, ddof=1) if len(means) > 1 else np.full(n_samples, np.nan),
        n_subjects=len(means),
        n_cycles=int(known.sum()),
    )


def _texts(table: pa.Table, name: str) -> np.ndarray:
    return np.array(table[name].to_pylist(), dtype=str)
