"""Whole gait cycles as arrays, their statistics, and the split of subjects into training and test.

N cycles, P points of each, C input channels, K targets.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, fields, replace
from typing import Any

import numpy as np

from models.data.channels import ANGLE_CHANNELS, Channel
from warehouse.files.on_disk import blocks, finite_rows, is_on_disk, taken
from warehouse.settings_file import Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycles:
    """Gait cycles, all read as the right leg's. Angles and targets have no NaN.

    `angles_deg` is (N, P, 10); `targets` is (N, P, K) per body mass, or None where only inputs are known; the rest are
    (N,). `duration_s` and `height_m` are NaN where they were not measured. `side` is the leg of each cycle, `right` or
    `left`; None if all are right legs.
    """

    angles_deg: np.ndarray
    targets: np.ndarray | None
    target_channels: tuple[Channel, ...]
    subject: np.ndarray
    condition: np.ndarray
    mass_kg: np.ndarray
    height_m: np.ndarray
    duration_s: np.ndarray
    side: np.ndarray | None = None

    def __post_init__(self) -> None:
        n_cycles = len(self.subject)
        if self.angles_deg.ndim != 3 or self.angles_deg.shape[2] != len(ANGLE_CHANNELS):
            raise ValueError(f"angles have the shape {self.angles_deg.shape}: expected (N, P, {len(ANGLE_CHANNELS)})")
        expected = (*self.angles_deg.shape[:2], len(self.target_channels))
        if self.targets is not None and self.targets.shape != expected:
            raise ValueError(f"targets have the shape {self.targets.shape}: expected {expected}")
        for name in ("angles_deg", "condition", "mass_kg", "height_m", "duration_s"):
            if len(getattr(self, name)) != n_cycles:
                raise ValueError(f"{name} has {len(getattr(self, name))} cycles, and subject has {n_cycles}")
        self._refuse_nan("angles_deg", self.angles_deg)
        if self.targets is not None:
            self._refuse_nan("targets", self.targets)

    @property
    def n_points(self) -> int:
        """Points of each cycle, P."""
        return int(self.angles_deg.shape[1])

    @property
    def subjects(self) -> tuple[str, ...]:
        """Every subject, sorted."""
        return tuple(sorted(set(self.subject.tolist())))

    def measured(self) -> np.ndarray:
        """The targets, (N, P, K). ValueError where there are none."""
        if self.targets is None:
            raise ValueError("these cycles have no measured targets: they can be predicted, not learned from or scored")
        return self.targets

    def take(self, rows: np.ndarray) -> "Cycles":
        """The cycles of these rows (indices or a mask), on disk if these are."""
        return self._with_arrays(lambda array: taken(array, rows))

    def read(self, rows: np.ndarray | slice) -> "Cycles":
        """The same, but in memory."""
        return self._with_arrays(lambda array: np.array(array[rows]))

    @property
    def on_disk(self) -> bool:
        """Whether angles and targets are on disk, not in memory."""
        return is_on_disk(self.angles_deg)

    def blocks(self) -> Iterator["Cycles"]:
        """All cycles in order, a few hundred at a time, in memory."""
        return (self.read(rows) for rows in blocks(len(self.subject)))

    def of(self, subjects: Iterable[str]) -> "Cycles":
        """The cycles of these subjects. ValueError if one of them has none."""
        wanted = set(subjects)
        if missing := sorted(wanted - set(self.subjects)):
            raise ValueError(f"no cycles of {', '.join(missing)}: there are cycles of {', '.join(self.subjects)}")
        return self.take(np.isin(self.subject, sorted(wanted)))

    def with_targets(self, channels: tuple[Channel, ...]) -> "Cycles":
        """The same cycles with these targets only. ValueError if one is missing."""
        if missing := [channel.name for channel in channels if channel not in self.target_channels]:
            raise ValueError(f"these cycles have no {', '.join(missing)}")
        columns = [self.target_channels.index(channel) for channel in channels]
        return replace(self, targets=self.measured()[..., columns], target_channels=channels)

    def _with_arrays(self, change: Callable[[np.ndarray], np.ndarray]) -> "Cycles":
        entries: dict[str, Any] = {field.name: getattr(self, field.name) for field in fields(self)}
        changed: dict[str, Any] = {k: change(v) if isinstance(v, np.ndarray) else v for k, v in entries.items()}
        return Cycles(**changed)

    def _refuse_nan(self, name: str, values: np.ndarray) -> None:
        bad = ~finite_rows(values)
        if bad.any():
            names = ", ".join(sorted(set(self.subject[bad].tolist())))
            raise ValueError(
                f"{name}: {bad.sum()} of {len(values)} cycles hold NaN or infinity (subjects: {names}). "
                "Leave out cycles that were not wholly measured."
            )


def cohort_of(subject: str) -> str:
    """The cohort with which a subject's name begins, "" if there is none."""
    return subject.rpartition("/")[0]


class SubjectSplit(Checked):
    """The subjects trained on and those held out for the test. `train` is None where a checkpoint does not say."""

    train: tuple[str, ...] | None
    test: tuple[str, ...]

    def model_post_init(self, _context: object) -> None:
        """ValueError if a subject is on both sides."""
        if both := sorted(set(self.train or ()) & set(self.test)):
            raise ValueError(f"subjects on both sides of the split: {', '.join(both)}. A subject is in one of them.")


class Statistics(Checked):
    """Mean and standard deviation of each channel, over the cycles of training subjects."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]

    def standardise(self, values: np.ndarray) -> np.ndarray:
        """(N, P, C) -> z-scores (N, P, C), single precision."""
        mean, sd = np.array(self.mean, dtype=np.float32), np.array(self.sd, dtype=np.float32)
        return ((values - mean) / sd).astype(np.float32)

    def restore(self, z_scores: np.ndarray) -> np.ndarray:
        """The inverse of `standardise`."""
        mean, sd = np.array(self.mean, dtype=np.float32), np.array(self.sd, dtype=np.float32)
        return (z_scores * sd + mean).astype(np.float32)


def statistics_of(parts: Callable[[], Iterable[np.ndarray]]) -> Statistics:
    """Statistics of all parts (N, P, C) together; `parts` is called twice."""
    totals = [(part.shape[0] * part.shape[1], part.sum(axis=(0, 1), dtype=np.float64)) for part in parts()]
    n_values = sum(n for n, _ in totals)
    mean = np.sum([total for _, total in totals], axis=0) / n_values
    squares = [np.sum((part.astype(np.float64) - mean) ** 2, axis=(0, 1)) for part in parts()]
    sd = np.sqrt(np.sum(squares, axis=0) / n_values)
    # A channel that never varies stays unscaled.
    return Statistics(mean=tuple(mean.tolist()), sd=tuple(np.where(sd > 0, sd, 1.0).tolist()))
