"""Predicted forces and moments as files: Parquet, CSV, and OpenSim's tables.

N cycles, P points of each, T frames, K targets, R rows.
"""

import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from warehouse.interchange.opensim_table import format_table_with_gaps

# Name and unit of a target once the mass is known, by its unit per mass.
ABSOLUTE = {"N/kg": ("n", "N"), "N·m/kg": ("nm", "N·m")}
ENDINGS = (".parquet", ".csv", ".sto")
_LIMITS = ("", "_low", "_high")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChannel:
    """One predicted channel, per body mass."""

    name: str
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Curves:
    """Predictions per body mass: `values` (…, K) and their `low` and `high` limits, if any; NaN outside cycles."""

    values: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None

    def parts(self) -> Iterator[tuple[str, np.ndarray]]:
        """A suffix of the target's name and the numbers (…, K): the values, then their limits."""
        for suffix, numbers in zip(_LIMITS, (self.values, self.low, self.high), strict=True):
            if numbers is not None:
                yield suffix, numbers

    def each(self, change: Callable[[np.ndarray], np.ndarray]) -> "Curves":
        """The same change applied to values and limits."""
        changed = {suffix: change(numbers) for suffix, numbers in self.parts()}
        return Curves(values=changed[""], low=changed.get("_low"), high=changed.get("_high"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Predicted:
    """A trained model's predictions for N cycles: `curves` (N, P, K) of its targets.

    `level` is the share of measurements that the limits are meant to contain, calibrated on `n_calibrating` held-out
    subjects; None and 0 without limits. `novelty` (N,) is above 1 for motion outside what the model has seen; None if
    the model can't tell. `angles_outside` names, for each such cycle, the angles that are outside by themselves.
    """

    targets: tuple[TargetChannel, ...]
    curves: Curves
    level: float | None
    n_calibrating: int
    novelty: np.ndarray | None
    angles_outside: tuple[tuple[str, ...], ...]

    def take(self, rows: np.ndarray) -> "Predicted":
        """Some of the cycles, by their indices."""
        return replace(
            self,
            curves=self.curves.each(lambda numbers: numbers[rows]),
            novelty=None if self.novelty is None else self.novelty[rows],
            angles_outside=tuple(self.angles_outside[row] for row in rows) if self.angles_outside else (),
        )


def target_columns(
    targets: Sequence[TargetChannel], curves: Curves, mass_kg: np.ndarray
) -> dict[str, tuple[str, np.ndarray]]:
    """Each column's unit and numbers (R,), from curves (R, K) and each row's mass (R,), NaN where unknown.

    `force_glmed`, `force_glmed_low` per body mass; `force_glmed_n`, `force_glmed_n_low` in N, if any mass is known.
    """
    columns = {}
    for suffix, numbers in curves.parts():
        for index, target in enumerate(targets):
            columns[f"{target.name}{suffix}"] = target.unit, numbers[:, index]
    if np.isnan(mass_kg).all():
        return columns
    for suffix, numbers in curves.parts():
        for index, target in enumerate(targets):
            word, unit = ABSOLUTE[target.unit]
            columns[f"{target.name}_{word}{suffix}"] = unit, numbers[:, index] * mass_kg
    return columns


def cycle_rows(keys: Mapping[str, np.ndarray], predicted: Predicted, mass_kg: np.ndarray) -> pa.Table:
    """One row per cycle and sample; `keys` and `mass_kg` are per cycle (N,)."""
    count, points = predicted.curves.values.shape[:2]
    by_cycle = {**keys, **_novelty(predicted)}
    repeated = {name: np.repeat(values, points) for name, values in by_cycle.items()}
    repeated["sample"] = np.tile(np.arange(points), count)
    repeated["phase"] = np.tile(np.linspace(0, 1, points), count)
    flat = predicted.curves.each(lambda numbers: numbers.reshape(count * points, -1))
    return table(repeated, target_columns(predicted.targets, flat, np.repeat(mass_kg, points)))


def _novelty(predicted: Predicted) -> dict[str, np.ndarray]:
    if predicted.novelty is None:
        return {}
    angles = np.array([" ".join(names) for names in predicted.angles_outside], dtype=str)
    return {"novelty": predicted.novelty, "outside": predicted.novelty > 1, "angles_outside": angles}


def table(keys: Mapping[str, np.ndarray], measured: Mapping[str, tuple[str, np.ndarray]]) -> pa.Table:
    """A table of keys, then of columns with their unit in the field metadata."""
    arrays = {name: pa.array(values) for name, values in keys.items()}
    fields = [pa.field(name, array.type) for name, array in arrays.items()]
    for name, (unit, numbers) in measured.items():
        arrays[name] = pa.array(numbers.astype(np.float64))
        fields.append(pa.field(name, pa.float64(), metadata={"unit": unit}))
    return pa.Table.from_arrays(list(arrays.values()), schema=pa.schema(fields))


def encoded(ending: str, rows: pa.Table) -> bytes:
    """A table as the content of a Parquet or CSV file; NaN is an empty cell in CSV."""
    content = io.BytesIO()
    if ending == ".parquet":
        pq.write_table(rows, content)
    else:
        pa.csv.write_csv(_nan_as_null(rows), content)
    return content.getvalue()


def sto(
    title: str, time_s: np.ndarray, sides: Mapping[str, Curves], targets: Sequence[TargetChannel], mass_kg: float
) -> bytes:
    """One walk as an OpenSim table: a column for each target, limit and side (`force_glmed_r`), in N and N·m.

    Per body mass if `mass_kg` is NaN; the first line states the units. Frames outside cycles are NaN.
    """
    scale = 1.0 if np.isnan(mass_kg) else mass_kg
    units = sorted({target.unit if np.isnan(mass_kg) else ABSOLUTE[target.unit][1] for target in targets})
    names, numbers = [], []
    for side, curves in sides.items():
        for suffix, values in curves.parts():
            names += [f"{target.name}_{side[0]}{suffix}" for target in targets]
            numbers.append(values * scale)
    return format_table_with_gaps(
        f"{title}, in {' and '.join(units)}", names, time_s, np.concatenate(numbers, axis=1)
    ).encode()


def cycles_file(out: Path) -> Path:
    """The file for the cycles of the walks whose time series are in `out`."""
    return out.with_name(f"{out.stem}_cycles{out.suffix}")


def join(parts: Iterable[pa.Table]) -> pa.Table:
    """Concatenate tables; a column that one of them lacks is null there."""
    return pa.concat_tables(parts, promote_options="default")


def _nan_as_null(rows: pa.Table) -> pa.Table:
    arrays = [
        pa.array(column.to_numpy(), from_pandas=True) if pa.types.is_floating(column.type) else column
        for column in rows.columns
    ]
    return pa.Table.from_arrays(arrays, names=rows.column_names)
