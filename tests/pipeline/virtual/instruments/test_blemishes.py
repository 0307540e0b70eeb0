from importlib.resources import files
from pathlib import Path

import pytest

from pipeline.virtual.instruments.blemishes import Blemishes, load_blemishes

PACKAGED = (files("pipeline.virtual") / "laboratory.toml").read_text("utf-8")


def test_the_default_laboratory_has_every_blemish_and_none_has_no_blemish() -> None:
    assert all(value > 0 for value in load_blemishes("default").model_dump().values())
    assert not any(load_blemishes("none").model_dump().values())


def test_every_setting_is_a_documented_line_of_the_packaged_file() -> None:
    lines = [line for line in PACKAGED.splitlines() if line and not line.startswith("#")]

    assert [line.split(" = ")[0] for line in lines] == list(Blemishes.model_fields)


@pytest.mark.parametrize(
    ("found", "given", "complaint"),
    [
        ("gap_s = 0.08", "gap_s = -1", "gap_s"),
        ("gap_s = 0.08", "gap_s = 0", "gaps_per_trial is 2 and gap_s is 0"),
        ("stumble_ratio = 0.04", "stumble_ratio = 4", "stumble_ratio"),
        ("stumble_n = 80.0", "", "stumble_n"),
        ("stumble_n = 80.0", "stumble_n = 80.0\nmoods = 3", "moods"),
        ("stumble_n = 80.0", "stumble_n = nan", "stumble_n"),
        ("stumble_n = 80.0", "stumble_n = ", "not valid TOML"),
    ],
)
def test_a_setting_that_can_t_be_is_refused_with_the_file_s_name(
    found: str, given: str, complaint: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(PACKAGED.replace(found, given), "utf-8")

    with pytest.raises(ValueError, match=complaint) as refused:
        load_blemishes(str(file))
    assert "mine.toml" in str(refused.value)


def test_a_file_of_one_s_own_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(PACKAGED.replace("thigh_skin_mm = 8.0", "thigh_skin_mm = 15"), "utf-8")

    assert load_blemishes(str(file)).thigh_skin_mm == 15.0


def test_what_is_neither_a_word_nor_a_file_is_refused() -> None:
    with pytest.raises(ValueError, match="'default', 'none' or a TOML file"):
        load_blemishes("perfect")
