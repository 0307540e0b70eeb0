from pathlib import Path

import numpy as np
import pytest

from pipeline.session.init_session import SubjectFacts, init_session, missing_entries
from pipeline.session.session import load_session
from tests.pipeline.c3d_builder import C3DFile, still_points

COMPLETE = SubjectFacts(id="S01", mass_kg=70.5, height_m=1.75, sex="F", age_y=30)


@pytest.fixture
def folder(tmp_path: Path, profile) -> Path:
    """A laboratory's folder: one standing trial, two walks of 1.5 m."""
    directory = tmp_path / "2026 05 12"
    directory.mkdir()
    write(directory / "stand.c3d", profile.required_labels, travel_m=0.0)
    write(directory / "slow_1.c3d", profile.required_labels, travel_m=1.5)
    write(directory / "fast 2.C3D", profile.required_labels, travel_m=1.5)
    return directory


def write(path: Path, labels: tuple[str, ...], travel_m: float) -> None:
    points = still_points(frames=50, points=len(labels))
    points[..., 0] += 1e3 * np.linspace(0, travel_m, 50)[:, None]
    C3DFile(points=points, parameters={"POINT": {"LABELS": list(labels)}}).write(path)


def test_what_is_known_is_a_session_that_loads(folder):
    written = init_session(
        folder, subject=COMPLETE, cohort="healthy", conditions=[("slow*", "slow"), ("*", "fast"), ("slow*", "never")]
    )
    assert missing_entries(written) is None
    session = load_session(folder)
    assert session.file == folder / "session.toml"
    assert (session.key.cohort, session.key.subject, session.key.session) == ("healthy", "S01", "2026_05_12")
    assert session.static == folder / "stand.c3d"
    assert session.profile == "isb_full_body"
    assert (session.subject.mass_kg, session.subject.height_m) == (70.5, 1.75)
    assert (session.subject.sex, session.subject.age_y) == ("F", 30)
    assert {trial.path.name: trial.condition for trial in session.trials} == {
        "fast 2.C3D": "fast",
        "slow_1.c3d": "slow",
    }


def test_what_is_not_known_is_left_to_be_filled_in(folder):
    written = init_session(folder, subject=SubjectFacts(id="S01"))
    text = written.read_text("utf-8")
    for line in (
        "# mass_kg =   # FILL IN: body mass in kilograms",
        "# height_m =   # FILL IN: standing height in metres",
        'cohort = "unspecified"',
        '"slow_1.c3d" = "unspecified"  # 0.50 s, 0 plates',
    ):
        assert line in text
    missing = missing_entries(written)
    assert missing is not None
    assert "Fill in mass_kg, height_m: nothing is assumed" in missing


def test_a_recordings_own_figures_are_hints_and_never_taken(folder, profile):
    points = still_points(frames=50, points=len(profile.required_labels))
    block = {"USED": np.array([1], dtype="<i2"), "BODYMASS": np.array([64.0], dtype="<f4")}
    C3DFile(points=points, parameters={"POINT": {"LABELS": list(profile.required_labels)}, "PROCESSING": block}).write(
        folder / "stand.c3d"
    )
    text = init_session(folder, subject=SubjectFacts(id="S01")).read_text("utf-8")
    line = next(line for line in text.splitlines() if "mass_kg" in line)
    assert line.startswith("# mass_kg = ")
    assert "FILL IN" in line
    assert "a recording says 64" in line


def test_recordings_stay_where_they_are(folder, tmp_path):
    before = sorted(folder.iterdir())
    output = tmp_path / "sessions" / "S01.toml"
    init_session(folder, subject=COMPLETE, cohort="healthy", conditions=[("*", "slow")], output=output)
    assert sorted(folder.iterdir()) == before
    assert load_session(output).static == folder / "stand.c3d"


def test_an_unreadable_recording_is_named_and_left_out(folder):
    (folder / "broken.c3d").write_bytes(b"no recording")
    written = init_session(folder, subject=COMPLETE, cohort="healthy", conditions=[("*", "slow")])
    assert '# "broken.c3d" = ""  # can\'t be read: broken.c3d: the file has 12 bytes' in written.read_text("utf-8")
    assert {trial.name for trial in load_session(written).trials} == {"fast_2", "slow_1"}


def test_a_session_file_is_never_overwritten(folder):
    (folder / "session.toml").write_text("mine")
    with pytest.raises(ValueError, match=r"session\.toml exists already and is not overwritten. Edit it"):
        init_session(folder, subject=COMPLETE)
    assert (folder / "session.toml").read_text() == "mine"


def test_two_standing_trials_need_a_choice(folder, profile):
    write(folder / "stand_again.c3d", profile.required_labels, travel_m=0.1)
    with pytest.raises(ValueError, match=r"expected one recording of quiet standing, found .*stand.c3d.*--static FILE"):
        init_session(folder, subject=COMPLETE)
    chosen = init_session(folder, subject=COMPLETE, cohort="healthy", conditions=[("*", "slow")], static="stand.c3d")
    assert load_session(chosen).static.name == "stand.c3d"


def test_where_nobody_stands_walks_alone_size_the_body(folder):
    (folder / "stand.c3d").unlink()
    file = init_session(folder, subject=COMPLETE, cohort="healthy", conditions=[("*", "slow")])
    session = load_session(file)
    assert "none was found, walks alone size the body" in file.read_text()
    assert session.static is None
    assert session.sizing_trials == session.trials


def test_a_static_trial_that_is_not_there_is_named(folder):
    with pytest.raises(ValueError, match=r"nowhere\.c3d is not among the folder's readable C3D files: \['fast 2\.C3D'"):
        init_session(folder, subject=COMPLETE, static="nowhere.c3d")


def test_markers_of_no_known_laboratory_ask_for_a_profile(tmp_path):
    write(tmp_path / "walk.c3d", ("A", "B"), travel_m=1.0)
    with pytest.raises(ValueError, match=r"isb_full_body, plug_in_gait.*Write a profile.*--profile"):
        init_session(tmp_path, subject=COMPLETE)


def test_what_is_no_folder_of_recordings_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no C3D file"):
        init_session(tmp_path, subject=COMPLETE)
    with pytest.raises(ValueError, match="is not a folder"):
        init_session(tmp_path / "nowhere", subject=COMPLETE)


def test_a_place_that_can_not_be_written_is_named(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"session\.toml can't be written.*--output FILE"):
        init_session(folder, subject=COMPLETE, output=tmp_path / "file" / "session.toml")
