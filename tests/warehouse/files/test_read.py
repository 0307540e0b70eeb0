from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest

from tests.warehouse.one_file import write_row, write_table
from tests.warehouse.samples import MADE, N_SAMPLES, cycles_columns, load_columns, trial_row
from warehouse.channels import INPUT_COORDINATES, LOAD_CHANNELS
from warehouse.errors import MissingFile, WarehouseError
from warehouse.files import read
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse, table_path
from warehouse.schemas import schema_of


def a_key(subject: str = "001", trial: str = "t1", cohort: str = "adults") -> TrialKey:
    return TrialKey(cohort=cohort, subject=subject, session="v1", trial=trial)


def path_of(warehouse: Warehouse, table: str, key: TrialKey) -> Path:
    return Path(table_path(warehouse, table, schema_of(table).level, key))


def test_columns_come_in_the_order_asked(warehouse: Warehouse, store_trial: object) -> None:
    store_trial(a_key())
    assert read.read_table(warehouse, "forces", a_key(), ["psoas_r", "time_s"]).column_names == [
        "psoas_r",
        "time_s",
    ]
    with pytest.raises(ValueError, match="has no column 'emg'"):
        read.read_table(warehouse, "forces", a_key(), ["time_s", "emg"])


def test_a_row_comes_back_as_plain_values(warehouse: Warehouse, store_trial: object) -> None:
    store_trial(a_key())
    row = read.read_row(warehouse, "trials", a_key())
    assert row["marker_rms_max_m"] == 0.012
    assert row["stage"] is None
    assert row["warnings"] == ["plate 2 was not loaded"]


def test_freshness_is_the_provenance_key_of_a_readable_file(warehouse: Warehouse, store_trial: object) -> None:
    assert not read.is_fresh(warehouse, "forces", a_key(), MADE["provenance_key"])
    store_trial(a_key())
    assert read.is_fresh(warehouse, "forces", a_key(), MADE["provenance_key"])
    assert not read.is_fresh(warehouse, "forces", a_key(), "1" * 32)


def test_what_was_never_stored_is_missing(warehouse: Warehouse) -> None:
    with pytest.raises(MissingFile, match="does not exist"):
        read.read_table(warehouse, "forces", a_key())


@pytest.mark.parametrize("kept", [0, 4, 100, -9])
def test_a_cut_file_is_refused_by_name(warehouse: Warehouse, store_trial: object, kept: int) -> None:
    store_trial(a_key())
    path = path_of(warehouse, "forces", a_key())
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(WarehouseError, match=r"forces.*t1\.parquet is not a whole Parquet file"):
        read.read_table(warehouse, "forces", a_key())


def test_a_flipped_bit_in_the_data_is_noticed(warehouse: Warehouse, store_trial: object) -> None:
    store_trial(a_key())
    path = path_of(warehouse, "forces", a_key())
    column = pq.ParquetFile(path).metadata.row_group(0).column(8)
    data = bytearray(path.read_bytes())
    data[column.data_page_offset + column.total_compressed_size - 5] ^= 1
    path.write_bytes(data)
    with pytest.raises(WarehouseError, match=r"t1\.parquet is damaged"):
        read.read_table(warehouse, "forces", a_key())


def test_a_foreign_file_is_refused_by_name(warehouse: Warehouse, store_trial: object) -> None:
    store_trial(a_key())
    path = path_of(warehouse, "forces", a_key())
    pd.DataFrame({"time_s": [0.0]}).to_parquet(path)
    with pytest.raises(WarehouseError, match=r"t1\.parquet was not written by gait2hip"):
        read.read_table(warehouse, "forces", a_key())


def test_an_older_format_is_refused_by_name(
    warehouse: Warehouse, store_trial: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("warehouse.metadata.FORMAT_VERSION", 0)
    store_trial(a_key())
    monkeypatch.undo()
    with pytest.raises(WarehouseError, match=r"t1\.parquet has format version 0; this gait2hip reads 1"):
        read.read_table(warehouse, "forces", a_key())


def test_a_file_moved_to_another_trial_is_refused(warehouse: Warehouse, store_trial: object) -> None:
    for trial in ("t1", "t2"):
        store_trial(a_key(trial=trial))
    path_of(warehouse, "forces", a_key()).replace(path_of(warehouse, "forces", a_key(trial="t2")))
    with pytest.raises(WarehouseError, match="forces of adults/001/v1/t1, expected forces of adults/001/v1/t2"):
        read.read_table(warehouse, "forces", a_key(trial="t2"))


def test_trials_are_listed_by_identity_whatever_their_names(warehouse: Warehouse, store_trial: object) -> None:
    keys = [a_key(subject="S2"), a_key(subject="S10"), a_key(trial="a.parquet"), a_key(trial="a__b")]
    for key in keys:
        store_trial(key)
    assert [read.trial_key(stored) for stored in read.trials(warehouse)] == sorted(keys)


def test_an_unreadable_trial_is_not_lost_silently(warehouse: Warehouse, store_trial: object) -> None:
    for trial in ("t1", "t2"):
        store_trial(a_key(trial=trial))
    path_of(warehouse, "trials", a_key(trial="t2")).write_bytes(b"PAR1")
    found, problems = read.read_accounts(warehouse, "trials")
    assert len(found) == 1
    assert len(problems) == 1
    assert "t2.parquet" in problems[0]
    with pytest.raises(WarehouseError, match=r"t2\.parquet"):
        read.trials(warehouse)


@pytest.fixture
def three_trials(warehouse: Warehouse, store_trial: object) -> Warehouse:
    store_trial(a_key("002"), condition="fast")
    store_trial(a_key("001"), condition="slow")
    store_trial(a_key("001", cohort="children"), condition="slow")
    return warehouse


def test_cycles_are_sorted_and_whole(three_trials: Warehouse) -> None:
    table = read.cycles(three_trials)
    assert table.num_rows == 3 * 3 * N_SAMPLES
    who = list(dict.fromkeys(zip(table.column("cohort").to_pylist(), table.column("subject").to_pylist(), strict=True)))
    assert who == [("adults", "001"), ("adults", "002"), ("children", "001")]
    np.testing.assert_array_equal(
        table.column("force_glmed").to_numpy()[: 3 * N_SAMPLES], cycles_columns()["force_glmed"]
    )
    assert table.field("force_glmed").metadata[b"unit"] == b"N/kg"


@pytest.mark.parametrize(
    ("wanted", "n_trials"),
    [
        ({}, 3),
        ({"cohort": "adults"}, 2),
        ({"subjects": ["001"]}, 2),
        ({"conditions": {"fast"}}, 1),
        ({"cohort": "children", "conditions": ["fast"]}, 0),
    ],
)
def test_cycles_are_chosen_by_who_and_how(three_trials: Warehouse, wanted: dict, n_trials: int) -> None:
    found = read.cycles(three_trials, columns=["subject", "phase"], **wanted)
    assert found.num_rows == n_trials * 3 * N_SAMPLES
    assert found.column_names == ["subject", "phase"]


def test_seen_as_right_the_inputs_have_the_models_names(three_trials: Warehouse) -> None:
    plain, as_right = read.cycles(three_trials), read.cycles_as_right(three_trials)
    assert set(INPUT_COORDINATES) <= set(as_right.column_names)
    assert as_right.column("hip_flexion_r").equals(plain.column("hip_flexion_ipsi"))
    assert as_right.column("knee_angle_l").equals(plain.column("knee_angle_contra"))
    chosen = read.cycles_as_right(three_trials, columns=["ankle_angle_l", "force_tfl"])
    assert chosen.column_names == ["ankle_angle_l", "force_tfl"]


def test_a_rejected_trials_leftover_cycles_are_not_read(three_trials: Warehouse) -> None:
    rejected = trial_row(outcome="rejected", stage="quality", reason="reserves of 30 %")
    write_row(three_trials, "trials", a_key("002"), rejected, **MADE)
    assert set(read.cycles(three_trials).column("subject").to_pylist()) == {"001"}


def test_an_accepted_trial_without_its_cycles_is_an_error(three_trials: Warehouse) -> None:
    path_of(three_trials, "cycles", a_key("002")).unlink()
    with pytest.raises(MissingFile, match=r"cycles/adults/002/v1/t1\.parquet"):
        read.cycles(three_trials)


def test_cycles_of_an_unfinished_run_are_not_mixed_in(three_trials: Warehouse) -> None:
    # Killed after the new cycles were stored and before the row that vouches for them.
    newer = {"provenance_key": "1" * 32, "recipe": "another"}
    write_table(three_trials, "cycles", a_key("002"), cycles_columns(), **newer)
    with pytest.raises(WarehouseError, match="cycles of adults/002/v1/t1 were not made by the run"):
        read.cycles(three_trials)
    write_row(three_trials, "trials", a_key("002"), trial_row(), **newer)
    assert read.cycles(three_trials).num_rows == 9 * N_SAMPLES


def test_an_empty_warehouse_has_no_cycles_but_their_columns(warehouse: Warehouse) -> None:
    assert read.cycles(warehouse).num_rows == 0
    assert "moment_hip_rotation" in read.cycles(warehouse).column_names
    assert read.cycles(warehouse, columns=["side"]).column_names == ["side"]


def test_pandas_reads_a_folder_and_tells_trials_apart(three_trials: Warehouse) -> None:
    frame = pd.read_parquet(f"{three_trials.base}/cycles")
    assert len(frame) == 9 * N_SAMPLES
    assert sorted(frame.groupby(["cohort", "subject", "session", "trial"]).size().index) == [
        ("adults", "001", "v1", "t1"),
        ("adults", "002", "v1", "t1"),
        ("children", "001", "v1", "t1"),
    ]


def test_codes_that_look_like_numbers_stay_text(warehouse: Warehouse, store_trial: object) -> None:
    # A hive-named folder would make one subject of these two.
    for subject in ("001", "1"):
        store_trial(a_key(subject))
    assert set(pd.read_parquet(f"{warehouse.base}/trials")["subject"]) == {"001", "1"}
    plain = ds.dataset(f"{warehouse.base}/kinematics").to_table()
    assert set(plain.column("subject").to_pylist()) == {"001", "1"}


def test_a_folder_is_readable_while_a_file_is_being_written(warehouse: Warehouse, store_trial: object) -> None:
    store_trial(a_key())
    path = path_of(warehouse, "cycles", a_key())
    path.with_name(f".{path.name}.elsewhere-1.00000000.part").write_bytes(b"half a file")
    assert len(pd.read_parquet(f"{warehouse.base}/cycles")) == 3 * N_SAMPLES
    assert len(read.cycles(warehouse)) == 3 * N_SAMPLES


def test_rewriting_during_a_read_does_not_disturb_it(warehouse: Warehouse) -> None:
    path = write_table(warehouse, "cycles", a_key(), cycles_columns(3, 3), **MADE)
    opened = pq.ParquetFile(path)
    write_table(warehouse, "cycles", a_key(), cycles_columns(1, 0), **MADE)
    assert opened.read().num_rows == 6 * N_SAMPLES
    assert pq.read_table(path).num_rows == N_SAMPLES


def test_rows_come_with_their_accounts_in_order(warehouse: Warehouse) -> None:
    for trial in ("t2", "t1"):
        write_row(warehouse, "trials", a_key(trial=trial), trial_row(condition=trial), **MADE)

    found = read.rows(warehouse, "trials", ["condition", "marker_rms_max_m"])

    assert [row for _, row in found] == [
        {"condition": "t1", "marker_rms_max_m": 0.012},
        {"condition": "t2", "marker_rms_max_m": 0.012},
    ]
    assert [account.identity["trial"] for account, _ in found] == ["t1", "t2"]


def test_rows_name_every_file_that_can_not_be_read(warehouse: Warehouse) -> None:
    for trial in ("t1", "t2", "t3"):
        write_row(warehouse, "trials", a_key(trial=trial), trial_row(), **MADE)
    for trial in ("t1", "t3"):
        path_of(warehouse, "trials", a_key(trial=trial)).write_bytes(b"PAR1")

    with pytest.raises(WarehouseError, match=r"t1\.parquet is not a whole(.|\n)*t3\.parquet is not a whole"):
        read.rows(warehouse, "trials")


def test_trials_that_have_a_cycle_are_found_without_reading_it(warehouse: Warehouse) -> None:
    write_row(warehouse, "trials", a_key(trial="t1"), trial_row(), **MADE)
    write_row(warehouse, "trials", a_key(trial="t2"), trial_row(n_cycles_right=0, n_cycles_left=0), **MADE)

    assert [account.identity["trial"] for account in read.trials_with_cycles(warehouse)] == ["t1"]
    assert read.trials_with_cycles(warehouse, conditions=["fast"]) == []


@pytest.fixture
def old_and_new(warehouse: Warehouse, store_trial: object) -> Warehouse:
    """One trial was stored before contact forces were, the other with them."""
    for name in ("new", "old"):
        store_trial(a_key(trial=name))
    write_table(warehouse, "cycles", a_key(trial="new"), cycles_columns() | load_columns(3 * N_SAMPLES), **MADE)
    return warehouse


@pytest.mark.parametrize("columns", [None, ["trial", *LOAD_CHANNELS], [*LOAD_CHANNELS[::-1], "trial"]])
def test_what_was_stored_before_a_column_was_is_read_as_unknown(
    old_and_new: Warehouse, columns: list[str] | None
) -> None:
    table = read.cycles(old_and_new, columns=columns)

    assert table.column_names == (columns or [column.name for column in schema_of("cycles").fixed])
    found = table.to_pandas()
    for name, values in load_columns(3 * N_SAMPLES).items():
        np.testing.assert_array_equal(found[found.trial == "new"][name], values)
        assert found[found.trial == "old"][name].isna().all()
    assert table.field("load_hip").metadata[b"unit"] == b"N/kg"


def test_a_later_column_alone_has_as_many_rows_as_the_file(old_and_new: Warehouse) -> None:
    found = read.read_table(old_and_new, "cycles", a_key(trial="old"), ["load_hip"])

    assert np.isnan(found["load_hip"].to_numpy()).tolist() == [True] * 3 * N_SAMPLES


def test_it_is_told_whose_cycles_lack_it(old_and_new: Warehouse) -> None:
    lacking = {read.trial_key(t).trial: read.lacks(old_and_new, t, LOAD_CHANNELS) for t in read.trials(old_and_new)}

    assert lacking == {"new": False, "old": True}
