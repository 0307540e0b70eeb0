"""A release's columns: cycles in long form, each read as a right leg's, with their keys on every row."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cache

import pyarrow as pa

from warehouse.channels import ALL_CHANNELS, INPUT_COORDINATES, LOAD_CHANNELS, ipsilateral
from warehouse.columns import Column
from warehouse.schemas import schema_of

TEXT_KEYS: tuple[str, ...] = ("cohort", "subject", "session", "trial", "condition", "side")
NUMBER_KEYS: tuple[str, ...] = ("mass_kg", "height_m", "duration_s", "toe_off_phase", "margin_s")
# A release lacks the last ones if its cycles were stored without them.
RELEASED_CHANNELS: tuple[str, ...] = (*ALL_CHANNELS, *LOAD_CHANNELS)


def release_columns(channels: Sequence[str] = RELEASED_CHANNELS) -> tuple[Column, ...]:
    """Every column of a `cycles.parquet` with these channels, in order, with its unit and meaning.

    Channels are in single precision: networks compute with it, and it is finer than any measurement.
    """
    return tuple(_columns(channels))


@cache
def arrow_schema(channels: tuple[str, ...] = RELEASED_CHANNELS) -> pa.Schema:
    """The same columns as an Arrow schema, with unit and meaning in each field's metadata."""
    return pa.schema([column.field() for column in release_columns(channels)])


def _columns(channels: Sequence[str]) -> Iterator[Column]:
    cycles = {column.name: column for column in schema_of("cycles").fixed}
    height = next(column for column in schema_of("sessions").columns if column.name == "height_m")
    fixed = {**cycles, "height_m": height}
    yield from (fixed[name] for name in (*TEXT_KEYS, "cycle", *NUMBER_KEYS, "sample", "phase"))
    for name in channels:
        if name in INPUT_COORDINATES:
            stored = cycles[ipsilateral(name)]
            meaning = f"{stored.meaning}, the own leg read as the right"
            yield replace(stored, name=name, type=pa.float32(), meaning=meaning)
        else:
            yield replace(cycles[name], type=pa.float32())
