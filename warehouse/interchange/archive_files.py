"""A published archive of trials, as a ZIP file or unpacked: which of its files belong to the same trial.

For each trial the archive holds inverse kinematics (.mot), inverse dynamics (.sto) and static optimization (.sto). A
file's kind is known from its columns, its trial from its path: the paths of one trial's files have the same words,
except for those that name the kind. The data set's README (ygsiete7/Gait2Hip-60) names the archive (`Gait2Hip-60.zip`,
with `subject_info.csv`), its subjects (H01-H60), cadences (slow, med, fast: 78, 115, 135 steps/min) and up to four
trials of each, but not the files. Any path with these words is read; any other is refused with the words that it has.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from warehouse.channels import INPUT_COORDINATES, MUSCLE_GROUPS
from warehouse.interchange.gait2hip60 import OUT_COLUMNS
from warehouse.interchange.given_file import content_of, member_of, opened_zip
from warehouse.interchange.opensim_table import OpenSimTable, parse_motion

TableKind = Literal["kinematics", "dynamics", "optimization"]
UNITS: tuple[str, ...] = tuple(unit for units in MUSCLE_GROUPS.values() for unit in units)
NEEDED_COLUMNS: dict[TableKind, tuple[str, ...]] = {
    "kinematics": INPUT_COORDINATES,
    "dynamics": OUT_COLUMNS["moments"],
    "optimization": UNITS,
}
_KIND_WORDS = frozenset(
    (
        *("ik", "inverse", "kinematics", "inversekinematics"),
        *("id", "dynamics", "inversedynamics"),
        *("so", "static", "optimization", "staticoptimization", "force", "forces", "muscle"),
        *("result", "results", "output"),
    )
)
_WORD = re.compile(r"[a-z0-9]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedTrial:
    """One trial of an archive: its tables by kind, and the words of their paths in lower case."""

    words: tuple[str, ...]
    tables: Mapping[TableKind, OpenSimTable]

    @property
    def source(self) -> str:
        """The name of the file with its motion."""
        return self.tables["kinematics"].name


def read_archive(archive: Path) -> list[ArchivedTrial]:
    """Every trial of an archive, in the order of its files' names.

    Files of other kinds are ignored, among them the activations of static optimization. ValueError names a file that
    can't be read, or a trial that lacks a kind or has it twice.
    """
    by_words: dict[tuple[str, ...], dict[TableKind, OpenSimTable]] = defaultdict(dict)
    for name, text in _texts(archive):
        table = parse_motion(name, text)
        kind = _kind(table)
        if kind is None:
            continue
        trial = by_words[tuple(sorted(set(_words(name))))]
        if kind in trial:
            raise ValueError(f"{archive}: {trial[kind].name} and {name} are both {kind} of one trial, expected one.")
        trial[kind] = table
    if not by_words:
        raise ValueError(f"{archive}: no inverse kinematics, inverse dynamics or static optimization in it.")
    return [ArchivedTrial(words=words, tables=_complete(archive, tables)) for words, tables in by_words.items()]


def _complete(archive: Path, tables: Mapping[TableKind, OpenSimTable]) -> Mapping[TableKind, OpenSimTable]:
    missing = [kind for kind in NEEDED_COLUMNS if kind not in tables]
    if missing:
        have = ", ".join(f"{table.name} ({kind})" for kind, table in tables.items())
        raise ValueError(f"{archive}: found {have}, but no {' and no '.join(missing)} with the same words in its path.")
    return tables


def _texts(archive: Path) -> Iterator[tuple[str, str]]:
    if archive.is_dir():
        for file in sorted(archive.rglob("*")):
            if file.is_file() and _is_table(file.name):
                yield file.relative_to(archive).as_posix(), content_of(file).decode("utf-8", errors="replace")
        return
    with opened_zip(archive, "ZIP") as opened:
        for info in sorted(opened.infolist(), key=lambda member: member.filename):
            if _is_table(info.filename.rpartition("/")[2]):
                yield info.filename, member_of(archive, opened, info).decode("utf-8", errors="replace")


def _is_table(name: str) -> bool:
    # Some systems leave hidden files in archives (macOS: ._name). Activations have the same columns as forces.
    return name.lower().endswith((".mot", ".sto")) and not name.startswith(".") and "activation" not in name.lower()


def _kind(table: OpenSimTable) -> TableKind | None:
    return next((kind for kind, needed in NEEDED_COLUMNS.items() if set(needed) <= set(table.columns)), None)


def _words(name: str) -> list[str]:
    """A path's words without those that name the kind, and without folders that only name the kind (`02_ID`)."""
    *folders, file = name.lower().rpartition(".")[0].split("/")
    parts = [_WORD.findall(part) for part in folders]
    kept = [part for part in parts if not _is_of_a_kind(part)]
    return [word for part in (*kept, _WORD.findall(file)) for word in part if word not in _KIND_WORDS]


def _is_of_a_kind(folder: list[str]) -> bool:
    others = [word for word in folder if word not in _KIND_WORDS]
    return len(others) < len(folder) and all(word.isdigit() for word in others)
