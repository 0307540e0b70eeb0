"""Where every file lies: the only module that joins path segments.

A path is a function of an identity and is never parsed back: whom a file belongs to is in its columns and in its
metadata. The folders are

    <root>/subjects/<cohort>/<subject>.parquet
    <root>/<table>/<cohort>/<subject>/<session>.parquet           sessions, scaling, static_markers,
                                                                 sizing, body_figures
    <root>/<table>/<cohort>/<subject>/<session>/<trial>.parquet   trials and every table kept per trial
    <root>/scaled_models/<cohort>/<subject>/<session>.osim
    <root>/sources/<cohort>/<subject>/<session>.json              where the session's recordings lie
    <root>/runs/<when>-<process>.json                             what each run did, and how long it took
    <root>/releases/<name>-<hash>/…

The folders are not named `cohort=C/subject=S`: readers guess a type from the values of hive names, so that subjects
001 and 1 become one, and refuse files that store the same column as text.
"""

import contextlib
import os
import re
import secrets
import socket
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal
from urllib.parse import unquote

from pyarrow import fs

from warehouse.identity import SessionKey, TrialKey
from warehouse.provenance import stable_hash

Level = Literal["subject", "session", "trial"]

SCALED_MODELS = "scaled_models"
# Options of an address that are no place.
_SECRETS = frozenset({"access_key", "secret_key", "session_token", "external_id"})
SOURCES = "sources"
RUNS = "runs"
RELEASES = "releases"
# Temporary files of other programs don't match.
_TEMPORARY_NAME = re.compile(r"\..+\.(?P<place>[^.]+)-(?P<process>\d+)\.[0-9a-f]{8}\.part")
_NAMES: dict[Level, tuple[str, ...]] = {
    "subject": ("cohort", "subject"),
    "session": ("cohort", "subject", "session"),
    "trial": ("cohort", "subject", "session", "trial"),
}


@dataclass(frozen=True, slots=True)
class Warehouse:
    """The root of one warehouse: a local directory, or an object store's `s3://bucket/prefix`."""

    root: str

    def __post_init__(self) -> None:
        text = os.fspath(self.root)
        if not text.strip():
            raise ValueError("the warehouse's root is empty: give a directory or s3://bucket/prefix.")
        _refuse_secrets(text)
        object.__setattr__(self, "root", text)

    @property
    def filesystem(self) -> fs.FileSystem:
        """The file system of `base` and of every path that this module gives."""
        return _located(self.root)[0]

    @property
    def base(self) -> str:
        """The root's path on `filesystem`."""
        return _located(self.root)[1]

    @property
    def is_local(self) -> bool:
        """Whether files can be renamed and synchronised through the operating system."""
        return isinstance(self.filesystem, fs.LocalFileSystem)


def _refuse_secrets(root: str) -> None:
    """ValueError for keys in an address, which does not repeat them: addresses are logged, stored and shown."""
    if "://" not in root:
        return
    where, _, options = root.partition("?")
    names = {option.partition("=")[0].strip().lower() for option in re.split("[&;#]", unquote(options))}
    if "@" in unquote(where) or names & _SECRETS:
        raise ValueError(
            "the warehouse's address holds keys, which would be stored and shown with it. Leave them out, and give "
            "them by the environment: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, AWS_SESSION_TOKEN."
        )


# A process connects to an object store once.
@lru_cache(maxsize=8)
def _located(root: str) -> tuple[fs.FileSystem, str]:
    if "://" not in root:
        return fs.LocalFileSystem(), Path(root).expanduser().absolute().as_posix()
    try:
        filesystem, path = fs.FileSystem.from_uri(root)
    except ValueError as error:
        raise ValueError(f"the warehouse {root}: expected a folder, or s3://bucket/prefix ({error}).") from error
    return filesystem, path.rstrip("/")


def table_directory(warehouse: Warehouse, table: str) -> str:
    """The folder that holds every file of one table."""
    return f"{warehouse.base}/{table}"


def table_path(warehouse: Warehouse, table: str, level: Level, key: SessionKey) -> str:
    """One file of a table. ValueError for a session's key where the table is kept per trial."""
    return f"{table_directory(warehouse, table)}/{'/'.join(_segments(level, key))}.parquet"


def trials_directory(warehouse: Warehouse, key: SessionKey) -> str:
    """The folder that holds the rows of a session's trials."""
    return f"{table_directory(warehouse, 'trials')}/{'/'.join(_segments('session', key))}"


def scaled_model_path(warehouse: Warehouse, key: SessionKey) -> str:
    """The session's scaled OpenSim model, apart from the tables so that a table's folder is all Parquet."""
    return f"{warehouse.base}/{SCALED_MODELS}/{'/'.join(_segments('session', key))}.osim"


def source_path(warehouse: Warehouse, key: SessionKey) -> str:
    """The file that records what a session was ingested from."""
    return f"{warehouse.base}/{SOURCES}/{'/'.join(_segments('session', key))}.json"


def source_copy_of(path: str) -> str:
    """The hidden copy of a session's source, beside it."""
    folder, _, name = path.rpartition("/")
    return f"{folder}/.{name}.copy"


def run_path(warehouse: Warehouse, name: str) -> str:
    """The record of one ingest run."""
    return f"{warehouse.base}/{RUNS}/{name}.json"


def releases_directory(warehouse: Warehouse) -> str:
    """The folder of all releases cut from this warehouse."""
    return f"{warehouse.base}/{RELEASES}"


def release_root(warehouse: Warehouse, folder: str) -> Warehouse:
    """One release's folder, as a root of its own."""
    where, mark, options = warehouse.root.partition("?")
    return Warehouse(f"{where.rstrip('/')}/{RELEASES}/{folder}{mark}{options}")


def staging_target(warehouse: Warehouse, name: str) -> Path:
    """The path beside which a release is staged on a local disk: its final name is known only when it is whole."""
    return Path(releases_directory(warehouse)) / name


def file_path(root: Warehouse, name: str) -> str:
    """A file directly below a root."""
    return f"{root.base}/{name}"


def relative(warehouse: Warehouse, path: str) -> str:
    """The path below the root, for messages."""
    return path.removeprefix(f"{warehouse.base}/")


def identity_names(level: Level) -> tuple[str, ...]:
    """The names that identify a row at this level, outermost first."""
    return _NAMES[level]


def identity(level: Level, key: SessionKey) -> dict[str, str]:
    """Whom a row belongs to: the part of the key that this level needs."""
    _check_level(level, key)
    return {name: getattr(key, name) for name in identity_names(level)}


def _check_level(level: Level, key: SessionKey) -> None:
    if level == "trial" and not isinstance(key, TrialKey):
        raise ValueError(f"{key} names a session, but this table is kept per trial: give a TrialKey.")


def _segments(level: Level, key: SessionKey) -> tuple[str, ...]:
    _check_level(level, key)
    return tuple(getattr(key, name) for name in _NAMES[level])


# Temporary files are hidden, so that no reader takes one for data; they lie beside their target, so that the rename
# stays on one file system; and they name their owner, so that the leftovers of a killed writer can be told from the
# files of a running one.


def probe_path(warehouse: Warehouse) -> str:
    """A file that is written and removed to see whether the warehouse can be written to."""
    return f"{warehouse.base}/{_temporary_name('probe')}"


def lock_path(warehouse: Warehouse, key: SessionKey) -> str:
    """The lock file that a writer of this subject's files holds; local disks only."""
    return f"{warehouse.base}/{SOURCES}/{key.cohort}/.{key.subject}.lock"


def temporary_path(target: Path) -> Path:
    """A new temporary name beside `target` that no other writer uses."""
    return target.parent / _temporary_name(target.name)


def temporary_files(folder: Path) -> list[Path]:
    """Our temporary files in a folder, of running writers and of killed ones."""
    return [path for path in folder.iterdir() if _TEMPORARY_NAME.fullmatch(path.name)]


def owner_process(temporary: Path) -> int | None:
    """The process that made the temporary file; None if it was made where process ids mean something else."""
    name = _TEMPORARY_NAME.fullmatch(temporary.name)
    return int(name["process"]) if name is not None and name["place"] == _place() else None


def _temporary_name(name: str) -> str:
    return f".{name}.{_owner()}.{secrets.token_hex(4)}.part"


def _owner() -> str:
    return f"{_place()}-{os.getpid()}"


@cache
def _place() -> str:
    """Where this process's id means this process: a machine since it was started and, on Linux, a container in it."""
    # Containers may have the name of their host, and process ids start anew with each of them.
    known = [socket.gethostname()]
    with contextlib.suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_bytes().decode().strip())
    with contextlib.suppress(OSError):
        known.append(str(Path("/proc/self/ns/pid").readlink()))
    return stable_hash(known)[:12]
