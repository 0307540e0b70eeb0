"""The data dictionary, generated from the schemas.

`python -m warehouse.data_dictionary > docs/data-dictionary.md`
"""

import sys
from collections.abc import Iterator

import pyarrow as pa

from warehouse.columns import Column, Family, TableSchema
from warehouse.layout import RELEASES, SCALED_MODELS, Level
from warehouse.release.columns import release_columns
from warehouse.schemas import FORMAT_VERSION, SCHEMAS

_FOLDERS: dict[Level, str] = {
    "subject": "<cohort>/<subject>.parquet",
    "session": "<cohort>/<subject>/<session>.parquet",
    "trial": "<cohort>/<subject>/<session>/<trial>.parquet",
}

_PREFACE = f"""# Data dictionary

Made from `warehouse/schemas.py` by `python -m warehouse.data_dictionary`; a test keeps it current.
Format version {FORMAT_VERSION}.

Every table is a folder of Parquet files below the warehouse's root, and reading the folder reads the table:
`pandas.read_parquet("warehouse/cycles")`. Every column carries its unit and meaning in its field metadata
(`unit`, `meaning`), and every file says in its own metadata which format (`gait2hip.format`), table
(`gait2hip.table`) and identity (`gait2hip.identity`) it has, what made it (`gait2hip.key`,
`gait2hip.made_from`) and under which recipe (`gait2hip.recipe`).

Ground frame: x forward, y up, z right. Unit `-`: the column has none; unit `1`: a ratio or a count.
"Missing" says how a value that is not known is stored: NaN means "not measured", never zero. Files whose
names begin with a dot are being written, or were left by a writer that was killed: readers skip them.

`{SCALED_MODELS}/<cohort>/<subject>/<session>.osim` is each session's scaled OpenSim model.
"""


def render_data_dictionary() -> str:
    """The whole document, in Markdown."""
    tables = (line for schema in SCHEMAS.values() for line in _table(schema))
    return "\n".join([_PREFACE, *tables, *_release()])


def _table(schema: TableSchema) -> Iterator[str]:
    yield f"## {schema.name}"
    yield ""
    yield f"`{schema.name}/{_FOLDERS[schema.level]}`: {schema.row}."
    yield ""
    if schema.note:
        yield schema.note
        yield ""
    yield "| column | type | unit | missing | meaning |"
    yield "|---|---|---|---|---|"
    yield from (_column_line(column) for column in schema.fixed)
    yield from (_family_line(family) for family in schema.families)
    yield ""


def _release() -> Iterator[str]:
    yield "## releases"
    yield ""
    yield (
        f"`{RELEASES}/<name>-<hash>/cycles.parquet`: one row per sample of a gait cycle, every cycle read as a right "
        "leg's; beside it the dataset card, the split and the statistics."
    )
    yield ""
    yield "| column | type | unit | missing | meaning |"
    yield "|---|---|---|---|---|"
    yield from (_column_line(column) for column in release_columns())
    yield ""


def _column_line(column: Column) -> str:
    meaning = column.meaning
    if column.allowed:
        meaning += f" ({' or '.join(f'`{word}`' for word in column.allowed)})"
    if column.later:
        meaning += "; older and imported files lack the column"
    return f"| `{column.name}` | {_type_name(column.type)} | {column.unit} | {column.missing} | {meaning} |"


def _family_line(family: Family) -> str:
    unit = " or ".join(family.units)
    meaning = f"{family.meaning} named; one column each"
    return f"| `{family.prefix}<{family.members}>` | double | {unit} | {family.missing} | {meaning} |"


def _type_name(type_: pa.DataType) -> str:
    return "list of string" if pa.types.is_list(type_) else str(type_)


if __name__ == "__main__":
    sys.stdout.write(render_data_dictionary())
