"""A release's cycles as arrays for the audit. N cycles, C channels, P samples, S subjects."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from warehouse.channels import ALL_CHANNELS
from warehouse.release.columns import TEXT_KEYS
from warehouse.release.split import subject_id

AUDITED_COLUMNS: tuple[str, ...] = (*TEXT_KEYS, "cycle", "mass_kg", "height_m", *ALL_CHANNELS)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditCycles:
    """Cycles: their identity, condition and body (N,), and curves (N, C, P) in the channels' units, NaN if not known.

    `subject` is `cohort/subject`; channels are in the order of `release.columns.CHANNELS`.
    """

    subject: np.ndarray
    cohort: np.ndarray
    session: np.ndarray
    trial: np.ndarray
    condition: np.ndarray
    side: np.ndarray
    cycle: np.ndarray
    mass_kg: np.ndarray
    height_m: np.ndarray
    curves: np.ndarray

    def __post_init__(self) -> None:
        assert self.curves.ndim == 3 and self.curves.shape[1] == len(ALL_CHANNELS)
        assert len(self.subject) == len(self.curves)

    def __len__(self) -> int:
        return len(self.curves)

    def take(self, chosen: np.ndarray) -> "AuditCycles":
        """The cycles chosen by a mask (N,) or by indices."""
        return AuditCycles(**{name: getattr(self, name)[chosen] for name in self.__slots__})

    def thinned(self, step: int) -> "AuditCycles":
        """Every `step`-th sample of each curve."""
        return replace(self, curves=self.curves[:, :, ::step])

    def groups(self) -> Iterator[tuple[str, str, "AuditCycles"]]:
        """Cohort, condition and cycles of each group that can be compared with each other."""
        for cohort, condition in sorted(set(zip(self.cohort.tolist(), self.condition.tolist(), strict=True))):
            yield cohort, condition, self.take((self.cohort == cohort) & (self.condition == condition))


def read_cycles(tables: Iterable[pa.Table], points: int) -> AuditCycles:
    """Read cycles from tables of whole cycles with the columns `NEEDED`, `points` rows a cycle."""
    parts = [_part(table, points) for table in tables]
    return AuditCycles(**{name: np.concatenate([part[name] for part in parts]) for name in parts[0]})


def _part(table: pa.Table, points: int) -> Mapping[str, np.ndarray]:
    first = table.select([name for name in AUDITED_COLUMNS if name not in ALL_CHANNELS]).take(
        pa.array(np.arange(0, table.num_rows, points))
    )
    texts = {name: np.array(first[name].to_pylist(), dtype=str) for name in TEXT_KEYS}
    pairs = zip(texts["cohort"].tolist(), texts.pop("subject").tolist(), strict=True)
    numbers = {name: first[name].to_numpy() for name in ("cycle", "mass_kg", "height_m")}
    curves = np.empty((first.num_rows, len(ALL_CHANNELS), points), dtype=np.float32)
    for index, name in enumerate(ALL_CHANNELS):
        curves[:, index] = table[name].to_numpy().reshape(-1, points)
    return {"subject": np.array([subject_id(*pair) for pair in pairs], dtype=str), **texts, **numbers, "curves": curves}


def median_curves(subject: np.ndarray, curves: np.ndarray) -> tuple[list[str], np.ndarray]:
    """The sorted subjects of cycles (N,) and the median cycle of each, (N, C, P) -> (S, C, P).

    A channel is NaN where none of the subject's cycles knows it.
    """
    subjects = sorted(set(subject.tolist()))
    return subjects, np.stack([nan_median(curves[subject == who]) for who in subjects])


def nan_median(values: np.ndarray) -> np.ndarray:
    """The median of the known values over the first axis; NaN where none is known."""
    if np.isfinite(values).all():
        return np.asarray(np.median(values, axis=0))
    known = np.isfinite(values).any(axis=0)
    median = np.full(values.shape[1:], np.nan, dtype=values.dtype)
    median[known] = np.nanmedian(values[:, known], axis=0)
    return median
