from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.session.init_session import init_session
from pipeline.session.session import load_session
from pipeline.session.stated_facts import SubjectFacts
from tests.pipeline.c3d_builder import C3DFile, still_points
from tests.pipeline.recordings.trc_text import trc_text

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
    assert written.missing == ()
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
    text = written.file.read_text("utf-8")
    for line in (
        "# mass_kg =   # FILL IN: body mass in kilograms",
        "# height_m =   # FILL IN: standing height in metres",
        'cohort = "unspecified"',
        '"slow_1.c3d" = "unspecified"  # 0.50 s, 0 plates',
    ):
        assert line in text
    assert written.missing == ("mass_kg", "height_m")
    with pytest.raises(ValueError, match="Fill in mass_kg, height_m: nothing is assumed"):
        load_session(written.file)


def test_a_recordings_own_figures_are_hints_and_never_taken(folder, profile):
    points = still_points(frames=50, points=len(profile.required_labels))
    block = {"USED": np.array([1], dtype="<i2"), "BODYMASS": np.array([64.0], dtype="<f4")}
    C3DFile(points=points, parameters={"POINT": {"LABELS": list(profile.required_labels)}, "PROCESSING": block}).write(
        folder / "stand.c3d"
    )
    written = init_session(folder, subject=SubjectFacts(id="S01"))
    assert written.missing == ("mass_kg (a recording says 64 kg)", "height_m")
    text = written.file.read_text("utf-8")
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
    assert '# "broken.c3d" = ""  # can\'t be read: broken.c3d: the file has 12 bytes' in written.file.read_text("utf-8")
    assert any(note.startswith("left out: broken.c3d: the file has 12 bytes") for note in written.notes)
    assert {trial.name for trial in load_session(written.file).trials} == {"fast_2", "slow_1"}


def test_a_session_file_is_never_overwritten(folder):
    (folder / "session.toml").write_text("mine")
    with pytest.raises(ValueError, match=r"session\.toml exists already.*--force"):
        init_session(folder, subject=COMPLETE)
    assert (folder / "session.toml").read_text() == "mine"


def test_force_writes_again_and_loses_nothing(folder):
    (folder / "session.toml").write_text("mine")
    again = init_session(folder, subject=COMPLETE, force=True)
    assert again.kept == folder / "session.toml.bak"
    assert again.kept.read_text() == "mine"
    third = init_session(folder, subject=COMPLETE, force=True)
    assert third.kept == folder / "session.toml.2.bak"
    assert (folder / "session.toml.bak").read_text() == "mine"
    assert load_session(third.file).subject.mass_kg == 70.5
    assert {path.name for path in folder.iterdir() if path.suffix.lower() != ".c3d"} == {
        "session.toml",
        "session.toml.bak",
        "session.toml.2.bak",
    }


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"mass_kg": 670.0}, r"--mass-kg 670\.0: is outside 10-250 kg"),
        ({"mass_kg": 0.0}, r"--mass-kg 0\.0: is outside 10-250 kg"),
        ({"height_m": 166.0}, r"--height-m 166\.0: is outside 0\.8-2\.4 m\. Is it in centimetres"),
        ({"sex": "woman"}, r"--sex 'woman': expected F or M"),
        ({"age_y": 0.2}, r"--age-y 0\.2: "),
        ({"id": "Jane Doe"}, r"--subject 'Jane Doe' can't be used in a path"),
    ],
)
def test_what_no_session_file_may_hold_is_refused_before_anything_is_written(folder, wrong, said):
    before = sorted(folder.iterdir())
    with pytest.raises(ValueError, match=said):
        init_session(folder, subject=replace(COMPLETE, **wrong))
    assert sorted(folder.iterdir()) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"cohort": "a/b"}, r"--cohort 'a/b' can't be used in a path"),
        ({"conditions": [("slow*", "slow"), ("fsat*", "fast")]}, r"'fsat\*=fast' matches no walk.*fast 2\.C3D, slow_1"),
        ({"conditions": [("stand*", "slow")]}, r"'stand\*=slow' matches no walk"),
        ({"static": "nowhere.c3d"}, r"--static 'nowhere\.c3d' is none of the recordings.*fast 2\.C3D, slow_1\.c3d"),
        ({"profile": "nobody"}, r"'nobody' is neither a file nor one of the packaged profiles"),
    ],
)
def test_an_option_that_fits_nothing_is_refused_before_anything_is_written(folder, options, said):
    before = sorted(folder.iterdir())
    with pytest.raises(ValueError, match=said):
        init_session(folder, subject=COMPLETE, **options)
    assert sorted(folder.iterdir()) == before


def test_an_old_session_file_stays_where_force_is_refused(folder):
    (folder / "session.toml").write_text("mine")
    with pytest.raises(ValueError, match="--sex"):
        init_session(folder, subject=replace(COMPLETE, sex="x"), force=True)
    assert (folder / "session.toml").read_text() == "mine"
    assert not (folder / "session.toml.bak").exists()


def test_two_files_that_would_be_one_trial_are_refused_by_name(folder, profile):
    write(folder / "slow 1.c3d", profile.required_labels, travel_m=1.5)
    with pytest.raises(
        ValueError, match=r"slow 1\.c3d and slow_1\.c3d would both be trial 'slow_1'.*Nothing was written"
    ):
        init_session(folder, subject=COMPLETE)
    assert not (folder / "session.toml").exists()


@pytest.mark.parametrize("word", ['a "quick" walk', "back\\slash", "two\nlines", "tab\t", "ünïcode"])
def test_a_condition_is_written_as_it_was_typed(folder, word):
    written = init_session(folder, subject=COMPLETE, conditions=[("*", word)])
    assert {trial.condition for trial in load_session(written.file).trials} == {word}


def test_two_standing_trials_that_are_alike_need_a_choice(folder, profile):
    write(folder / "stand_again.c3d", profile.required_labels, travel_m=0.0)
    with pytest.raises(ValueError, match=r"expected one recording of quiet standing, found .*stand.c3d.*--static FILE"):
        init_session(folder, subject=COMPLETE)
    chosen = init_session(folder, subject=COMPLETE, cohort="healthy", conditions=[("*", "slow")], static="stand.c3d")
    session = load_session(chosen.file)
    assert session.static.name == "stand.c3d"
    assert {trial.name for trial in session.trials} == {"fast_2", "slow_1"}
    assert '# "stand_again.c3d" = ""  # stands too' in chosen.file.read_text("utf-8")


def test_of_two_standing_trials_the_fuller_one_is_taken_and_the_other_is_no_walk(folder, profile):
    write(folder / "stand_bare.c3d", profile.required_labels[:-1], travel_m=0.0)
    written = init_session(folder, subject=COMPLETE)
    session = load_session(written.file)
    assert session.static.name == "stand.c3d"
    assert {trial.name for trial in session.sizing_trials} == {"fast_2", "slow_1"}
    assert "static trial: stand.c3d" in written.notes
    assert any("stand_bare.c3d shows" in note for note in written.notes)


def test_where_nobody_stands_walks_alone_size_the_body(folder):
    (folder / "stand.c3d").unlink()
    file = init_session(folder, subject=COMPLETE, cohort="healthy", conditions=[("*", "slow")]).file
    session = load_session(file)
    assert "none was found, walks alone size the body" in file.read_text()
    assert session.static is None
    assert session.sizing_trials == session.trials


def test_a_folder_of_standing_alone_is_refused(folder):
    for walk in ("slow_1.c3d", "fast 2.C3D"):
        (folder / walk).unlink()
    with pytest.raises(ValueError, match=r"holds no walk that can be read; it has stand\.c3d"):
        init_session(folder, subject=COMPLETE)


def test_a_static_trial_that_can_not_be_read_says_why(folder):
    (folder / "broken.c3d").write_bytes(b"no recording")
    with pytest.raises(ValueError, match=r"--static broken\.c3d can't be read: broken\.c3d: the file has 12 bytes"):
        init_session(folder, subject=COMPLETE, static="broken.c3d")


def test_markers_of_no_known_laboratory_ask_for_a_profile(tmp_path):
    write(tmp_path / "walk.c3d", ("A", "B"), travel_m=1.0)
    with pytest.raises(
        ValueError, match=r"isb_full_body, plug_in_gait.*not recognised: A, B.*gait2hip profile.*--profile"
    ):
        init_session(tmp_path, subject=COMPLETE)


def test_what_is_no_folder_of_recordings_is_refused(tmp_path):
    with pytest.raises(ValueError, match="holds no recording"):
        init_session(tmp_path, subject=COMPLETE)
    with pytest.raises(ValueError, match="is not a folder"):
        init_session(tmp_path / "nowhere", subject=COMPLETE)


def test_a_place_that_can_not_be_written_is_named(folder, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ValueError, match=r"session\.toml can't be written.*--output FILE"):
        init_session(folder, subject=COMPLETE, output=tmp_path / "file" / "session.toml")


def test_labels_that_are_known_need_no_profile(tmp_path):
    labels = tuple(
        f"{side}.{name}" for side in "RL" for name in ("ASIS", "PSIS", "Knee", "Ankle", "Heel", "MT1", "MT5")
    )
    write(tmp_path / "stand.c3d", (*labels, "R.MT2", "Odd"), travel_m=0.0)
    write(tmp_path / "walk.c3d", (*labels, "Odd"), travel_m=1.5)
    written = init_session(tmp_path, subject=COMPLETE)
    assert 'profile = "auto"' in written.file.read_text("utf-8")
    notes = " ".join(written.notes)
    assert "15 labels are known landmarks" in notes
    assert "not recognised, and not used: Odd" in notes
    assert load_session(written.file).static == tmp_path / "stand.c3d"


def write_trc(path: Path, labels: tuple[str, ...], travel_m: float) -> None:
    points = still_points(frames=50, points=len(labels))[..., :3].astype(float)
    points[..., 0] += 1e3 * np.linspace(0, travel_m, 50)[:, None]
    path.write_text(trc_text(labels=labels, positions=points))


def test_a_folder_of_trc_files_is_a_session_too(tmp_path, profile):
    write_trc(tmp_path / "stand.trc", profile.required_labels, travel_m=0.0)
    write_trc(tmp_path / "slow.trc", profile.required_labels, travel_m=1.5)
    write_trc(tmp_path / "fast.trc", profile.required_labels, travel_m=1.5)
    (tmp_path / "fast_grf.mot").write_text("no table")

    init_session(tmp_path, subject=COMPLETE, cohort="healthy", conditions=[("*", "slow")])

    session = load_session(tmp_path)
    assert (session.static, [trial.name for trial in session.trials]) == (tmp_path / "stand.trc", ["slow"])
    text = (tmp_path / "session.toml").read_text()
    assert '# "fast.trc" = ""  # can\'t be read: fast_grf.mot: no \'endheader\' line' in text


def test_a_folder_without_any_forces_asks_for_angles_alone(tmp_path, profile):
    write_trc(tmp_path / "stand.trc", profile.required_labels, travel_m=0.0)
    write_trc(tmp_path / "walk.trc", profile.required_labels, travel_m=1.5)
    written = init_session(tmp_path, subject=COMPLETE)
    assert load_session(tmp_path).kinematics_only
    assert "kinematics_only = true is written" in " ".join(written.notes)


def test_forces_under_another_name_are_asked_for_and_not_given_up(tmp_path, profile):
    write_trc(tmp_path / "stand.trc", profile.required_labels, travel_m=0.0)
    write_trc(tmp_path / "walk.trc", profile.required_labels, travel_m=1.5)
    (tmp_path / "forces_of_walk.mot").write_text("no table")
    written = init_session(tmp_path, subject=COMPLETE)
    assert not load_session(tmp_path).kinematics_only
    said = " ".join(written.notes)
    assert "the folder has forces_of_walk.mot" in said
    assert 'forces = "FILE"' in said


def test_what_known_labels_leave_undetermined_is_said(tmp_path):
    labels = tuple(
        f"{side}.{name}" for side in "RL" for name in ("ASIS", "PSIS", "Knee", "Ankle", "Heel", "MT1", "MT5")
    )
    write(tmp_path / "stand.c3d", labels, travel_m=0.0)
    write(tmp_path / "walk.c3d", labels, travel_m=1.5)
    notes = init_session(tmp_path, subject=COMPLETE).notes
    assert any("no marker is on the trunk" in note for note in notes)
    assert any("no marker tells the right knee's axis from the medial side" in note for note in notes)
