"""Whose fault it is when a worker fails during `predict`: the input's, a native library's or ours."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from flows import cli
from flows.learning import prediction
from flows.learning.prediction_input import InputRequest, Walks, read_input
from flows.workers.call_outcome import CallOutcome, Crashed, Raised, Returned
from flows.workers.worker_pool import WorkerPool

SESSION = """
format = 1
[subject]
id = "S01"
mass_kg = 70
height_m = 1.7
[session]
id = "v1"
cohort = "adults"
profile = "any"
static = "static.c3d"
[trials]
"walk_1.c3d" = "slow"
"walk_2.c3d" = "slow"
"""
BUG = Raised(type_names=("KeyError", "LookupError"), message="'hip'", traceback="in fit_pose", log_tail="")
WRONG = Raised(type_names=("ValueError",), message="profile any does not exist", traceback="", log_tail="")
CRASH = Crashed(exit_code=-11, log_tail="last words")


@pytest.fixture
def session(tmp_path: Path) -> Path:
    file = tmp_path / "session.toml"
    file.write_text(SESSION)
    return file


def _workers_say(monkeypatch: pytest.MonkeyPatch, *outcomes: CallOutcome) -> None:
    said = iter(outcomes)
    monkeypatch.setattr(WorkerPool, "run", lambda *_, **__: next(said))


def _predict(session: Path, monkeypatch: pytest.MonkeyPatch) -> Result:
    def predict(request: prediction.PredictRequest) -> list[str]:
        read_input(request.source)
        return []

    monkeypatch.setattr(prediction, "predict_file", predict)
    return CliRunner().invoke(cli.app, ["predict", str(session), "--run", "R", "--output", "out.csv"])


def test_a_bug_in_a_worker_says_that_it_is_ours(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _workers_say(monkeypatch, BUG)

    result = _predict(session, monkeypatch)

    assert result.exit_code == 4
    assert "an unexpected KeyError: 'hip'. This is a fault of gait2hip, not of the recording" in result.stderr
    assert "in fit_pose" in result.stderr


def test_a_wrong_input_says_what_to_correct(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _workers_say(monkeypatch, WRONG)

    result = _predict(session, monkeypatch)

    assert result.exit_code == 2
    assert result.stderr == "gait2hip: profile any does not exist\n"


def test_a_crash_refuses_its_walk_in_a_sentence(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _workers_say(monkeypatch, Returned(value="<osim/>"), CRASH, Returned(value=SimpleNamespace()))

    walks = read_input(InputRequest(path=session, session=None, mass_kg=None, recipe=None, model=None))

    assert isinstance(walks, Walks)
    assert [named.trial for named in walks.walks] == ["walk_2"]
    (refused,) = walks.refused
    assert refused.reason.startswith("walk_1.c3d: the worker process crashed (signal SIGSEGV). Run it again")


def test_where_every_walk_crashes_nothing_is_predicted(session: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _workers_say(monkeypatch, Returned(value="<osim/>"), CRASH, CRASH)

    result = _predict(session, monkeypatch)

    assert result.exit_code == 2
    assert result.stderr.count("the worker process crashed (signal SIGSEGV)") == 2
    assert "Crashed(" not in result.stderr
