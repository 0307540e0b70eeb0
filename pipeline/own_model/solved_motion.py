"""Trials that come as joint coordinates: what somebody's inverse kinematics found with the subject's own model.

The model's markers take the place of measured ones: they say where the feet are, and fit by construction.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.osim.models.mechanics import Mechanics
from pipeline.recordings.ground_forces import read_ground_forces
from pipeline.recordings.motion_table import read_motion_table
from pipeline.recordings.read_recording import with_ground_forces
from pipeline.recordings.text_file import unreadable
from pipeline.records import Coordinates, Kinematics, Recording, SubjectBlock
from pipeline.signals import low_pass

# A motion's own coordinates are in this frame: its markers turned further would be another motion's.
SAME_FRAME = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True)
class SolvedMotion:
    """A motion's coordinates, all of the model's in its order, and the recording that it stands for."""

    coordinates: Coordinates
    recording: Recording


def solved_motion(path: Path, forces: Path | None, model_file: Path) -> SolvedMotion:
    """Joint coordinates as a trial of the model they were solved with. TrialRejected for another model's."""
    mechanics = Mechanics(model_file)
    stored_in_degrees = frozenset(each.name for each in mechanics.coordinates if each.stored_in_degrees)
    motion, warnings = read_motion_table(path, stored_in_degrees)
    lacking = [name for name in mechanics.names if name not in motion.names]
    if lacking:
        raise unreadable(
            path.name,
            f"lacks {', '.join(lacking[:8])}, which {model_file.name} has, expected every coordinate. Is it the model "
            "that the motion was solved with? Name it as `scaled_model`.",
        )
    coordinates = Coordinates(
        time_s=motion.time_s,
        names=mechanics.names,
        rotational=np.array([each.rotational for each in mechanics.coordinates]),
        values=np.column_stack([motion.column(name) for name in mechanics.names]),
    )
    told = f"{path.name}: joint coordinates are taken as given: how they fit the markers was not judged"
    recording = _shown_by_model(path, mechanics, coordinates.time_s, coordinates.values, (*warnings, told))
    if forces is not None:
        recording = with_ground_forces(recording, read_ground_forces(forces))
    return SolvedMotion(coordinates=coordinates, recording=recording)


def standing_model(model_file: Path) -> Recording:
    """One frame of a model with every coordinate at zero, shown by its markers: how its person stands."""
    mechanics = Mechanics(model_file)
    return _shown_by_model(model_file, mechanics, np.zeros(1), np.zeros((1, len(mechanics.names))), ())


def kinematics_as_given(motion: SolvedMotion, time_s: np.ndarray, rotation: np.ndarray, cutoff_hz: float) -> Kinematics:
    """The motion's kinematics at some of its own times, low-passed as markers are; how well they fit is NaN.

    `rotation` turns the markers' frame into the ground's: TrialRejected unless they are the same.
    """
    name = motion.recording.path.name
    if not np.allclose(rotation, np.eye(3), atol=SAME_FRAME):
        raise TrialRejected(
            "ground_frame",
            f"{name}: the pelvis goes along {np.round(rotation[0], 2)} with {np.round(rotation[1], 2)} up, expected "
            "forward along +x and up along +y: coordinates can't be turned. Turn the markers so, and solve again.",
        )
    coordinates = motion.coordinates
    frames = np.searchsorted(coordinates.time_s, time_s - 1e-9)
    rate_hz = (len(coordinates.time_s) - 1) / (coordinates.time_s[-1] - coordinates.time_s[0])
    smooth = low_pass(coordinates.values, rate_hz, cutoff_hz)[frames]
    return Kinematics(
        coordinates=replace(coordinates, time_s=time_s, values=smooth).as_stored(),
        marker_names=(),
        marker_error_m=np.empty((len(frames), 0)),
    )


def _shown_by_model(
    path: Path, mechanics: Mechanics, time_s: np.ndarray, values: np.ndarray, warnings: tuple[str, ...]
) -> Recording:
    stations = mechanics.marker_stations()
    if not stations:
        raise TrialRejected("model", f"{path.name}: the model has no markers, which tell where feet are. Add a set.")
    rate_hz = (len(time_s) - 1) / (time_s[-1] - time_s[0]) if len(time_s) > 1 else 100.0
    return Recording(
        path=path,
        time_s=time_s,
        point_rate_hz=rate_hz,
        marker_labels=tuple(stations),
        markers_m=mechanics.positions_m(values, list(stations.values())),
        analog_rate_hz=rate_hz,
        analog_labels=(),
        analog_units=(),
        analog=np.empty((len(time_s), 0)),
        plates=(),
        events=(),
        subject=SubjectBlock(),
        warnings=warnings,
        reader="mot",
    )
