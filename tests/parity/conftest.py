"""Readers of other people's files, one warehouse of all recordings, and what records measured figures."""

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import numpy as np
import pytest

from pipeline.records import CoordinateTask, Markers
from tests.parity.recorded_sessions import Ingested, ingest_all

# What tests/conftest.py looks for in a test's report.
FIGURE = "figure"
METRES = {"mm": 1e-3, "m": 1.0}


def read_trc_file(path: Path, start_s: float, end_s: float) -> Markers:
    """Markers of a .trc between two times."""
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
    return read_trc_file


def read_tasks_file(path: Path) -> tuple[dict[str, float], list[CoordinateTask]]:
    """Marker weights and coordinate tasks of an inverse-kinematics set-up or task file."""
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
    return read_tasks_file


@pytest.fixture
def record_figure(request: pytest.FixtureRequest) -> Callable[[str, str, str], None]:
    """Write one line of the table that the tests end with: what was measured, what was found, its limit."""

    def record(what: str, found: str, limit: str) -> None:
        request.node.user_properties.append((FIGURE, (what, "{}", found, limit)))

    return record


@pytest.fixture
def record_largest(request: pytest.FixtureRequest) -> Callable[[str, float, str, str], None]:
    """Write one line for many cases: what, this case's value, how to write the largest, its limit."""

    def record(what: str, value: float, form: str, limit: str) -> None:
        request.node.user_properties.append((FIGURE, (what, form, float(value), limit)))

    return record


@pytest.fixture(scope="session")
def ingested(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Ingested:
    """All recorded walks of six adults and three children in one warehouse, made by the command line. Minutes."""
    return ingest_all(shared_data, tmp_path_factory.mktemp("ingested"))
