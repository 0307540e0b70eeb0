"""What people named for a result is written whole, and nothing is overwritten."""

import os
from pathlib import Path

import pytest

from models.predicting.new_files import refuse_unwritable, write_new_file, write_new_folder
from warehouse.errors import WarehouseError


def test_a_folder_holds_its_files_and_is_not_written_twice(tmp_path: Path) -> None:
    contents = {"a.json": b"{}", "b.bin": bytes(range(256))}

    write_new_folder(tmp_path / "deep" / "folder", contents)

    assert {file.name: file.read_bytes() for file in (tmp_path / "deep" / "folder").iterdir()} == contents
    with pytest.raises(ValueError, match="exists already"):
        write_new_folder(tmp_path / "deep" / "folder", {})


def test_a_file_is_not_written_twice(tmp_path: Path) -> None:
    write_new_file(tmp_path / "file", b"mine")

    with pytest.raises(ValueError, match="exists already"):
        write_new_file(tmp_path / "file", b"other")

    assert (tmp_path / "file").read_bytes() == b"mine"


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(WarehouseError, match="disk is full"):
        write_new_folder(tmp_path / "folder", {"a": b""})

    assert list(tmp_path.iterdir()) == []


def test_looking_whether_it_can_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    refuse_unwritable(tmp_path / "run")

    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="exists already"):
        refuse_unwritable(tmp_path)
