"""What people name, as any process finds it: workers have a working directory of their own."""

from pathlib import Path


def absolute_recipe(recipe: str) -> str:
    """As it is remembered: a packaged recipe's name, or a file's absolute path."""
    return str(Path(recipe).absolute()) if Path(recipe).is_file() else recipe


def absolute_model(model: Path | None) -> str | None:
    """A model file's absolute path, None if none is named."""
    return None if model is None else str(model.absolute())


def absolute_warehouse(warehouse: str) -> str:
    """A warehouse's absolute path, or its address in an object store as it is."""
    return warehouse if "://" in warehouse else str(Path(warehouse).expanduser().absolute())
