"""Files of another format version, of every table: refused by name, listed, and made again by the next ingest."""

from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.warehouse.conftest import store_rejected_trial, store_trial_of_kinematics
from tests.warehouse.samples import MADE
from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.holdings.contents import is_session_fresh, is_trial_fresh
from warehouse.holdings.status import warehouse_status
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse, table_path
from warehouse.schemas import FORMAT_VERSION, PER_SESSION, PER_TRIAL, SCHEMAS

# What `MADE` says of every table.
KEYS = {table: MADE["provenance_key"] for table in SCHEMAS}


@pytest.fixture
def rewrite(warehouse: Warehouse, key: TrialKey, store_trial: Callable[..., None]) -> Callable[[str, int], Path]:
    """Makes one table's file of a whole stored trial look like another version's."""

    def made_by(table: str, version: int) -> Path:
        store_trial(key)
        if table == "angle_cycles":
            store_trial_of_kinematics(warehouse, key)
        if table == "rejected_kinematics":
            store_rejected_trial(warehouse, key)
        path = Path(table_path(warehouse, table, SCHEMAS[table].level, key))
        content = pq.read_table(path)
        metadata = {**content.schema.metadata, b"gait2hip.format": str(version).encode()}
        pq.write_table(content.replace_schema_metadata(metadata), path)
        return path

    return made_by


@pytest.mark.parametrize("version", [FORMAT_VERSION - 1, FORMAT_VERSION + 1])
@pytest.mark.parametrize("table", SCHEMAS)
def test_every_tables_other_versions_are_refused_by_name(
    warehouse: Warehouse, key: TrialKey, rewrite: Callable[[str, int], Path], table: str, version: int
) -> None:
    path = rewrite(table, version)

    with pytest.raises(WarehouseError) as refused:
        read.read_table(warehouse, table, key)

    assert str(refused.value).startswith(f"{path} has format version {version}; this gait2hip reads {FORMAT_VERSION}.")
    assert "Run `gait2hip ingest` on its session again" in str(refused.value)
    assert read.read_accounts(warehouse, table) == ([], [str(refused.value)])


@pytest.mark.parametrize("table", ["trials", *PER_TRIAL, "cycles", "subjects", *PER_SESSION])
def test_what_rests_on_an_older_file_is_made_again(
    warehouse: Warehouse, key: TrialKey, rewrite: Callable[[str, int], Path], table: str
) -> None:
    rewrite(table, FORMAT_VERSION - 1)

    trial, session = is_trial_fresh(warehouse, key, KEYS), is_session_fresh(warehouse, key, KEYS["sessions"])

    assert (trial, session) == ((False, True) if SCHEMAS[table].level == "trial" else (True, False))


def test_status_lists_an_older_trial(warehouse: Warehouse, rewrite: Callable[[str, int], Path]) -> None:
    path = rewrite("trials", FORMAT_VERSION - 1)

    (problem,) = warehouse_status(warehouse).unreadable

    assert problem.startswith(f"{path} has format version 0")
