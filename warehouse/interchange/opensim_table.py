"""OpenSim's text tables (.mot, .sto): reading those of other programs, and writing ours for other programs."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from warehouse.interchange.given_file import refuse_repeated

# Nine digits keep a number in single precision, as stored in releases.
_NUMBER = "%.9g"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenSimTable:
    """`values` (T, C) as written, at `time_s` (T,). `in_degrees` is None if the header doesn't say."""

    name: str
    columns: tuple[str, ...]
    time_s: np.ndarray
    values: np.ndarray
    in_degrees: bool | None

    def degrees(self, columns: Sequence[str]) -> np.ndarray:
        """Rotations (T, C) in degrees, converted from the header's unit. ValueError if it states none."""
        if self.in_degrees is None:
            raise ValueError(f"{self.name}: its header has no inDegrees; expected inDegrees=yes or inDegrees=no.")
        chosen = self.numbers(columns)
        return chosen if self.in_degrees else np.degrees(chosen)

    def numbers(self, columns: Sequence[str]) -> np.ndarray:
        """Columns (T, C) as written."""
        return self.values[:, [self.columns.index(name) for name in columns]]


def parse_motion(name: str, text: str) -> OpenSimTable:
    """A motion from its text: at least two rows in increasing time, columns named without their path in the model.

    ValueError names the file, what was found and what was expected.
    """
    table = parse_table(name, text)
    if len(table.time_s) < 2:
        raise ValueError(f"{name}: {len(table.time_s)} rows, expected a motion.")
    steps_s = np.diff(table.time_s)
    if (steps_s <= 0).any():
        raise ValueError(f"{name}: its time does not increase at row {int(np.argmax(steps_s <= 0)) + 1}.")
    columns = tuple(without_model_path(label) for label in table.columns)
    refuse_repeated(name, columns)
    return replace(table, columns=columns)


def parse_table(name: str, text: str) -> OpenSimTable:
    """Any table from its text, columns named as written; a table without rows has T = 0.

    ValueError names the file, what was found and what was expected.
    """
    head, mark, body = text.partition("endheader")
    if not mark:
        raise ValueError(f"{name}: no 'endheader' line, so this is not an OpenSim .mot or .sto file.")
    lines = body.lstrip("\r\n \t").splitlines()
    labels = lines[0].split() if lines else []
    if len(labels) < 2 or labels[0].lower() != "time":
        raise ValueError(f"{name}: the columns begin with {labels[:1]}, expected 'time' and others.")
    refuse_repeated(name, labels)
    rows = _numbers(name, lines[1:], len(labels))
    return OpenSimTable(
        name=name,
        columns=tuple(labels[1:]),
        time_s=rows[:, 0],
        values=rows[:, 1:],
        in_degrees=_in_degrees(name, head),
    )


def format_table(title: str, columns: Sequence[str], time_s: np.ndarray, values: np.ndarray) -> str:
    """A table's text, with rotations in degrees. ValueError for NaN, which OpenSim would compute with."""
    if not (np.isfinite(time_s).all() and np.isfinite(values).all()):
        raise ValueError(f"{title}: holds values that are not known, which an OpenSim table can't say.")
    return format_table_with_gaps(title, columns, time_s, values)


def format_table_with_gaps(title: str, columns: Sequence[str], time_s: np.ndarray, values: np.ndarray) -> str:
    """`format_table` with `nan` for unknown values: OpenSim's TimeSeriesTable reads it, its Storage stops there."""
    rows = np.column_stack([time_s, values])
    lines = [title, "version=1", f"nRows={len(rows)}", f"nColumns={rows.shape[1]}", "inDegrees=yes", "endheader"]
    lines.append("\t".join(["time", *columns]))
    lines += ["\t".join(_NUMBER % number for number in row) for row in rows]
    return "\n".join(lines) + "\n"


def _numbers(name: str, lines: Sequence[str], n_columns: int) -> np.ndarray:
    rows = [line.split() for line in lines if line.strip()]
    for number, row in enumerate(rows):
        if len(row) != n_columns:
            raise ValueError(f"{name}: row {number} has {len(row)} numbers, expected {n_columns}, one a column.")
    try:
        return np.array(rows, dtype=np.float64).reshape(len(rows), n_columns)
    except ValueError as error:
        raise ValueError(f"{name}: {error}, expected numbers.") from error


def without_model_path(label: str) -> str:
    """A column's name without its path in the model: `/jointset/hip_r/hip_flexion_r/value` -> `hip_flexion_r`."""
    # Newer files name a column by its path in the model: /jointset/hip_r/hip_flexion_r/value, /forceset/psoas_r.
    parts = [part for part in label.split("/") if part]
    if "/" not in label or not parts:
        return label
    return parts[-2] if parts[-1] == "value" and len(parts) > 1 else parts[-1]


def _in_degrees(name: str, head: str) -> bool | None:
    for line in head.splitlines():
        key, mark, value = line.partition("=")
        if mark and key.strip().lower() == "indegrees":
            word = value.strip().lower()
            if word not in ("yes", "no"):
                raise ValueError(f"{name}: inDegrees={value.strip()}, expected yes or no.")
            return word == "yes"
    return None
