"""Which modules a source file imports, wherever in the file it does so."""

import ast
from collections.abc import Iterator
from pathlib import Path


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
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for other in node.orelse:
                yield other
                yield from _running(other)
        else:
            yield node
            yield from _running(node)


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
