"""`gait2hip profile`: the files that it writes, and what it says of labels that nobody knows."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from flows import cli
from pipeline.session.load_profile import load_profile
from tests.pipeline.session.test_setup import write_trc

pytestmark = pytest.mark.osim


def test_a_profile_and_a_page_are_written_that_name_what_is_unknown(tmp_path: Path) -> None:
    static, lab = tmp_path / "static.trc", tmp_path / "lab.toml"
    write_trc(static, also=("QQX7",))

    done = CliRunner().invoke(cli.app, ["profile", str(static), "-o", str(lab)])

    assert done.exit_code == 0, done.output
    assert "1 not recognised, and not used: QQX7" in done.stdout
    profile = load_profile(str(lab))
    assert profile.pelvis.right_anterior == "RASI" and profile.markers["RHEE"].landmark == "heel"
    assert "QQX7" not in profile.markers
    page = (tmp_path / "lab.html").read_text("utf-8")
    assert "QQX7" in page and "pass --mass and --height" in page
    again = CliRunner().invoke(cli.app, ["profile", str(static), "-o", str(lab)])
    assert again.exit_code == 2
    assert "exists already and is not overwritten" in again.stderr
