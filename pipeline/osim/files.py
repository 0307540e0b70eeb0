"""OpenSim's text tables: marker files (.trc) and storages (.sto, .mot), to and from numpy.

Shapes: T frames, M markers, C columns. Numbers are written with 17 significant digits, so that reading
them back is exact; a missing marker is written as NaN, because a zero is read as a real position.
"""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.records import Markers
from warehouse.interchange.opensim_table import parse_table

_EXACT = "%.17g"


def write_trc(path: Path, markers: Markers) -> None:
    """Write markers (T, M, 3) in metres; NaN stays NaN. ValueError if there is nothing to write."""
    n_frames, n_markers = markers.positions_m.shape[:2]
    if not n_frames or not n_markers:
        raise ValueError(f"{path.name}: {n_frames} frames of {n_markers} markers can't make a marker file.")
    rate = _EXACT % markers.rate_hz
    names = "\t\t\t".join(markers.labels)
    axes = "\t".join(f"{axis}{marker}" for marker in range(1, n_markers + 1) for axis in "XYZ")
    header = (
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}\n"
        "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames\n"
        f"{rate}\t{rate}\t{n_frames}\t{n_markers}\tm\t{rate}\t1\t{n_frames}\n"
        f"Frame#\tTime\t{names}\t\t\n\t\t{axes}\n\n"
    )
    rows = np.column_stack(
        [np.arange(1, n_frames + 1), markers.time_s, markers.positions_m.reshape(n_frames, 3 * n_markers)]
    )
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(header)
        np.savetxt(file, rows, fmt=["%d"] + [_EXACT] * (rows.shape[1] - 1), delimiter="\t")


def write_storage(path: Path, names: Sequence[str], time_s: np.ndarray, values: np.ndarray) -> None:
    """Write a storage of (T, C) values, angles in radians. ValueError for a wrong shape, NaN or infinity."""
    if values.shape != (len(time_s), len(names)):
        raise ValueError(f"{path.name}: values {values.shape} must be ({len(time_s)}, {len(names)}).")
    broken = [name for name, column in zip(names, values.T, strict=True) if not np.isfinite(column).all()]
    if broken:
        raise ValueError(f"{path.name}: {', '.join(broken)} hold NaN or infinity; OpenSim would compute with them.")
    header = (
        f"{path.stem}\nversion=1\nnRows={len(time_s)}\nnColumns={len(names) + 1}\ninDegrees=no\nendheader\n"
        + "\t".join(["time", *names])
        + "\n"
    )
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.write(header)
        np.savetxt(file, np.column_stack([time_s, values]), fmt=_EXACT, delimiter="\t")


def read_storage(path: Path) -> tuple[tuple[str, ...], np.ndarray, np.ndarray, bool]:
    """Read a .sto or .mot: (column names, time_s (T,), values (T, C) as written, whether it says degrees).

    A full path such as `/jointset/hip_r/hip_flexion_r/value` keeps its whole name. ValueError if it is no
    storage; a table without rows gives T = 0.
    """
    table = parse_table(path.name, path.read_text("utf-8", errors="replace"))
    return table.columns, table.time_s, table.values, bool(table.in_degrees)
