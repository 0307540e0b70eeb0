"""Arrays larger than memory: single precision, first axis N, kept in temporary files that are removed with them.

The functions take arrays in memory or on disk and give the same numbers for both; their results are on disk if their
arguments are.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from warehouse.files.storage import describe_os_errors

# Makes an array of the given shape; its values are not set.
Allocate = Callable[[tuple[int, ...]], np.ndarray]

# Rows in memory at once. Sums are taken block by block in both kinds of array, so that their last digits agree.
ROWS_AT_ONCE = 256


def in_memory(shape: tuple[int, ...]) -> np.ndarray:
    """An ordinary array."""
    return np.empty(shape, dtype=np.float32)


def on_disk(folder: Path) -> Allocate:
    """An allocator of arrays in files of this folder, which it creates. WarehouseError if the disk is full."""

    def allocate(shape: tuple[int, ...]) -> np.ndarray:
        if 0 in shape:
            return in_memory(shape)  # an empty file can't be mapped
        with describe_os_errors("write", str(folder)):
            folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=folder, prefix="cycles-", delete=False) as file:
                # Zeros are written: a full disk raises here instead of crashing later, when a value is set.
                row = bytes(4 * int(np.prod(shape[1:])))
                for _ in range(shape[0]):
                    file.write(row)
            array = np.memmap(file.name, dtype=np.float32, mode="r+", shape=shape)
            # Where an open file can be unlinked, nothing is left behind, however this process ends.
            with contextlib.suppress(PermissionError):
                Path(file.name).unlink()
        return array

    return allocate


def is_on_disk(array: np.ndarray) -> bool:
    """Whether `on_disk` made the array."""
    return isinstance(array, np.memmap) and array.filename is not None


def blocks(n_rows: int) -> Iterator[slice]:
    """Slices that cover the rows in order, `ROWS_AT_ONCE` at a time."""
    return (slice(start, min(start + ROWS_AT_ONCE, n_rows)) for start in range(0, n_rows, ROWS_AT_ONCE))


def taken(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The rows chosen by a mask or by indices."""
    if not is_on_disk(array):
        return array[rows]
    chosen = np.flatnonzero(rows) if rows.dtype == bool else rows
    made = _like(array)((len(chosen), *array.shape[1:]))
    for some in blocks(len(chosen)):
        made[some] = array[chosen[some]]
    return made


def joined(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(N, P, A) and (N, P, B) as (N, P, A + B)."""
    if 0 in (first.shape[2], second.shape[2]):
        return second if first.shape[2] == 0 else first
    if not is_on_disk(first):
        return np.concatenate([first, second], axis=2)
    made = _like(first)((*first.shape[:2], first.shape[2] + second.shape[2]))
    for some in blocks(len(first)):
        made[some] = np.concatenate([first[some], second[some]], axis=2)
    return made


def finite_rows(array: np.ndarray) -> np.ndarray:
    """(N, P, C) -> (N,): which rows hold neither NaN nor infinity."""
    finite = np.ones(len(array), dtype=bool)
    for some in blocks(len(array)):
        finite[some] = np.isfinite(array[some]).all(axis=(1, 2))
    return finite


def _like(array: np.ndarray) -> Allocate:
    assert isinstance(array, np.memmap) and array.filename is not None, "only arrays on disk have a folder"
    return on_disk(Path(array.filename).parent)
