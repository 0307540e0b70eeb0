"""The table of figures that `pytest tests/parity` ends with, and cycles as arrays to compute them from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse import read
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse

NAMES = ["cohort", "subject", "session", "trial"]


class Figures:
    """What was measured against which limit, in the order of the tests."""

    def __init__(self) -> None:
        self._rows: dict[str, tuple[str, str]] = {}
        self._largest: dict[str, float] = {}

    def record(self, what: str, found: str, limit: str) -> None:
        """One line of the table."""
        self._rows[what] = (found, limit)

    def record_largest(self, what: str, value: float, form: str, limit: str) -> None:
        """One line for many cases: the largest of all values given under this name, as `form` writes it."""
        self._largest[what] = max(value, self._largest.get(what, -np.inf))
        self.record(what, form.format(self._largest[what]), limit)

    def lines(self) -> list[str]:
        """The table in Markdown; nothing if no test recorded a figure."""
        rows = [("figure", "found", "limit"), *((what, *rest) for what, rest in self._rows.items())]
        widths = [max(len(row[column]) for row in rows) for column in range(3)]
        padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in rows]
        padded.insert(1, ["-" * width for width in widths])
        return [f"| {' | '.join(row)} |" for row in padded] if self._rows else []


@dataclass(frozen=True)
class Walked:
    """One stored gait cycle: `table` holds its samples, `phase` from 0 to 1."""

    key: TrialKey
    condition: str
    side: str
    table: pd.DataFrame

    @property
    def name(self) -> str:
        return f"{self.key.subject} {self.condition:9} {self.side:5}"

    @property
    def phase(self) -> np.ndarray:
        return self.table["phase"].to_numpy()

    @property
    def toe_off_phase(self) -> float:
        return float(self.table["toe_off_phase"].iloc[0])

    @property
    def mass_kg(self) -> float:
        return float(self.table["mass_kg"].iloc[0])

    @property
    def time_s(self) -> np.ndarray:
        """When each sample happened in the recording."""
        return float(self.table["start_s"].iloc[0]) + self.phase * float(self.table["duration_s"].iloc[0])

    def curve(self, column: str) -> np.ndarray:
        return self.table[column].to_numpy()

    def at(self, column: str, phase: float) -> float:
        return float(np.interp(phase, self.phase, self.curve(column)))

    def peak(self, column: str) -> tuple[float, float]:
        """The largest value and its phase."""
        values = self.curve(column)
        return float(values.max()), float(self.phase[values.argmax()])

    def during(self, column: str, start: float, stop: float) -> np.ndarray:
        """The samples between two phases."""
        return self.curve(column)[(self.phase >= start) & (self.phase <= stop)]


def cycles_of(warehouse: Warehouse, cohort: str) -> list[Walked]:
    """Every gait cycle of a cohort's accepted trials."""
    return list(_split(read.cycles(warehouse, cohort=cohort).to_pandas()))


def _split(cycles: pd.DataFrame) -> Iterator[Walked]:
    for (*names, condition, side, _), table in cycles.groupby([*NAMES, "condition", "side", "cycle"]):
        key = TrialKey(**dict(zip(NAMES, names, strict=True)))
        yield Walked(key=key, condition=condition, side=side, table=table)


def muscle_n(warehouse: Warehouse, cycle: Walked, muscles: tuple[str, ...]) -> np.ndarray:
    """The summed force of some muscles of the cycle's own leg at the cycle's samples, in N."""
    columns = [f"{muscle}_{cycle.side[0]}" for muscle in muscles]
    forces = read.read_table(warehouse, "forces", cycle.key, ["time_s", *columns]).to_pandas().dropna()
    return np.interp(cycle.time_s, forces["time_s"], forces[columns].sum(axis=1))
