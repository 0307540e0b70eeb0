import numpy as np
import pytest

from tests.warehouse.one_file import write_row, write_table
from tests.warehouse.samples import MADE, cycles_columns, load_columns, trial_row
from warehouse.channels import ALL_CHANNELS, LOAD_CHANNELS
from warehouse.errors import WarehouseError
from warehouse.holdings.diff import diff_text, diff_warehouses
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse


def a_key(trial: str) -> TrialKey:
    return TrialKey(cohort="adults", subject="S1", session="v1", trial=trial)


def store(warehouse: Warehouse, trial: str, **changes: np.ndarray) -> None:
    write_table(warehouse, "cycles", a_key(trial), cycles_columns() | changes, **MADE)
    write_row(warehouse, "trials", a_key(trial), trial_row(), **MADE)


@pytest.fixture
def old(tmp_path) -> Warehouse:
    return Warehouse(str(tmp_path / "old"))


@pytest.fixture
def new(tmp_path) -> Warehouse:
    return Warehouse(str(tmp_path / "new"))


def test_equal_warehouses_do_not_differ(old: Warehouse, new: Warehouse) -> None:
    store(old, "t1")
    store(new, "t1")

    found = diff_warehouses(old, new)

    assert (found.n_shared, found.n_only_old, found.n_only_new) == (3, 0, 0)
    assert all(channel.rms == channel.largest == 0 for channel in found.channels)


def test_a_shift_is_found_in_its_channel_and_trial(old: Warehouse, new: Warehouse) -> None:
    shifted = cycles_columns()["force_glmed"].copy()
    shifted[:11] += 2.0
    for warehouse in (old, new):
        store(warehouse, "t1")
    store(old, "t2")
    store(new, "t2", force_glmed=shifted)

    by_name = {channel.channel: channel for channel in diff_warehouses(old, new).channels}

    assert by_name["force_glmed"].largest == pytest.approx(2.0)
    assert by_name["force_glmed"].rms == pytest.approx(2.0 * np.sqrt(11 / 66))
    assert by_name["force_glmed"].unit == "N/kg"
    assert by_name["force_glmed"].worst == "adults/S1/v1/t2/right"
    assert by_name["hip_flexion_r"].largest == 0


def test_cycles_of_one_warehouse_alone_are_counted(old: Warehouse, new: Warehouse) -> None:
    store(old, "t1")
    store(old, "t2")
    store(new, "t1", start_s=cycles_columns()["start_s"] + np.repeat([0, 0, 0.3], 11))

    found = diff_warehouses(old, new)

    assert (found.n_shared, found.n_only_old, found.n_only_new) == (2, 4, 1)
    assert diff_text(found).startswith("2 cycles in both, 4 only in the old, 1 only in the new\nchannel")


def test_what_is_not_known_in_both_counts_for_nothing(old: Warehouse, new: Warehouse) -> None:
    store(old, "t1")
    store(new, "t1", force_glmed=np.full(33, np.nan))

    by_name = {channel.channel: channel for channel in diff_warehouses(old, new).channels}

    assert np.isnan(by_name["force_glmed"].rms)
    assert by_name["force_glmed"].worst == ""


def test_nothing_shared_is_an_error(old: Warehouse, new: Warehouse) -> None:
    store(old, "t1")
    store(new, "t9")

    with pytest.raises(WarehouseError, match="share no gait cycle"):
        diff_warehouses(old, new)


def test_contact_forces_are_compared_where_both_warehouses_hold_them(old: Warehouse, new: Warehouse) -> None:
    loads = load_columns(33)
    store(old, "t1")
    store(new, "t1", **loads)
    assert [channel.channel for channel in diff_warehouses(old, new).channels] == [*ALL_CHANNELS]

    store(old, "t1", **loads | {"load_hip": loads["load_hip"] + 0.5})
    found = diff_warehouses(old, new).channels
    assert [channel.channel for channel in found] == [*ALL_CHANNELS, *LOAD_CHANNELS]
    assert [channel.largest for channel in found[-4:]] == pytest.approx([0, 0, 0, 0.5])
    assert found[-1].unit == "N/kg"
