"""What is inside a recording, in words and as two Parquet files in the laboratory's own frame."""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.records import Recording
from pipeline.signals import runs
from warehouse.columns import NO_UNIT, Column

_AXES = "xyz"
_FRAME = "in the laboratory's frame"


def describe_recording(recording: Recording) -> str:
    """Rates, frames, labels, gaps, plates, events, subject, model outputs and warnings. No names."""
    return "\n".join(
        [
            f"file      {recording.path.name} (read with {recording.reader})",
            *_points(recording),
            *_analog(recording),
            *_plates(recording),
            *_events(recording),
            _subject(recording),
            _model_outputs(recording),
            *_warnings(recording),
        ]
    )


def _points(recording: Recording) -> Iterator[str]:
    frames, rate_hz = len(recording.time_s), recording.point_rate_hz
    yield (
        f"markers   {len(recording.marker_labels)} at {rate_hz:g} Hz, {frames} frames, "
        f"{frames / rate_hz:.2f} s from {recording.time_s[0]:.2f} s"
    )
    yield f"          {' '.join(recording.marker_labels)}"
    missing = np.isnan(recording.markers_m).any(axis=2)
    for column in np.flatnonzero(missing.any(axis=0)):
        longest = max(stop - start for start, stop in runs(missing[:, column]))
        yield (
            f"  gap     {recording.marker_labels[column]}: missing in {missing[:, column].sum()} of "
            f"{frames} frames, longest {longest / rate_hz:.2f} s"
        )


def _analog(recording: Recording) -> Iterator[str]:
    yield f"analog    {len(recording.analog_labels)} channels at {recording.analog_rate_hz:g} Hz"
    if recording.analog_labels:
        named = zip(recording.analog_labels, recording.analog_units, strict=True)
        yield f"          {' '.join(f'{label}[{unit}]' for label, unit in named)}"


def _plates(recording: Recording) -> Iterator[str]:
    if not recording.plates:
        yield "plates    none"
    for plate in recording.plates:
        peak_n = (plate.force_n @ plate.normal).max()
        if not plate.has_edges:
            whose = f"the {plate.foot} foot's" if plate.foot else "of either foot, by where it pushes"
            yield f"force {plate.number}   {plate.name}: {whose}, peak vertical force on the body {peak_n:.0f} N"
            continue
        along, across = (np.linalg.norm(plate.corners_m[i] - plate.corners_m[1]) for i in (0, 2))
        yield (
            f"plate {plate.number}   type {plate.type}, {along:.3f} m by {across:.3f} m, "
            f"peak vertical force on the body {peak_n:.0f} N"
        )


def _events(recording: Recording) -> Iterator[str]:
    if not recording.events:
        yield "events    none"
    for event in recording.events:
        kind = event.kind.replace("_", " ")
        yield f"event     {event.time_s:8.3f} s  {event.side:7}  {kind:11}  ({event.label})"


def _subject(recording: Recording) -> str:
    subject = recording.subject
    stated = {
        "mass": f"{subject.mass_kg:.1f} kg" if subject.mass_kg is not None else None,
        "height": f"{subject.height_m:.3f} m" if subject.height_m is not None else None,
        "sex": subject.sex,
        "age": f"{subject.age_y:g} years" if subject.age_y is not None else None,
    }
    return "subject   " + ", ".join(f"{what} {value or 'not stated'}" for what, value in stated.items())


def _model_outputs(recording: Recording) -> str:
    kinds = Counter(output.kind for output in recording.model_outputs.values())
    counted = ", ".join(f"{count} {kind.replace('_', ' ')}s" for kind, count in kinds.items())
    return f"outputs   {counted or 'none'} of the laboratory's own model"


def _warnings(recording: Recording) -> Iterator[str]:
    for warning in recording.warnings:
        yield f"WARNING   {warning}"


def export_recording(recording: Recording, directory: Path) -> tuple[Path, Path]:
    """Write `markers.parquet` and `plates.parquet` into `directory` and return their paths.

    Markers: `time_s` and three columns a marker, metres, NaN where it was not seen. Plates: one row a sample
    and plate, at the analog rate; centre of pressure and free moment are NaN below 20 N of vertical force. A
    file is there whole or not at all. ValueError if the directory can't be made or written.
    """
    markers, plates = directory / "markers.parquet", directory / "plates.parquet"
    try:
        directory.mkdir(parents=True, exist_ok=True)
        _write(_marker_columns(recording), markers)
        _write(_plate_columns(recording), plates)
    except OSError as error:
        raise ValueError(
            f"{directory} can't be written ({error.strerror}): expected a folder. Name another one with --export."
        ) from error
    return markers, plates


ExportColumns = list[tuple[Column, np.ndarray]]


def _number(name: str, unit: str, meaning: str, *, may_miss: bool) -> Column:
    return Column(name=name, type=pa.float64(), unit=unit, meaning=meaning, missing="nan" if may_miss else "never")


def _time(values: np.ndarray) -> tuple[Column, np.ndarray]:
    return _number("time_s", "s", "time since frame 1 of the recording", may_miss=False), values


def _marker_columns(recording: Recording) -> ExportColumns:
    columns = [_time(recording.time_s)]
    for number, label in enumerate(recording.marker_labels):
        for axis, name in enumerate(_AXES):
            meaning = f"position of marker {label} along {name} {_FRAME}; NaN where it was not seen"
            column = _number(f"{label}_{name}", "m", meaning, may_miss=True)
            columns.append((column, recording.markers_m[:, number, axis]))
    return columns


def _plate_columns(recording: Recording) -> ExportColumns:
    samples = len(recording.analog)
    time_s = recording.time_s[0] + np.arange(samples) / recording.analog_rate_hz
    plates = recording.plates
    contacts = [centre_of_pressure(plate) for plate in plates]
    number = Column(
        name="plate", type=pa.int64(), unit=NO_UNIT, meaning="number of the force plate in the file, from 1"
    )
    columns = [_time(np.tile(time_s, len(plates)))]
    columns.append((number, np.repeat(np.array([plate.number for plate in plates], dtype=int), samples)))
    force_n = _stacked([plate.force_n for plate in plates], 3)
    cop_m = _stacked([cop for cop, _ in contacts], 3)
    for axis, name in enumerate(_AXES):
        meaning = f"force on the body along {name} {_FRAME}"
        columns.append((_number(f"force_{name}", "N", meaning, may_miss=False), force_n[:, axis]))
    for axis, name in enumerate(_AXES):
        meaning = f"centre of pressure along {name} {_FRAME}; NaN below 20 N of vertical force"
        columns.append((_number(f"cop_{name}", "m", meaning, may_miss=True), cop_m[:, axis]))
    meaning = "moment on the body about the plate's upward normal at the centre of pressure; NaN below 20 N"
    free_nm = _stacked([free for _, free in contacts], 1)[:, 0]
    columns.append((_number("free_moment", "N·m", meaning, may_miss=True), free_nm))
    return columns


def _stacked(parts: list[np.ndarray], width: int) -> np.ndarray:
    """Plates below each other, (plates * S, width); without plates (0, width)."""
    return np.concatenate([part.reshape(-1, width) for part in parts]) if parts else np.empty((0, width))


def _write(columns: ExportColumns, target: Path) -> None:
    schema = pa.schema([column.field() for column, _ in columns])
    table = pa.table([pa.array(values) for _, values in columns], schema=schema)
    temporary = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        pq.write_table(table, temporary)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)
