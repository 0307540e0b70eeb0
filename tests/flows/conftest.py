import importlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from flows.ingesting.steps import ChainSteps
from flows.learning import tracking

# Tests import MLflow themselves, before the program can set this.
os.environ["MLFLOW_DISABLE_TELEMETRY"] = "true"

STUBS = Path(__file__).parent

WriteSession = Callable[..., Path]


@pytest.fixture
def stubs_on_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Worker processes look for modules where this process does."""
    monkeypatch.syspath_prepend(str(STUBS))


@pytest.fixture
def stub_chain(stubs_on_path: None) -> ChainSteps:
    """A chain without science, which does what session files say."""
    steps: ChainSteps = importlib.import_module("stub_steps").STEPS
    return steps


@pytest.fixture
def write_session(tmp_path: Path) -> WriteSession:
    """Write a session for `stub_steps`: its name, what its preparation does, what each of its trials does."""

    def write(name: str, trials: dict[str, str], prepare: str = "accept", **more: object) -> Path:
        file = tmp_path / f"{name}.json"
        content = {"key": ["cohort", "S01", name], "prepare": prepare, "trials": trials, **more}
        file.write_text(json.dumps(content))
        return file

    return write


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with MLflow's tables, which take seconds to make."""
    file = tmp_path_factory.mktemp("mlflow") / "mlruns.db"
    tracking.called(f"sqlite:///{file}", "any", "champion")
    return file


@pytest.fixture
def uri(empty_database: Path, tmp_path: Path) -> str:
    """Where to track: a database of the test's own."""
    return f"sqlite:///{shutil.copy(empty_database, tmp_path / 'mlruns.db')}"
