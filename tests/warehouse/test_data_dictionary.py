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


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema.name)
def test_every_column_has_its_line(schema: TableSchema) -> None:
    section = render_data_dictionary().split(f"\n## {schema.name}\n")[1].split("\n## ")[0]
    for column in schema.fixed:
        assert f"| `{column.name}` |" in section
        assert column.meaning in section
    for family in schema.families:
        assert f"| `{family.prefix}<{family.members}>` |" in section
