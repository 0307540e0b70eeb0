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
from pipeline.c3d.recorded_bytes import recorded_bytes
from pipeline.records import Recording
from pipeline.signals import runs

# No room of cameras is wider.
WIDEST_M = 100.0
# A marker that doesn't move at all for so many frames, and so far in the frame before or after, was not seen meanwhile:
# to or from rest, it takes 10 g in a hundredth of a second.
_FROZEN_FRAMES = 4
_JUMP_M = 0.01


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
    data = recorded_bytes(path, "read_c3d")
    header = parse_header(data, path.name)
    return data, header, read_parameters(data, header, path.name)


def _recording(path: Path, header: Header, parameters: Parameters, frames: Frames) -> Recording:
    metres = _metres(parameters, frames.points.shape[1], path.name)
    labels, prefixes, label_warnings = _point_labels(parameters, frames.points.shape[1])
    outputs = read_model_outputs(parameters, labels, frames.points, prefixes)
    markers, marker_warnings = _markers(labels, frames.points, set(outputs), metres, path.name)
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
            *frames.warnings,
            *label_warnings,
            *marker_warnings,
            *analog_warnings,
            *plate_warnings,
            *event_warnings,
            *subject_warnings,
        ),
        reader="c3d",
    )


def _metres(parameters: Parameters, points: int, name: str) -> float:
    """One POINT:UNITS in metres; NaN where the file has no points and doesn't say."""
    unit = parameters.text("POINT:UNITS")
    if unit.lower() in LENGTH_M:
        return LENGTH_M[unit.lower()]
    if points:
        raise rejected(
            name,
            f"POINT:UNITS is {unit!r}, expected one of mm, cm, m. "
            "Set the unit in the recording software and export again: nothing else tells it.",
        )
    return float("nan")


def _point_labels(parameters: Parameters, count: int) -> tuple[tuple[str, ...], dict[str, str], list[str]]:
    stated = parameters.texts("POINT:LABELS")[:count]
    prefixes = subject_prefixes(stated)
    labels, warnings = unique_labels([without_prefix(label, prefixes) for label in stated], count, "marker")
    return labels, prefixes, warnings


def _markers(
    labels: tuple[str, ...], points: np.ndarray, outputs: set[str], metres: float, name: str
) -> tuple[np.ndarray, list[str]]:
    columns = [column for column, label in enumerate(labels) if label not in outputs]
    markers, kept = points[:, columns] * metres, [labels[column] for column in columns]
    warnings = unseen_at_the_origin(markers, kept)
    _check_extent(markers, name)
    return markers, warnings + frozen_gaps(markers, kept)


def _check_extent(markers_m: np.ndarray, name: str) -> None:
    """TrialRejected where the markers of one frame are further apart than any laboratory is wide."""
    if not np.isfinite(markers_m).any():
        return
    seen = markers_m[np.isfinite(markers_m).all(axis=2).any(axis=1)]
    extent_m = float(np.median(np.nanmax(seen, axis=1) - np.nanmin(seen, axis=1), axis=0).max())
    if extent_m > WIDEST_M:
        raise rejected(
            name,
            f"its markers lie {extent_m:.3g} m apart by POINT:UNITS, expected less than {WIDEST_M:g} m: the unit is "
            "another one. Correct it in the recording software and export again.",
        )


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


def frozen_gaps(markers_m: np.ndarray, labels: Sequence[str]) -> list[str]:
    """A warning for markers (T, M, 3) that stop dead or go on with a jump: gaps filled with the last seen position.

    A camera's noise gives no marker the very same coordinates in several frames; a marker that rests on stored
    integers leaves its place slowly.
    """
    moves = np.linalg.norm(np.diff(markers_m, axis=0), axis=2)
    frozen: dict[str, int] = {}
    for column, label in enumerate(labels):
        for start, stop in runs(moves[:, column] == 0):
            around = moves[[row for row in (start - 1, stop) if 0 <= row < len(moves)], column]
            if stop - start >= _FROZEN_FRAMES and (around > _JUMP_M).any():
                frozen[label] = frozen.get(label, 0) + stop - start
    if not frozen:
        return []
    listed = ", ".join(f"{label} ({frames} frames)" for label, frames in list(frozen.items())[:5])
    return [
        f"{len(frozen)} markers stop dead at one place or leave it with a jump ({listed}): a gap seems to be filled "
        "with the last seen position, which is not where the marker was. Export the trial with gaps left open."
    ]


def _analog_units(parameters: Parameters, frames: Frames) -> tuple[str, ...]:
    stated = parameters.texts("ANALOG:UNITS")
    padded = (*stated, *[""] * len(frames.calibrated))
    return tuple(unit if known else "" for unit, known in zip(padded, frames.calibrated, strict=False))
