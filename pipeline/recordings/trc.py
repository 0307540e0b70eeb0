"""Markers from a TRC file (track row column, of Motion Analysis; OpenSim's and Pose2Sim's marker files).

Read by code of our own: readers in use split rows at any white space, so that one empty cell moves every marker after
it to its neighbour's column.

Shapes: T frames, M markers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.c3d.metadata import LENGTH_M, subject_prefixes, unique_labels, without_prefix
from pipeline.c3d.read_c3d import unseen_at_the_origin
from pipeline.recordings.text_file import even_rate_hz, read_text, unreadable
from pipeline.records import Recording, SubjectBlock

_MISSING = frozenset({"", "nan", "na", "n/a", "null", "none", "-nan", "-nan(ind)", "-1.#ind", "1.#qnan", "-"})
# DataRate and the Time column may differ by rounding.
_SAME_RATE = 0.01
_HEADER_LINES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Header:
    """What the lines above the numbers say."""

    rate_hz: float
    metres: float
    frames: str
    markers: str
    label_cells: tuple[str, ...]


def read_trc(path: Path) -> Recording:
    """A TRC file's markers, in the file's own frame, without plates.

    Raises TrialRejected, naming the file, what was found and what to do, for anything that is no whole and consistent
    TRC file in stated units. An empty cell is a marker that was not seen. What could be repaired is in the warnings.
    """
    text, warnings = read_text(path)
    lines = text.splitlines()
    header = _header(path.name, lines)
    rows = [(number, line) for number, line in enumerate(lines[_HEADER_LINES:], _HEADER_LINES + 1) if line.strip()]
    labels, label_warnings = _labels(path.name, header)
    is_whole = text.endswith(("\n", "\r")) or header.frames == str(len(rows))
    cells = _cells(path.name, rows, len(labels), is_whole=is_whole)
    numbers = _numbers(path.name, rows, cells, labels)
    time_s, rate_hz, time_warnings = _time(path.name, numbers[:, 1], header.rate_hz)
    markers_m = numbers[:, 2:].reshape(len(numbers), len(labels), 3) * header.metres
    markers_m[np.isnan(markers_m).any(axis=2)] = np.nan
    return Recording(
        path=path,
        time_s=time_s,
        point_rate_hz=rate_hz,
        marker_labels=labels,
        markers_m=markers_m,
        analog_rate_hz=rate_hz,
        analog_labels=(),
        analog_units=(),
        analog=np.empty((len(time_s), 0)),
        plates=(),
        events=(),
        subject=SubjectBlock(),
        warnings=(
            *warnings,
            *label_warnings,
            *_counts(header, len(rows), len(labels)),
            *time_warnings,
            *unseen_at_the_origin(markers_m, labels),
        ),
        reader="trc",
    )


def read_trc_labels(path: Path) -> tuple[str, ...]:
    """The labels of a TRC file's markers; frames aren't read. Raises as `read_trc`."""
    text, _ = read_text(path)
    return _labels(path.name, _header(path.name, text.splitlines()))[0]


def _header(name: str, lines: Sequence[str]) -> _Header:
    if len(lines) < _HEADER_LINES or not lines[0].strip().lower().startswith("pathfiletype"):
        first = lines[0][:40] if lines else ""
        raise unreadable(
            name,
            f"begins with {first!r} and has {len(lines)} lines, expected 'PathFileType' and five lines of header. "
            "It is no TRC file, or cut off.",
        )
    names, values = lines[1].split(), lines[2].split()
    if len(names) != len(values):
        # Where a value is missing only the tabs say which.
        values = [value.strip() for value in lines[2].split("\t")]
    stated = {key.lower(): value for key, value in zip(names, values, strict=False)}
    unit = stated.get("units", "")
    if unit.lower() not in LENGTH_M:
        raise unreadable(
            name,
            f"Units is {unit!r}, expected one of mm, cm, m. Write the unit into the header's third line: "
            "nothing else tells it.",
        )
    cells = lines[3].split("\t") if "\t" in lines[3] else lines[3].split()
    if [cell.strip().lower() for cell in cells[:2]] != ["frame#", "time"]:
        raise unreadable(
            name, f"its fourth line begins with {lines[3][:30]!r}, expected 'Frame#' and 'Time', then the labels."
        )
    return _Header(
        rate_hz=_stated_rate(stated.get("datarate", "")),
        metres=LENGTH_M[unit.lower()],
        frames=stated.get("numframes", ""),
        markers=stated.get("nummarkers", ""),
        label_cells=tuple(cell.strip() for cell in cells[2:]),
    )


def _stated_rate(text: str) -> float:
    """DataRate, NaN where it is no rate."""
    try:
        rate_hz = float(text)
    except ValueError:
        return float("nan")
    return rate_hz if np.isfinite(rate_hz) and rate_hz > 0 else float("nan")


def _labels(name: str, header: _Header) -> tuple[tuple[str, ...], list[str]]:
    """The labels, each over its three columns, not always over the first of them."""
    stated = [cell for cell in header.label_cells if cell]
    if not stated:
        raise unreadable(name, "its fourth line names no marker, expected labels after 'Frame#' and 'Time'.")
    if header.markers.isdigit() and int(header.markers) > len(stated):
        # Some markers have no label: its place tells which.
        groups = (header.label_cells[3 * number : 3 * number + 3] for number in range(int(header.markers)))
        by_place = [next(filter(None, group), "") for group in groups]
        if len([label for label in by_place if label]) == len(stated):
            stated = by_place
    prefixes = subject_prefixes(stated)
    return unique_labels([without_prefix(label, prefixes) for label in stated], len(stated), "marker")


def _cells(name: str, rows: Sequence[tuple[int, str]], n_markers: int, *, is_whole: bool) -> list[list[str]]:
    """Each row's cells, three a marker after the frame and the time. TrialRejected for a row of another length."""
    expected = 2 + 3 * n_markers
    table = []
    for number, line in rows:
        row = [cell.strip() for cell in line.split("\t")] if "\t" in line else line.split()
        while len(row) > expected and not row[-1]:
            row.pop()
        # An editor that trims lines takes the last markers' empty cells away.
        may_be_trimmed = 2 < len(row) < expected and (len(row) - 2) % 3 == 0 and (number != rows[-1][0] or is_whole)
        if len(row) != expected and not may_be_trimmed:
            cut = " The file is cut off: export it again." if number == rows[-1][0] and len(row) < expected else ""
            raise unreadable(
                name,
                f"line {number} has {len(row)} cells, expected {expected}: frame, time and three for each of "
                f"{n_markers} labels.{cut}",
            )
        table.append(row + [""] * (expected - len(row)))
    return table


def _numbers(
    name: str, rows: Sequence[tuple[int, str]], cells: Sequence[Sequence[str]], labels: Sequence[str]
) -> np.ndarray:
    known = [["nan" if cell.lower() in _MISSING else cell for cell in row] for row in cells]
    try:
        numbers = np.array(known, dtype=float).reshape(len(known), 2 + 3 * len(labels))
    except ValueError:
        raise _not_a_number(name, rows, known, labels) from None
    if np.isinf(numbers).any():
        row, column = np.argwhere(np.isinf(numbers))[0]
        raise unreadable(name, f"line {rows[row][0]} holds an infinite number ({_column(column, labels)}).")
    return numbers


def _not_a_number(
    name: str, rows: Sequence[tuple[int, str]], cells: Sequence[Sequence[str]], labels: Sequence[str]
) -> Exception:
    for (number, _), row in zip(rows, cells, strict=True):
        for column, cell in enumerate(row):
            try:
                float(cell)
            except ValueError:
                comma = " Decimals need a point, not a comma." if "," in cell else ""
                where = _column(column, labels)
                return unreadable(name, f"line {number} holds {cell!r} ({where}), expected a number.{comma}")
    raise AssertionError("numpy refuses a number that Python reads")


def _column(column: int, labels: Sequence[str]) -> str:
    return ("frame", "time")[column] if column < 2 else f"{labels[(column - 2) // 3]} {'xyz'[(column - 2) % 3]}"


def _time(name: str, stated_s: np.ndarray, rate_hz: float) -> tuple[np.ndarray, float, list[str]]:
    """Times (T,) on an even grid, their rate and warnings: DataRate's, if the Time column agrees."""
    if len(stated_s) == 1:
        if np.isnan(rate_hz):
            raise unreadable(name, "its header has no DataRate, and one frame tells none. Write it into the header.")
        return stated_s, rate_hz, []
    told_hz = even_rate_hz(name, stated_s)
    warnings = []
    if np.isnan(rate_hz):
        rate_hz = told_hz
        warnings.append(f"the header has no DataRate: {told_hz:g} Hz is the Time column's.")
    elif abs(told_hz / rate_hz - 1) > max(_SAME_RATE, 1.0 / len(stated_s)):
        raise unreadable(
            name,
            f"DataRate is {rate_hz:g} Hz, and its Time column has {told_hz:g} rows a second, expected one rate. "
            "Correct the header or the times: speeds depend on it.",
        )
    # Printed with few digits, a time belongs to the frame of the grid next to it.
    frame = stated_s[0] * rate_hz
    first = round(frame) if abs(frame - round(frame)) < 0.1 else frame
    return (first + np.arange(len(stated_s))) / rate_hz, rate_hz, warnings


def _counts(header: _Header, n_rows: int, n_labels: int) -> list[str]:
    warnings = []
    if header.frames != str(n_rows):
        warnings.append(f"NumFrames says {header.frames or 'nothing'}, and the file holds {n_rows}: all are used.")
    if header.markers != str(n_labels):
        warnings.append(f"NumMarkers says {header.markers or 'nothing'}, and the file names {n_labels}: all are used.")
    return warnings
