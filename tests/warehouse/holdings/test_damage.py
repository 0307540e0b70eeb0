from pathlib import Path

import pytest

from tests.warehouse.conftest import store_whole_trial
from tests.warehouse.one_file import write_row
from tests.warehouse.samples import MADE, SESSION_ROW
from warehouse.files.read import SCALED_MODEL
from warehouse.files.write import scaled_model_file
from warehouse.holdings.contents import is_session_fresh, is_trial_fresh, session_files, trial_files
from warehouse.holdings.damage import replace_damaged, verified_in_words, verify_warehouse
from warehouse.holdings.runs import IngestRun, last_run, remember_run
from warehouse.holdings.sources import SessionSource, read_sources, remember_source
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse, relative, run_path, scaled_model_path, source_path
from warehouse.schemas import SCHEMAS

KEYS = {table: MADE["provenance_key"] for table in SCHEMAS}


@pytest.fixture
def whole(warehouse: Warehouse, key: TrialKey) -> Warehouse:
    store_whole_trial(warehouse, key)
    vouches = {SCALED_MODEL: scaled_model_file(warehouse, key, "<OpenSimDocument/>").sha256}
    write_row(warehouse, "sessions", key, SESSION_ROW, vouches=vouches, **MADE)
    return warehouse


def test_a_warehouse_that_is_well_is_said_to_be(whole: Warehouse) -> None:
    found = verify_warehouse(whole, {})

    assert found.is_well
    assert (found.n_files, found.n_unsealed) == (17, 0)
    assert verified_in_words(whole, found) == "17 tables and models read, and all releases, sources and runs: 0 damaged"


def test_every_damaged_file_is_named_and_no_result_rests_on_it(whole: Warehouse, key: TrialKey) -> None:
    paths = [path for path in (*trial_files(whole, key), *session_files(whole, key)) if Path(path).is_file()]
    assert len(paths) == 17
    for path in paths:
        content = Path(path).read_bytes()
        middle = len(content) // 2
        Path(path).write_bytes(content[:middle] + bytes([content[middle] ^ 4]) + content[middle + 1 :])

        found = verify_warehouse(whole, {})
        trial, session = is_trial_fresh(whole, key, KEYS), is_session_fresh(whole, key.session_key, KEYS["sessions"])

        assert path in found.damaged
        assert relative(whole, path) in verified_in_words(whole, found)
        assert (trial, session) == ((False, True) if path in trial_files(whole, key) else (True, False)), path
        Path(path).write_bytes(content)


def test_a_release_that_is_damaged_is_among_the_rest(whole: Warehouse) -> None:
    folder = f"{whole.base}/releases/first-0"

    found = verify_warehouse(whole, {folder: "a file was changed"})

    assert not found.is_well
    assert "releases/first-0" in verified_in_words(whole, found)


def test_a_model_stored_before_its_hash_was_is_said_not_to_be_verified(warehouse: Warehouse, key: TrialKey) -> None:
    store_whole_trial(warehouse, key)

    found = verify_warehouse(warehouse, {})

    assert (found.is_well, found.n_unsealed) == (True, 1)
    assert "1 stored before files had checksums are not verified" in verified_in_words(warehouse, found)


def test_sources_come_from_their_copies_and_runs_are_let_go(whole: Warehouse, key: TrialKey) -> None:
    source = SessionSource(key=key.session_key, session_file="/lab/session.toml", recipe="r", model=None)
    remember_source(whole, source)
    run = IngestRun(began="2026-01-01T00:00:00.000+00:00", n_computed=1, n_fresh=0, seconds=1.0, workers=1)
    remember_run(whole, run, process=1)
    run_file = run_path(whole, "2026-01-01T000000.000-1")
    source_file = source_path(whole, key.session_key)
    Path(run_file).write_text(Path(run_file).read_text().replace('"seconds": 1.0', '"seconds": 9.0'))
    Path(source_file).write_text("")
    assert last_run(whole) is None

    found = verify_warehouse(whole, {})
    replace_damaged(whole, found)

    assert found.replaceable == (source_file, run_file)
    assert verify_warehouse(whole, {}).is_well
    assert read_sources(whole) == [source]
    assert Path(scaled_model_path(whole, key)).is_file()
