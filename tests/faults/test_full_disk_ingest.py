"""The whole chain on a disk that is too small for its results, and on one that fills up while they are made again."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from benchmarks.faults import make_scene
from benchmarks.killing import Ended, leftovers, run_until, snapshot
from tests.faults.disks import BALLAST, small_disk
from warehouse.files.read import trials
from warehouse.layout import Warehouse

pytestmark = [pytest.mark.osim, pytest.mark.long]

# Room for the session's files and a part of its trials'.
TOO_SMALL_KB = 1800
ROOM_LEFT_KB = 200


def test_a_full_disk_ends_a_run_plainly_and_the_next_one_completes_it(tmp_path: Path) -> None:
    scene = make_scene(tmp_path, {}, subjects=1, trials=2)
    scene.finish(scene.ingest())
    ingested = snapshot(scene.warehouse)
    scene.finish(scene.regenerate(1))
    regenerated = snapshot(scene.warehouse)
    shutil.rmtree(scene.warehouse)

    with small_disk(scene.warehouse, megabytes=16) as disk:
        _resize(disk.folder, TOO_SMALL_KB)
        _assert_full(run_until(scene.ingest(), scene.environment, scene.warehouse, None), scene.warehouse)
        # What was stored is whole; of what was not, a row at most says why.
        odd = {path for path, digest in snapshot(scene.warehouse).items() if ingested.get(path) != digest}
        assert {row.summary["stage"] for row in trials(Warehouse(str(scene.warehouse)))} <= {None, "storing"}
        assert odd <= {path for path in ingested if path.startswith("trials/")}
        assert ingested != snapshot(scene.warehouse)

        _resize(disk.folder, 16 << 10)
        scene.finish(scene.ingest())
        assert snapshot(scene.warehouse) == ingested

        disk.fill()
        os.truncate(disk.folder / BALLAST, (disk.folder / BALLAST).stat().st_size - (ROOM_LEFT_KB << 10))
        _assert_full(run_until(scene.regenerate(1), scene.environment, scene.warehouse, None), scene.warehouse)
        disk.free()
        assert snapshot(scene.warehouse) == ingested
        assert leftovers(scene.warehouse) == []

        scene.finish(scene.regenerate(1))
        assert snapshot(scene.warehouse) == regenerated


def _assert_full(ended: Ended, warehouse: Path) -> None:
    assert ended.exit_code == 2, ended.output
    assert f"can't write {warehouse}/" in ended.output
    assert "the disk is full. Free some space and run the command again" in ended.output
    assert "Traceback" not in ended.output


def _resize(folder: Path, kilobytes: int) -> None:
    subprocess.run(["mount", "-o", f"remount,size={kilobytes}k", str(folder)], check=True)
