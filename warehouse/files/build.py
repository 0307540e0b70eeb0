"""From named columns to a checked Arrow table: ValueError names the table and the column."""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from warehouse.columns import Column, TableSchema
from warehouse.identity import SessionKey
from warehouse.layout import identity

Values = Sequence[object] | np.ndarray


def build_table(
    schema: TableSchema, key: SessionKey, columns: Mapping[str, Values], units: Mapping[str, str]
) -> pa.Table:
    """The table in schema order: identity (from the key), fixed columns, then the model's in the order given.

    A nullable column can be left out, and so can one that was added later: the file then lacks it. `units` gives the
    unit of each column whose unit depends on the model (degree or m; N·m or N). ValueError names the table and the
    column that don't fit.
    """
    resolved = _resolved(schema, columns, units)
    n_rows = _row_count(schema, columns)
    who = identity(schema.level, key)
    arrays = [pa.array([who[column.name]] * n_rows, column.type) for column in schema.identity]
    for column in resolved:
        values = columns.get(column.name)
        arrays.append(pa.nulls(n_rows, column.type) if values is None else _checked_array(schema, column, values))
    fields = [column.field() for column in (*schema.identity, *resolved)]
    table = pa.Table.from_arrays(arrays, schema=pa.schema(fields))
    if schema.one_row and n_rows != 1:
        raise ValueError(f"table {schema.name!r} holds one row per file, found {n_rows}.")
    if "time_s" in table.column_names:
        _check_time(schema, table)
    if schema.name in _RULES:
        _RULES[schema.name](table)
    return table


def _resolved(schema: TableSchema, columns: Mapping[str, Values], units: Mapping[str, str]) -> list[Column]:
    missing = [c.name for c in schema.columns if c.name not in columns and c.missing != "null" and not c.later]
    if missing:
        raise ValueError(f"table {schema.name!r} lacks its column {', '.join(map(repr, missing))}.")
    stray = [name for name in units if name not in columns]
    if stray:
        raise ValueError(f"table {schema.name!r}: units are given for {stray}, which are not among its columns.")
    fixed = {column.name for column in schema.columns}
    stored = [column for column in schema.columns if column.name in columns or not column.later]
    return [*stored, *(schema.resolve(name, units) for name in columns if name not in fixed)]


def _row_count(schema: TableSchema, columns: Mapping[str, Values]) -> int:
    lengths = {name: len(values) for name, values in columns.items()}
    if len(set(lengths.values())) > 1:
        shown = ", ".join(f"{name} has {length}" for name, length in lengths.items())
        raise ValueError(f"table {schema.name!r}: its columns differ in length: {shown}.")
    return next(iter(lengths.values()), 1 if schema.one_row else 0)


def _checked_array(schema: TableSchema, column: Column, values: Values) -> pa.Array:
    where = f"table {schema.name!r}, column {column.name!r}"
    if isinstance(values, np.ndarray) and values.ndim != 1:
        raise ValueError(f"{where}: expected one value per row, found an array of shape {values.shape}.")
    try:
        array = _typed(column, values)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError, OverflowError) as error:
        raise ValueError(f"{where}: expected {column.type}, {error}.") from error
    if column.missing != "null" and array.null_count:
        raise ValueError(f"{where}: row {_first(pc.is_null(array))} is null, and every value must be there.")
    if pa.types.is_floating(column.type):
        _check_numbers(where, column, array)
    if column.allowed:
        _check_words(where, column, array)
    return array


def _typed(column: Column, values: Values) -> pa.Array:
    # In a nullable column NaN becomes null (from_pandas).
    nan_is_null = column.missing == "null"
    if pa.types.is_integer(column.type):
        # pa.array with an integer type would truncate 1.5 to 1; a cast raises.
        return pa.array(values, from_pandas=nan_is_null).cast(column.type)
    return pa.array(values, type=column.type, from_pandas=nan_is_null)


def _check_numbers(where: str, column: Column, array: pa.Array) -> None:
    # In the common case one look is enough; a null reads as NaN.
    if np.isfinite(array.to_numpy(zero_copy_only=False)).all():
        return
    if column.missing == "never" and pc.any(pc.is_nan(array)).as_py():
        raise ValueError(f"{where}: row {_first(pc.is_nan(array))} is NaN, and every value must be known.")
    if pc.any(pc.is_inf(array)).as_py():
        raise ValueError(f"{where}: row {_first(pc.is_inf(array))} is infinite.")


def _check_words(where: str, column: Column, array: pa.Array) -> None:
    for word in pc.unique(array).to_pylist():
        if word is not None and word not in column.allowed:
            raise ValueError(f"{where}: found {word!r}, expected one of {', '.join(column.allowed)}.")


def _first(mask: pa.Array) -> int:
    return int(pc.index(mask, True).as_py())


def _check_time(schema: TableSchema, table: pa.Table) -> None:
    steps_s = np.diff(table.column("time_s").to_numpy())
    if (steps_s <= 0).any():
        row = int(np.flatnonzero(steps_s <= 0)[0]) + 1
        raise ValueError(f"table {schema.name!r}, column 'time_s': it does not increase at row {row}.")


def _check_outcome(trials: pa.Table) -> None:
    row = trials.select(["outcome", "stage", "reason"]).to_pylist()[0]
    given = (row["stage"] is not None, row["reason"] is not None)
    expected = row["outcome"] == "rejected"
    if given != (expected, expected):
        raise ValueError(f"table 'trials': a rejected trial has a stage and a reason, an accepted one neither: {row}.")


def _check_cycles(cycles: pa.Table) -> None:
    """Each cycle is one run of rows whose samples count up from 0 and whose phase increases within 0-1."""
    sample, phase = cycles.column("sample").to_numpy(), cycles.column("phase").to_numpy()
    cycle, right = cycles.column("cycle").to_numpy(), pc.equal(cycles.column("side"), "right").to_numpy()
    if len(sample) == 0:
        return
    if phase.min() < 0 or phase.max() > 1:
        raise ValueError(f"table 'cycles', column 'phase': {phase.min()} to {phase.max()} is outside 0-1.")
    starts = np.flatnonzero(np.r_[True, (np.diff(cycle) != 0) | (right[1:] != right[:-1])])
    run = np.arange(len(sample)) - np.repeat(starts, np.diff(np.r_[starts, len(sample)]))
    if (sample != run).any():
        row = int(np.flatnonzero(sample != run)[0])
        raise ValueError(f"table 'cycles', column 'sample': row {row} should be sample {run[row]} of its cycle.")
    if len({(bool(right[at]), int(cycle[at])) for at in starts}) != len(starts):
        raise ValueError(
            "table 'cycles', column 'cycle': a cycle's rows are not together, or its number is used twice."
        )
    within = run[1:] > 0
    if (np.diff(phase)[within] <= 0).any():
        raise ValueError("table 'cycles', column 'phase': it does not increase within a cycle.")


# Rules that involve several columns.
_RULES: dict[str, Callable[[pa.Table], None]] = {
    "trials": _check_outcome,
    "cycles": _check_cycles,
    "angle_cycles": _check_cycles,
}
