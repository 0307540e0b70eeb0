"""No kernel that Python calls is missing from the table of those that are compiled beforehand."""

import ast
from collections.abc import Iterator, Mapping

import pytest

from pipeline.mechanics.entries import ENTRIES
from tests.architecture.imports import all_modules

# It names them all.
TABLE = "pipeline.mechanics.entries"


def kernels_called_from_python(sources: Mapping[str, str]) -> set[str]:
    """`module.name` of every kernel that is mentioned outside of kernels."""
    trees = {module: ast.parse(source) for module, source in sources.items()}
    kernels = {f"{module}.{name}" for module, tree in trees.items() for name in _kernels_of(tree)}
    return kernels & {name for module, tree in trees.items() for name in _mentioned(module, tree)}


def _kernels_of(tree: ast.Module) -> set[str]:
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef) and _is_kernel(node)}


def _is_kernel(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and any(
        isinstance(decorator, ast.Name) and decorator.id == "kernel" for decorator in node.decorator_list
    )


def _mentioned(module: str, tree: ast.Module) -> Iterator[str]:
    """What a module's Python, not its kernels, mentions by name, as `module.name`."""
    known: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            known |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            known |= {alias.asname or alias.name: alias.name for alias in node.names}
    for statement in tree.body:
        if not _is_kernel(statement):
            for node in ast.walk(statement):
                if isinstance(node, ast.Name):
                    yield known.get(node.id, f"{module}.{node.id}")
                elif isinstance(node, ast.Attribute):
                    whole = ast.unparse(node.value)
                    yield f"{known.get(whole, whole)}.{node.attr}"


def test_every_kernel_that_python_calls_is_compiled_beforehand() -> None:
    sources = {module: path.read_text("utf-8") for module, path in all_modules().items() if module != TABLE}
    sources = {module: source for module, source in sources.items() if "pipeline.mechanics" in source}
    listed = {f"{entry.__module__}.{entry.__qualname__}" for entry in ENTRIES}

    assert kernels_called_from_python(sources) - listed == set(), f"add them to {TABLE}"


@pytest.mark.parametrize(
    "caller",
    [
        "from a import solve\ndef run(x): return solve(x)",
        "from a import solve as s\nresult = s(1)",
        "import a\ndef run(x): return a.solve(x)",
        "import a as b\ndef run(x): return b.solve(x)",
        "from a import solve\nSOLVERS = {'one': solve}",
        "from a import solve\nclass Run:\n    def __call__(self): return solve(1)",
    ],
)
def test_a_call_from_python_is_seen(caller: str) -> None:
    solver = "@kernel\ndef solve(x): return step(x)\n@kernel\ndef step(x): return x"

    assert kernels_called_from_python({"a": solver, "c": caller}) == {"a.solve"}


def test_kernels_may_call_kernels() -> None:
    solver = "@kernel\ndef solve(x): return step(x)\n@kernel\ndef step(x): return x"
    other = "from a import step\n@kernel\ndef run(x): return step(x)\ndef unrelated(step): return 1"

    assert kernels_called_from_python({"a": solver, "b": other}) == set()
