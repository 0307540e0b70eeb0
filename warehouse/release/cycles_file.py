"""`cycles.parquet`: the cycles of many small files, compacted into one, trial after trial.

The same cycles give the same bytes. (Another version of pyarrow may write them differently, and the release's name ends
with another hash then; its values stay the same.)

Shapes: N cycles, P samples of one, R = N × P rows, C channels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.channels import INPUT_COORDINATES, ipsilateral
from warehouse.layout import Warehouse
from warehouse.parallel import in_order
from warehouse.read import cycles_of
from warehouse.release.columns import CHANNELS, NUMBER_KEYS, TEXT_KEYS, arrow_schema
from warehouse.release.manifest import RELEASE_FORMAT
from warehouse.release.selection import Sides, Trial
from warehouse.resample import resample_cycles

_KEYS = (*TEXT_KEYS, "cycle", *NUMBER_KEYS, "sample", "phase")
# A channel's name in the warehouse.
_STORED = {name: ipsilateral(name) if name in INPUT_COORDINATES else name for name in CHANNELS}
_STORED_NUMBERS = ("cycle", *(name for name in NUMBER_KEYS if name != "height_m"))
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Whole cycles of one trial or several: `keys` by name (N,), `curves` (C, R) in the order of `CHANNELS`."""

    keys: Mapping[str, np.ndarray]
    curves: np.ndarray
    points: int


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
        compression={name: "snappy" if name in _KEYS else "none" for name in schema.names},
        write_page_checksum=True,
    ) as writer:
        for block in _groups(_stored(warehouse, trials, sampling.sides)):
            stored_points = _one_number({block.points} | ({stored_points} if stored_points else set()))
            group = _released(block, sampling.points or stored_points)
            writer.write_table(group.replace_schema_metadata(schema.metadata), row_group_size=group.num_rows)
    return sampling.points or stored_points


def row_groups(file: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The file's row groups, one after the other, with the columns named."""
    with pq.ParquetFile(file, read_dictionary=list(TEXT_KEYS)) as parquet:
        for index in range(parquet.num_row_groups):
            yield parquet.read_row_group(index, columns=list(columns))


def _stored(warehouse: Warehouse, trials: Sequence[Trial], sides: Sides) -> Iterator[_Block]:
    """Each trial's cycles as they are stored, and the subject's height."""
    # Who it is of and how it was walked, the trial's row says; reading it from each cycle's rows takes as long as a
    # fifth of the numbers.
    columns = ["side", *_STORED_NUMBERS, "sample", *_STORED.values()]

    def read(trial: Trial) -> _Block:
        return _block(trial, cycles_of(warehouse, trial.account, columns), sides)

    return in_order(read, trials)


def _block(trial: Trial, cycles: pa.Table, sides: Sides) -> _Block:
    starts = np.flatnonzero(cycles["sample"].to_numpy() == 0)
    points = _one_number({int(n) for n in np.diff(np.r_[starts, cycles.num_rows])})
    # A cycle's keys are the same on each of its rows.
    keys = {name: cycles[name].to_numpy()[starts] for name in _STORED_NUMBERS}
    side = np.array(cycles["side"].take(pa.array(starts)).to_pylist())
    keys |= {"side": side, "height_m": np.full(len(starts), trial.height_m)}
    keys |= {name: np.full(len(starts), word) for name, word in _words(trial).items()}
    curves = np.stack([cycles[name].to_numpy() for name in _STORED.values()])
    if sides == "both":
        return _Block(keys=keys, curves=curves, points=points)
    wanted = keys["side"] == "right"
    keys = {name: values[wanted] for name, values in keys.items()}
    return _Block(keys=keys, curves=curves[:, np.repeat(wanted, points)], points=points)


def _words(trial: Trial) -> dict[str, str]:
    key = trial.key
    return {
        "cohort": key.cohort,
        "subject": key.subject,
        "session": key.session,
        "trial": key.trial,
        "condition": trial.condition,
    }


def _groups(blocks: Iterator[_Block]) -> Iterator[_Block]:
    waiting: list[_Block] = []
    n_rows = 0
    for block in blocks:
        waiting.append(block)
        n_rows += block.curves.shape[1]
        if n_rows >= _ROWS_PER_GROUP:
            yield _together(waiting)
            waiting, n_rows = [], 0
    if waiting:
        yield _together(waiting)


def _together(blocks: Sequence[_Block]) -> _Block:
    return _Block(
        keys={name: np.concatenate([block.keys[name] for block in blocks]) for name in blocks[0].keys},
        curves=np.concatenate([block.curves for block in blocks], axis=1),
        points=_one_number({block.points for block in blocks}),
    )


def _one_number(found: set[int]) -> int:
    if len(found) > 1:
        raise ValueError(
            f"cycles of {' and '.join(map(str, sorted(found)))} samples can't stand in one release: ingest their "
            "sessions again with one recipe, or narrow the release."
        )
    return found.pop()


def _released(block: _Block, points: int) -> pa.Table:
    """Stored cycles with a release's columns, each at `points` samples."""
    n_cycles = len(block.keys["cycle"])
    columns: dict[str, pa.Array] = {
        "sample": pa.array(np.tile(np.arange(points, dtype=np.int32), n_cycles)),
        "phase": pa.array(np.tile(np.linspace(0, 1, points), n_cycles)),
        **{name: pa.array(curve) for name, curve in zip(CHANNELS, _at_points(block, points), strict=True)},
        **{name: pa.array(np.repeat(block.keys[name], points)) for name in ("cycle", *NUMBER_KEYS)},
        **{name: _repeated(block.keys[name], points) for name in TEXT_KEYS},
    }
    schema = arrow_schema()
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def _at_points(block: _Block, points: int) -> np.ndarray:
    """The curves, each of `points` samples and in single precision, (C, N × points)."""
    n_channels = len(block.curves)
    if points == block.points:
        return block.curves.astype(np.float32)
    cycles = np.moveaxis(block.curves.reshape(n_channels, -1, block.points), 0, 2)
    resampled = np.moveaxis(resample_cycles(cycles, points), 2, 0)
    return resampled.reshape(n_channels, -1).astype(np.float32)


def _repeated(words: np.ndarray, points: int) -> pa.Array:
    """Words (N,) on each row of their cycle, (N × points,)."""
    known, codes = np.unique(words, return_inverse=True)
    repeated = pa.DictionaryArray.from_arrays(pa.array(np.repeat(codes.astype(np.int32), points)), pa.array(known))
    return repeated.cast(pa.string())
