"""Readers of other people's files, independent of the code under test."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from pipeline.records import CoordinateTask, Markers

METRES = {"mm": 1e-3, "m": 1.0}


def _read_trc(path: Path, start_s: float, end_s: float) -> Markers:
    lines = path.read_text().splitlines()
    header = dict(zip(lines[1].split(), lines[2].split(), strict=True))
    labels = [label for label in lines[3].split("\t")[2:] if label.strip()]
    width = 2 + 3 * len(labels)
    rows = [(line.split("\t") + [""] * width)[:width] for line in lines[5:] if line.strip()]
    table = np.array([[float(cell) if cell.strip() else np.nan for cell in row] for row in rows])
    table = table[(table[:, 1] > start_s - 1e-6) & (table[:, 1] < end_s + 1e-6)]
    return Markers(
        time_s=table[:, 1],
        rate_hz=float(header["DataRate"]),
        labels=tuple(labels),
        positions_m=table[:, 2:].reshape(len(table), -1, 3) * METRES[header["Units"]],
    )


@pytest.fixture(scope="session")
def read_trc() -> Callable[[Path, float, float], Markers]:
    """Markers of a .trc between two times."""
    return _read_trc


def _read_tasks(path: Path) -> tuple[dict[str, float], list[CoordinateTask]]:
    root = ElementTree.parse(path).getroot()
    weights = {}
    coordinates = []
    for task in root.iter():
        if (task.findtext("apply") or "true").strip() != "true" or not task.findtext("weight"):
            continue
        name, weight = task.get("name", ""), float(task.findtext("weight", ""))
        if task.tag == "IKMarkerTask":
            weights[name] = weight
        if task.tag == "IKCoordinateTask":
            by_default = task.findtext("value_type", "").strip() == "default_value"
            value = None if by_default else float(task.findtext("value", ""))
            coordinates.append(CoordinateTask(name=name, weight=weight, value=value))
    return weights, coordinates


@pytest.fixture(scope="session")
def read_tasks() -> Callable[[Path], tuple[dict[str, float], list[CoordinateTask]]]:
    """Marker weights and coordinate tasks of an inverse-kinematics set-up or task file."""
    return _read_tasks
