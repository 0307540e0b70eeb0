"""What made a result, as a hash: the same inputs, settings and code give the same key, anything else another key.

Pure functions: which inputs a stage reads is known to the pipeline.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

# 128 bits: no two stored results will ever share a key by accident.
_HEX_DIGITS = 32


def stable_hash(value: object) -> str:
    """The hash of plain data (numbers, text, booleans, None, lists, mappings with text keys), 32 hex digits.

    The same in every process and on every machine. The order of a mapping's entries does not count, that of a list's
    does. TypeError for any other type, whose text need not be its value; ValueError for NaN and infinity.
    """
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()[:_HEX_DIGITS]


def canonical_json(value: object) -> str:
    """The canonical JSON text of plain data: sorted, without spaces."""
    return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def file_sha256(path: Path) -> str:
    """SHA-256 of a file's content, 64 hex digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _plain(value: object) -> object:
    # Exact types only: a numpy scalar or a Path would be hashed as its text.
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, Mapping):
        if not all(type(name) is str for name in value):
            raise TypeError(f"a mapping in a provenance key must have text keys, found {list(value)!r}.")
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, (str, bytes)):
        return [_plain(item) for item in value]
    raise TypeError(f"a provenance key takes plain data, found {type(value).__name__}: {value!r}.")
