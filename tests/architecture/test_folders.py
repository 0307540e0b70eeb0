"""A newcomer finds the room by its folder: few files in each, its purpose said, and imports one way at every level."""

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

from tests.architecture.imports import REPOSITORY, all_imports, all_modules

MOST_FILES = 12

FOLDERS = sorted({path.parent for path in all_modules().values()})

# The one folder of `pipeline` that may open a warehouse.
DOOR_TO_THE_WAREHOUSE = "pipeline.storing"
# The warehouse's vocabulary, which opens nothing, is for everybody.
VOCABULARY = (
    "warehouse.channels",
    "warehouse.columns",
    "warehouse.identity",
    "warehouse.interchange.given_file",
    "warehouse.interchange.opensim_table",
    "warehouse.interchange.reach",
    "warehouse.outcome",
    "warehouse.provenance",
    "warehouse.resample",
    "warehouse.settings_file",
)

every_folder = pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(REPOSITORY)))


def circle(package: str, imports: Mapping[str, set[str]]) -> list[str]:
    """A circle among a package's own files and folders, [] if they import one way only."""
    graph: dict[str, set[str]] = {}
    for module, imported in imports.items():
        importer = _child(module, package)
        if importer:
            children = {_child(name, package) for name in imported if name in imports}
            graph.setdefault(importer, set()).update(children - {importer, ""})
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _child(module: str, package: str) -> str:
    """The file or folder of `package` that `module` is or lies in; "" outside it."""
    return module.removeprefix(f"{package}.").split(".")[0] if _within(module, package) and module != package else ""


def _within(module: str, package: str) -> bool:
    return f"{module}.".startswith(f"{package}.")


@every_folder
def test_a_folder_holds_few_files_and_says_what_it_is_for(folder: Path) -> None:
    files = sorted(path.name for path in folder.glob("*.py") if path.name != "__init__.py")
    purpose = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8"))) or ""

    assert len(files) <= MOST_FILES, files
    assert "." in purpose, "its __init__.py has no docstring of a sentence"


@every_folder
def test_imports_run_one_way_within_a_folder(folder: Path) -> None:
    assert circle(".".join(folder.relative_to(REPOSITORY).parts), all_imports()) == []


def test_a_circle_is_seen_between_files_and_between_folders() -> None:
    one_way = {"room.a": {"room.b"}, "room.b": set(), "room.c.d": {"room.a"}}

    assert circle("room", one_way) == []
    assert circle("room", {**one_way, "room.b": {"room.c.d"}}) != []
    assert circle("room", {**one_way, "room.b": {"room.a"}}) != []


def test_only_storing_knows_what_is_stored() -> None:
    users = _users_of_the_warehouse()

    assert {module: names for module, names in users.items() if not _within(module, DOOR_TO_THE_WAREHOUSE)} == {}
    assert users != {}, "nobody stores anything: has a room of the warehouse another name now?"


def _users_of_the_warehouse() -> dict[str, list[str]]:
    """What each module of `pipeline` imports of the warehouse beyond its vocabulary."""
    users = {}
    modules = all_modules()
    for module, imported in all_imports().items():
        # `from a.b import c` counts as a.b and a.b.c: of a module that isn't allowed whole, the name decides.
        names = [
            name for name in imported if _within(name, "warehouse") and not _is_package_of(name, imported, modules)
        ]
        beyond = sorted(name for name in names if not any(_within(name, word) for word in VOCABULARY))
        if _within(module, "pipeline") and beyond:
            users[module] = beyond
    return users


def _is_package_of(name: str, imported: set[str], modules: Mapping[str, Path]) -> bool:
    """Whether something within `name` is imported too: then that is what counts."""
    return name in modules and any(other != name and _within(other, name) for other in imported)
