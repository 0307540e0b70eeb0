"""Ground reactions from OpenSim's tables (.mot, .sto), whatever laboratories call their columns.

A reaction is a force, the point where it acts and a torque there, in newtons, metres and newton metres, on the body, as
ExternalLoads have it (OpenSim documentation, "External Loads"). The columns' names end with v, p or m and an axis:
`ground_force_vx`, `1_ground_force_px`, `ground_force_r_vy`, `ground_torque_r_x`, `ground_force_1_mx`. Which foot it
acts on is said by an ExternalLoads file that names this one, or by left and right in the names; or not at all.

Shapes: S samples.
"""

import re
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.recordings.external_loads import ExternalLoads, loads_beside, naming_files, read_external_loads, side_in
from pipeline.recordings.text_file import even_rate_hz, read_text, unreadable
from pipeline.records import Side
from warehouse.interchange.opensim_table import OpenSimTable, parse_table

Kind = Literal["force", "point", "torque"]
_OF_LETTER: dict[str, Kind] = {"v": "force", "f": "force", "p": "point", "m": "torque", "t": "torque"}
_COLUMN = re.compile(r"(?P<stem>.*?)(?P<letter>(?:(?<![a-z])[vfpmt])?)_?(?P<axis>[xyz])", re.IGNORECASE)
# OpenSim's reader of C3D names them f1_1 (or f1_x), p1_1, m1_1.
_NUMBERED = re.compile(r"(?P<letter>[fpm])(?P<number>\d+)_(?P<axis>[123xyz])", re.IGNORECASE)
_TORQUES = re.compile(r"torque|moment", re.IGNORECASE)
_NAMES_ONE = re.compile(r"force|torque|moment|grf|grm", re.IGNORECASE)
_STATED_ROWS = re.compile(r"^\s*(?:nRows\s*=|datarows)\s*(\d+)", re.MULTILINE | re.IGNORECASE)
# A reaction under this share of the file's peak force is noise of an unloaded plate.
LOADED_SHARE = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class PointForce:
    """A reaction over time: force_n, point_m and torque_nm (S, 3), in the file's frame. `foot` None: not said."""

    name: str
    foot: Side | None
    force_n: np.ndarray
    point_m: np.ndarray
    torque_nm: np.ndarray

    def moment_nm(self, about_m: np.ndarray) -> np.ndarray:
        """Its moment (S, 3) about a point (3,); zero where no force acts, wherever its point then lies."""
        acts = (self.force_n != 0).any(axis=1)
        arm_m = np.where(acts[:, None], self.point_m - about_m, 0.0)
        return self.torque_nm + np.cross(arm_m, self.force_n)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundForces:
    """What a file of ground reactions says, on an even grid of times (S,). `told_by`: what says the feet."""

    path: Path
    time_s: np.ndarray
    rate_hz: float
    reactions: tuple[PointForce, ...]
    told_by: str
    warnings: tuple[str, ...]


def is_ground_forces(columns: tuple[str, ...]) -> bool:
    """Whether columns of an OpenSim table are ground reactions rather than coordinates."""
    return any("force" in kinds and "point" in kinds for kinds in _by_name(columns).values())


def read_ground_forces(path: Path) -> GroundForces:
    """A file of ground reactions, or an ExternalLoads file that names one.

    Raises TrialRejected, naming the file, what was found and what to do, for anything else.
    """
    loads, path = _loads_and_table(path)
    table, text_warnings = read_opensim_table(path)
    if loads is not None:
        reactions, unused = _as_loads_say(path.name, table, loads)
        told_by, warnings = loads.path.name, loads.warnings
    else:
        reactions, unused = _by_names(path.name, table)
        told_by = "the columns' names" if all(each.foot for each in reactions) else ""
        warnings = ()
    if unused:
        warnings = (*warnings, f"{path.name}: {len(unused)} columns are no ground reaction: {_some(unused)}.")
    return GroundForces(
        path=path,
        time_s=table.time_s,
        rate_hz=even_rate_hz(path.name, table.time_s),
        reactions=tuple(_known(path.name, table.time_s, each) for each in reactions),
        told_by=told_by,
        warnings=(*text_warnings, *warnings),
    )


def files_of_forces(path: Path) -> tuple[Path, ...]:
    """The files that a trial's forces are read from: the table, and the ExternalLoads that say its feet.

    An ExternalLoads file that can't be read stands alone: reading the trial says what is wrong with it.
    """
    try:
        loads, table = _loads_and_table(path)
    except TrialRejected:
        return (path, *naming_files(path))
    return (table,) if loads is None else (table, loads.path)


def _loads_and_table(path: Path) -> tuple[ExternalLoads | None, Path]:
    if path.suffix.lower() != ".xml":
        return loads_beside(path), path
    loads = read_external_loads(path)
    if not loads.data_file:
        raise unreadable(path.name, "has no <datafile>, expected the name of the file of forces beside it.")
    return loads, path.parent / loads.data_file


def read_opensim_table(path: Path) -> tuple[OpenSimTable, list[str]]:
    """An OpenSim table, whole, and warnings. TrialRejected if it is none, or cut off."""
    text, warnings = read_text(path)
    try:
        table = parse_table(path.name, text)
    except ValueError as error:
        raise unreadable(path.name, f"{str(error).removeprefix(f'{path.name}: ')} Export it again.") from error
    stated = _STATED_ROWS.search(text.partition("endheader")[0])
    if stated and int(stated[1]) > len(table.time_s):
        raise unreadable(
            path.name,
            f"its header says {stated[1]} rows, and it holds {len(table.time_s)}. It is cut off: export it again.",
        )
    repeated = sorted({name for name in table.columns if table.columns.count(name) > 1})
    if repeated:
        raise unreadable(path.name, f"has columns of one name: {_some(repeated)}. Which is meant, nothing tells.")
    return table, warnings


def _by_name(columns: tuple[str, ...]) -> Mapping[str, dict[Kind, dict[str, str]]]:
    """The columns by what they have in common: its kinds, each with its axes' columns."""
    found: dict[str, dict[Kind, dict[str, str]]] = defaultdict(lambda: defaultdict(dict))
    for column in columns:
        if numbered := _NUMBERED.fullmatch(column):
            axis = numbered["axis"].lower().translate(str.maketrans("123", "xyz"))
            found[numbered["number"]][_OF_LETTER[numbered["letter"].lower()]][axis] = column
        elif named := _COLUMN.fullmatch(column):
            stem, letter = named["stem"], named["letter"].lower()
            if not letter and not _TORQUES.search(stem):
                continue
            kind: Kind = "torque" if _TORQUES.search(stem) else _OF_LETTER[letter]
            common = re.sub(r"_+", "_", _NAMES_ONE.sub("", stem)).strip("_")
            found[common][kind][named["axis"].lower()] = column
    return found


def _by_names(name: str, table: OpenSimTable) -> tuple[list[PointForce], list[str]]:
    """The reactions by the columns' names, and the columns that belong to none."""
    reactions, used = [], set()
    for common, kinds in _by_name(table.columns).items():
        if "force" not in kinds:
            continue
        short = [kind for kind in ("force", "point") if set(kinds.get(kind, {})) != set("xyz")]
        if "torque" in kinds and set(kinds["torque"]) != set("xyz"):
            short.append("torque")
        if short:
            has = _some(sorted(column for each in kinds.values() for column in each.values()))
            raise unreadable(
                name,
                f"reaction {common or 'ground_force'!r} lacks columns of its {' and '.join(short)} (it has {has}), "
                "expected x, y and z. Export force, point and torque.",
            )
        columns = {kind: [axes[axis] for axis in "xyz"] for kind, axes in kinds.items()}
        used |= {column for each in columns.values() for column in each}
        reactions.append(
            PointForce(
                name=common or "ground_force",
                foot=side_in(columns["force"][0][:-1]),
                force_n=table.numbers(columns["force"]),
                point_m=table.numbers(columns["point"]),
                torque_nm=table.numbers(columns["torque"]) if "torque" in columns else np.zeros((len(table.time_s), 3)),
            )
        )
    if not reactions:
        raise unreadable(
            name,
            f"has no ground reaction: expected columns such as ground_force_r_vx, ground_force_r_px and "
            f"ground_torque_r_x, found {_some(list(table.columns))}. An ExternalLoads file beside it may name others.",
        )
    return reactions, [column for column in table.columns if column not in used]


def _as_loads_say(name: str, table: OpenSimTable, loads: ExternalLoads) -> tuple[list[PointForce], list[str]]:
    used: set[str] = set()

    def three(force: str, identifier: str, what: str) -> np.ndarray:
        columns = [next((c for c in table.columns if c == identifier + axis), "") for axis in "xyz"]
        if not all(columns):
            raise unreadable(
                loads.path.name,
                f"force {force} finds its {what} in columns {identifier}x, y and z, which {name} lacks; it has "
                f"{_some(list(table.columns))}. Correct the identifier.",
            )
        used.update(columns)
        return table.numbers(columns)

    reactions = []
    for each in loads.forces:
        if not each.force or not each.point:
            raise unreadable(
                loads.path.name,
                f"force {each.name} has no {'point' if each.force else 'force'}_identifier, expected one of {name}'s "
                "columns. A force without its point has no moment.",
            )
        reactions.append(
            PointForce(
                name=each.name,
                foot=each.foot,
                force_n=three(each.name, each.force, "force"),
                point_m=three(each.name, each.point, "point"),
                torque_nm=three(each.name, each.torque, "torque") if each.torque else np.zeros((len(table.time_s), 3)),
            )
        )
    forces = {name: kinds["force"].values() for name, kinds in _by_name(table.columns).items() if "force" in kinds}
    # A plate that nobody trod on is no loss.
    left_out = [
        name for name, columns in forces.items() if not used & set(columns) and np.any(table.numbers(list(columns)))
    ]
    if left_out:
        raise unreadable(
            loads.path.name,
            f"leaves out the reaction {_some([each or 'ground_force' for each in left_out])} of {name}, expected every "
            "force on the feet. Add it, or take its columns out of the file.",
        )
    return reactions, [column for column in table.columns if column not in used]


def _known(name: str, time_s: np.ndarray, reaction: PointForce) -> PointForce:
    """The reaction, zero where neither force nor torque acts. TrialRejected for one that isn't known."""
    idle = ~(reaction.force_n != 0).any(axis=1)
    point_m = np.where(idle[:, None] & ~np.isfinite(reaction.point_m), 0.0, reaction.point_m)
    for what, values in (("force", reaction.force_n), ("point", point_m), ("torque", reaction.torque_nm)):
        unknown = ~np.isfinite(values).all(axis=1)
        if unknown.any():
            at = time_s[int(np.argmax(unknown))]
            raise unreadable(
                name,
                f"the {what} of {reaction.name} is not a number in {int(unknown.sum())} rows, first at {at:g} s, "
                "expected one in every row. Zero is no load; where nothing was measured, cut the rows off.",
            )
    return replace(reaction, point_m=point_m)


def _some(names: list[str]) -> str:
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
