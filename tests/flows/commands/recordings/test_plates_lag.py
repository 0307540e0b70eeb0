from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows import cli
from pipeline.errors import TrialRejected
from pipeline.ground.plate_lag import PlateLag
from tests.pipeline.session.test_session import COMPLETE

pytestmark = pytest.mark.osim
plates_in_time = pytest.importorskip("pipeline.plates_in_time")

LAG = PlateLag(lag_s=0.016, random_s=0.003, by_measure={"up": (0.016, 0.003)})
FOUND = plates_in_time.SessionLag(walks={"walk_1": LAG}, untold={}, together=LAG, n_walks=1)


@pytest.fixture
def sessions(tmp_path: Path) -> list[Path]:
    folders = [tmp_path / name for name in ("S01", "S02", "S03")]
    for folder in folders:
        folder.mkdir()
        (folder / "session.toml").write_text(COMPLETE)
    return folders


def run(*sessions: Path) -> Result:
    return CliRunner().invoke(cli.app, ["plates-lag", *map(str, sessions)])


def test_each_session_has_a_line_and_all_have_one(monkeypatch: pytest.MonkeyPatch, sessions: list[Path]) -> None:
    """A session without a body costs only itself."""

    def lag_of_session(file: Path, recipe: str) -> plates_in_time.SessionLag:
        assert recipe == "gait2hip60"
        if file.parent.name == "S02":
            raise TrialRejected("scaling", "no body can be right")
        return FOUND

    monkeypatch.setattr(plates_in_time, "lag_of_session", lag_of_session)
    first, second, third, together = run(*sessions).stdout.splitlines()
    assert first.startswith(f"{sessions[0] / 'session.toml'}: by Newton's laws 16 ± 3 ms late (up 16 ± 3; walk_1 16")
    assert second.endswith("S02/session.toml: no body, rejected at scaling: no body can be right")
    assert third.startswith(f"{sessions[2] / 'session.toml'}: by Newton's laws 16 ± 3 ms late")
    assert together.startswith(
        "all 2 sessions: by Newton's laws 16 ± 2 ms late (up 16 ± 2; 2 walks). Ask the laboratory"
    )


def test_a_folder_without_a_session_is_refused(tmp_path: Path) -> None:
    result = run(tmp_path)
    assert result.exit_code == 2
    assert "session.toml" in result.stderr


def test_a_session_of_kinematics_only_is_said_to_be_one(sessions: list[Path]) -> None:
    for folder in sessions:
        (folder / "session.toml").write_text(COMPLETE.replace("[session]", "[session]\nkinematics_only = true", 1))

    for line in run(*sessions).stdout.splitlines():
        assert line.endswith("nothing tells how late the plates are: the session asks for kinematics only")
