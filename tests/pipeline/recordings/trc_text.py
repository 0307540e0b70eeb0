"""TRC files and tables of ground reactions as text, of which every number is known."""

from collections.abc import Sequence

import numpy as np

LABELS = ("R.ASIS", "L.ASIS", "R.Heel")


def place_mm(frame: int, marker: int, axis: int) -> float:
    """A marker's coordinate that tells its frame, marker and axis."""
    return 100.0 * (frame + 1) + 10.0 * (marker + 1) + axis + 1


def trc_text(
    *,
    labels: Sequence[str] = LABELS,
    n_frames: int = 4,
    rate_hz: float = 100.0,
    first_frame: int = 1,
    units: str = "mm",
    label_gap: str = "\t\t\t",
    positions: np.ndarray | None = None,
) -> str:
    """A TRC file, by default of `place_mm`, as Cortex and OpenSim write it; `positions` (T, M, 3) in its own unit."""
    if positions is None:
        shape = n_frames, len(labels), 3
        positions = np.array([place_mm(*index) for index in np.ndindex(shape)]).reshape(shape)
    n_frames = len(positions)
    rows = [
        "PathFileType\t4\t(X/Y/Z)\twalk.trc",
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames",
        f"{rate_hz:g}\t{rate_hz:g}\t{n_frames}\t{len(labels)}\t{units}\t{rate_hz:g}\t{first_frame}\t{n_frames}",
        "Frame#\tTime\t" + label_gap.join(labels) + "\t\t",
        "\t\t" + "\t".join(f"{axis}{number + 1}" for number in range(len(labels)) for axis in "XYZ"),
        "",
    ]
    for number, values in enumerate(positions.reshape(n_frames, -1)):
        frame = first_frame + number
        cells = ("" if np.isnan(value) else f"{value:.5f}" for value in values)
        rows.append(f"{frame}\t{(frame - 1) / rate_hz:.5f}\t" + "\t".join(cells))
    return "\n".join(rows) + "\n"


def table_text(columns: Sequence[str], time_s: np.ndarray, values: np.ndarray, *, header: str = "inDegrees=no") -> str:
    """An OpenSim table of values (S, C)."""
    rows = ["grf", "version=1", f"nRows={len(time_s)}", f"nColumns={len(columns) + 1}", header, "endheader"]
    rows.append("\t".join(["time", *columns]))
    rows += ["\t".join(f"{number:.9g}" for number in row) for row in np.column_stack([time_s, values])]
    return "\n".join(rows) + "\n"
