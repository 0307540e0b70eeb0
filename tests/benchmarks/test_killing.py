"""What the harness of kills takes for damage."""

from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.killing import Snapshot, check, leftovers, snapshot
from tests.faults.made_up_ingest import SESSIONS, TRIALS, store_session, store_trial
from tests.warehouse.one_file import remove_table
from warehouse.layout import Warehouse, table_path, temporary_path


@pytest.fixture
def root(tmp_path: Path) -> Path:
    store_session(str(tmp_path), SESSIONS[0])
    store_trial(str(tmp_path), TRIALS[0], "a")
    return tmp_path


@pytest.fixture
def whole(root: Path) -> Snapshot:
    return snapshot(root)


def _cut_short(root: Path) -> None:
    path = Path(table_path(Warehouse(str(root)), "forces", "trial", TRIALS[0]))
    path.write_bytes(path.read_bytes()[:-100])


def _lose(root: Path) -> None:
    remove_table(Warehouse(str(root)), "forces", TRIALS[0])


def _mix(root: Path) -> None:
    path = Path(table_path(Warehouse(str(root)), "trials", "trial", TRIALS[0]))
    row = path.read_bytes()
    store_trial(str(root), TRIALS[0], "bb")
    path.write_bytes(row)


def test_a_whole_warehouse_passes(root: Path, whole: Snapshot) -> None:
    assert check(root, [whole]) == len(whole) == 17


@pytest.mark.parametrize("damage", [_cut_short, _lose, _mix])
def test_damage_is_found(root: Path, whole: Snapshot, damage: Callable[[Path], None]) -> None:
    damage(root)

    with pytest.raises(AssertionError):
        # What is there now is what is expected: other files' bytes are not what betrays it.
        check(root, [whole, snapshot(root)])


def test_a_file_of_no_undisturbed_run_is_found(root: Path, whole: Snapshot) -> None:
    store_trial(str(root), TRIALS[0], "bb")

    with pytest.raises(AssertionError, match="is of no undisturbed run"):
        check(root, [whole])


def test_an_unfinished_file_is_a_leftover_and_no_result(root: Path, whole: Snapshot) -> None:
    part = temporary_path(Path(table_path(Warehouse(str(root)), "forces", "trial", TRIALS[0])))
    part.write_bytes(b"half")

    assert leftovers(root) == [part]
    assert snapshot(root) == whole
