"""From which files each session was ingested, so that it can be done again. Paths of this machine, and no data."""

import json
from dataclasses import asdict, dataclass

from warehouse.errors import MissingFile, WarehouseError
from warehouse.files import storage
from warehouse.identity import SessionKey
from warehouse.layout import SOURCES, Warehouse, source_path, table_directory


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionSource:
    """A session and what it was ingested with: absolute paths; `recipe` may be a packaged one's name.

    `model` is None where the recipe's or the built-in one was used.
    """

    key: SessionKey
    session_file: str
    recipe: str
    model: str | None


def remember_source(warehouse: Warehouse, source: SessionSource) -> None:
    """Keep where a session came from; the newest ingest counts."""
    path, content = source_path(warehouse, source.key), json.dumps(asdict(source), indent=1).encode()
    try:
        if storage.read_bytes(warehouse, path) == content:
            return
    except MissingFile:
        pass  # The session's first ingest.
    storage.write_bytes(warehouse, path, content)


def read_sources(warehouse: Warehouse) -> list[SessionSource]:
    """Every session's source, sorted by identity. WarehouseError names a damaged entry."""
    found = []
    for path in storage.files_under(warehouse, table_directory(warehouse, SOURCES)):
        try:
            entry = json.loads(storage.read_bytes(warehouse, path))
            found.append(SessionSource(**{**entry, "key": SessionKey(**entry["key"])}))
        except (ValueError, TypeError, KeyError) as error:
            raise WarehouseError(
                f"{path} is damaged, or of another version of gait2hip ({error}). Remove it and ingest its "
                "session again."
            ) from error
    return sorted(found, key=lambda source: source.key)
