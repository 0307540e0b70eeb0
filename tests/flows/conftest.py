import importlib
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

from flows import worker_process

STUBS = Path(__file__).parent

WriteSession = Callable[..., Path]


@pytest.fixture(autouse=True)
def _allowed_again() -> Iterator[None]:
    """A test that stops the workers leaves them stopped for none but itself."""
    yield
    worker_process.allow()


@pytest.fixture
def stubs_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes look for modules where this process does."""
    monkeypatch.syspath_prepend(str(STUBS))


@pytest.fixture
def stubs(stubs_on_path: None) -> ModuleType:
    return importlib.import_module("worker_stubs")


@pytest.fixture
def write_session(tmp_path: Path) -> WriteSession:
    """Write a session for `stub_steps`: its name, what its preparation does, what each of its trials does."""

    def write(name: str, trials: dict[str, str], prepare: str = "accept", **more: object) -> Path:
        file = tmp_path / f"{name}.json"
        content = {"key": ["cohort", "S01", name], "prepare": prepare, "trials": trials, **more}
        file.write_text(json.dumps(content))
        return file

    return write
