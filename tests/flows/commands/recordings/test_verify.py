from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from flows import cli
from flows.workers.call_outcome import CallOutcome, Crashed, Raised, Returned
from flows.workers.worker_pool import WorkerPool
from tests.pipeline.session.test_session import COMPLETE

pytestmark = pytest.mark.osim
verify = pytest.importorskip("pipeline.verify")


def verdict(found: float) -> verify.Verdict:
    difference = verify.Difference(what="ID: largest", unit="N·m", value=found, limit=1e-3)
    seconds = {(engine, solve): 0.001 for engine in ("exact", "tools") for solve in ("ik", "id", "so")}
    return verify.Verdict(differences=(difference,), seconds=seconds)


@pytest.fixture
def asked() -> SimpleNamespace:
    return SimpleNamespace(args=())


def ending(monkeypatch: pytest.MonkeyPatch, asked: SimpleNamespace, outcome: CallOutcome, session: Path) -> Result:
    def run(_: WorkerPool, function: object, *args: object, time_limit_s: float) -> CallOutcome:
        asked.args = args
        return outcome

    monkeypatch.setattr(WorkerPool, "run", run)
    return CliRunner().invoke(cli.app, ["verify", str(session), "--trial", "walk_1"])


@pytest.fixture
def session(tmp_path: Path) -> Path:
    (tmp_path / "session.toml").write_text("")
    return tmp_path


def test_engines_that_agree_end_with_0_and_a_table(
    monkeypatch: pytest.MonkeyPatch, asked: SimpleNamespace, session: Path
) -> None:
    result = ending(monkeypatch, asked, Returned(value=verdict(1e-8)), session)
    assert result.exit_code == 0, result.output
    assert "the engines agree" in result.output
    assert asked.args == (str(session / "session.toml"), "walk_1", "gait2hip60", None)


def test_engines_that_disagree_end_with_1(
    monkeypatch: pytest.MonkeyPatch, asked: SimpleNamespace, session: Path
) -> None:
    result = ending(monkeypatch, asked, Returned(value=verdict(0.1)), session)
    assert result.exit_code == 1
    assert "beyond the limit" in result.output


@pytest.mark.parametrize(
    ("outcome", "said", "exit_code"),
    [
        (
            Raised(type_names=("ValueError",), message="the session has no trial 'walk_1'", traceback="", log_tail=""),
            "gait2hip: the session has no trial 'walk_1'",
            2,
        ),
        (
            Raised(type_names=("TrialRejected",), message="read_c3d: cut short", traceback="", log_tail=""),
            "gait2hip: read_c3d: cut short",
            2,
        ),
        (Crashed(exit_code=-11, log_tail="OpenSim's last words"), "crashed (signal SIGSEGV). Run it again", 4),
        (Crashed(exit_code=-11, log_tail="OpenSim's last words"), "OpenSim's last words", 4),
        (Raised(type_names=("KeyError",), message="'hip'", traceback="", log_tail=""), "please report it", 4),
    ],
)
def test_what_can_not_be_compared_says_whose_fault_it_was(
    monkeypatch: pytest.MonkeyPatch,
    asked: SimpleNamespace,
    session: Path,
    outcome: CallOutcome,
    said: str,
    exit_code: int,
) -> None:
    result = ending(monkeypatch, asked, outcome, session)
    assert result.exit_code == exit_code
    assert said in result.stderr


def test_a_session_of_kinematics_only_is_refused_for_what_it_is(tmp_path: Path) -> None:
    asked = COMPLETE.replace("[session]", "[session]\nkinematics_only = true", 1)
    (tmp_path / "session.toml").write_text(asked)
    (tmp_path / "static.c3d").write_text("never read")

    with pytest.raises(ValueError, match="the session asks for kinematics only, and engines are compared"):
        verify.verify_session(str(tmp_path / "session.toml"), None, "gait2hip60", None)
