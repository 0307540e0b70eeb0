"""`cycles.parquet`: the cycles of many small files compacted into one, trial after trial.

The same cycles give the same bytes. (Another version of pyarrow may write other bytes, and so change the hash at the
end of the release's name; the values stay the same.)

Shapes: N cycles, P samples of one, R = N × P rows, C channels.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from warehouse.channels import ALL_CHANNELS, INPUT_COORDINATES, LOAD_CHANNELS, ipsilateral
from warehouse.errors import WarehouseError
from warehouse.files.parallel import map_in_order
from warehouse.files.read import lacks, read_trial_cycles
from warehouse.layout import Warehouse, identity_names
from warehouse.release.columns import NUMBER_KEYS, RELEASED_CHANNELS, TEXT_KEYS, arrow_schema
from warehouse.release.manifest import RELEASE_FORMAT
from warehouse.release.selection import Sides, StoredTrial
from warehouse.resample import resample_cycles

_KEYS = (*TEXT_KEYS, "cycle", *NUMBER_KEYS, "sample", "phase")
# A channel's name in the warehouse.
_STORED = {name: ipsilateral(name) if name in INPUT_COORDINATES else name for name in RELEASED_CHANNELS}
_STORED_NUMBERS = ("cycle", *(name for name in NUMBER_KEYS if name != "height_m"))
# A row group takes about 50 MB in memory: large enough to stream, far below a worker's memory.
_ROWS_PER_GROUP = 1 << 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """Which legs' cycles, and how many samples each has in the release; `points` None keeps the stored number."""

    sides: Sides
    points: int | None

    def __post_init__(self) -> None:
        if self.points is not None and self.points < 2:
            raise ValueError(f"--points {self.points}: a cycle has at least its two foot strikes.")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    """Whole cycles of several trials: `keys` by name (N,), `curves` (C, R) in the order of `channels`."""

    keys: Mapping[str, np.ndarray]
    curves: np.ndarray
    channels: tuple[str, ...]
    points: int


def write_cycles(file: Path, warehouse: Warehouse, trials: Sequence[StoredTrial], sampling: Sampling) -> int:
    """Write the file and return a cycle's number of samples.

    The hip's contact force is in it if the trials' cycles hold it: trials of one origin all do, or none.
    ValueError if stored cycles differ in theirs; WarehouseError if a trial's cycles can't be read.
    """
    channels = ALL_CHANNELS if lacks(warehouse, trials[0].account, LOAD_CHANNELS) else RELEASED_CHANNELS
    schema = arrow_schema(channels).with_metadata({"gait2hip.release_format": str(RELEASE_FORMAT)})
    stored_points = 0
    with pq.ParquetWriter(
        file,
        schema,
        version="2.6",
        # Keys repeat over a cycle's rows. Measured numbers don't: compressing them would save a twelfth of the space
        # and double the time to read.
        use_dictionary=list(_KEYS),
        compression={name: "snappy" if name in _KEYS else "none" for name in schema.names},
        write_page_checksum=True,
    ) as writer:
        for block in _blocks(warehouse, trials, sampling.sides, channels):
            stored_points = _one_number({block.points} | ({stored_points} if stored_points else set()))
            group = _released(block, sampling.points or stored_points)
            writer.write_table(group.replace_schema_metadata(schema.metadata), row_group_size=group.num_rows)
    return sampling.points or stored_points


def row_groups(file: Path, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The file's row groups, one after the other, with those of the columns named that it has."""
    with pq.ParquetFile(file, read_dictionary=list(TEXT_KEYS)) as parquet:
        for index in range(parquet.num_row_groups):
            yield parquet.read_row_group(index, columns=list(columns))


def channels_in(file: Path) -> tuple[str, ...]:
    """The channels that the file has, in its order."""
    return tuple(name for name in pq.read_schema(file).names if name in RELEASED_CHANNELS)


def _blocks(
    warehouse: Warehouse, trials: Sequence[StoredTrial], sides: Sides, channels: tuple[str, ...]
) -> Iterator[_Block]:
    """The trials' cycles as stored, in blocks of one row group each."""
    # Identity and condition come from the trial's row: reading them from every row of the cycles would take a fifth of
    # the time that the numbers take.
    columns = ["side", *_STORED_NUMBERS, "sample", *(_STORED[name] for name in channels)]

    def read(trial: StoredTrial) -> pa.Table:
        cycles = read_trial_cycles(warehouse, trial.account, columns)
        if cycles["sample"][0].as_py() != 0:
            # Its rows would be taken for the end of the previous trial's last cycle.
            raise WarehouseError(f"the cycles of {trial.key} don't begin with sample 0. Ingest its session again.")
        return cycles if sides == "both" else cycles.filter(pc.equal(cycles["side"], "right"))

    waiting: list[tuple[StoredTrial, pa.Table]] = []
    n_rows = 0
    for trial, cycles in zip(trials, map_in_order(read, trials), strict=True):
        waiting.append((trial, cycles))
        n_rows += cycles.num_rows
        if n_rows >= _ROWS_PER_GROUP:
            yield _block(waiting, channels)
            waiting, n_rows = [], 0
    if waiting:
        yield _block(waiting, channels)


def _block(read: Sequence[tuple[StoredTrial, pa.Table]], channels: tuple[str, ...]) -> _Block:
    cycles = pa.concat_tables([rows for _, rows in read])
    starts = np.flatnonzero(cycles["sample"].to_numpy() == 0)
    points = _one_number(set(np.diff(np.r_[starts, cycles.num_rows]).tolist()))
    # A cycle's keys are the same on each of its rows.
    keys = {name: cycles[name].to_numpy()[starts] for name in _STORED_NUMBERS}
    keys["side"] = np.array(cycles["side"].take(pa.array(starts)).to_pylist())
    trial = np.repeat(np.arange(len(read)), [rows.num_rows for _, rows in read])[starts]
    keys |= {name: np.array(of_trials)[trial] for name, of_trials in _of_trials([of for of, _ in read]).items()}
    curves = np.stack([cycles[_STORED[name]].to_numpy() for name in channels])
    return _Block(keys=keys, curves=curves, channels=channels, points=points)


def _of_trials(trials: Sequence[StoredTrial]) -> dict[str, list[str] | list[float]]:
    """The keys that all cycles of a trial share, one entry per trial."""
    return {
        **{name: [getattr(trial.key, name) for trial in trials] for name in identity_names("trial")},
        "condition": [trial.condition for trial in trials],
        "height_m": [trial.height_m for trial in trials],
    }


def _one_number(numbers: set[int]) -> int:
    if len(numbers) > 1:
        raise ValueError(
            f"cycles of {' and '.join(map(str, sorted(numbers)))} samples can't stand in one release: ingest their "
            "sessions again with one recipe, or narrow the release."
        )
    return numbers.pop()


def _released(block: _Block, points: int) -> pa.Table:
    """Stored cycles with the release's columns, resampled to `points` samples."""
    n_cycles = len(block.keys["cycle"])
    columns: dict[str, pa.Array] = {
        "sample": pa.array(np.tile(np.arange(points, dtype=np.int32), n_cycles)),
        "phase": pa.array(np.tile(np.linspace(0, 1, points), n_cycles)),
        **{name: pa.array(curve) for name, curve in zip(block.channels, _at_points(block, points), strict=True)},
        **{name: pa.array(np.repeat(block.keys[name], points)) for name in ("cycle", *NUMBER_KEYS)},
        **{name: _repeated(block.keys[name], points) for name in TEXT_KEYS},
    }
    schema = arrow_schema(block.channels)
    return pa.Table.from_arrays([columns[name] for name in schema.names], schema=schema)


def _at_points(block: _Block, points: int) -> np.ndarray:
    """The curves in single precision, resampled to `points` samples, (C, N × points)."""
    n_channels = len(block.curves)
    if points == block.points:
        return block.curves.astype(np.float32)
    cycles = np.moveaxis(block.curves.reshape(n_channels, -1, block.points), 0, 2)
    resampled = np.moveaxis(resample_cycles(cycles, points), 2, 0)
    return resampled.reshape(n_channels, -1).astype(np.float32)


def _repeated(words: np.ndarray, points: int) -> pa.Array:
    """Words (N,) repeated on each row of their cycle, (N × points,)."""
    known, codes = np.unique(words, return_inverse=True)
    repeated = pa.DictionaryArray.from_arrays(pa.array(np.repeat(codes.astype(np.int32), points)), pa.array(known))
    return repeated.cast(pa.string())
