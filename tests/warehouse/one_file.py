"""Single files of a warehouse, stored or removed by themselves: the code stores what belongs together at once."""

from collections.abc import Mapping
from typing import Any

from warehouse.files import storage
from warehouse.files.build import Values
from warehouse.files.write import NewFile, row_file, scaled_model_file, table_file
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse, table_path
from warehouse.schemas import schema_of


def write_table(
    warehouse: Warehouse, table: str, key: SessionKey, columns: Mapping[str, Values], **account: Any
) -> str:
    """One `table_file`; its path."""
    return _stored(warehouse, table_file(warehouse, table, key, columns, **account))


def write_row(warehouse: Warehouse, table: str, key: SessionKey, values: Mapping[str, object], **account: Any) -> str:
    """One `row_file`; its path."""
    return _stored(warehouse, row_file(warehouse, table, key, values, **account))


def write_scaled_model(warehouse: Warehouse, key: SessionKey, osim_xml: str) -> str:
    """A session's scaled model; its path."""
    return _stored(warehouse, scaled_model_file(warehouse, key, osim_xml))


def remove_table(warehouse: Warehouse, table: str, key: SessionKey) -> None:
    """One file of a table, if it is there."""
    storage.remove(warehouse, table_path(warehouse, table, schema_of(table).level, key))


def _stored(warehouse: Warehouse, file: NewFile) -> str:
    storage.write_bytes(warehouse, file.path, file.content)
    return file.path
