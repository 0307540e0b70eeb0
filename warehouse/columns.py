"""The parts of a schema: columns with a unit and a meaning, and families of columns named after the model's parts.

Missing values are null in tables with one row per subject, session or trial, and NaN ("not measured", never zero) in
tables over time; a column says which of them it may hold, if any.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import pyarrow as pa

from warehouse.layout import Level, identity_names

# Names, codes and flags have no unit; the unit of a ratio is 1.
NO_UNIT = "-"
RATIO = "1"

Missing = Literal["never", "null", "nan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column: its Arrow type, its unit, its meaning, and how it stores a missing value.

    `later` columns were added to a table of numbers that was in use: a file may lack them, and is read as if they held
    NaN.
    """

    name: str
    type: pa.DataType
    unit: str
    meaning: str
    missing: Missing = "never"
    allowed: tuple[str, ...] = ()
    later: bool = False

    def __post_init__(self) -> None:
        if not self.unit or not self.meaning:
            raise ValueError(f"column {self.name!r} needs a unit ({NO_UNIT!r} for none) and a meaning.")
        if self.later and (self.missing != "nan" or not pa.types.is_floating(self.type)):
            raise ValueError(f"column {self.name!r} was added later, and must hold numbers that may be NaN.")

    def field(self) -> pa.Field:
        """The Arrow field, with unit and meaning in its metadata."""
        metadata = {"unit": self.unit, "meaning": self.meaning}
        return pa.field(self.name, self.type, nullable=self.missing == "null", metadata=metadata)


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """Columns whose names come from the model: `prefix` + the name of each of its `members`.

    `units` lists the units that a member can have. Where there are several (degrees of a rotation, metres of a
    translation) the writer must be given the unit of each column: units are never guessed.
    """

    prefix: str
    members: Literal["coordinate", "muscle", "marker"]
    units: tuple[str, ...]
    meaning: str
    missing: Missing

    def column(self, name: str, unit: str) -> Column:
        """The family's column for one member."""
        member = name.removeprefix(self.prefix)
        return Column(
            name=name,
            type=pa.float64(),
            unit=unit,
            meaning=f"{self.meaning} `{member}`",
            missing=self.missing,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class TableSchema:
    """One table: what a row is, what a file holds (`level`), and the columns in stored order.

    `one_row` tables hold one row per file. `note` is what to know before using its numbers. `summary` names columns
    whose values are repeated in the file's metadata, so that thousands of rows can be listed from their footers.
    """

    name: str
    level: Level
    row: str
    columns: tuple[Column, ...]
    families: tuple[Family, ...] = ()
    one_row: bool = False
    note: str = ""
    summary: tuple[str, ...] = ()

    @property
    def identity(self) -> tuple[Column, ...]:
        """The leading columns, filled in from the key by the writer."""
        return tuple(_IDENTITY[name] for name in identity_names(self.level))

    @property
    def fixed(self) -> tuple[Column, ...]:
        """Every column that does not depend on the model."""
        return self.identity + self.columns

    def family_of(self, name: str) -> Family | None:
        """The family that a column not in `fixed` belongs to: the first whose prefix fits."""
        return next((family for family in self.families if name.startswith(family.prefix)), None)

    def resolve(self, name: str, units: Mapping[str, str]) -> Column:
        """The column `name`, fixed or of a family. ValueError if the table has no such column or unit."""
        for column in self.columns:
            if column.name == name:
                return column
        family = self.family_of(name)
        if family is None or name in identity_names(self.level):
            known = ", ".join(column.name for column in self.columns)
            raise ValueError(f"table {self.name!r} takes no column {name!r}; it takes: {known}.")
        unit = family.units[0] if len(family.units) == 1 else units.get(name)
        if unit not in family.units:
            raise ValueError(
                f"table {self.name!r}, column {name!r}: its unit depends on the model and is {unit!r}; "
                f"pass units={{{name!r}: ...}} with one of {', '.join(family.units)}."
            )
        return family.column(name, unit)


def text(name: str, meaning: str, *, missing: Missing = "never", allowed: tuple[str, ...] = ()) -> Column:
    """A column of names, codes or words."""
    return Column(name=name, type=pa.string(), unit=NO_UNIT, meaning=meaning, missing=missing, allowed=allowed)


def real(name: str, unit: str, meaning: str, *, missing: Missing = "never") -> Column:
    """A column of numbers in double precision, so that a later stage reads exactly what an earlier one computed."""
    return Column(name=name, type=pa.float64(), unit=unit, meaning=meaning, missing=missing)


def count(name: str, meaning: str, *, missing: Missing = "never") -> Column:
    """A column of whole numbers."""
    return Column(name=name, type=pa.int32(), unit=RATIO, meaning=meaning, missing=missing)


def flag(name: str, meaning: str) -> Column:
    """A column of booleans, always known."""
    return Column(name=name, type=pa.bool_(), unit=NO_UNIT, meaning=meaning)


def optional(column: Column) -> Column:
    """The same column, nullable."""
    return replace(column, missing="null")


def later(column: Column) -> Column:
    """The same column, which files of an earlier version lack."""
    return replace(column, later=True)


_IDENTITY: dict[str, Column] = {
    "cohort": text("cohort", "The group of people the subject belongs to"),
    "subject": text("subject", "The subject's code, never a name"),
    "session": text("session", "The visit to the laboratory"),
    "trial": text("trial", "The recorded trial"),
}
