"""Arrays on disk hold what arrays in memory hold, and leave nothing behind."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from warehouse.errors import WarehouseError
from warehouse.files import on_disk as module
from warehouse.files.on_disk import Allocate, blocks, finite_rows, in_memory, is_on_disk, joined, on_disk, taken


def _filled(allocate: Allocate, *shape: int, seed: int = 0) -> np.ndarray:
    array = allocate(shape)
    array[:] = np.random.default_rng(seed).normal(size=shape)
    return array


def test_both_kinds_give_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_AT_ONCE", 4)
    here, there = (_filled(allocate, 11, 3, 2) for allocate in (in_memory, on_disk(tmp_path)))
    there[5, 1, 0] = here[5, 1, 0] = np.nan
    mask, indices = np.arange(11) % 3 == 0, np.array([9, 2, 2, 10])
    more = _filled(in_memory, 11, 3, 1, seed=1)

    assert is_on_disk(there) and not is_on_disk(here)
    for rows in (mask, indices):
        np.testing.assert_array_equal(taken(there, rows), here[rows])
        assert is_on_disk(taken(there, rows))
    np.testing.assert_array_equal(joined(there, more), np.concatenate([here, more], axis=2))
    assert is_on_disk(joined(there, more))
    np.testing.assert_array_equal(finite_rows(there), np.arange(11) != 5)
    np.testing.assert_array_equal(finite_rows(there), finite_rows(here))


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    array = _filled(on_disk(tmp_path / "new"), 5, 2, 2)

    assert list((tmp_path / "new").iterdir()) == []
    assert array.shape == (5, 2, 2)


def test_a_kind_without_channels_takes_no_file(tmp_path: Path) -> None:
    empty, full = on_disk(tmp_path)((5, 2, 0)), _filled(on_disk(tmp_path), 5, 2, 3)

    assert empty.shape == (5, 2, 0)
    assert joined(empty, full) is full
    assert joined(full, empty) is full


def test_blocks_are_all_rows_in_order() -> None:
    assert [(some.start, some.stop) for some in blocks(600)] == [(0, 256), (256, 512), (512, 600)]
    assert list(blocks(0)) == []


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(module, "NamedTemporaryFile", full)

    with pytest.raises(WarehouseError, match="the disk is full"):
        on_disk(tmp_path)((5, 2, 2))
