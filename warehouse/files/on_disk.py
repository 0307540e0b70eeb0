"""Arrays that are larger than memory: single precision, first axis N, kept in files that vanish with them.

Functions here take arrays of either kind and give the same numbers for both; what they make is on disk where what they
were given is.
"""

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import NamedTemporaryFile

import numpy as np

from warehouse.files.storage import describe_os_errors

# Makes an array of a shape, its values not set.
Allocate = Callable[[tuple[int, ...]], np.ndarray]

# Rows that are in memory at once. Sums are taken block by block in both kinds, so that their last digits agree too.
ROWS_AT_ONCE = 256


def in_memory(shape: tuple[int, ...]) -> np.ndarray:
    """An array as usual."""
    return np.empty(shape, dtype=np.float32)


def on_disk(folder: Path) -> Allocate:
    """Makes arrays in files of this folder, which is made too. WarehouseError if the disk is full."""

    def allocate(shape: tuple[int, ...]) -> np.ndarray:
        if 0 in shape:
            return in_memory(shape)  # an empty file can't be mapped
        with describe_os_errors("write", str(folder)):
            folder.mkdir(parents=True, exist_ok=True)
            with NamedTemporaryFile(dir=folder, prefix="cycles-", delete=False) as file:
                # Written, not only made longer: a full disk is told here, and not by a crash when a value is set.
                row = bytes(4 * int(np.prod(shape[1:])))
                for _ in range(shape[0]):
                    file.write(row)
            array = np.memmap(file.name, dtype=np.float32, mode="r+", shape=shape)
            # Where an open file can lose its name, nothing is left behind, whatever ends this process.
            with contextlib.suppress(PermissionError):
                Path(file.name).unlink()
        return array

    return allocate


def is_on_disk(array: np.ndarray) -> bool:
    """Whether the array is one that `on_disk` made."""
    return isinstance(array, np.memmap) and array.filename is not None


def blocks(n_rows: int) -> Iterator[slice]:
    """The rows in order, `ROWS_AT_ONCE` by `ROWS_AT_ONCE`."""
    return (slice(start, min(start + ROWS_AT_ONCE, n_rows)) for start in range(0, n_rows, ROWS_AT_ONCE))


def taken(array: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """The rows that a mask or indices choose."""
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
    """(N, P, C) -> (N,): which rows hold no NaN and no infinity."""
    found = np.ones(len(array), dtype=bool)
    for some in blocks(len(array)):
        found[some] = np.isfinite(array[some]).all(axis=(1, 2))
    return found


def _like(array: np.ndarray) -> Allocate:
    assert isinstance(array, np.memmap) and array.filename is not None, "only arrays on disk have a folder"
    return on_disk(Path(array.filename).parent)
