"""The files that each session was ingested from, so that it can be ingested again: paths on this machine, no data.

Each entry is stored twice, in a file and a hidden copy: whichever is damaged, the other tells where the recordings are.
"""

from dataclasses import asdict, dataclass

from warehouse.errors import MissingFile, WarehouseError
from warehouse.files import seal, storage
from warehouse.identity import SessionKey, Spellings
from warehouse.layout import SOURCES, Warehouse, source_copy_of, source_path, table_directory
from warehouse.settings_file import parse_json


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
    content = seal.sealed_json(_name(source.key), asdict(source))
    for path in (source_path(warehouse, source.key), source_copy_of(source_path(warehouse, source.key))):
        try:
            if storage.read_bytes(warehouse, path) == content:
                continue
        except MissingFile:
            pass  # The session's first ingest.
        storage.write_bytes(warehouse, path, content)


def stored_spellings(warehouse: Warehouse) -> Spellings:
    """How the names of all stored sessions are spelt, by the names of their files; none is read."""
    spellings = Spellings()
    for path in storage.files_under(warehouse, table_directory(warehouse, SOURCES)):
        cohort, subject, session = path.removesuffix(".json").split("/")[-3:]
        spellings.other_than(SessionKey(cohort=cohort, subject=subject, session=session))
    return spellings


def read_sources(warehouse: Warehouse) -> list[SessionSource]:
    """Every session's source, sorted by identity. WarehouseError names an entry whose copy is damaged too."""
    sources = []
    for path in storage.files_under(warehouse, table_directory(warehouse, SOURCES)):
        try:
            sources.append(_read(warehouse, path, path))
        except (ValueError, TypeError, KeyError, WarehouseError) as error:
            try:
                sources.append(_read(warehouse, source_copy_of(path), path))
            except (WarehouseError, ValueError, TypeError, KeyError):
                raise WarehouseError(
                    f"{path} is damaged, or of another version of gait2hip ({error}). Remove it and ingest its "
                    "session again."
                ) from error
    return sorted(sources, key=lambda source: source.key)


def source_of(warehouse: Warehouse, key: SessionKey) -> SessionSource | None:
    """A session's source; None if there is none, or if it and its copy are damaged."""
    path = source_path(warehouse, key)
    for each in (path, source_copy_of(path)):
        try:
            return _read(warehouse, each, path)
        except (WarehouseError, ValueError, TypeError, KeyError):
            continue
    return None


def damaged_sources(warehouse: Warehouse) -> list[str]:
    """The paths of entries and copies that are damaged: `remember_source` writes both again."""
    damaged = []
    for path in storage.files_under(warehouse, table_directory(warehouse, SOURCES)):
        for each in (path, source_copy_of(path)):
            try:
                _read(warehouse, each, path)
            except MissingFile:
                pass  # Of a version that kept no copies.
            except (WarehouseError, ValueError, TypeError, KeyError):
                damaged.append(each)
    return damaged


def _read(warehouse: Warehouse, path: str, place: str) -> SessionSource:
    """The entry in a file; `place` is that of the entry itself. ValueError, TypeError, KeyError if it is damaged."""
    raw = storage.read_bytes(warehouse, path)
    key = SessionKey(**parse_json(path, raw)["key"])
    entry = seal.open_json(_name(key), raw)
    if source_path(warehouse, key) != place:
        raise ValueError(f"it is of {_name(key)}")
    return SessionSource(**{**entry, "key": key})


def _name(key: SessionKey) -> str:
    return f"{key.cohort}/{key.subject}/{key.session}"
