"""The files that each session was ingested from, so that it can be ingested again: paths on this machine, no data."""

import json
from dataclasses import asdict, dataclass

from warehouse.errors import MissingFile, WarehouseError
from warehouse.files import storage
from warehouse.identity import SessionKey
from warehouse.layout import SOURCES, Warehouse, source_path, table_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSource:
    """The files that a session was ingested with, as absolute paths; `recipe` may be the name of a packaged recipe.

    `model` is None if the recipe's or the built-in model was used.
    """

    key: SessionKey
    session_file: str
    recipe: str
    model: str | None


def remember_source(warehouse: Warehouse, source: SessionSource) -> None:
    """Store what a session was ingested from; the newest ingest counts."""
    path, content = source_path(warehouse, source.key), json.dumps(asdict(source), indent=1).encode()
    try:
        if storage.read_bytes(warehouse, path) == content:
            return
    except MissingFile:
        pass  # The session's first ingest.
    storage.write_bytes(warehouse, path, content)


def read_sources(warehouse: Warehouse) -> list[SessionSource]:
    """Every session's source, sorted by identity. WarehouseError names a damaged entry."""
    sources = []
    for path in storage.files_under(warehouse, table_directory(warehouse, SOURCES)):
        try:
            entry = json.loads(storage.read_bytes(warehouse, path))
            sources.append(SessionSource(**{**entry, "key": SessionKey(**entry["key"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise WarehouseError(
                f"{path} is damaged, or of another version of gait2hip ({error}). Remove it and ingest its "
                "session again."
            ) from error
    return sorted(sources, key=lambda source: source.key)
