"""Gait cycles to be predicted, without targets: the published NPZ layout, and the CSV exported from a release.

N cycles, P points of each, C = 10 angles, each cycle read as a right leg's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

from warehouse.channels import INPUT_COORDINATES
from warehouse.interchange.reach import impossible_cycles
from warehouse.interchange.safe_npz import described, read_npz

UNKNOWN_WORD = "unspecified"


@dataclass(frozen=True, slots=True, kw_only=True)
class InputCycles:
    """Cycles in their file's order: `inputs_deg` (N, P, C); all else (N,), NaN or `unspecified` where not stated."""

    source: str
    inputs_deg: np.ndarray
    subject: np.ndarray
    condition: np.ndarray
    mass_kg: np.ndarray
    height_m: np.ndarray
    duration_s: np.ndarray

    def __post_init__(self) -> None:
        bad = ~np.isfinite(self.inputs_deg).all(axis=(1, 2))
        if bad.any():
            raise ValueError(
                f"{self.source}: {bad.sum()} of {len(bad)} cycles hold NaN or infinity, the first is cycle "
                f"{int(np.argmax(bad))}: every angle must be known throughout a cycle. Leave these cycles out."
            )
        if fault := impossible_cycles(self.source, self.inputs_deg):
            raise ValueError(fault)

    def __len__(self) -> int:
        return len(self.inputs_deg)


def read_npz_inputs(path: Path) -> InputCycles:
    """Read `X` (N, P, 10) in degrees and `in_cols`; `subject_id`, `speed_label`, `weight_kg`, `height_m` if present.

    Targets are not read. ValueError names what is missing or doesn't fit.
    """
    arrays = read_npz(path)
    lacking = [key for key in ("X", "in_cols") if key not in arrays]
    if lacking:
        raise ValueError(f"{path}: lacks {', '.join(lacking)}; it holds {described(arrays)}. Expected X and in_cols.")
    names = tuple(str(name) for name in arrays["in_cols"].ravel())
    if names != INPUT_COORDINATES:
        raise ValueError(
            f"{path}: in_cols are {', '.join(names)}; expected, in this order, {', '.join(INPUT_COORDINATES)}."
        )
    angles = arrays["X"]
    if angles.ndim != 3 or angles.shape[2] != len(INPUT_COORDINATES) or angles.shape[1] < 2 or not len(angles):
        raise ValueError(f"{path}: X is {angles.shape}, expected (cycles, points, {len(INPUT_COORDINATES)}).")
    for key in ("subject_id", "speed_label", "weight_kg", "height_m"):
        if key in arrays and arrays[key].shape != (len(angles),):
            raise ValueError(f"{path}: {key} is {arrays[key].shape}, expected one for each of {len(angles)} cycles.")
    return InputCycles(
        source=str(path),
        inputs_deg=_real(path, "X", angles),
        subject=_words(arrays, "subject_id", len(angles)),
        condition=_words(arrays, "speed_label", len(angles)),
        mass_kg=_numbers(path, arrays, "weight_kg", len(angles)),
        height_m=_numbers(path, arrays, "height_m", len(angles)),
        duration_s=np.full(len(angles), np.nan),
    )


def cycles_of_table(path: Path, table: pa.Table) -> InputCycles:
    """Cycles in long form, `sample` counting from 0 in each, angles in degrees under a release's names.

    `subject`, `condition`, `mass_kg`, `height_m` and `duration_s` are read if present; a column that is empty
    throughout counts as unknown. ValueError names what is missing or doesn't fit.
    """
    lacking = [name for name in ("sample", *INPUT_COORDINATES) if name not in table.column_names]
    if lacking:
        raise ValueError(
            f"{path} lacks {', '.join(lacking)}; it has {', '.join(table.column_names)}. Cycles need the ten angles in "
            "degrees and `sample`, as `gait2hip export --format csv` writes them."
        )
    sample = _column(path, table, "sample")
    starts = np.flatnonzero(sample == 0)
    points = int(starts[1] - starts[0]) if len(starts) > 1 else len(sample)
    if (
        points < 2
        or len(sample) % points
        or not np.array_equal(sample, np.tile(np.arange(points), len(sample) // points))
    ):
        raise ValueError(f"{path}: sample must count 0, 1, 2, … in every cycle, as many times in each.")
    known = [field.name for field in table.schema if not pa.types.is_null(field.type)]
    arrays = {name: table.column(name).to_numpy(zero_copy_only=False)[starts] for name in known}
    angles = [_column(path, table, name) for name in INPUT_COORDINATES]
    count = len(starts)
    return InputCycles(
        source=str(path),
        inputs_deg=np.stack(angles, axis=1).reshape(count, points, len(INPUT_COORDINATES)),
        subject=_words(arrays, "subject", count),
        condition=_words(arrays, "condition", count),
        mass_kg=_numbers(path, arrays, "mass_kg", count),
        height_m=_numbers(path, arrays, "height_m", count),
        duration_s=_numbers(path, arrays, "duration_s", count),
    )


def _column(path: Path, table: pa.Table, name: str) -> np.ndarray:
    """A column's numbers, NaN where it is empty."""
    column = table.column(name)
    # A CSV column that is empty throughout has no type.
    known = column.cast(pa.float64()) if pa.types.is_null(column.type) else column
    return _real(path, name, known.to_numpy(zero_copy_only=False))


def _words(arrays: Mapping[str, np.ndarray], key: str, count: int) -> np.ndarray:
    return arrays[key].astype(str) if key in arrays else np.full(count, UNKNOWN_WORD)


def _numbers(path: Path, arrays: Mapping[str, np.ndarray], key: str, count: int) -> np.ndarray:
    if key not in arrays:
        return np.full(count, np.nan)
    values = _real(path, key, arrays[key])
    if (values <= 0).any():
        raise ValueError(f"{path}: {key} is {values[values <= 0][0]:g} in a cycle, expected more than 0.")
    return values


def _real(path: Path, key: str, values: np.ndarray) -> np.ndarray:
    if values.dtype.kind not in "fiu":
        raise ValueError(f"{path}: {key} holds {values.dtype}, expected numbers.")
    return values.astype(np.float64)
