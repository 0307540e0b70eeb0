"""A release's columns: cycles in long form, each read as a right leg's, with their keys on every row."""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import pyarrow as pa

from warehouse.channels import FORCE_CHANNELS, INPUT_COORDINATES, MOMENT_CHANNELS, ipsilateral
from warehouse.columns import Column
from warehouse.schemas import schema_of

TEXT_KEYS: tuple[str, ...] = ("cohort", "subject", "session", "trial", "condition", "side")
NUMBER_KEYS: tuple[str, ...] = ("mass_kg", "height_m", "duration_s", "toe_off_phase", "margin_s")


def release_columns() -> tuple[Column, ...]:
    """Every column of `cycles.parquet`, in order, with its unit and meaning.

    Channels are in single precision: networks compute with it, and it is finer than any measurement.
    """
    return tuple(_columns())


@cache
def arrow_schema() -> pa.Schema:
    """The same columns as an Arrow schema, with unit and meaning in each field's metadata."""
    return pa.schema([column.field() for column in release_columns()])


def _columns() -> Iterator[Column]:
    cycles = {column.name: column for column in schema_of("cycles").fixed}
    height = next(column for column in schema_of("sessions").columns if column.name == "height_m")
    fixed = {**cycles, "height_m": height}
    yield from (fixed[name] for name in (*TEXT_KEYS, "cycle", *NUMBER_KEYS, "sample", "phase"))
    for name in INPUT_COORDINATES:
        stored = cycles[ipsilateral(name)]
        yield replace(stored, name=name, type=pa.float32(), meaning=f"{stored.meaning}, the own leg read as the right")
    yield from (replace(cycles[name], type=pa.float32()) for name in (*FORCE_CHANNELS, *MOMENT_CHANNELS))
