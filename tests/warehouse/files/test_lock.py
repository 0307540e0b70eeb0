import time
from pathlib import Path

import pytest

from tests.faults.made_up_ingest import all_at_once
from warehouse.errors import WarehouseError
from warehouse.files.lock import one_writer
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse

KEY = SessionKey(cohort="adults", subject="S1", session="v1")
OTHER_SESSION = SessionKey(cohort="adults", subject="S1", session="v2")
OTHER_SUBJECT = SessionKey(cohort="adults", subject="S2", session="v1")


def add_one(root: str, key: SessionKey, counter: str) -> None:
    for _ in range(20):
        with one_writer(Warehouse(root), key):
            file = Path(counter)
            count = int(file.read_text())
            time.sleep(0.001)
            file.write_text(str(count + 1))


def test_one_at_a_time_holds_a_subjects_lock(tmp_path: Path) -> None:
    counter = tmp_path / "counter"
    counter.write_text("0")

    processes = all_at_once(add_one, *[(str(tmp_path), key, str(counter)) for key in (KEY, OTHER_SESSION)] * 2)
    for process in processes:
        process.join(60)

    assert counter.read_text() == "80"


def hold_for_ever(root: str, key: SessionKey, said: str) -> None:
    with one_writer(Warehouse(root), key):
        Path(said).touch()
        time.sleep(600)


def test_a_lock_ends_with_the_process_that_held_it_and_holds_one_subject_only(tmp_path: Path) -> None:
    warehouse, said = Warehouse(str(tmp_path)), tmp_path / "held"
    (holder,) = all_at_once(hold_for_ever, (str(tmp_path), KEY, str(said)))
    deadline = time.monotonic() + 60
    while not said.exists():
        assert time.monotonic() < deadline, "it never held the lock"
        time.sleep(0.01)
    with one_writer(warehouse, OTHER_SUBJECT):
        assert holder.is_alive()

    holder.kill()
    holder.join()

    with one_writer(warehouse, KEY):
        assert not holder.is_alive()


def test_a_warehouse_that_can_t_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "sources").touch()

    with pytest.raises(WarehouseError, match=r"can't lock .*/sources/adults/.S1.lock: a file stands where"):
        one_writer(Warehouse(str(tmp_path)), KEY).__enter__()
