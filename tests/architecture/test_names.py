"""One word for one thing: no two modules define a public class or function of the same name."""

import ast
from collections import defaultdict
from collections.abc import Mapping

import pytest

from tests.architecture.imports import all_modules

# Names that may stand in several modules, each with its reason.
SHARED = {
    "main": "what a module does when it is run as a program; nobody imports it",
}
# A command's function is named as people type the command, so it may share the name of what it calls.
COMMANDS = "flows.commands."
# An engine is a module with the functions of this class: each engine has them all.
ENGINE_INTERFACE = "Engine"
ENGINE_MODULE = ".engine"


def defined_twice(sources: Mapping[str, str]) -> dict[str, list[str]]:
    """The public classes and functions that several modules define, with those modules."""
    trees = {module: ast.parse(source) for module, source in sources.items()}
    engine = {name for tree in trees.values() for name in _methods(tree, ENGINE_INTERFACE)}
    homes = defaultdict(list)
    for module, tree in trees.items():
        for name in _public(tree):
            is_engine_s = name in engine and module.endswith(ENGINE_MODULE)
            if name not in SHARED and not module.startswith(COMMANDS) and not is_engine_s:
                homes[name].append(module)
    return {name: modules for name, modules in sorted(homes.items()) if len(modules) > 1}


def _public(tree: ast.Module) -> set[str]:
    defined = (
        node.name for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    )
    return {name for name in defined if not name.startswith("_")}


def _methods(tree: ast.Module, class_name: str) -> set[str]:
    classes = (node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == class_name)
    return {node.name for one in classes for node in one.body if isinstance(node, ast.FunctionDef)}


def test_public_names_are_unique() -> None:
    sources = {module: path.read_text("utf-8") for module, path in all_modules().items()}

    twice = defined_twice(sources)

    assert not twice, "\n".join(f"{name}: {', '.join(modules)}" for name, modules in twice.items())


@pytest.mark.parametrize(
    "other",
    [
        {"models.b": "class Plan: pass"},
        {"pipeline.b": "def Plan(): pass"},
        {"pipeline.b": "class Plan(Base):\n    def run(self): pass"},
    ],
)
def test_a_name_defined_twice_is_seen(other: dict[str, str]) -> None:
    assert defined_twice({"pipeline.a": "class Plan: pass", **other}) == {"Plan": ["pipeline.a", *other]}


@pytest.mark.parametrize(
    "sources",
    [
        {"pipeline.a": "class Plan: pass", "pipeline.b": "from pipeline.a import Plan"},
        {"pipeline.a": "def _plan(): pass", "pipeline.b": "def _plan(): pass"},
        {"pipeline.a": "class A:\n    def run(self): pass", "pipeline.b": "class B:\n    def run(self): pass"},
        {"pipeline.a": "def main(): pass", "pipeline.b": "def main(): pass"},
        {"flows.commands.train": "def train(): pass", "models.jobs": "def train(): pass"},
        {
            "pipeline.solving.interface": "class Engine(Protocol):\n    def solve(self): ...",
            "pipeline.osim.exact.engine": "def solve(): pass",
            "pipeline.osim.tools.engine": "def solve(): pass",
        },
    ],
)
def test_names_that_may_be_shared_are_let_pass(sources: dict[str, str]) -> None:
    assert defined_twice(sources) == {}


def test_the_engine_s_functions_may_be_shared_by_engines_only() -> None:
    sources = {
        "pipeline.solving.interface": "class Engine(Protocol):\n    def solve(self): ...",
        "pipeline.osim.exact.engine": "def solve(): pass",
        "pipeline.osim.exact.descent": "def solve(): pass",
        "pipeline.solving.solve": "def solve(): pass",
    }

    assert defined_twice(sources) == {"solve": ["pipeline.osim.exact.descent", "pipeline.solving.solve"]}
