"""The layout of Gait2Hip-60 (arXiv 2605.30374; ygsiete7/Gait2Hip-60, README), as published for training.

An NPZ file holds N gait cycles of the right leg, 180 samples each: `X` (N, 180, 10) degrees, `Y` (N, 180, M) in N
(`Gait2Hip_MF60.npz`) or N·m (`Gait2Hip_JM60.npz`), `subject_id`, `height_m`, `weight_kg`, `speed_label` (N,),
`in_cols`, `out_cols`.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from warehouse.channels import INPUT_COORDINATES, MOMENT_COORDINATES, MUSCLE_GROUPS, TargetKind
from warehouse.interchange.reach import impossible_cycles
from warehouse.interchange.safe_npz import described, read_npz

POINTS = 180
KEYS = ("X", "Y", "subject_id", "height_m", "weight_kg", "speed_label", "in_cols", "out_cols")
OUT_COLUMNS: dict[TargetKind, tuple[str, ...]] = {
    "forces": tuple(f"{group}_r" for group in MUSCLE_GROUPS),
    "moments": tuple(f"{name}_moment" for name in MOMENT_COORDINATES),
}
FILE_NAMES: dict[TargetKind, str] = {"forces": "Gait2Hip_MF60.npz", "moments": "Gait2Hip_JM60.npz"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCycles:
    """One file's cycles: `inputs_deg` (N, 180, 10), `targets` (N, 180, M) in N or N·m; subjects and conditions (N,)."""

    file: Path
    kind: TargetKind
    inputs_deg: np.ndarray
    targets: np.ndarray
    subject: np.ndarray
    condition: np.ndarray
    mass_kg: np.ndarray
    height_m: np.ndarray

    def __len__(self) -> int:
        return len(self.inputs_deg)


def read_published(path: Path) -> PublishedCycles:
    """Read one NPZ file of the published layout. ValueError names the file, what was found and what was expected."""
    arrays = read_npz(path)
    missing = [key for key in KEYS if key not in arrays]
    if missing:
        raise ValueError(
            f"{path}: lacks {', '.join(missing)}; it holds {described(arrays)}. Expected {', '.join(KEYS)}."
        )
    kind = _kind(path, arrays["out_cols"])
    _expect_names(path, "in_cols", arrays["in_cols"], INPUT_COORDINATES)
    n_cycles = len(arrays["X"]) if arrays["X"].ndim else 0
    shapes = {
        "X": (n_cycles, POINTS, len(INPUT_COORDINATES)),
        "Y": (n_cycles, POINTS, len(OUT_COLUMNS[kind])),
        **{key: (n_cycles,) for key in ("subject_id", "height_m", "weight_kg", "speed_label")},
    }
    for key, shape in shapes.items():
        if arrays[key].shape != shape or n_cycles == 0:
            raise ValueError(f"{path}: {key} is {arrays[key].shape}, expected {shape} with at least one cycle.")
    inputs_deg = _numbers(path, arrays, "X")
    if fault := impossible_cycles(f"{path}, X", inputs_deg):
        raise ValueError(fault)
    return PublishedCycles(
        file=path,
        kind=kind,
        inputs_deg=inputs_deg,
        targets=_numbers(path, arrays, "Y"),
        subject=_words(path, arrays, "subject_id"),
        condition=_words(path, arrays, "speed_label"),
        mass_kg=_within(path, "weight_kg", _numbers(path, arrays, "weight_kg"), 5, 300),
        height_m=_within(path, "height_m", _numbers(path, arrays, "height_m"), 0.5, 2.5),
    )


def _kind(path: Path, out_columns: np.ndarray) -> TargetKind:
    out_names = tuple(str(name) for name in out_columns.ravel())
    for kind, names in OUT_COLUMNS.items():
        if set(out_names) == set(names):
            _expect_names(path, "out_cols", out_columns, names)
            return kind
    raise ValueError(
        f"{path}: out_cols are {', '.join(out_names)}; expected the 14 muscle groups ({OUT_COLUMNS['forces'][0]}, …) "
        f"or the 3 moments ({OUT_COLUMNS['moments'][0]}, …)."
    )


def _expect_names(path: Path, key: str, values: np.ndarray, expected: tuple[str, ...]) -> None:
    names = tuple(str(name) for name in values.ravel())
    if names != expected:
        raise ValueError(f"{path}: {key} are {', '.join(names)}; expected, in this order, {', '.join(expected)}.")


def _numbers(path: Path, arrays: dict[str, np.ndarray], key: str) -> np.ndarray:
    values = arrays[key]
    if values.dtype.kind not in "fiu":
        raise ValueError(f"{path}: {key} holds {values.dtype}, expected numbers.")
    numbers = values.astype(np.float64)
    if not np.isfinite(numbers).all():
        cycle = int(np.argwhere(~np.isfinite(numbers))[0][0])
        raise ValueError(f"{path}: {key} has NaN or infinity in cycle {cycle}; expected every value to be known.")
    return numbers


def _words(path: Path, arrays: dict[str, np.ndarray], key: str) -> np.ndarray:
    values = arrays[key]
    if values.dtype.kind not in "US":
        raise ValueError(f"{path}: {key} holds {values.dtype}, expected text.")
    return values.astype(str)


def _within(path: Path, key: str, values: np.ndarray, least: float, most: float) -> np.ndarray:
    outside = np.flatnonzero((values < least) | (values > most))
    if len(outside):
        cycle = int(outside[0])
        raise ValueError(f"{path}: {key} is {values[cycle]:g} in cycle {cycle}, expected {least}-{most}. Another unit?")
    return values
