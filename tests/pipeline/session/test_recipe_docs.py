"""`docs/recipes.md` lists the figures that are not in a recipe: each is as the code has it, and none is missing."""

import ast
import re
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
ROW = re.compile(
    r"^\| `(?P<module>pipeline[\w.]+)` \| `(?P<name>\w+)` \| (?P<value>[-+.\de, ]+) \| (?P<why>.+) \|$", re.MULTILINE
)
TABLE = list(ROW.finditer((REPOSITORY / "docs" / "recipes.md").read_text("utf-8")))
WHOLLY_LISTED = (
    "anatomy",
    "session",
    "markers",
    "ground",
    "motion_only",
    "sizing",
    "solving",
    "recordings",
    "own_model",
)


def named_numbers(path: Path) -> Iterator[str]:
    """The names that a module gives to numbers at its top, one by one or several at once."""
    for node in ast.parse(path.read_text("utf-8")).body:
        if not isinstance(node, ast.Assign):
            continue
        (target,) = node.targets
        names = target.elts if isinstance(target, ast.Tuple) else [target]
        values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
        if all(_is_number(value) for value in values):
            yield from (name.id for name in names if isinstance(name, ast.Name))


def _is_number(node: ast.expr) -> bool:
    parts = list(ast.walk(node))
    known = (ast.Constant, ast.BinOp, ast.UnaryOp, ast.operator, ast.unaryop)
    values = [part.value for part in parts if isinstance(part, ast.Constant)]
    return all(isinstance(part, known) for part in parts) and all(isinstance(value, int | float) for value in values)


def test_the_table_has_a_row_for_every_line() -> None:
    lines = [
        line for line in (REPOSITORY / "docs" / "recipes.md").read_text("utf-8").splitlines() if "`pipeline." in line
    ]
    assert len(TABLE) == len(lines) > 30


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row['module']}.{row['name']}")
def test_a_figure_is_as_the_code_has_it(row: re.Match[str]) -> None:
    if row["module"].startswith("pipeline.osim"):
        pytest.importorskip("opensim")
    figures = [float(value) for value in row["value"].split(", ")]
    found = getattr(import_module(row["module"]), row["name"])
    assert (list(found) if isinstance(found, tuple) else [found]) == pytest.approx(figures, rel=1e-9)


@pytest.mark.parametrize("room", WHOLLY_LISTED)
def test_no_figure_of_a_room_is_missing(room: str) -> None:
    listed = {(row["module"], row["name"]) for row in TABLE}
    named = {
        (f"pipeline.{room}.{path.stem}", name)
        for path in (REPOSITORY / "pipeline" / room).glob("*.py")
        for name in named_numbers(path)
    }

    assert named - listed == set()


def test_several_numbers_named_at_once_are_all_seen(tmp_path: Path) -> None:
    module = tmp_path / "figures.py"
    module.write_text('A, B = 1.0, -2\nC = 1 / 3\nNAME = "text"\nBOTH = (1, "text")\nD = float("nan")\n')

    assert list(named_numbers(module)) == ["A", "B", "C"]
