"""The tables' shape, and both sides of the body from the right one. No OpenSim here.

A row is a dict of text by column; numbers are written with as few digits as give the same double. Left rows are
the right ones mirrored in the sagittal plane (z, to the right, changes sign), then corrected by
`left_exceptions.csv` wherever the released file's left side has another figure.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from itertools import groupby
from pathlib import Path

TABLES_FOLDER = Path(__file__).parent
EXCEPTIONS = "left_exceptions"
EXCEPTION_COLUMNS = ("table", "row", "column", "left", "mirrored")

# A side's letter is a word of a name (`femur_r`, `knee_angle_r_beta`, `addbrev_r-P1`, the row `hip_r/rotation1`).
_RIGHT = re.compile(r"_r(?=[_/-]|$)")

Row = dict[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class TableShape:
    """One table: its columns, how many of the first ones name a row, and the columns whose sign a mirror changes.

    mirrored_if_left: further ones, by what the row's `left` says.
    """

    columns: tuple[str, ...]
    n_keys: int
    mirrored: tuple[str, ...] = ()
    mirrored_if_left: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def key(self, row: Mapping[str, str]) -> str:
        """The row's name: unique in the table."""
        return "/".join(row[column] for column in self.columns[: self.n_keys])


def _triple(name: str, unit: str) -> tuple[str, str, str]:
    return (f"{name}_x_{unit}", f"{name}_y_{unit}", f"{name}_z_{unit}")


# A mirror turns a position's z around, and a rotation's x and y; so also the products of inertia with z.
TABLES: dict[str, TableShape] = {
    "bodies": TableShape(
        columns=(
            "name", "mass_kg", *_triple("com", "m"),
            "ixx_kgm2", "iyy_kgm2", "izz_kgm2", "ixy_kgm2", "ixz_kgm2", "iyz_kgm2",
        ),
        n_keys=1,
        mirrored=("com_z_m", "ixz_kgm2", "iyz_kgm2"),
    ),
    "joints": TableShape(
        columns=(
            "name", "kind",
            "parent", *_triple("parent", "m"), *_triple("parent", "rad"),
            "child", *_triple("child", "m"), *_triple("child", "rad"),
        ),
        n_keys=1,
        mirrored=(
            "parent_z_m", "parent_x_rad", "parent_y_rad",
            "child_z_m", "child_x_rad", "child_y_rad",
        ),
    ),
    # Radians, or metres for a translation.
    "coordinates": TableShape(
        columns=("joint", "name", "default", "default_speed", "min", "max", "clamped", "locked"), n_keys=2
    ),
    # `left` says what tells the left joint from this one: its "axis" points the other way, its "function" has the
    # other sign, or "nothing" does. A joint of the midline has no left and an empty cell.
    "axes": TableShape(
        columns=("joint", "axis", "coordinate", "x", "y", "z", "function", "slope", "offset", "left"),
        n_keys=2,
        mirrored_if_left={"axis": ("x", "y", "z"), "function": ("slope", "offset")},
    ),
    # Knots of the axes whose function is "spline": radians to radians or metres.
    "splines": TableShape(
        columns=("joint", "axis", "knot", "x", "y", "left"), n_keys=3, mirrored_if_left={"function": ("y",)}
    ),
    "couplers": TableShape(columns=("name", "dependent", "independent", "slope", "offset"), n_keys=1),
    "wrap_cylinders": TableShape(
        columns=(
            "body", "name", *_triple("at", "m"), *_triple("turned", "rad"), "quadrant", "radius_m", "length_m",
        ),
        n_keys=2,
        mirrored=("at_z_m", "turned_x_rad", "turned_y_rad"),
    ),
    "muscles": TableShape(
        columns=(
            "name", "max_isometric_force_n", "optimal_fiber_length_m", "tendon_slack_length_m",
            "pennation_at_optimal_rad", "ignore_tendon_compliance",
        ),
        n_keys=1,
    ),
    "path_points": TableShape(columns=("muscle", "name", "body", *_triple("at", "m")), n_keys=2, mirrored=("at_z_m",)),
    # Only the path between these two points may touch the cylinder; -1 sets no limit.
    "path_wraps": TableShape(columns=("muscle", "cylinder", "from_point", "to_point"), n_keys=2),
    # What is one for all muscles: properties of the muscle, and of its curves.
    "millard": TableShape(columns=("owner", "property", "value"), n_keys=2),
    "actuators": TableShape(columns=("name", "coordinate", "optimal_force", "min_control", "max_control"), n_keys=1),
}  # fmt: skip


def read_tables(folder: Path = TABLES_FOLDER) -> dict[str, list[Row]]:
    """Every table by name, both sides, in the released file's order. ValueError names what doesn't fit."""
    tables = {name: both_sides(table, read_model_table(folder, name, table.columns)) for name, table in TABLES.items()}
    for exception in read_model_table(folder, EXCEPTIONS, EXCEPTION_COLUMNS):
        _correct(tables, exception)
    return tables


def read_model_table(folder: Path, name: str, columns: tuple[str, ...]) -> list[Row]:
    """The rows of one file; ValueError unless its columns are these."""
    path = folder / f"{name}.csv"
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != columns:
            raise ValueError(f"{path.name}: columns {reader.fieldnames}, expected {list(columns)}. Reinstall gait2hip.")
        return list(reader)


def model_table_text(columns: tuple[str, ...], rows: Iterable[Row]) -> str:
    """The file that `read_model_table` reads back."""
    text = StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def is_right(table: TableShape, row: Row) -> bool:
    """Whether this row has a twin on the left."""
    return to_left(table.key(row)) != table.key(row)


def to_left(text: str) -> str:
    """A name's left twin; a text that names no side stays as it is."""
    return _RIGHT.sub("_l", text)


def both_sides(table: TableShape, rows: Iterable[Row]) -> list[Row]:
    """Each run of right rows, followed by its mirror image: the released file's order."""
    both: list[Row] = []
    for right, run in groupby(rows, lambda row: is_right(table, row)):
        kept = list(run)
        both += kept
        if right:
            both += [mirror(table, row) for row in kept]
    return both


def mirror(table: TableShape, row: Row) -> Row:
    """A right row's left twin."""
    turned = table.mirrored + table.mirrored_if_left.get(row.get("left", ""), ())
    return {column: negated(value) if column in turned else to_left(value) for column, value in row.items()}


def negated(number: str) -> str:
    """The number with its sign changed, digits untouched; zero and an empty cell stay."""
    if not number or float(number) == 0:
        return number
    return number.removeprefix("-") if number.startswith("-") else f"-{number}"


def _correct(tables: dict[str, list[Row]], exception: Row) -> None:
    name, column = exception["table"], exception["column"]
    for row in tables[name]:
        if TABLES[name].key(row) == exception["row"]:
            if row[column] != exception["mirrored"]:
                raise ValueError(
                    f"{EXCEPTIONS}.csv: {name} {exception['row']} {column} mirrors as {row[column]}, "
                    f"not {exception['mirrored']}. Extract the tables again."
                )
            row[column] = exception["left"]
            return
    raise ValueError(f"{EXCEPTIONS}.csv: {name} has no row {exception['row']}. Extract the tables again.")
