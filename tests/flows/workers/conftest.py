import importlib
from pathlib import Path
from types import ModuleType

import pytest


@pytest.fixture
def stubs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """What workers are given to do; worker processes look for modules where this process does."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))
    return importlib.import_module("worker_stubs")
