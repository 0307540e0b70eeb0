from pathlib import Path

import pytest

from tests.warehouse.one_file import remove_table, write_row
from tests.warehouse.samples import MADE, trial_row
from warehouse.holdings.contents import is_session_fresh, is_trial_fresh, trial_paths
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse, scaled_model_path, table_path
from warehouse.schemas import PER_SESSION, PER_TRIAL, schema_of

KEY = MADE["provenance_key"]
KEYS = dict.fromkeys(("trials", *PER_TRIAL, "cycles"), KEY)


def test_a_whole_trial_and_its_session_are_fresh(warehouse: Warehouse, key: TrialKey, store_trial: object) -> None:
    assert not is_trial_fresh(warehouse, key, KEYS)
    store_trial(key)
    assert is_trial_fresh(warehouse, key, KEYS)
    assert is_session_fresh(warehouse, key.session_key, KEY)
    assert not is_trial_fresh(warehouse, key, {**KEYS, "trials": "1" * 32})
    assert not is_session_fresh(warehouse, key.session_key, "1" * 32)


@pytest.mark.parametrize("table", [*PER_TRIAL, "cycles"])
def test_a_trial_that_lost_or_damaged_a_file_is_not_fresh(
    warehouse: Warehouse, key: TrialKey, store_trial: object, table: str
) -> None:
    store_trial(key)
    path = Path(table_path(warehouse, table, "trial", key))
    whole = path.read_bytes()
    path.write_bytes(whole[:-20])
    assert not is_trial_fresh(warehouse, key, KEYS)
    path.unlink()
    assert not is_trial_fresh(warehouse, key, KEYS)
    path.write_bytes(whole)
    assert is_trial_fresh(warehouse, key, KEYS)


@pytest.mark.parametrize("table", [*PER_TRIAL, "cycles"])
def test_a_table_of_other_settings_under_a_row_of_these_is_not_fresh(
    warehouse: Warehouse, key: TrialKey, store_trial: object, table: str
) -> None:
    store_trial(key)
    assert not is_trial_fresh(warehouse, key, {**KEYS, table: "1" * 32})


@pytest.mark.parametrize("table", ["subjects", *PER_SESSION, "model"])
def test_a_session_that_lost_a_file_is_not_fresh(
    warehouse: Warehouse, key: TrialKey, store_trial: object, table: str
) -> None:
    store_trial(key)
    lost = (
        scaled_model_path(warehouse, key)
        if table == "model"
        else table_path(warehouse, table, schema_of(table).level, key)
    )
    Path(lost).unlink()
    assert not is_session_fresh(warehouse, key.session_key, KEY)
    # What a trial holds stays good: it is the session that must be prepared again.
    assert is_trial_fresh(warehouse, key, KEYS)


def test_a_trial_without_cycles_or_rejected_needs_no_cycles_file(
    warehouse: Warehouse, key: TrialKey, store_trial: object
) -> None:
    store_trial(key, n_cycles_right=0, n_cycles_left=0)
    remove_table(warehouse, "cycles", key)
    assert is_trial_fresh(warehouse, key, KEYS)
    row = trial_row(outcome="rejected", stage="gaps", reason="long", n_cycles_right=0, n_cycles_left=0)
    write_row(warehouse, "trials", key, row, **MADE)
    for table in PER_TRIAL:
        remove_table(warehouse, table, key)
    assert is_trial_fresh(warehouse, key, KEYS)


def test_every_file_but_the_row_is_accounted_for(warehouse: Warehouse, key: TrialKey, store_trial: object) -> None:
    store_trial(key)
    files = trial_paths(warehouse, key)
    row = table_path(warehouse, "trials", "trial", key)
    present = {path.as_posix() for path in Path(warehouse.base).rglob("*") if path.is_file()}
    assert {*files.facts, *files.session, *files.trial, files.cycles, row} == present
