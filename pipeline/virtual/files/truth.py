"""The truth of the recordings as Parquet files beside them, with every column's unit and meaning."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.records import SIDES, Side
from pipeline.virtual.instruments.blemishes import Mark
from pipeline.virtual.records import ANALOG_RATE_HZ, FootLoad, Performance
from pipeline.virtual.request import NOTE
from warehouse.columns import Column, real, text

AXES = {"x": "forward", "y": "up", "z": "to the right"}
_TIME = real("time_s", "s", "Time in the recording: frame 1 is at 0")

TruthColumns = Sequence[tuple[Column, np.ndarray | list[str]]]


def motion_truth(performance: Performance) -> bytes:
    """Angles, accelerations and moments, one row per marker frame, as a Parquet file."""
    coordinates = performance.coordinates
    columns: list[tuple[Column, np.ndarray | list[str]]] = [(_TIME, coordinates.time_s)]
    for q, name in enumerate(coordinates.names):
        turns = bool(coordinates.rotational[q])
        stored = np.degrees if turns else np.asarray
        unit, force = ("degree", "N·m") if turns else ("m", "N")
        left_over = name.startswith("pelvis_")
        moment = f"residual_{name}" if left_over else f"moment_{name}"
        meaning = "What the dynamics leave over at" if left_over else "True net generalized force of"
        columns += [
            (real(name, unit, f"True coordinate `{name}`"), stored(coordinates.values[:, q])),
            (
                real(f"acceleration_{name}", f"{unit}/s²", f"True second derivative of `{name}`"),
                stored(performance.accelerations[:, q]),
            ),
            (real(moment, force, f"{meaning} `{name}`"), performance.moments.column(name)),
        ]
    return _parquet("one row per marker frame", columns)


def ground_truth(performance: Performance) -> bytes:
    """Both feet's true ground reactions, one row per analog sample, as a Parquet file."""
    samples = len(performance.load["right"].force_n)
    columns: list[tuple[Column, np.ndarray | list[str]]] = [(_TIME, np.arange(samples) / ANALOG_RATE_HZ)]
    for side in SIDES:
        columns += _foot_columns(side, performance.load[side])
    return _parquet("one row per analog sample", columns)


def blemish_truth(marks: Sequence[tuple[str, Mark]]) -> bytes:
    """The blemishes of each trial, by its name, one row per figure, as a Parquet file."""
    columns: TruthColumns = [
        (text("trial", "The recorded trial"), [trial for trial, _ in marks]),
        (text("blemish", "What is wrong with it"), [mark.blemish for _, mark in marks]),
        (text("of", "The marker, foot, segment or channel it happened to"), [mark.of for _, mark in marks]),
        (text("figure", "What the value is"), [mark.figure for _, mark in marks]),
        (real("value", "see `unit`", "The figure's value"), np.array([mark.value for _, mark in marks], dtype=float)),
        (text("unit", "The value's unit"), [mark.unit for _, mark in marks]),
    ]
    return _parquet("one row per figure of a blemish that a trial was given", columns)


def _foot_columns(side: Side, load: FootLoad) -> TruthColumns:
    letter = side[0]
    vectors = (
        ("force", "N", f"True ground reaction force on the {side} foot", load.force_n, "never"),
        ("cop", "m", f"True centre of pressure under the {side} foot, NaN in swing", load.cop_m, "nan"),
    )
    columns: list[tuple[Column, np.ndarray | list[str]]] = [
        (real(f"{name}_{axis}_{letter}", unit, f"{meaning}, {way}", missing=missing), values[:, index])  # type: ignore[arg-type]
        for name, unit, meaning, values, missing in vectors
        for index, (axis, way) in enumerate(AXES.items())
    ]
    meaning = f"True moment about the vertical through the {side} foot's centre of pressure"
    return [*columns, (real(f"free_moment_{letter}", "N·m", meaning), load.free_moment_nm)]


def _parquet(row: str, columns: TruthColumns) -> bytes:
    about = {"note": NOTE, "made_by": "gait2hip virtual laboratory", "row": row, "frame": "x forward, y up, z right"}
    schema = pa.schema([column.field() for column, _ in columns], metadata=about)
    arrays = [pa.array(values, type=column.type) for column, values in columns]
    sink = pa.BufferOutputStream()
    pq.write_table(pa.Table.from_arrays(arrays, schema=schema), sink, version="2.6", compression="zstd")
    content: bytes = sink.getvalue().to_pybytes()
    return content
