"""`release.json`: what a release is, which trials it was cut from, and the SHA-256 of each of its files."""

import hashlib
import json

from pydantic import BaseModel, ConfigDict, ValidationError

from warehouse.channels import TargetKind
from warehouse.errors import WarehouseError
from warehouse.release.selection import Sides
from warehouse.settings_file import parse_json

MANIFEST_FILE = "release.json"
CYCLES_FILE = "cycles.parquet"
CARD_FILE = "README.md"
SPLIT_FILE = "split.json"
STATISTICS_FILE = "stats.json"
AUDIT_FILE = "audit.json"
RECIPE_FILE = "recipe.json"

# Raised when a release's files change their names, columns, units or meanings.
RELEASE_FORMAT = 1
_HEX_DIGITS = 12


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ReleasedFile(_Entry):
    """One file of a release: SHA-256 of its content as 64 hex digits, and its length."""

    sha256: str
    n_bytes: int


class ReleasedTrial(_Entry):
    """One trial and the provenance key of its cycles."""

    trial: str
    key: str


class Manifest(_Entry):
    """Everything that distinguishes one release from another.

    `points` is the number of samples of a cycle; `targets` are the kinds that at least one cycle has; `n_complete`
    counts the cycles without NaN in these.
    """

    format: int
    name: str
    points: int
    sides: Sides
    targets: tuple[TargetKind, ...]
    licence: str | None
    n_subjects: int
    n_trials: int
    n_cycles: int
    n_complete: int
    selection: dict[str, list[str]]
    origin: dict[str, object]
    sources: tuple[ReleasedTrial, ...]
    files: dict[str, ReleasedFile]

    def as_bytes(self) -> bytes:
        """The manifest's canonical text: what the folder's hash is taken from."""
        return plain_json(self.model_dump(mode="json"))


def parse_manifest(where: str, raw: bytes) -> Manifest:
    """The inverse of `as_bytes`. WarehouseError names a file (`where`) that is no manifest, or of another format."""
    try:
        entries = parse_json(where, raw)
        if entries["format"] != RELEASE_FORMAT:
            raise WarehouseError(
                f"{where} has release format {entries['format']}; this gait2hip reads {RELEASE_FORMAT}. Cut the "
                "release again with `gait2hip release`, or read it with the gait2hip that wrote it."
            )
        return Manifest.model_validate_json(raw)
    except (KeyError, TypeError, ValueError, ValidationError) as error:
        raise WarehouseError(
            f"{where} is no release's manifest, or damaged ({error}). Cut the release again."
        ) from error


def release_folder(manifest: Manifest) -> str:
    """The folder's name: the release's name and a hash of its content."""
    return f"{manifest.name}-{hashlib.sha256(manifest.as_bytes()).hexdigest()[:_HEX_DIGITS]}"


def plain_json(value: object) -> bytes:
    """Plain data as readable JSON, sorted and indented: the same data gives the same bytes."""
    return (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False, allow_nan=False) + "\n").encode()
