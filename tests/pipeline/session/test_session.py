import pytest

from pipeline.session.recipe import read_settings
from pipeline.session.session import load_session, trial_name
from pipeline.session.setup import open_session

COMPLETE = """
format = 1
[subject]
id = "S01"
mass_kg = 70.0
height_m = 1.75
[session]
id = "2026-05-12"
cohort = "healthy"
profile = "isb_full_body"
static = "static.c3d"
[trials]
"walk 01.c3d" = "slow"
"walk_02.c3d" = "fast"
"""


def write(tmp_path, text):
    (tmp_path / "session.toml").write_text(text)
    return tmp_path


def test_a_session_is_read_from_its_folder_or_its_file(tmp_path):
    folder = write(tmp_path, COMPLETE)
    session = load_session(folder)
    assert session == load_session(folder / "session.toml")
    assert str(session.trial_key("walk_01")) == "healthy/S01/2026-05-12/walk_01"
    assert [trial.condition for trial in session.trials] == ["slow", "fast"]
    assert session.trial("walk_01").path == folder / "walk 01.c3d"


def test_recordings_may_lie_elsewhere(tmp_path):
    text = COMPLETE.replace('static = "static.c3d"', 'static = "static.c3d"\nrecordings = "raw"')
    assert load_session(write(tmp_path, text)).static == tmp_path / "raw" / "static.c3d"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("mass_kg = 70.0\n", "", "mass_kg.*Fill in mass_kg"),
        ("height_m = 1.75", "height_m = 0.0175", "0.8-2.4 m. Is it in centimetres"),
        ("height_m = 1.75", "height_m = 175", "0.8-2.4 m. Is it in centimetres"),
        ("mass_kg = 70.0", "mass_kg = 70000", "10-250 kg"),
        ("mass_kg = 70.0", "mass_kg = nan", "mass_kg"),
        ('cohort = "healthy"', 'cohort = "a/b"', "can't be used in a path"),
        ('"walk_02.c3d"', '"walk_01.c3d"', "both be trial 'walk_01'"),
        ('"walk_02.c3d"', '"static.c3d"', "both the static trial and a walk"),
        ("mass_kg", "mas_kg", "mas_kg"),
        ("format = 1", "format = 2", r"session\.toml has format 2; this gait2hip reads 1"),
        ("format = 1", "format = 0", r"session\.toml has format 0; this gait2hip reads 1"),
        ("format = 1", "", "format: Field required"),
        ("[subject]", "[subject", "not valid TOML"),
    ],
)
def test_what_is_wrong_is_named(tmp_path, old, new, message):
    assert old in COMPLETE
    with pytest.raises(ValueError, match=message) as caught:
        load_session(write(tmp_path, COMPLETE.replace(old, new)))
    assert "session.toml" in str(caught.value)


def test_a_folder_without_a_session_says_how_to_make_one(tmp_path):
    with pytest.raises(ValueError, match="gait2hip init-session"):
        load_session(tmp_path)


def test_trial_names_are_fit_for_paths():
    assert trial_name("walk 01 (best).c3d") == "walk_01_best_"
    assert trial_name(".c3d") == "c3d"


def test_a_file_name_too_long_for_a_trials_name_is_refused_with_the_session(tmp_path):
    with pytest.raises(ValueError, match=r"session.toml: trial '.*1-64 letters"):
        load_session(write(tmp_path, COMPLETE.replace("walk_02", "w" * 80)))


def test_a_session_states_how_late_its_plates_are_or_its_profile_does(tmp_path):
    def stated(session: str, profile: str) -> float | None:
        text = read_settings("profiles", "isb_full_body")[1].replace('up = "plates"', f'up = "plates"\n{profile}')
        (tmp_path / "mine.toml").write_text(text, "utf-8")
        write(tmp_path, COMPLETE.replace('"isb_full_body"', f'"mine.toml"\n{session}'))
        return open_session(str(tmp_path), "gait2hip60", None).plates_lag_s

    (tmp_path / "static.c3d").touch()
    assert stated("", "") is None
    assert stated("", "plates_lag_s = 0.015") == 0.015
    # Zero is a statement too.
    assert stated("plates_lag_s = 0.0", "plates_lag_s = 0.015") == 0.0
    with pytest.raises(ValueError, match=r"plates_lag_s.*less than or equal to 0\.1"):
        stated("plates_lag_s = 15", "")


TRC = COMPLETE.replace('"walk 01.c3d" = "slow"', '"walk1.trc" = {condition = "slow", forces = "forces 1.mot"}').replace(
    '"walk_02.c3d"', '"walk2.trc"'
)


def test_a_trial_names_its_forces_or_finds_them_beside_it(tmp_path):
    (tmp_path / "walk2_grf.sto").touch()
    (tmp_path / "walk1_grf.mot").touch()
    first, second = load_session(write(tmp_path, TRC)).trials
    assert (first.name, first.condition, first.forces) == ("walk1", "slow", tmp_path / "forces 1.mot")
    assert (second.name, second.condition, second.forces) == ("walk2", "fast", tmp_path / "walk2_grf.sto")


def test_a_trial_without_forces_has_none(tmp_path):
    (tmp_path / "walk1_grf.mot").touch()
    text = TRC.replace('"forces 1.mot"', '""')
    assert [trial.forces for trial in load_session(write(tmp_path, text)).trials] == [None, None]


def test_a_c3d_holds_plates_of_its_own_unless_told(tmp_path):
    (tmp_path / "walk 01_grf.mot").touch()
    assert load_session(write(tmp_path, COMPLETE)).trials[0].forces is None
    text = COMPLETE.replace('= "slow"', '= {condition = "slow", forces = "walk 01_grf.mot"}')
    assert load_session(write(tmp_path, text)).trials[0].forces == tmp_path / "walk 01_grf.mot"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('condition = "slow", ', "", r"trials\..*condition: Field required"),
        ("forces =", "force =", "force: Extra inputs"),
    ],
)
def test_a_trials_entry_is_checked(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=message):
        load_session(write(tmp_path, TRC.replace(old, new)))


def test_two_files_of_forces_beside_a_trial_are_no_answer(tmp_path):
    for end in ("mot", "sto"):
        (tmp_path / f"walk2_grf.{end}").touch()
    with pytest.raises(ValueError, match=r"walk2_grf\.mot and walk2_grf\.sto both lie beside walk2\.trc"):
        load_session(write(tmp_path, TRC))


SOLVED = (
    COMPLETE.replace('static = "static.c3d"', 'scaled_model = "subject.osim"')
    .replace('"walk 01.c3d"', '"walk1_ik.mot"')
    .replace('"walk_02.c3d"', '"walk2.trc"')
)


def test_a_body_as_given_needs_no_recording_to_size_it(tmp_path):
    session = load_session(write(tmp_path, SOLVED))
    assert (session.scaled_model, session.static, session.sizing_trials) == (tmp_path / "subject.osim", None, ())
    assert [trial.is_solved for trial in session.trials] == [True, False]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('scaled_model = "subject.osim"', "", r"walk1_ik\.mot hold joint coordinates.*scaled_model = "),
        ("scaled_model", 'static = "static.c3d"\nscaled_model', "nothing sizes one. Leave out `static`"),
        ("scaled_model", 'sizing = ["walk2.trc"]\nscaled_model', "nothing sizes one. Leave out `sizing`"),
    ],
)
def test_a_body_is_given_or_sized(tmp_path, old, new, message):
    with pytest.raises(ValueError, match=message):
        load_session(write(tmp_path, SOLVED.replace(old, new)))


def test_a_model_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ValueError, match=r"subject\.osim does not exist. Correct `scaled_model`"):
        open_session(str(write(tmp_path, SOLVED)), "gait2hip60", None)


def test_every_file_that_a_session_names(tmp_path):
    text = TRC.replace("[trials]", "[trials]\n").replace('static = "static.c3d"', 'static = "static.trc"')
    session = load_session(write(tmp_path, text))
    names = {"session.toml", "static.trc", "walk1.trc", "walk2.trc", "forces 1.mot"}
    assert {path.name for path in session.files} == names


def test_joint_coordinates_tell_no_profile(tmp_path):
    (tmp_path / "subject.osim").touch()
    text = SOLVED.replace('"walk2.trc" = "fast"', "").replace('"isb_full_body"', '"auto"')
    with pytest.raises(ValueError, match="joint coordinates tell no labels: name a profile"):
        open_session(str(write(tmp_path, text)), "gait2hip60", None)
