"""Cycles as arrays to compute figures from."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from warehouse.files import read
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse

NAMES = ["cohort", "subject", "session", "trial"]


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
