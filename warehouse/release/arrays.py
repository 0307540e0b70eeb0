"""A release as arrays, ready to train on. N cycles, P samples each."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import TypeAdapter

from warehouse.channels import INPUT_COORDINATES, TARGET_CHANNELS, TargetKind
from warehouse.errors import WarehouseError
from warehouse.files.on_disk import Allocate, finite_rows, in_memory, taken
from warehouse.layout import file_path
from warehouse.release.columns import TEXT_KEYS
from warehouse.release.manifest import CYCLES_FILE, SPLIT_FILE
from warehouse.release.publish import Release, open_release
from warehouse.release.split import ReleaseSplit

_NUMBERS = ("cycle", "mass_kg", "height_m", "duration_s")
_CYCLES_AT_ONCE = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class CycleArrays:
    """Cycles in the release's order, each seen as a right leg's, single precision.

    `inputs_deg` (N, P, 10), `forces_n_kg` (N, P, 14), `moments_nm_kg` (N, P, 3), `loads_n_kg` (N, P, 4), columns in the
    order of the names. A kind of target that was not requested, or that the release lacks, has no columns: (N, P, 0).
    Per cycle (N,): its identity and condition, `mass_kg`, `height_m`, `duration_s` (NaN if an imported source lacks
    it), and whether its subject is in training or in the test. `subject` is `cohort/subject`, as in the split.
    `left_out` names each cycle that is missing here because a target is not known, with that target.
    """

    inputs_deg: np.ndarray
    forces_n_kg: np.ndarray
    moments_nm_kg: np.ndarray
    loads_n_kg: np.ndarray
    input_names: tuple[str, ...]
    force_names: tuple[str, ...]
    moment_names: tuple[str, ...]
    load_names: tuple[str, ...]
    subject: np.ndarray
    session: np.ndarray
    trial: np.ndarray
    condition: np.ndarray
    side: np.ndarray
    cycle: np.ndarray
    mass_kg: np.ndarray
    height_m: np.ndarray
    duration_s: np.ndarray
    train: np.ndarray
    test: np.ndarray
    left_out: tuple[str, ...]

    def __post_init__(self) -> None:
        assert len({len(values) for values in (self.inputs_deg, self.forces_n_kg, self.subject, self.train)}) == 1
        assert not (self.train & self.test).any()

    def __len__(self) -> int:
        return len(self.inputs_deg)

    @property
    def n_left_out(self) -> int:
        """How many cycles were left out."""
        return len(self.left_out)


def load(root: str, targets: Collection[TargetKind] | None = None, allocate: Allocate = in_memory) -> CycleArrays:
    """The arrays of the release in a folder, local or `s3://…`, with the kinds of targets named.

    None stands for forces and moments, as far as it has them; contact forces are loaded only if they are named.
    `allocate` says where inputs and targets are kept. Cycles with NaN in one of these targets are left out. MissingFile
    or WarehouseError if there is no such release or one of its files was changed; ValueError for a kind of target that
    the release lacks.
    """
    release = open_release(root)
    kinds = tuple(kind for kind in release.manifest.targets if kind != "loads") if targets is None else tuple(targets)
    lacking = sorted(set(kinds) - set(release.manifest.targets))
    if lacking:
        raise ValueError(f"{root} has no {', '.join(lacking)}; it has {', '.join(release.manifest.targets)}.")
    names = {kind: channels if kind in kinds else () for kind, channels in TARGET_CHANNELS.items()}
    blocks, keys = _read(release, (INPUT_COORDINATES, *names.values()), allocate)
    return _assembled(blocks, keys, names, read_split(release))


def read_split(release: Release) -> ReleaseSplit:
    """The release's split. WarehouseError if its file was changed."""
    return TypeAdapter(ReleaseSplit).validate_json(release.read(SPLIT_FILE))


def _assembled(
    blocks: Sequence[np.ndarray],
    keys: dict[str, np.ndarray],
    names: dict[TargetKind, tuple[str, ...]],
    split: ReleaseSplit,
) -> CycleArrays:
    subject = np.char.add(np.char.add(keys.pop("cohort"), "/"), keys.pop("subject"))
    complete = np.logical_and.reduce([finite_rows(block) for block in blocks[1:]])
    left_out = tuple(_left_out(blocks[1:], keys, subject, names, np.flatnonzero(~complete)))
    if left_out:
        blocks = [taken(block, complete) for block in blocks]
        keys = {name: values[complete] for name, values in keys.items()}
        subject = subject[complete]
    return CycleArrays(
        inputs_deg=blocks[0],
        forces_n_kg=blocks[1],
        moments_nm_kg=blocks[2],
        loads_n_kg=blocks[3],
        input_names=INPUT_COORDINATES,
        force_names=names["forces"],
        moment_names=names["moments"],
        load_names=names["loads"],
        subject=subject,
        train=np.isin(subject, split.train),
        test=np.isin(subject, split.test),
        left_out=left_out,
        **keys,
    )


def _left_out(
    blocks: Sequence[np.ndarray],
    keys: dict[str, np.ndarray],
    subject: np.ndarray,
    names: dict[TargetKind, tuple[str, ...]],
    cycles: np.ndarray,
) -> Iterator[str]:
    """A line for each of these cycles: which of its targets are not known."""
    channels = np.array([name for of_kind in names.values() for name in of_kind])
    for index in cycles:
        unknown = np.concatenate([~np.isfinite(block[index]).all(axis=0) for block in blocks])
        which = "all targets" if unknown.all() else ", ".join(channels[unknown])
        where = "/".join((subject[index], keys["session"][index], keys["trial"][index]))
        yield f"{where} {keys['side'][index]} cycle {keys['cycle'][index]}: {which} not known"


def _read(
    release: Release, channels: Sequence[Sequence[str]], allocate: Allocate
) -> tuple[list[np.ndarray], dict[str, np.ndarray]]:
    """An array (N, P, C) for each list of channels, and each cycle's keys (N,)."""
    points = release.manifest.points
    blocks = [allocate((release.manifest.n_cycles, points, len(names))) for names in channels]
    keys: list[dict[str, np.ndarray]] = []
    start = 0
    for table in cycle_tables(release, [*TEXT_KEYS, *_NUMBERS, *(name for names in channels for name in names)]):
        stop = start + table.num_rows // points
        for block, names in zip(blocks, channels, strict=True):
            _fill(block[start:stop], [table.column(name).to_numpy().reshape(-1, points) for name in names])
        keys.append({name: _per_cycle(table.column(name), points) for name in (*TEXT_KEYS, *_NUMBERS)})
        start = stop
    return blocks, {name: np.concatenate([part[name] for part in keys]) for name in (*TEXT_KEYS, *_NUMBERS)}


def cycle_tables(release: Release, columns: Sequence[str]) -> Iterator[pa.Table]:
    """The row groups of `cycles.parquet`, each of whole cycles, read one at a time.

    WarehouseError if the file is not, byte for byte, the one in the manifest.
    """
    path = file_path(release.root, CYCLES_FILE)
    content = release.buffer(CYCLES_FILE)
    try:
        file = pq.ParquetFile(pa.BufferReader(content), read_dictionary=list(TEXT_KEYS))
        for index in range(file.num_row_groups):
            yield file.read_row_group(index, columns=list(columns))
    except (pa.ArrowException, OSError) as error:
        raise WarehouseError(f"{path} can't be read: {error}. Cut the release again.") from error


def _fill(block: np.ndarray, curves: Sequence[np.ndarray]) -> None:
    # Transposing a few cycles at a time stays in the processor's cache; all at once takes ten times as long.
    for start in range(0, len(block), _CYCLES_AT_ONCE):
        some = slice(start, start + _CYCLES_AT_ONCE)
        for index, curve in enumerate(curves):
            block[some, :, index] = curve[some]


def _per_cycle(column: pa.ChunkedArray, points: int) -> np.ndarray:
    if not pa.types.is_dictionary(column.type):
        return np.asarray(column.to_numpy()[::points])
    chunk = column.unify_dictionaries().combine_chunks()
    chunk = chunk.chunk(0) if isinstance(chunk, pa.ChunkedArray) else chunk
    return np.asarray(chunk.dictionary.to_numpy(zero_copy_only=False).astype(str))[chunk.indices.to_numpy()[::points]]
