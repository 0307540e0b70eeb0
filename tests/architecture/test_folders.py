"""A newcomer finds the room by its folder: few files in each, its purpose said, and arrows one way at every level."""

import ast
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter

import pytest

from tests.architecture.imports import imported_modules, modules_of
from tests.architecture.test_rooms import MAY_IMPORT, REPOSITORY

MOST_FILES = 12

# What only one sub-room may import.
DOOR_TO_THE_WAREHOUSE = ("pipeline.storing",)
# Words, not files: what a record or channel is called is the contract's, and anybody may speak it.
VOCABULARY = {"warehouse.channels", "warehouse.settings_file"}

FOLDERS = sorted({path.parent for room in MAY_IMPORT for path in modules_of(REPOSITORY / room).values()})


def circle(package: str, imports: Mapping[str, set[str]]) -> list[str]:
    """A circle among a package's own files and folders, [] if they import one way only."""
    arrows: dict[str, set[str]] = {}
    for module, imported in imports.items():
        source = _child(module, package)
        if source:
            targets = {_child(name, package) for name in imported if name in imports}
            arrows.setdefault(source, set()).update(targets - {source, ""})
    try:
        TopologicalSorter(arrows).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def _child(module: str, package: str) -> str:
    prefix = f"{package}." if package else ""
    return module.removeprefix(prefix).split(".")[0] if module.startswith(prefix) and module != package else ""


def _imports() -> dict[str, set[str]]:
    found = {}
    for room in MAY_IMPORT:
        for module, path in modules_of(REPOSITORY / room).items():
            package = module if path.name == "__init__.py" else module.rpartition(".")[0]
            found[module] = imported_modules(path.read_text("utf-8"), package)
    return found


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(REPOSITORY)))
def test_a_folder_holds_few_files_and_says_what_it_is_for(folder) -> None:
    files = [path.name for path in folder.glob("*.py") if path.name != "__init__.py"]
    purpose = ast.get_docstring(ast.parse((folder / "__init__.py").read_text("utf-8")))

    assert len(files) <= MOST_FILES, sorted(files)
    assert purpose
    assert purpose.count(".") >= 1


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(REPOSITORY)))
def test_imports_run_one_way_within_a_folder(folder) -> None:
    assert circle(".".join(folder.relative_to(REPOSITORY).parts), _imports()) == []


def test_a_circle_is_seen_between_files_and_between_folders() -> None:
    one_way = {"room.a": {"room.b"}, "room.b": set(), "room.c.d": {"room.a"}}

    assert circle("room", one_way) == []
    assert circle("room", {**one_way, "room.b": {"room.c.d"}}) != []
    assert circle("room", {**one_way, "room.b": {"room.a"}}) != []


def test_only_storing_knows_the_warehouse() -> None:
    users = {
        module
        for module, imported in _imports().items()
        if module.startswith("pipeline.") and _beyond_vocabulary(imported)
    }

    assert {module for module in users if not module.startswith(DOOR_TO_THE_WAREHOUSE)} == set()


def _beyond_vocabulary(imported: set[str]) -> set[str]:
    return {
        name
        for name in imported
        if name.startswith("warehouse.") and not any(f"{name}.".startswith(f"{word}.") for word in VOCABULARY)
    }
