import json
from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse.errors import WarehouseError
from warehouse.holdings.sources import SessionSource, read_sources, remember_source
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse, source_path


def a_source(subject: str, recipe: str = "gait2hip60") -> SessionSource:
    key = SessionKey(cohort="adults", subject=subject, session="v1")
    return SessionSource(key=key, session_file=f"/data/{subject}/session.toml", recipe=recipe, model=None)


def test_sources_come_back_sorted_and_the_newest_ingest_counts(warehouse: Warehouse) -> None:
    for source in (a_source("S2"), a_source("S1"), a_source("S2", recipe="/mine.toml")):
        remember_source(warehouse, source)

    assert read_sources(warehouse) == [a_source("S1"), a_source("S2", recipe="/mine.toml")]


def test_the_same_source_is_not_written_again(warehouse: Warehouse) -> None:
    remember_source(warehouse, a_source("S1"))
    path = Path(source_path(warehouse, a_source("S1").key))
    before = path.stat().st_ino

    remember_source(warehouse, a_source("S1"))

    assert path.stat().st_ino == before


def test_a_new_warehouse_has_none(warehouse: Warehouse) -> None:
    assert read_sources(warehouse) == []


@pytest.mark.parametrize(
    ("name", "change"),
    [("model", lambda entry: entry.pop("model")), ("profile", lambda entry: entry.update(profile="isb_full_body"))],
)
def test_a_source_of_another_version_is_refused_by_name(
    warehouse: Warehouse, name: str, change: Callable[[dict[str, object]], object]
) -> None:
    """An entry less than today's, and one more."""
    remember_source(warehouse, a_source("S1"))
    path = Path(source_path(warehouse, a_source("S1").key))
    entry = json.loads(path.read_text())
    change(entry)
    path.write_text(json.dumps(entry))

    with pytest.raises(WarehouseError, match=rf"v1.json is damaged, or of another version .*{name}"):
        read_sources(warehouse)


def test_a_damaged_source_is_named(warehouse: Warehouse) -> None:
    remember_source(warehouse, a_source("S1"))
    Path(source_path(warehouse, a_source("S1").key)).write_text('{"key": {}}')

    with pytest.raises(
        WarehouseError, match=r"sources/adults/S1/v1.json is damaged, or of another version .* ingest its session again"
    ):
        read_sources(warehouse)
