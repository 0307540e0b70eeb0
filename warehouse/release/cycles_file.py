"""`cycles.parquet`: the cycles of many small files, compacted into one, trial after trial.

The same cycles give the same bytes. (Another version of pyarrow may write them differently, and the release's name ends
with another hash then; its values stay the same.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.layout import Warehouse
from warehouse.parallel import in_order
from warehouse.read import as_right, cycles_of
from warehouse.release.columns import CHANNELS, NUMBER_KEYS, TEXT_KEYS, arrow_schema
from warehouse.release.manifest import RELEASE_FORMAT
from warehouse.release.selection import Sides, Trial
from warehouse.resample import resample_cycles

_KEYS = (*TEXT_KEYS, "cycle", *NUMBER_KEYS, "sample", "phase")
# About 50 MB a row group once read: enough to stream through, far less than a worker's memory.
_ROWS_PER_GROUP = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Whose cycles, and how many samples each has in the release; `points` None keeps what is stored."""

    sides: Sides
    points: int | None

    def __post_init__(self) -> None:
        if self.points is not None and self.points < 2:
            raise ValueError(f"--points {self.points}: a cycle has at least its two foot strikes.")


def write_cycles(file: Path, warehouse: Warehouse, trials: Sequence[Trial], sampling: Sampling) -> int:
    """Write the file and return a cycle's number of samples.

    ValueError if stored cycles differ in theirs; WarehouseError if a trial's cycles can't be read.
    """
    schema = arrow_schema().with_metadata({"gait2hip.release_format": str(RELEASE_FORMAT)})
    stored_points = 0
    with pq.ParquetWriter(
        file,
        schema,
        version="2.6",
        # Keys repeat over a cycle's rows; measured numbers don't, and compressing them saves a twelfth of the space
        # for twice the time to read.
        use_dictionary=list(_KEYS),
        compression={name: "zstd" if name in _KEYS else "none" for name in schema.names},
        write_page_checksum=True,
    ) as writer:
        for cycles in _groups(_stored(warehouse, trials, sampling.sides)):
            stored_points = _samples_a_cycle(cycles, stored_points)
            group = _released(cycles, stored_points, sampling.points or stored_points)
            writer.write_table(group.replace_schema_metadata(schema.metadata), row_group_size=group.num_rows)
    return sampling.points or stored_points


def row_groups(file: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The file's row groups, one after the other, with the columns named."""
    with pq.ParquetFile(file) as parquet:
        for index in range(parquet.num_row_groups):
            yield parquet.read_row_group(index, columns=list(columns))


def _stored(warehouse: Warehouse, trials: Sequence[Trial], sides: Sides) -> Iterator[pa.Table]:
    """Each trial's cycles as they are stored, and the subject's height."""

    def read(trial: Trial) -> pa.Table:
        cycles = cycles_of(warehouse, trial.account)
        if sides == "right":
            cycles = cycles.filter(pc.equal(cycles.column("side"), "right"))
        return cycles.append_column("height_m", pa.array(np.full(cycles.num_rows, trial.height_m)))

    return in_order(read, trials)


def _groups(tables: Iterator[pa.Table]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    n_rows = 0
    for table in tables:
        waiting.append(table)
        n_rows += table.num_rows
        if n_rows >= _ROWS_PER_GROUP:
            yield pa.concat_tables(waiting).combine_chunks()
            waiting, n_rows = [], 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _samples_a_cycle(cycles: pa.Table, expected: int) -> int:
    """How many samples each cycle has; `expected` is that of earlier ones, 0 if there are none."""
    starts = np.flatnonzero(cycles.column("sample").to_numpy() == 0)
    found = {int(n) for n in np.diff(np.r_[starts, cycles.num_rows])} | ({expected} if expected else set())
    if len(found) > 1:
        raise ValueError(
            f"cycles of {' and '.join(map(str, sorted(found)))} samples can't stand in one release: ingest their "
            "sessions again with one recipe, or narrow the release."
        )
    return found.pop()


def _released(cycles: pa.Table, stored_points: int, points: int) -> pa.Table:
    """Stored cycles with a release's columns, each at `points` samples."""
    seen = as_right(cycles)
    n_cycles = seen.num_rows // stored_points
    values = np.stack([seen.column(name).to_numpy() for name in CHANNELS], axis=1)
    resampled = resample_cycles(values.reshape(n_cycles, stored_points, len(CHANNELS)), points)
    made = {
        "sample": np.tile(np.arange(points, dtype=np.int32), n_cycles),
        "phase": np.tile(np.linspace(0, 1, points), n_cycles),
        **{name: resampled[:, :, index].ravel().astype(np.float32) for index, name in enumerate(CHANNELS)},
    }
    # A cycle's keys are the same on each of its rows.
    first_rows = pa.array(np.repeat(np.arange(n_cycles) * stored_points, points))
    keys = seen.select([name for name in _KEYS if name not in made]).take(first_rows)
    schema = arrow_schema()
    arrays = [pa.array(made[name]) if name in made else keys.column(name) for name in schema.names]
    return pa.Table.from_arrays(arrays, schema=schema)
