"""All gait cycles of a warehouse as a Dask table, read when they are computed with. Needs the extra `dask`.

`warehouse.read.cycles(...)` gives the same at once (`.to_pandas()`). Dask's home is this room: what only stores and
reads data must not need a scheduler.
"""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from warehouse import read
from warehouse.layout import Warehouse
from warehouse.metadata import Stored
from warehouse.schemas import schema_of

if TYPE_CHECKING:
    import dask.dataframe as dd
    import pandas as pd


def cycles(
    warehouse: Warehouse,
    *,
    columns: Sequence[str] | None = None,
    cohort: str | None = None,
    subjects: Collection[str] | None = None,
    conditions: Collection[str] | None = None,
) -> "dd.DataFrame":
    """The cycles that `warehouse.read.cycles` gives, one partition a trial, only the columns named.

    Which trials there are is read now, their cycles later. ValueError if no trial fits; WarehouseError, when it is
    computed, if a trial's cycles can't be read.
    """
    import dask.dataframe as dd

    trials = read.trials_with_cycles(warehouse, cohort=cohort, subjects=subjects, conditions=conditions)
    if not trials:
        raise ValueError(f"no gait cycle in {warehouse.root} fits. See `gait2hip status`.")
    return dd.from_map(
        _read, trials, root=warehouse.root, columns=columns, meta=_empty(columns), enforce_metadata=False
    )


def _read(trial: Stored, root: str, columns: Sequence[str] | None) -> "pd.DataFrame":
    return read.cycles_of(Warehouse(root), trial, columns).to_pandas()


def _empty(columns: Sequence[str] | None) -> "pd.DataFrame":
    import pyarrow as pa

    empty = pa.schema([column.field() for column in schema_of("cycles").fixed]).empty_table()
    return (empty if columns is None else empty.select(list(columns))).to_pandas()
