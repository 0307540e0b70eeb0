"""Which modules there are, and which others each imports, wherever in the file it does so."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
ROOMS = ("flows", "models", "pipeline", "reports", "warehouse")


@cache
def all_modules() -> dict[str, Path]:
    """Every module of every room by its dotted name."""
    return {name: path for room in ROOMS for name, path in modules_of(REPOSITORY / room).items()}


@cache
def all_imports() -> dict[str, set[str]]:
    """What every module of every room imports."""
    return {
        name: imported_modules(path.read_text("utf-8"), folder_of(name, path)) for name, path in all_modules().items()
    }


def folder_of(module: str, path: Path) -> str:
    """The package whose folder a module lies in; for an `__init__.py`, the package itself."""
    return module if path.name == "__init__.py" else module.rpartition(".")[0]


def imported_modules(source: str, package: str = "") -> set[str]:
    """Every module that `source` imports, in functions and under `if` too, and by `import_module("name")`.

    `from a import b` gives `a` and `a.b`, since b may be a module. `package` is where relative imports start.
    Imports for the type checker only (`if TYPE_CHECKING:`) are none: they never run.
    """
    return {name for node in _running(ast.parse(source)) for name in _names(node, package)}


def modules_of(room: Path) -> dict[str, Path]:
    """The modules of one room by their dotted names."""
    root = room.parent
    return {
        ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path
        for path in sorted(room.rglob("*.py"))
    }


def _running(tree: ast.AST) -> Iterator[ast.AST]:
    ahead = [tree]
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            ahead += node.orelse
        else:
            yield node
            ahead += ast.iter_child_nodes(node)


def _names(node: ast.AST, package: str) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = _absolute(node, package)
        yield base
        yield from (f"{base}.{alias.name}" for alias in node.names)
    elif isinstance(node, ast.Call) and _called(node) in ("import_module", "__import__"):
        yield from (
            item.value for item in node.args[:1] if isinstance(item, ast.Constant) and isinstance(item.value, str)
        )


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if node.level == 0:
        return node.module or ""
    parents = package.split(".")[: len(package.split(".")) - node.level + 1]
    return ".".join([*parents, *([node.module] if node.module else [])])


def _called(node: ast.Call) -> str:
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
