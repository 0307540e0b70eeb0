import random
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.warehouse.one_file import write_row, write_scaled_model, write_table
from tests.warehouse.samples import MADE, SESSION_ROW, cycles_columns, trial_row
from warehouse.errors import WarehouseError
from warehouse.files import read
from warehouse.files.seal import open_json, sealed_json
from warehouse.files.write import scaled_model_file
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse


def flipped(content: bytes, at: int, bit: int) -> bytes:
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


@pytest.mark.parametrize("table", ["trials", "cycles"])
def test_no_flipped_bit_of_a_table_is_read(warehouse: Warehouse, key: TrialKey, table: str) -> None:
    stored = {"trials": lambda: write_row(warehouse, "trials", key, trial_row(), **MADE)}
    stored["cycles"] = lambda: write_table(warehouse, "cycles", key, cycles_columns(), **MADE)
    path = Path(stored[table]())
    whole, rng = path.read_bytes(), random.Random(1)

    for at in (*range(0, len(whole), 151), *range(len(whole) - 30, len(whole))):
        path.write_bytes(flipped(whole, at, rng.randrange(8)))
        with pytest.raises(WarehouseError, match=str(path)):
            read.read_table(warehouse, table, key)

    path.write_bytes(whole)
    assert read.read_table(warehouse, table, key).num_rows > 0


def test_what_a_listing_tells_is_verified_without_reading_the_file(warehouse: Warehouse, key: TrialKey) -> None:
    path = Path(write_row(warehouse, "trials", key, trial_row(), **MADE))
    whole = path.read_bytes()
    at = whole.rindex(b'"n_cycles_right":') + len(b'"n_cycles_right":')

    path.write_bytes(flipped(whole, at, 0))

    accounts, (problem,) = read.read_accounts(warehouse, "trials")
    assert accounts == []
    assert "damaged metadata (it is not what its checksum is of)" in problem


def test_a_file_of_an_earlier_version_has_no_checksum_and_is_read(warehouse: Warehouse, key: TrialKey) -> None:
    path = write_table(warehouse, "cycles", key, cycles_columns(), **MADE)
    table = pq.read_table(path)
    added = (b"gait2hip.sha256", b"gait2hip.account", b"gait2hip.vouches")
    older = {name: value for name, value in table.schema.metadata.items() if name not in added}
    pq.write_table(table.replace_schema_metadata(older), path, write_page_checksum=True)

    assert read.read_table(warehouse, "cycles", key).num_rows == table.num_rows
    assert not read.stored(warehouse, "cycles", key).is_sealed
    # One that lost its checksum is no older one.
    pq.write_table(table.replace_schema_metadata({**older, added[1]: table.schema.metadata[added[1]]}), path)
    with pytest.raises(WarehouseError, match="damaged"):
        read.read_table(warehouse, "cycles", key)


def test_another_model_than_the_sessions_row_is_of_is_refused(warehouse: Warehouse, key: TrialKey) -> None:
    xml = "<OpenSimDocument><mass>1.0</mass></OpenSimDocument>"
    vouches = {read.SCALED_MODEL: scaled_model_file(warehouse, key, xml).sha256}
    write_row(warehouse, "sessions", key, SESSION_ROW, vouches=vouches, **MADE)
    path = write_scaled_model(warehouse, key, xml)
    assert read.read_scaled_model(warehouse, key) == xml

    Path(path).write_text(xml.replace("1.0", "3.0"))

    with pytest.raises(WarehouseError, match=r"scaled_models.*is damaged: its content is not what was stored"):
        read.read_scaled_model(warehouse, key)


@pytest.mark.parametrize(
    "damage",
    [
        lambda raw: raw.replace(b"1.5", b"1.4"),
        lambda raw: raw.replace(b'"a"', b'"b"'),
        lambda raw: raw[:-5],
        lambda _: b"",
        lambda _: b"[1]",
        lambda _: sealed_json("another", {"a": 1.5}),
    ],
)
def test_a_damaged_or_exchanged_json_file_is_refused(damage: Callable[[bytes], bytes]) -> None:
    raw = sealed_json("one", {"a": 1.5})
    assert open_json("one", raw) == {"a": 1.5}

    with pytest.raises(ValueError):
        open_json("one", damage(raw))


def test_a_json_file_of_an_earlier_version_is_read() -> None:
    assert open_json("one", b'{"a": 1.5}') == {"a": 1.5}
