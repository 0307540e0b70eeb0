from pathlib import Path

import pytest

from flows.absolute import absolute_model, absolute_recipe, absolute_warehouse


def test_what_lies_here_gets_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.toml").touch()
    monkeypatch.chdir(tmp_path)

    assert absolute_recipe("mine.toml") == str(tmp_path / "mine.toml")
    assert absolute_model(Path("m.osim")) == str(tmp_path / "m.osim")
    assert absolute_warehouse("w") == str(tmp_path / "w")


def test_a_name_stays_a_name() -> None:
    assert absolute_recipe("gait2hip60") == "gait2hip60"
    assert absolute_model(None) is None
    assert absolute_warehouse("s3://lab/gait") == "s3://lab/gait"
