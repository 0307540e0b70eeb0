"""What a laboratory's own software, Vicon's Plug-in Gait, stored in the recordings of a warehouse's walks.

Beside angles, moments, forces and powers it writes each segment's origin and a point on each of its axes (anterior,
left, proximal) as virtual markers: PELO, PELA, PELL, PELP and so on. Shapes: T frames.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.recordings.read_recording import read_recording
from pipeline.records import Recording, Side
from pipeline.session.session import load_session
from warehouse.files.read import read_trial_cycles, trial_key, trials_with_cycles
from warehouse.holdings.sources import read_sources
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse
from warehouse.metadata import Stored

# Endings that laboratories give their own variants of Plug-in Gait.
ENDINGS = ("", "_M")


@dataclass(frozen=True, kw_only=True)
class StoredStride:
    """A stride that is stored, and when it is in the recording."""

    side: Side
    start_s: float
    duration_s: float

    @property
    def letter(self) -> str:
        """What the laboratory's names of this leg begin with."""
        return self.side[0].upper()

    def within(self, time_s: np.ndarray) -> np.ndarray:
        """Which of the times (T,) belong to it."""
        return (time_s >= self.start_s) & (time_s <= self.start_s + self.duration_s)


@dataclass(frozen=True, kw_only=True)
class LaboratoryWalk:
    """An accepted walk with the laboratory's own results, whose labels have an `ending`."""

    key: TrialKey
    recording: Recording
    ending: str
    strides: tuple[StoredStride, ...]

    def output(self, label: str) -> np.ndarray | None:
        """A quantity (T, 3), NaN in frames that the laboratory left at zero; None if the recording lacks it."""
        output = self.recording.model_outputs.get(f"{label}{self.ending}")
        return None if output is None else _present(output.values)


def laboratory_walks(warehouse: Warehouse, label: str) -> Iterator[LaboratoryWalk]:
    """Every accepted walk with strides whose recording holds this quantity of the right leg (`HipAngles`, say)."""
    paths = _recordings(warehouse)
    for trial in trials_with_cycles(warehouse):
        key = trial_key(trial)
        recording = read_recording(paths[key])
        ending = ending_of(recording, f"R{label}")
        if ending is not None:
            strides = _strides(warehouse, trial)
            yield LaboratoryWalk(key=key, recording=recording, ending=ending, strides=strides)


def ending_of(recording: Recording, label: str) -> str | None:
    """The ending with which the recording holds a quantity; None if it lacks it."""
    return next((ending for ending in ENDINGS if f"{label}{ending}" in recording.model_outputs), None)


def laboratory_point(recording: Recording, label: str) -> np.ndarray:
    """A marker (T, 3) in metres, or a modelled one in the file's unit; NaN where it is absent. KeyError without it."""
    if label in recording.marker_labels:
        return recording.marker(label)
    return _present(recording.model_outputs[label].values)


def laboratory_frame(recording: Recording, segment: str, ending: str) -> np.ndarray:
    """A segment's frame (T, 3, 3) in the laboratory, its axes as ours: x forward, y up, z right.

    A foot's proximal axis points to the heel, its anterior one up.
    """
    origin, *ends = (laboratory_point(recording, f"{segment}{ending}{end}") for end in "OALP")
    anterior, left, proximal = ((end - origin) / np.linalg.norm(end - origin, axis=1, keepdims=True) for end in ends)
    forward, up = (-proximal, anterior) if segment.endswith("FO") else (anterior, proximal)
    return np.stack([forward, up, -left], axis=2)


def _present(values: np.ndarray) -> np.ndarray:
    return np.where((values == 0).all(axis=1, keepdims=True), np.nan, values)


def _recordings(warehouse: Warehouse) -> dict[TrialKey, Path]:
    sessions = [load_session(Path(source.session_file)) for source in read_sources(warehouse)]
    return {session.trial_key(trial.name): trial.path for session in sessions for trial in session.trials}


def _strides(warehouse: Warehouse, trial: Stored) -> tuple[StoredStride, ...]:
    rows = read_trial_cycles(warehouse, trial, ["side", "start_s", "duration_s"]).to_pylist()
    found = sorted({(row["side"], row["start_s"], row["duration_s"]) for row in rows})
    return tuple(StoredStride(side=side, start_s=start_s, duration_s=long_s) for side, start_s, long_s in found)
