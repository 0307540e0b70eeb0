from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows import cli
from pipeline.osim import log
from pipeline.virtual import make_laboratory as maker
from pipeline.virtual.request import Request


def _run(*args: str) -> Result:
    return CliRunner().invoke(cli.app, ["virtual", *args])


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What the command asks of the laboratory, which makes one session."""
    requests: list[Request] = []

    def record(request: Request, on_session) -> list[Path]:
        requests.append(request)
        on_session(request.directory / "VH001" / "session-1")
        return []

    monkeypatch.setattr(maker, "make_laboratory", record)
    # It holds for the whole process, which here has other tests to run.
    monkeypatch.setattr(log, "quiet", lambda: None)
    return requests


def test_what_was_typed_is_asked_for(asked: list[Request], tmp_path: Path) -> None:
    result = _run(
        str(tmp_path / "lab"), "--subjects", "3", "--conditions", "slow,fast", "--trials", "2",
        "--cohort", "hip-disease", "--seed", "7", "--blemishes", "none",
    )  # fmt: skip

    assert result.exit_code == 0
    (request,) = asked
    assert (request.subjects, request.conditions, request.trials) == (3, ("slow", "fast"), 2)
    assert (request.cohort, request.seed) == ("hip-disease", 7)
    assert not any(request.blemishes.model_dump().values())


def test_it_says_that_nobody_walked_and_what_to_do_next(asked: list[Request], tmp_path: Path) -> None:
    said = _run(str(tmp_path / "lab"), "--subjects", "1", "--cohort", "hip-disease").stdout

    assert "virtual-hip-disease (virtual, not patients)" in said
    assert f"wrote {tmp_path / 'lab' / 'VH001' / 'session-1'}" in said
    assert f"gait2hip ingest {tmp_path / 'lab'}/*/* --warehouse" in said


def test_what_can_t_be_ends_with_2_and_a_reason(asked: list[Request], tmp_path: Path) -> None:
    result = _run(str(tmp_path / "lab"), "--subjects", "0")

    assert result.exit_code == 2
    assert "subjects is 0, expected at least 1" in result.stderr
    assert asked == []
    assert not (tmp_path / "lab").exists()
