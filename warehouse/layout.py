"""Where everything lies: the only module that joins path segments.

A path is a function of an identity, and nobody parses a path back: who a file belongs to is in its
columns and in its metadata. The folders are

    <root>/subjects/<cohort>/<subject>.parquet
    <root>/<table>/<cohort>/<subject>/<session>.parquet           sessions, scaling, static_markers
    <root>/<table>/<cohort>/<subject>/<session>/<trial>.parquet   trials and all that is stored per trial
    <root>/scaled_models/<cohort>/<subject>/<session>.osim
    <root>/sources/<cohort>/<subject>/<session>.json              where the session's recordings lie
    <root>/runs/<when>-<process>.json                             what each run did, and how long it took
    <root>/releases/<name>-<hash>/…

They are not spelled `cohort=C/subject=S`: readers that find hive names guess a type from the values, so
that subjects 001 and 1 become one, and refuse files that also store the column as the text it is.
"""

import os
import re
import secrets
import socket
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pyarrow import fs

from warehouse.identity import SessionKey, TrialKey

Level = Literal["subject", "session", "trial"]

SCALED_MODELS = "scaled_models"
SOURCES = "sources"
RUNS = "runs"
RELEASES = "releases"
# Other programs' temporary files are none of ours.
_TEMPORARY_NAME = re.compile(r"\..+\.(?P<host>[^.]+)-(?P<process>\d+)\.[0-9a-f]{8}\.part")
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
        object.__setattr__(self, "root", text)

    @property
    def filesystem(self) -> fs.FileSystem:
        """The file system that `base` and every path of this module are on."""
        return _located(self.root)[0]

    @property
    def base(self) -> str:
        """The root's path on `filesystem`."""
        return _located(self.root)[1]

    @property
    def is_local(self) -> bool:
        """Whether files can be renamed and synchronised through the operating system."""
        return isinstance(self.filesystem, fs.LocalFileSystem)


# A connection to an object store is made once in a process.
@lru_cache(maxsize=8)
def _located(root: str) -> tuple[fs.FileSystem, str]:
    if "://" not in root:
        return fs.LocalFileSystem(), Path(root).expanduser().absolute().as_posix()
    filesystem, path = fs.FileSystem.from_uri(root)
    return filesystem, path.rstrip("/")


def table_directory(warehouse: Warehouse, table: str) -> str:
    """The folder that holds every file of one table."""
    return f"{warehouse.base}/{table}"


def table_path(warehouse: Warehouse, table: str, level: Level, key: SessionKey) -> str:
    """One file of a table. ValueError if a table kept per trial is asked for with a session's key."""
    return f"{table_directory(warehouse, table)}/{'/'.join(_segments(level, key))}.parquet"


def scaled_model_path(warehouse: Warehouse, key: SessionKey) -> str:
    """The session's scaled OpenSim model, apart from the tables so that a table's folder is all Parquet."""
    return f"{warehouse.base}/{SCALED_MODELS}/{'/'.join(_segments('session', key))}.osim"


def source_path(warehouse: Warehouse, key: SessionKey) -> str:
    """Where it is written down from which files a session was ingested."""
    return f"{warehouse.base}/{SOURCES}/{'/'.join(_segments('session', key))}.json"


def run_path(warehouse: Warehouse, name: str) -> str:
    """The account of one run."""
    return f"{warehouse.base}/{RUNS}/{name}.json"


def releases_directory(warehouse: Warehouse) -> str:
    """The folder of all releases that were cut from this warehouse."""
    return f"{warehouse.base}/{RELEASES}"


def release_root(warehouse: Warehouse, folder: str) -> Warehouse:
    """One release's folder, as a root of its own."""
    where, mark, options = warehouse.root.partition("?")
    return Warehouse(f"{where.rstrip('/')}/{RELEASES}/{folder}{mark}{options}")


def staging_target(warehouse: Warehouse, name: str) -> Path:
    """What a release is staged beside on a local disk: its own name is known only when it is whole."""
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
    """Who a row belongs to: the part of the key that this level needs."""
    _check_level(level, key)
    return {name: getattr(key, name) for name in identity_names(level)}


def _check_level(level: Level, key: SessionKey) -> None:
    if level == "trial" and not isinstance(key, TrialKey):
        raise ValueError(f"{key} names a session, but this table is kept per trial: give a TrialKey.")


def _segments(level: Level, key: SessionKey) -> tuple[str, ...]:
    _check_level(level, key)
    return tuple(getattr(key, name) for name in _NAMES[level])


# Temporary files: hidden, so that no reader of a folder takes one for data; beside their target, so that
# the rename stays on one file system; and owned, so that what a killed writer left can be told from what
# another writer is writing now.


def probe_path(warehouse: Warehouse) -> str:
    """A file that is written and removed to see whether the warehouse can be written to."""
    return f"{warehouse.base}/{_temporary_name('probe')}"


def lock_path(warehouse: Warehouse, key: SessionKey) -> str:
    """What the one who stores something of a subject holds locked; local disks only."""
    return f"{warehouse.base}/{SOURCES}/{key.cohort}/.{key.subject}.lock"


def temporary_path(target: Path) -> Path:
    """A new name beside `target` that no other writer uses."""
    return target.parent / _temporary_name(target.name)


def temporary_files(folder: Path) -> list[Path]:
    """Everything of ours in a folder that its writers, living or dead, have not renamed yet."""
    return [path for path in folder.iterdir() if _TEMPORARY_NAME.fullmatch(path.name)]


def owner_process(temporary: Path) -> int | None:
    """The process of this machine that made the temporary file; None if another machine's did."""
    name = _TEMPORARY_NAME.fullmatch(temporary.name)
    return int(name["process"]) if name is not None and name["host"] == _host() else None


def _temporary_name(name: str) -> str:
    return f".{name}.{_owner()}.{secrets.token_hex(4)}.part"


def _owner() -> str:
    return f"{_host()}-{os.getpid()}"


def _host() -> str:
    # The separator between the name's parts is a dot.
    return socket.gethostname().replace(".", "-")
