import pytest

from pipeline.session.load_profile import fixed_profiles, load_profile, takes_labels_from_recordings

LABELS = {f"{side}{name}" for side in "RL" for name in ("ASI", "PSI", "KNE", "TIB", "ANK", "HEE", "TOE")}


def test_the_packaged_profile_without_labels_needs_recordings() -> None:
    assert takes_labels_from_recordings("auto")
    assert "auto" not in fixed_profiles()
    with pytest.raises(ValueError, match="takes those of a session's recordings"):
        load_profile("auto")
    assert set(load_profile("auto", [LABELS]).markers) == LABELS


def test_a_short_profile_in_a_file(tmp_path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text(f'name = "lab"\nup = "+z"\nlabels = {sorted(LABELS)}\n[technical]\nfemur_r = ["RKNE"]\n')
    profile = load_profile(str(path))
    assert not takes_labels_from_recordings(str(path))
    assert profile.up == "+z"
    assert profile.markers["RKNE"].landmark == ""


def test_an_unknown_entry_is_named(tmp_path) -> None:
    path = tmp_path / "lab.toml"
    path.write_text('name = "lab"\nlable = ["RASI"]\n')
    with pytest.raises(ValueError, match=r"lab.toml.*lable"):
        load_profile(str(path))
