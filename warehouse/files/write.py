"""Writing to the warehouse: checked, deterministic, whole.

The same columns give the same bytes: nothing of the clock, the machine or the writer is in a file. (Another
version of pyarrow may compress differently; values and metadata stay the same.)
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pyarrow as pa
import pyarrow.parquet as pq

from warehouse.columns import TableSchema
from warehouse.errors import WarehouseError
from warehouse.files import storage
from warehouse.files.build import Values, build_table
from warehouse.files.read import peek
from warehouse.files.seal import sealed
from warehouse.identity import SessionKey
from warehouse.layout import Warehouse, identity, scaled_model_path, table_path
from warehouse.metadata import Stored, to_metadata
from warehouse.schemas import schema_of

_EMPTY: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to be stored: its path and its whole content."""

    path: str
    content: bytes

    @property
    def sha256(self) -> str:
        """SHA-256 of its content, 64 hex digits."""
        return hashlib.sha256(self.content).hexdigest()


def table_file(
    warehouse: Warehouse,
    table: str,
    key: SessionKey,
    columns: Mapping[str, Values],
    *,
    provenance_key: str,
    recipe: str,
    units: Mapping[str, str] = _EMPTY,
    made_from: Mapping[str, object] = _EMPTY,
    vouches: Mapping[str, str] = _EMPTY,
) -> NewFile:
    """One file of a table, checked and ready to be stored.

    `columns` maps names to (T,) arrays or lists; identity columns come from `key`. `units` gives the unit of
    each column whose unit depends on the model: `{"hip_flexion_r": "degree", "pelvis_tx": "m"}`.
    `provenance_key` is what `read.is_fresh` compares; `made_from` lists what the file was made from, so that a stale
    file can be explained later; `vouches` the SHA-256 of files that can't hold their own. ValueError if the columns
    don't fit the schema, WarehouseError if the path belongs to another subject, session or trial.
    """
    schema = schema_of(table)
    content = build_table(schema, key, columns, units)
    stored = Stored(
        table=table,
        identity=identity(schema.level, key),
        key=provenance_key,
        recipe=recipe,
        made_from=made_from,
        summary={name: content.column(name)[0].as_py() for name in schema.summary},
        vouches=vouches,
    )
    path = table_path(warehouse, table, schema.level, key)
    _refuse_another_owner(warehouse, stored, path)
    return NewFile(path=path, content=to_parquet(schema, content, stored))


def row_file(
    warehouse: Warehouse,
    table: str,
    key: SessionKey,
    values: Mapping[str, object],
    *,
    provenance_key: str,
    recipe: str,
    made_from: Mapping[str, object] = _EMPTY,
    vouches: Mapping[str, str] = _EMPTY,
) -> NewFile:
    """The one row of a subject, session or trial: `table_file` with plain values for columns."""
    columns = {name: [value] for name, value in values.items()}
    return table_file(
        warehouse,
        table,
        key,
        columns,
        provenance_key=provenance_key,
        recipe=recipe,
        made_from=made_from,
        vouches=vouches,
    )


def scaled_model_file(warehouse: Warehouse, key: SessionKey, osim_xml: str) -> NewFile:
    """The session's scaled model."""
    return NewFile(path=scaled_model_path(warehouse, key), content=osim_xml.encode())


def write_together(
    warehouse: Warehouse, files: Sequence[NewFile], voucher: NewFile, *, obsolete: Sequence[str] = ()
) -> None:
    """Store a trial's or a session's files and, last, the row that vouches for them; remove the `obsolete` paths.

    If the disk is full nothing has changed (WarehouseError); after a kill the row is missing.
    """
    content = {file.path: file.content for file in (*files, voucher)}
    storage.write_bytes_together(warehouse, content, voucher=voucher.path, obsolete=obsolete)


def to_parquet(schema: TableSchema, content: pa.Table, stored: Stored) -> bytes:
    """The bytes of a Parquet file: fixed version, compression and row groups, checksums of pages and of the file."""
    sink = pa.BufferOutputStream()
    pq.write_table(
        content.replace_schema_metadata(to_metadata(stored)),
        sink,
        version="2.6",
        # A trial's columns are short: zstd, set up anew for each, takes three times as long to read and saves a
        # twentieth of the size.
        compression="snappy",
        row_group_size=1 << 20,
        # Words repeat over a trial's rows; measured numbers don't.
        use_dictionary=[column.name for column in schema.fixed if pa.types.is_string(column.type)],
        write_page_checksum=True,
    )
    return sealed(sink.getvalue().to_pybytes())


def _refuse_another_owner(warehouse: Warehouse, stored: Stored, path: str) -> None:
    # On a disk that ignores case, subjects s01 and S01 share a path; neither may overwrite the other. A file that
    # somebody put in another's place may be overwritten.
    try:
        present = peek(warehouse, path)
    except WarehouseError:
        return  # No file yet, or one that must be written again anyway.
    if present.identity != stored.identity and present.owner.casefold() == stored.owner.casefold():
        raise WarehouseError(
            f"can't write {path}: it belongs to {present.owner}, and this disk can't "
            f"tell that from {stored.owner}. Rename one of them in its session.toml."
        )
