"""Checksums inside files: what was changed by anything but its writer is refused when it is read.

A Parquet file's metadata holds the SHA-256 of the whole file, taken with zeros in that place; a JSON file holds that of
its other entries and its name. Files of earlier versions have none.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from warehouse.errors import WarehouseError
from warehouse.metadata import SEAL, UNSEALED
from warehouse.provenance import canonical_json
from warehouse.settings_file import parse_json

_JSON_SEAL = "sha256"
# A file's metadata is a list of texts; each is preceded by its type and its length.
_BEFORE_VALUE = SEAL.encode() + b"\x18" + bytes([len(UNSEALED)])


def sealed(parquet: bytes) -> bytes:
    """A new Parquet file with its checksum in place of the zeros that its metadata holds."""
    at = parquet.rindex(_BEFORE_VALUE + UNSEALED.encode()) + len(_BEFORE_VALUE)
    digest = hashlib.sha256(parquet).hexdigest().encode()
    return parquet[:at] + digest + parquet[at + len(digest) :]


def is_as_sealed(parquet: bytes) -> bool | None:
    """Whether a Parquet file is byte for byte what its writer made; None if it has no checksum."""
    found = parquet.rfind(_BEFORE_VALUE)
    if found < 0:
        return None
    at = found + len(_BEFORE_VALUE)
    content = memoryview(parquet)
    end = at + len(UNSEALED)
    digest = hashlib.sha256(content[:at])
    digest.update(UNSEALED.encode())
    digest.update(content[end:])
    return digest.hexdigest().encode() == content[at:end]


def sealed_json(name: str, entries: Mapping[str, Any]) -> bytes:
    """A small file as JSON with its checksum; `name` tells it from others of its kind."""
    return json.dumps({**entries, _JSON_SEAL: _json_digest(name, entries)}, indent=1).encode()


def open_json(name: str, raw: bytes) -> dict[str, Any]:
    """The entries of such a file, or of an older one without checksum. ValueError if it is damaged."""
    entries = parse_json(name, raw)
    if not isinstance(entries, dict):
        raise ValueError(f"expected entries, found {type(entries).__name__}")
    seal = entries.pop(_JSON_SEAL, None)
    if seal is not None and seal != _json_digest(name, entries):
        raise ValueError("its content is not what its checksum is of")
    return entries


def check_sha256(path: str, content: bytes, stated: str | None) -> None:
    """WarehouseError if a file's content has not this SHA-256; None is that of a file stored before these were kept."""
    if stated is not None and hashlib.sha256(content).hexdigest() != stated:
        raise WarehouseError(f"{path} is damaged: {NOT_AS_STORED}")


NOT_AS_STORED = "its content is not what was stored. Run `gait2hip regenerate`, or ingest its session again."


def _json_digest(name: str, entries: Mapping[str, Any]) -> str:
    return hashlib.sha256(f"{name}\n{canonical_json(entries)}".encode()).hexdigest()
