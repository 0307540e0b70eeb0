from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner, Result

from flows import cli
from flows.workers import worker_process
from flows.workers.worker_process import Crashed, Raised, Returned

pytestmark = pytest.mark.osim
verify = pytest.importorskip("pipeline.verify")


def verdict(found: float) -> verify.Verdict:
    difference = verify.Difference(what="ID: largest", unit="N·m", found=found, limit=1e-3)
    seconds = {(engine, solve): 0.001 for engine in ("exact", "tools") for solve in ("ik", "id", "so")}
    return verify.Verdict(differences=(difference,), seconds=seconds)


@pytest.fixture
def asked() -> SimpleNamespace:
    return SimpleNamespace(args=())


def ending(monkeypatch: pytest.MonkeyPatch, asked: SimpleNamespace, outcome: object, session: Path) -> Result:
    def run(function: object, *args: object, time_limit_s: float) -> object:
        asked.args = args
        return outcome

    monkeypatch.setattr(worker_process, "run", run)
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
    ("outcome", "said"),
    [
        (
            Raised(type_names=("ValueError",), message="the session has no trial 'walk_1'", traceback="", log_tail=""),
            "the session has no trial 'walk_1'",
        ),
        (Crashed(exit_code=-11, log_tail="OpenSim's last words"), "OpenSim's last words"),
    ],
)
def test_what_can_not_be_compared_ends_with_2(
    monkeypatch: pytest.MonkeyPatch, asked: SimpleNamespace, session: Path, outcome: object, said: str
) -> None:
    result = ending(monkeypatch, asked, outcome, session)
    assert result.exit_code == 2
    assert said in result.output
