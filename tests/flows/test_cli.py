from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from flows import cli
from tests.pipeline.recordings.test_read_recording import pushed, standing


def _run(*args: str) -> Result:
    return CliRunner().invoke(cli.app, list(args))


@pytest.mark.parametrize(
    "args",
    [
        ["ingest", "S01"],
        ["ingest", "--warehouse", "w"],
        ["ingest", "S01", "--warehouse", "w", "--workers", "0"],
        ["ingest", "S01", "--warehouse", "w", "--marker-cutoff-hz", "6"],
        ["init-session", "S01"],
        ["status"],
        ["no-such-command"],
    ],
)
def test_wrong_usage_is_exit_code_2(args: list[str]) -> None:
    assert _run(*args).exit_code == 2


@pytest.mark.parametrize("text", ["slow", "=slow", "*slow*="])
def test_a_condition_says_which_files_and_what(tmp_path: Path, text: str) -> None:
    result = _run("init-session", str(tmp_path), "--subject", "S01", "--condition", text)

    assert result.exit_code == 2
    assert "expected GLOB=NAME" in result.stderr


def test_init_session_of_an_empty_folder_says_what_to_give(tmp_path: Path) -> None:
    result = _run("init-session", str(tmp_path), "--subject", "S01")

    assert result.exit_code == 2
    assert "holds no recording" in result.stderr


def test_status_of_no_warehouse_says_so(tmp_path: Path) -> None:
    result = _run("status", "--warehouse", str(tmp_path / "none"))

    assert result.exit_code == 2
    assert "there is no warehouse" in result.stderr


def test_inspect_of_a_file_that_is_no_c3d_names_it(tmp_path: Path) -> None:
    file = tmp_path / "notes.c3d"
    file.write_text("not a recording")

    result = _run("inspect", str(file))

    assert result.exit_code == 2
    assert "notes.c3d" in result.stderr


def test_inspect_puts_forces_beside_markers(tmp_path: Path) -> None:
    markers, forces = standing(tmp_path), pushed(tmp_path)

    result = _run("inspect", str(markers), "--forces", str(forces), "--export", str(tmp_path / "out"))

    assert result.exit_code == 0
    assert "ground_r: the right foot's" in result.stdout
    assert (tmp_path / "out" / "plates.parquet").is_file()


def test_inspect_of_a_motion_exports_nothing(tmp_path: Path) -> None:
    forces = pushed(tmp_path)

    assert "ground reactions" in _run("inspect", str(forces)).stdout
    result = _run("inspect", str(forces), "--export", str(tmp_path / "out"))
    assert result.exit_code == 2
    assert "expected markers" in result.stderr


def test_the_version_is_the_installed_one() -> None:
    from importlib.metadata import version

    assert _run("--version").stdout == f"gait2hip {version('gait2hip')}\n"
