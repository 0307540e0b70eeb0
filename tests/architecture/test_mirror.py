"""Tests are found from the code: they lie in the folder of the same name, and every module is within their reach."""

import ast
import re
from collections.abc import Collection, Mapping
from pathlib import Path

import pytest

from tests.architecture.imports import REPOSITORY, ROOMS, all_imports, all_modules, folder_of, imported_modules

# Commands are thin, and share names with what they call: tests of the whole command line, in tests/flows, run them.
COMMANDS = "flows.commands"


def misplaced(test: str, docstring: str, files: Collection[str]) -> str:
    """What is wrong with a test file's place or name, "" if nothing.

    `test` is its dotted path below `tests` (`models.data.test_cycles`), `files` the modules that are no `__init__.py`.
    """
    folder, _, file = test.rpartition(".")
    name = file.removeprefix("test_")
    if f"{folder}.{name}" in files:
        return ""
    room = folder.split(".")[0]
    namesakes = sorted(
        module
        for module in files
        if module.startswith(f"{room}.") and module.endswith(f".{name}") and not module.startswith(f"{COMMANDS}.")
    )
    if namesakes:
        return f"{test} is named after {' or '.join(namesakes)}: move it there, or name it after its topic"
    if not any(module.startswith(f"{folder}.") for module in files):
        return f"{test} lies in a folder that {room} does not have"
    return "" if docstring else f"{test} is named after no module: its docstring must say what it tests"


def folders_without_tests(files: Collection[str], tests: Collection[str]) -> set[str]:
    """The folders that hold modules, but no test in the folder of the same name below `tests`."""
    tested = {test.rpartition(".")[0] for test in tests}
    return {
        folder
        for folder in {module.rpartition(".")[0] for module in files}
        if folder not in tested and not f"{folder}.".startswith(f"{COMMANDS}.")
    }


def out_of_reach(imports: Mapping[str, set[str]], tested: Collection[str]) -> set[str]:
    """The modules that no test imports, and that no module of their room within reach of a test imports."""
    reached: set[str] = set()
    ahead = [module for module in imports if module in tested]
    while ahead:
        module = ahead.pop()
        if module not in reached:
            reached.add(module)
            room = module.split(".")[0]
            ahead += [name for name in imports[module] if name in imports and name.startswith(f"{room}.")]
    return set(imports) - reached


def _files() -> dict[str, Path]:
    return {module: path for module, path in all_modules().items() if path.name != "__init__.py"}


def _tests() -> dict[str, Path]:
    tests = REPOSITORY / "tests"
    return {
        ".".join(path.relative_to(tests).with_suffix("").parts): path
        for room in ROOMS
        for path in sorted((tests / room).rglob("test_*.py"))
    }


def _named_in(source: str, folder: str) -> set[str]:
    """What a file names in a string: modules that wait to be imported, and programs of its own folder (`"name.py"`)."""
    words = re.findall(r"""["']([\w.]+)["']""", source)
    return {*words, *(f"{folder}.{word.removesuffix('.py')}" for word in words if word.endswith(".py"))}


def _defines_public_names(path: Path) -> bool:
    return any(
        isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
        for node in ast.parse(path.read_text("utf-8")).body
    )


def test_tests_lie_beside_what_they_are_named_after_or_say_what_they_test() -> None:
    files = _files().keys()
    complaints = [
        misplaced(test, ast.get_docstring(ast.parse(path.read_text("utf-8"))) or "", files)
        for test, path in _tests().items()
    ]

    assert not any(complaints), "\n".join(filter(None, complaints))


def test_every_folder_has_tests() -> None:
    assert folders_without_tests(_files(), _tests()) == set()


def test_tests_reach_every_module() -> None:
    tested: set[str] = set()
    for path in (REPOSITORY / "tests").rglob("*.py"):
        if path.parent.name != "architecture":  # whose planted violations name modules too
            source = path.read_text("utf-8")
            folder = ".".join(path.parent.relative_to(REPOSITORY).parts)
            tested |= imported_modules(source, folder) | _named_in(source, folder)
    imports = {
        module: all_imports()[module] | _named_in(path.read_text("utf-8"), folder_of(module, path))
        for module, path in all_modules().items()
    }

    missed = {module for module in out_of_reach(imports, tested) if _defines_public_names(all_modules()[module])}

    assert missed == set()


@pytest.mark.parametrize(
    ("test", "docstring", "complaint"),
    [
        ("models.data.test_cycles", "", ""),
        ("models.data.test_leakage", "No subject is in two parts.", ""),
        ("models.data.test_leakage", "", "docstring"),
        ("models.test_data", "", "docstring"),
        ("models.test_cycles", "Cycles.", "named after models.data.cycles"),
        ("models.data.test_jobs", "Jobs.", "named after models.jobs"),
        ("flows.test_virtual", "", "docstring"),
        ("flows.test_virtual", "The command `virtual`.", ""),
        ("models.old.test_leakage", "No subject is in two parts.", "a folder that models does not have"),
    ],
)
def test_a_misplaced_test_is_seen(test: str, docstring: str, complaint: str) -> None:
    files = {"models.data.cycles", "models.jobs", "pipeline.leakage", "flows.cli", "flows.commands.virtual"}

    found = misplaced(test, docstring, files)

    assert complaint in found
    assert bool(found) == bool(complaint)


def test_a_folder_without_tests_is_seen() -> None:
    files = {"models.data.cycles", "models.jobs", "flows.commands.datasets.audit"}

    assert folders_without_tests(files, {"models.test_jobs"}) == {"models.data"}


def test_a_module_out_of_reach_is_seen() -> None:
    imports = {"models.a": {"models.b"}, "models.b": {"warehouse.c"}, "warehouse.c": set(), "models.d": {"models.a"}}

    assert out_of_reach(imports, {"models.a"}) == {"warehouse.c", "models.d"}
