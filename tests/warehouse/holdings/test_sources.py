import json
from collections.abc import Callable
from pathlib import Path

import pytest

from warehouse.errors import WarehouseError
from warehouse.files.seal import sealed_json
from warehouse.holdings.sources import SessionSource, damaged_sources, read_sources, remember_source, source_of
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse, source_copy_of, source_path


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
    del entry["sha256"]
    change(entry)
    for each in (path, Path(source_copy_of(str(path)))):
        each.write_bytes(sealed_json("adults/S1/v1", entry))

    with pytest.raises(WarehouseError, match=rf"v1.json is damaged, or of another version .*{name}"):
        read_sources(warehouse)


@pytest.mark.parametrize("damage", [b"", b'{"key": {}}', b"\xff"])
def test_a_damaged_source_is_read_from_its_copy_and_named(warehouse: Warehouse, damage: bytes) -> None:
    sources = [a_source("S1"), a_source("S2")]
    for source in sources:
        remember_source(warehouse, source)
    path = source_path(warehouse, a_source("S1").key)
    Path(path).write_bytes(damage)

    assert read_sources(warehouse) == sources
    assert source_of(warehouse, sources[0].key) == sources[0]
    assert damaged_sources(warehouse) == [path]
    remember_source(warehouse, sources[0])
    assert damaged_sources(warehouse) == []


def test_the_source_of_another_session_is_none(warehouse: Warehouse) -> None:
    first, second = (source_path(warehouse, a_source(subject).key) for subject in ("S1", "S2"))
    for subject in ("S1", "S2"):
        remember_source(warehouse, a_source(subject))
    Path(first).write_bytes(Path(second).read_bytes())

    assert [source.key.subject for source in read_sources(warehouse)] == ["S1", "S2"]
    assert damaged_sources(warehouse) == [first]


def test_a_source_whose_copy_is_damaged_too_is_refused_by_name(warehouse: Warehouse) -> None:
    remember_source(warehouse, a_source("S1"))
    path = source_path(warehouse, a_source("S1").key)
    for each in (path, source_copy_of(path)):
        Path(each).write_text('{"key": {}}')

    with pytest.raises(
        WarehouseError, match=r"sources/adults/S1/v1.json is damaged, or of another version .* ingest its session again"
    ):
        read_sources(warehouse)
    assert source_of(warehouse, a_source("S1").key) is None
