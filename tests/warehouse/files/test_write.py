import errno
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from tests.warehouse.conftest import store_rejected_trial, store_trial_of_kinematics
from tests.warehouse.one_file import remove_table, write_row, write_scaled_model, write_table
from tests.warehouse.samples import MADE, SESSION_ROW, TIME_S, cycles_columns, frame_tables, trial_row
from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse
from warehouse.schemas import SCHEMAS, schema_of


@pytest.mark.parametrize("table", frame_tables())
def test_what_is_written_is_read_back_exactly(warehouse: Warehouse, key: TrialKey, table: str) -> None:
    columns, units = frame_tables()[table]
    write_table(warehouse, table, key, columns, units=units, **MADE)
    back = read.read_table(warehouse, table, key)
    for name, values in columns.items():
        found = back.column(name).to_numpy()
        assert found.dtype == np.asarray(values).dtype or values.dtype.kind == "U"
        np.testing.assert_array_equal(found, values)


@pytest.mark.parametrize("table", SCHEMAS)
def test_units_and_meanings_survive_in_every_field(
    warehouse: Warehouse, key: TrialKey, store_trial: object, table: str
) -> None:
    store_trial(key)
    store_trial_of_kinematics(warehouse, key)
    store_rejected_trial(warehouse, key)
    fields = list(read.read_table(warehouse, table, key).schema)
    assert len(fields) >= len(schema_of(table).fixed)
    for field in fields:
        assert field.metadata[b"unit"], field.name
        assert field.metadata[b"meaning"], field.name


def test_the_file_says_what_it_is_and_what_made_it(warehouse: Warehouse, key: TrialKey) -> None:
    made_from = {"recipe": {"cycles": {"cycle_points": 180}}, "opensim": "4.6"}
    path = write_table(
        warehouse,
        "cycles",
        key,
        cycles_columns(),
        provenance_key="f" * 32,
        recipe="mine",
        made_from=made_from,
    )
    raw = pq.read_metadata(path).metadata
    assert raw[b"gait2hip.format"] == b"1"
    assert raw[b"gait2hip.table"] == b"cycles"
    assert raw[b"gait2hip.key"] == b"f" * 32
    stored = read.stored(warehouse, "cycles", key)
    assert stored.recipe == "mine"
    assert stored.made_from == made_from
    assert stored.identity == {
        "cohort": "adults",
        "subject": "001",
        "session": "2026-05-12",
        "trial": "walk_slow_01",
    }


def test_writing_twice_gives_the_same_bytes(warehouse: Warehouse, key: TrialKey, tmp_path: Path) -> None:
    elsewhere = Warehouse(str(tmp_path / "elsewhere"))
    for table, (columns, units) in frame_tables().items():
        paths = [
            write_table(house, table, key, columns, units=units, **MADE) for house in (warehouse, warehouse, elsewhere)
        ]
        assert len({Path(path).read_bytes() for path in paths}) == 1


def test_a_trials_row_is_surveyed_from_its_metadata(warehouse: Warehouse, key: TrialKey) -> None:
    row = trial_row(outcome="rejected", stage="gaps", reason="RASI is missing for 1.0 s", n_cycles_right=0)
    write_row(warehouse, "trials", key, row, **MADE)
    assert read.stored(warehouse, "trials", key).summary == {
        "condition": "slow",
        "outcome": "rejected",
        "stage": "gaps",
        "reason": "RASI is missing for 1.0 s",
        "n_cycles_right": 0,
        "n_cycles_left": 1,
    }


def test_a_full_disk_loses_nothing(warehouse: Warehouse, key: TrialKey, monkeypatch: pytest.MonkeyPatch) -> None:
    path = Path(write_row(warehouse, "sessions", key, SESSION_ROW, **MADE))
    before = path.read_bytes()

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(WarehouseError, match="the disk is full"):
        write_row(warehouse, "sessions", key, {**SESSION_ROW, "mass_kg": 70.0}, **MADE)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == [path.name]


def test_a_wrong_table_leaves_no_file(warehouse: Warehouse, key: TrialKey) -> None:
    with pytest.raises(ValueError, match="'activations'"):
        write_table(warehouse, "activations", key, {"time_s": TIME_S[::-1]}, **MADE)
    assert not Path(warehouse.base).exists()


def test_another_trials_file_is_not_overwritten(warehouse: Warehouse) -> None:
    # What a disk that ignores case would do to subjects "a1" and "A1".
    key, other = (TrialKey(cohort="adults", subject=subject, session="v1", trial="walk") for subject in ("a1", "A1"))
    path = Path(write_row(warehouse, "trials", key, trial_row(), **MADE))
    theirs = Path(write_row(warehouse, "trials", other, trial_row(), **MADE))
    path.replace(theirs)
    before = theirs.read_bytes()
    with pytest.raises(WarehouseError, match="belongs to adults/a1/v1/walk"):
        write_row(warehouse, "trials", other, trial_row(), **MADE)
    assert theirs.read_bytes() == before


def test_a_damaged_file_is_replaced(warehouse: Warehouse, key: TrialKey) -> None:
    path = Path(write_row(warehouse, "trials", key, trial_row(), **MADE))
    path.write_bytes(path.read_bytes()[:-7])
    assert not read.is_fresh(warehouse, "trials", key, MADE["provenance_key"])
    write_row(warehouse, "trials", key, trial_row(), **MADE)
    assert read.is_fresh(warehouse, "trials", key, MADE["provenance_key"])


def test_the_scaled_model_comes_back_and_no_tables_folder_holds_it(warehouse: Warehouse, key: TrialKey) -> None:
    path = write_scaled_model(warehouse, key, "<OpenSimDocument>µ</OpenSimDocument>")
    write_row(warehouse, "sessions", key, SESSION_ROW, **MADE)
    assert read.read_scaled_model(warehouse, key.session_key) == "<OpenSimDocument>µ</OpenSimDocument>"
    assert Path(path).relative_to(warehouse.base).parts[0] not in SCHEMAS


def test_a_removed_table_is_gone_and_may_be_removed_again(warehouse: Warehouse, key: TrialKey) -> None:
    path = write_table(warehouse, "cycles", key, cycles_columns(), **MADE)
    for _ in range(2):
        remove_table(warehouse, "cycles", key)
    assert not Path(path).exists()


def test_a_file_that_was_put_in_anothers_place_is_replaced(warehouse: Warehouse, key: TrialKey) -> None:
    other = TrialKey(cohort="adults", subject="002", session="2026-05-12", trial="walk_slow_01")
    mine, theirs = (Path(write_row(warehouse, "trials", each, trial_row(), **MADE)) for each in (key, other))
    whole = mine.read_bytes()
    mine.write_bytes(theirs.read_bytes())

    write_row(warehouse, "trials", key, trial_row(), **MADE)

    assert mine.read_bytes() == whole
