"""What every Parquet file says about itself: its format, its table, its identity and what made it.

This is stored in the file's own metadata, so that one small read answers "is this fresh?".
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from warehouse.errors import WarehouseError
from warehouse.layout import identity_names
from warehouse.provenance import canonical_json, stable_hash
from warehouse.schemas import FORMAT_VERSION, SCHEMAS
from warehouse.settings_file import parse_json

_PREFIX = "gait2hip."
# The checksum of the whole file (`files/seal.py`), and that of this account alone, which a footer's reader can verify.
SEAL = f"{_PREFIX}sha256"
UNSEALED = "0" * 64
_ACCOUNT = f"{_PREFIX}account"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One file's account of itself.

    `identity` holds cohort, subject, session and trial, in this order, down to the table's level; `key` is the
    provenance key, `made_from` what the file was made from, `recipe` the recipe's name, and `summary` the values that
    the table's schema repeats here. `vouches` holds the SHA-256 of files that can't hold their own, by what they are.
    `is_sealed`: the file has a checksum, as all have but those of earlier versions.
    """

    table: str
    identity: Mapping[str, str]
    key: str
    recipe: str
    made_from: Mapping[str, Any] = field(default_factory=dict)
    summary: Mapping[str, Any] = field(default_factory=dict)
    vouches: Mapping[str, str] = field(default_factory=dict)
    is_sealed: bool = True

    @property
    def owner(self) -> str:
        """The identity for messages: cohort/subject/session/trial, down to the table's level."""
        return "/".join(self.identity.values())


def to_metadata(stored: Stored) -> dict[str, str]:
    """The entries of a Parquet file's key-value metadata, with zeros for the checksum of the file."""
    entries = {
        f"{_PREFIX}format": str(FORMAT_VERSION),
        f"{_PREFIX}table": stored.table,
        f"{_PREFIX}identity": canonical_json(stored.identity),
        f"{_PREFIX}key": stored.key,
        f"{_PREFIX}recipe": stored.recipe,
        f"{_PREFIX}made_from": canonical_json(stored.made_from),
        f"{_PREFIX}summary": canonical_json(stored.summary),
        f"{_PREFIX}vouches": canonical_json(stored.vouches),
    }
    return {**entries, _ACCOUNT: stable_hash(entries), SEAL: UNSEALED}


def from_metadata(where: str, raw: Mapping[bytes, bytes] | None) -> Stored:
    """The inverse of `to_metadata`. WarehouseError names (`where`) a file that is foreign, damaged or outdated."""
    own = {name: value for name, value in (raw or {}).items() if name.startswith(_PREFIX.encode())}
    entries = {name.decode(): value.decode(errors="replace") for name, value in own.items()}
    version = entries.get(f"{_PREFIX}format")
    if version is None:
        raise WarehouseError(
            f"{where} was not written by gait2hip (its metadata has no {_PREFIX}format). Move it out of the warehouse."
        )
    if version != str(FORMAT_VERSION):
        raise WarehouseError(
            f"{where} has format version {version}; this gait2hip reads {FORMAT_VERSION}. Run "
            "`gait2hip ingest` on its session again, or read it with the gait2hip that wrote it."
        )
    try:
        table = entries[f"{_PREFIX}table"]
        if table not in SCHEMAS:
            raise WarehouseError(f"{where} says it belongs to a table {table!r}, which does not exist.")
        who = parse_json(where, entries[f"{_PREFIX}identity"])
        stored = Stored(
            table=table,
            identity={name: who[name] for name in identity_names(SCHEMAS[table].level)},
            key=entries[f"{_PREFIX}key"],
            recipe=entries[f"{_PREFIX}recipe"],
            made_from=parse_json(where, entries[f"{_PREFIX}made_from"]),
            summary=parse_json(where, entries[f"{_PREFIX}summary"]),
            vouches=parse_json(where, entries.get(f"{_PREFIX}vouches", "{}")),
            is_sealed=_is_sealed(entries),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise WarehouseError(
            f"{where} has damaged metadata ({error}). Remove it and ingest its session again."
        ) from error
    return stored


def _is_sealed(entries: Mapping[str, str]) -> bool:
    """Whether there are checksums, as in all but earlier versions' files; ValueError if the account's is wrong."""
    if _ACCOUNT not in entries and SEAL not in entries and f"{_PREFIX}vouches" not in entries:
        return False
    others = {name: value for name, value in entries.items() if name not in (_ACCOUNT, SEAL)}
    if SEAL not in entries or entries[_ACCOUNT] != stable_hash(others):
        raise ValueError("it is not what its checksum is of")
    return True
