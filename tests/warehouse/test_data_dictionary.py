from pathlib import Path

import pytest

from warehouse.columns import TableSchema
from warehouse.data_dictionary import render_data_dictionary
from warehouse.schemas import SCHEMAS

DOCUMENT = Path(__file__).parents[2] / "docs" / "data-dictionary.md"


def test_the_committed_document_is_current() -> None:
    assert DOCUMENT.read_text("utf-8") == render_data_dictionary(), (
        "run: python -m warehouse.data_dictionary > docs/data-dictionary.md"
    )


def test_how_right_a_laboratory_s_angles_are_is_said_as_measured() -> None:
    """The figures of docs/sizing.md, which `python -m benchmarks.laboratory_angles` prints."""
    note = SCHEMAS["joint_angles"].note
    assert f"\n{note}\n" in render_data_dictionary()
    table = (DOCUMENT.parent / "sizing.md").read_text("utf-8").split("own Plug-in Gait")[1]
    rows = (line.split("|") for line in reversed(table.splitlines()))
    mean = {row[1].strip(): row[2].strip() for row in rows if len(row) > 5}
    for angle in ("pelvis tilt", "hip flexion", "knee flexion", "hip adduction", "ankle dorsiflexion"):
        assert f"{mean[angle]}°" in note.split(angle)[0][-20:], angle


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema.name)
def test_every_column_has_its_line(schema: TableSchema) -> None:
    section = render_data_dictionary().split(f"\n## {schema.name}\n")[1].split("\n## ")[0]
    for column in schema.fixed:
        assert f"| `{column.name}` |" in section
        assert column.meaning in section
    for family in schema.families:
        assert f"| `{family.prefix}<{family.members}>` |" in section
