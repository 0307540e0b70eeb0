"""One C3D file to one Recording in SI units, or a rejection that says what is wrong with it."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from pipeline.c3d.frames import Frames, read_frames
from pipeline.c3d.header import Header, parse_header, rejected
from pipeline.c3d.metadata import (
    LENGTH_M,
    read_events,
    read_model_outputs,
    read_subject,
    subject_prefixes,
    unique_labels,
    without_prefix,
)
from pipeline.c3d.parameters import Parameters, read_parameters
from pipeline.c3d.plates import read_plates
from pipeline.records import Recording


def read_c3d(path: Path) -> Recording:
    """Read a C3D file: markers, analog channels, force plates, events, subject, model outputs.

    Raises TrialRejected, naming the file, what was found and what to do, for anything that isn't a whole and
    consistent C3D file in stated units. What could be repaired is listed in `Recording.warnings`.
    """
    data, header, parameters = _opened(path)
    frames = read_frames(data, header, parameters, path.name)
    return _recording(path, header, parameters, frames)


def read_marker_labels(path: Path) -> tuple[str, ...]:
    """The labels of a C3D file's markers, without what programs computed; frames aren't read. Raises as `read_c3d`."""
    _, header, parameters = _opened(path)
    labels, prefixes, _ = _point_labels(parameters, header.point_count)
    computed = read_model_outputs(parameters, labels, np.empty((0, len(labels), 3)), prefixes)
    return tuple(label for label in labels if label not in computed)


def _opened(path: Path) -> tuple[bytes, Header, Parameters]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise rejected(
            path.name, f"the file can't be read ({error.strerror}). Check the path and its rights."
        ) from error
    header = parse_header(data, path.name)
    return data, header, read_parameters(path, data, header)


def _recording(path: Path, header: Header, parameters: Parameters, frames: Frames) -> Recording:
    metres = _metres(parameters, path.name)
    labels, prefixes, label_warnings = _point_labels(parameters, frames.points.shape[1])
    outputs = read_model_outputs(parameters, labels, frames.points, prefixes)
    markers, marker_warnings = _markers(labels, frames.points, set(outputs), metres)
    units = _analog_units(parameters, frames)
    analog_labels, analog_warnings = unique_labels(parameters.texts("ANALOG:LABELS"), len(units), "analog channel")
    plates, plate_warnings = read_plates(parameters, frames, units, metres)
    events, event_warnings = read_events(parameters, header.events)
    subject, subject_warnings = read_subject(parameters)
    return Recording(
        path=path,
        time_s=(frames.first_frame - 1 + np.arange(len(frames.points))) / frames.point_rate_hz,
        point_rate_hz=frames.point_rate_hz,
        marker_labels=tuple(label for label in labels if label not in outputs),
        markers_m=markers,
        analog_rate_hz=frames.point_rate_hz * frames.analog_samples_per_frame,
        analog_labels=analog_labels,
        analog_units=units,
        analog=frames.analog,
        plates=plates,
        events=events,
        subject=subject,
        model_outputs=outputs,
        warnings=(
            *([parameters.note] if parameters.note else []),
            *frames.warnings,
            *label_warnings,
            *marker_warnings,
            *analog_warnings,
            *plate_warnings,
            *event_warnings,
            *subject_warnings,
        ),
        reader=parameters.reader,
    )


def _metres(parameters: Parameters, name: str) -> float:
    unit = parameters.text("POINT:UNITS")
    if unit.lower() not in LENGTH_M:
        raise rejected(
            name,
            f"POINT:UNITS is {unit!r}, expected one of {', '.join(LENGTH_M)}. "
            "Set the unit in the recording software and export again: nothing else tells it.",
        )
    return LENGTH_M[unit.lower()]


def _point_labels(parameters: Parameters, count: int) -> tuple[tuple[str, ...], dict[str, str], list[str]]:
    stated = parameters.texts("POINT:LABELS")[:count]
    prefixes = subject_prefixes(stated)
    labels, warnings = unique_labels([without_prefix(label, prefixes) for label in stated], count, "marker")
    return labels, prefixes, warnings


def _markers(
    labels: tuple[str, ...], points: np.ndarray, outputs: set[str], metres: float
) -> tuple[np.ndarray, list[str]]:
    columns = [column for column, label in enumerate(labels) if label not in outputs]
    markers = points[:, columns] * metres
    return markers, unseen_at_the_origin(markers, [labels[column] for column in columns])


def unseen_at_the_origin(markers_m: np.ndarray, labels: Sequence[str]) -> list[str]:
    """Positions (T, M, 3) of three zeros become NaN, in place; and a warning, if there are any.

    Some writers store a missing marker so. No marker is ever exactly at the laboratory's origin.
    """
    zeros = (markers_m == 0.0).all(axis=2)
    markers_m[zeros] = np.nan
    if not zeros.any():
        return []
    names = ", ".join(labels[column] for column in np.flatnonzero(zeros.any(axis=0))[:5])
    return [f"{int(zeros.sum())} marker positions are exactly 0 0 0 ({names}): read as missing."]


def _analog_units(parameters: Parameters, frames: Frames) -> tuple[str, ...]:
    stated = parameters.texts("ANALOG:UNITS")
    padded = (*stated, *[""] * len(frames.calibrated))
    return tuple(unit if known else "" for unit, known in zip(padded, frames.calibrated, strict=False))
