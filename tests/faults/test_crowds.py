"""Ten processes that store at once, and one that reads meanwhile: nothing lost, nothing seen in halves."""

from pathlib import Path

import pytest

from benchmarks.killing import check, leftovers, snapshot
from tests.faults.made_up_ingest import all_at_once, store_session, store_trial
from warehouse.files import read
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse

N_WRITERS = 10

SESSIONS = [SessionKey(cohort="adults", subject=f"S{number}", session="v1") for number in range(N_WRITERS)]


def store(root: str, key: SessionKey) -> None:
    store_session(root, key)
    for trial in ("t1", "t2"):
        store_trial(root, key.of_trial(trial), "a")


@pytest.mark.parametrize("whose", ["sessions of their own", "the same session"])
def test_ten_writers_lose_nothing_and_a_reader_sees_whole_files_only(tmp_path: Path, whose: str) -> None:
    keys = SESSIONS if whose == "sessions of their own" else SESSIONS[:1] * N_WRITERS
    alone, root = tmp_path / "alone", tmp_path / "warehouse"
    for key in dict.fromkeys(keys):
        store(str(alone), key)
    expected = snapshot(alone)
    root.mkdir()

    processes = all_at_once(store, *((str(root), key) for key in keys))
    n_reads = 0
    while any(process.is_alive() for process in processes):
        check(root, [expected])
        n_reads += 1

    assert [process.exitcode for process in processes] == [0] * N_WRITERS
    assert n_reads > 0
    assert snapshot(root) == expected
    assert leftovers(root) == []
    check(root, [expected])


def test_what_is_stored_already_is_never_missing_while_others_store_it_again(tmp_path: Path) -> None:
    root, key = str(tmp_path / "warehouse"), SESSIONS[0]
    store(root, key)

    processes = all_at_once(store, *[(root, key)] * 4)
    while any(process.is_alive() for process in processes):
        assert len(read.trials(Warehouse(root))) == 2
    assert [process.exitcode for process in processes] == [0] * 4
