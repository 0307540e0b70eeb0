"""The engines by name; the recipe chooses one. Importing this module does not load OpenSim; choosing an engine does."""

from importlib import import_module
from typing import cast

from pipeline.solving.engine import Engine

# Name in the recipe -> the module whose functions are the engine.
ENGINES = {"exact": "pipeline.osim.exact.engine", "tools": "pipeline.osim.tools.engine"}


def load_engine(name: str) -> Engine:
    """The engine of this name; ValueError lists the names there are."""
    if name not in ENGINES:
        raise ValueError(f"engine {name!r} is unknown; the recipe may name {', '.join(sorted(ENGINES))}.")
    return cast(Engine, import_module(ENGINES[name]))
