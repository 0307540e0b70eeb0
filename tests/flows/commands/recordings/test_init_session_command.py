"""`gait2hip init-session` as people type it: what it says, where, and with which exit code."""

from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from flows import cli
from pipeline.session.load_profile import load_profile
from tests.pipeline.c3d_builder import C3DFile, still_points


def _run(*args: str) -> Result:
    return CliRunner().invoke(cli.app, ["init-session", *args])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A static trial and a walk, whose file states 64 kg."""
    labels = load_profile("isb_full_body").required_labels
    for name, travel_m in (("stand.c3d", 0.0), ("slow_1.c3d", 1.5)):
        points = still_points(frames=50, points=len(labels))
        points[..., 0] += 1e3 * np.linspace(0, travel_m, 50)[:, None]
        block = {"USED": np.array([1], dtype="<i2"), "BODYMASS": np.array([64.0], dtype="<f4")}
        C3DFile(points=points, parameters={"POINT": {"LABELS": list(labels)}, "PROCESSING": block}).write(
            tmp_path / name
        )
    return tmp_path


def test_what_is_left_to_do_is_said_with_what_a_recording_says(folder: Path) -> None:
    result = _run(str(folder), "--subject", "S01")

    assert result.exit_code == 0
    file = folder / "session.toml"
    assert result.stdout.splitlines() == [
        f"wrote {file}",
        "profile: isb_full_body",
        "static trial: stand.c3d",
        "no walk has force plates: kinematics_only = true is written, and joint angles alone are stored",
        f"to do: fill in mass_kg (a recording says 64 kg) and height_m in {file}: nothing is assumed",
    ]
    assert result.stderr == ""


def test_what_a_recording_contradicts_is_written_and_said(folder: Path) -> None:
    result = _run(str(folder), "--subject", "S01", "--mass-kg", "141")

    assert result.exit_code == 0
    assert "gait2hip: check: slow_1.c3d, stand.c3d state 64 kg, --mass-kg is 141: one of them is wrong" in result.stderr


def test_force_says_where_the_old_file_is(folder: Path) -> None:
    assert _run(str(folder), "--subject", "S01").exit_code == 0
    refused = _run(str(folder), "--subject", "S02")
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "--force" in refused.stderr

    again = _run(str(folder), "--subject", "S02", "--force")

    assert again.exit_code == 0
    assert f"the file that stood there is {folder / 'session.toml.bak'}" in again.stdout
    assert 'id = "S01"' in (folder / "session.toml.bak").read_text("utf-8")
    assert 'id = "S02"' in (folder / "session.toml").read_text("utf-8")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--sex", "woman"], "--sex 'woman': expected F or M"),
        (["--height-m", "166"], "--height-m 166.0: is outside 0.8-2.4 m. Is it in centimetres?"),
        (["--condition", "fast*=fast"], "'fast*=fast' matches no walk. The walks are slow_1.c3d;"),
        (["--condition", "fast"], "expected GLOB=NAME"),
        (["--cohort", "a b"], "--cohort 'a b' can't be used in a path"),
    ],
)
def test_a_wrong_option_is_one_line_and_nothing_is_written(folder: Path, options: list[str], said: str) -> None:
    result = _run(str(folder), "--subject", "S01", *options)

    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert result.stderr.startswith("gait2hip: ")
    assert len(result.stderr.splitlines()) == 1
    assert not (folder / "session.toml").exists()
