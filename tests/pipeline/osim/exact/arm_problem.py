"""Inverse kinematics' problem for an arm whose every pose is known."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from pipeline.records import CoordinateTask, Markers
from tests.pipeline.osim.arm import MARKERS

exact_ik = pytest.importorskip("pipeline.osim.exact.inverse_kinematics")
objective = pytest.importorskip("pipeline.osim.exact.marker_objective")
shared_models = pytest.importorskip("pipeline.osim.models.shared_model")

RATE_HZ = 100.0


def tracked(positions: np.ndarray) -> Markers:
    time_s = np.arange(len(positions)) / RATE_HZ
    return Markers(time_s=time_s, rate_hz=RATE_HZ, labels=tuple(MARKERS), positions_m=positions)


def posed(
    model: Path, positions: np.ndarray, weights: Sequence[float] = (1, 1, 1), tasks: Sequence[CoordinateTask] = ()
) -> tuple[object, object, np.ndarray]:
    """The problem, its frames and their times: NaN is a marker out of sight."""
    shared, markers = shared_models.shared_model(model), tracked(positions)
    problem = exact_ik._problem(shared, markers, dict(zip(MARKERS, map(float, weights), strict=True)), tasks)
    seen = np.isfinite(positions).all(axis=2)
    held = exact_ik._held(shared, markers.time_s)
    frames = objective.MarkerFrames(measured_m=np.where(seen[..., None], positions, 0.0), seen=seen, held=held)
    return problem, frames, markers.time_s


def swing(n_frames: int = 70) -> tuple[np.ndarray, np.ndarray]:
    t = np.arange(n_frames) / RATE_HZ
    return 0.4 * np.sin(4 * t), 0.9 + 0.3 * np.sin(6 * t)
