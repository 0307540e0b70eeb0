from pathlib import Path

import pytest

from pipeline.errors import TrialRejected
from pipeline.osim.models.default_model import default_model_path
from pipeline.session.recipe import read_settings
from pipeline.storing.job import Job, open_job
from pipeline.storing.request import SessionRequest
from pipeline.storing.stages import STAGES, keys_of
from tests.pipeline.session.test_session import COMPLETE
from warehouse.settings_file import parse_toml

pytestmark = pytest.mark.osim  # a stage's key names the OpenSim that is installed


@pytest.fixture
def session(tmp_path: Path) -> Path:
    """A session whose files hold anything: a job only hashes them."""
    (tmp_path / "session.toml").write_text(COMPLETE)
    for name in ("static.c3d", "walk 01.c3d", "walk_02.c3d", "model.osim"):
        (tmp_path / name).write_text(name)
    return tmp_path


def request_of(session: Path, model: str | None = "model.osim", recipe: str = "gait2hip60") -> SessionRequest:
    """What processes the session of a folder, into a warehouse within it; `model` lies in the folder too."""
    return SessionRequest(
        session_file=str(session),
        recipe=recipe,
        model=None if model is None else str(session / model),
        warehouse=str(session / "warehouse"),
    )


def job_of(session: Path) -> Job:
    return open_job(request_of(session))


def trial_keys(job: Job, trial: str) -> dict[str, str]:
    return keys_of(job.trial_accounts(trial))


def rewrite(session: Path, old: str, new: str) -> None:
    text = (session / "session.toml").read_text()
    assert old in text
    (session / "session.toml").write_text(text.replace(old, new))


def stale(session: Path, before: dict[str, str]) -> set[str]:
    after = trial_keys(job_of(session), "walk_01")
    return {stage for stage in before if before[stage] != after[stage]}


def test_a_job_is_its_session_recipe_profile_and_model(session):
    job = job_of(session)
    assert job.setup.session.file == session / "session.toml"
    assert (job.setup.recipe.name, job.setup.profile.name) == ("gait2hip60", "isb_full_body")
    assert job.model == session / "model.osim"
    assert not (session / "warehouse").exists()


def test_a_trials_keys_take_in_its_sessions(session):
    job = job_of(session)
    assert job.session_keys().items() <= trial_keys(job, "walk_01").items()
    assert trial_keys(job, "walk_01") == trial_keys(job_of(session), "walk_01")


def test_trials_share_their_sessions_keys_and_no_others(session):
    job = job_of(session)
    one, other = trial_keys(job, "walk_01"), trial_keys(job, "walk_02")
    assert {stage for stage in one if one[stage] == other[stage]} == {"scaling", "session"}


@pytest.mark.parametrize(
    ("file", "fresh"),
    [
        # Both walks size the body.
        ("walk 01.c3d", set()),
        ("walk_02.c3d", {"ground_reactions"}),
        ("static.c3d", set()),
        ("model.osim", {"ground_reactions"}),
    ],
)
def test_a_files_content_decides_what_is_stale(session, file, fresh):
    before = trial_keys(job_of(session), "walk_01")
    (session / file).write_text("something else")
    assert stale(session, before) == set(before) - fresh


SIZED_BY_ONE = ('static = "static.c3d"', 'static = "static.c3d"\nsizing = ["walk 01.c3d"]')


def test_a_walk_that_does_not_size_the_body_is_nobody_elses_business(session):
    rewrite(session, *SIZED_BY_ONE)
    before = trial_keys(job_of(session), "walk_01")
    (session / "walk_02.c3d").write_text("something else")
    assert stale(session, before) == set()


def test_more_walks_leave_a_body_alone_that_named_walks_size(session):
    rewrite(session, *SIZED_BY_ONE)
    before = trial_keys(job_of(session), "walk_01")
    rewrite(session, '"walk_02.c3d" = "fast"', '"walk_02.c3d" = "fast"\n"walk_03.c3d" = "fast"')
    (session / "walk_03.c3d").write_text("walk_03.c3d")
    assert stale(session, before) == {"session"}


def test_by_marker_pairs_no_walk_sizes_the_body(session, tmp_path):
    text = read_settings("recipes", "gait2hip60")[1]
    pairs = tmp_path / "pairs.toml"
    pairs.write_text(text.replace('method = "posterior"', 'method = "pairs"'), "utf-8")
    request = request_of(session, recipe=str(pairs))
    before = trial_keys(open_job(request), "walk_01")
    (session / "walk_02.c3d").write_text("something else")
    assert trial_keys(open_job(request), "walk_01") == before


def test_without_a_static_trial_the_walks_that_size_the_body_are_what_walks_are_compared_with(session):
    rewrite(session, 'static = "static.c3d"\n', "")
    before = trial_keys(job_of(session), "walk_01")
    (session / "walk_02.c3d").write_text("something else")
    assert stale(session, before) == set(before)


def test_where_the_session_lies_changes_nothing(session, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "moved"
    before = trial_keys(job_of(session), "walk_01")
    session.rename(elsewhere)
    assert stale(elsewhere, before) == set()


# Walks are compared with the standing pose, whatever size the body has.
ALL_OF_THE_BODY = set(STAGES) - {"ground_reactions"}


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("mass_kg = 70.0", "mass_kg = 71.0", None),
        ("height_m = 1.75", "height_m = 1.76", ALL_OF_THE_BODY),
        ('"walk 01.c3d" = "slow"', '"walk 01.c3d" = "med"', {"quality"}),
        ('height_m = 1.75\n', 'height_m = 1.75\nsex = "F"\n', ALL_OF_THE_BODY),
        ('"walk_02.c3d" = "fast"\n', "", ALL_OF_THE_BODY),
    ],
)  # fmt: skip
def test_what_session_toml_says_decides_what_is_stale(session, old, new, expected):
    before = trial_keys(job_of(session), "walk_01")
    rewrite(session, old, new)
    assert stale(session, before) == (set(before) if expected is None else expected)


def test_a_walk_that_is_not_there_is_rejected_by_name(session):
    rewrite(session, *SIZED_BY_ONE)
    job = job_of(session)
    (session / "walk_02.c3d").unlink()
    with pytest.raises(TrialRejected, match=r"walk_02\.c3d can't be read \(No such file.*Check the file names"):
        trial_keys(job, "walk_02")
    assert trial_keys(job, "walk_01")


def test_no_body_is_sized_without_a_walk_that_should_and_is_not_there(session):
    job = job_of(session)
    (session / "walk_02.c3d").unlink()
    with pytest.raises(TrialRejected, match=r"walk_02\.c3d can't be read .* or `sizing` in session.toml") as of_another:
        trial_keys(job, "walk_01")
    with pytest.raises(TrialRejected) as of_its_own:
        trial_keys(job, "walk_02")
    assert (of_another.value.stage, of_its_own.value.stage) == ("scaling", "read_c3d")


def test_a_static_trial_that_is_not_there_is_refused_by_name(session):
    (session / "static.c3d").unlink()
    with pytest.raises(ValueError, match=r"session\.toml: the static trial .*static\.c3d does not exist.*Correct"):
        job_of(session)


def test_an_unknown_profile_is_named_with_its_session(session):
    rewrite(session, "isb_full_body", "isb")
    with pytest.raises(ValueError, match=r"session\.toml: profile 'isb' is neither.*isb_full_body.*Correct `profile`"):
        job_of(session)


def test_the_built_in_model_is_used_where_none_is_named(session, tmp_path, monkeypatch):
    monkeypatch.setenv("GAIT2HIP_CACHE", str(tmp_path / "cache"))
    job = open_job(request_of(session, model=None))
    # A plan loads no OpenSim: the model is built by whoever needs it first.
    assert not (tmp_path / "cache").exists()
    path = default_model_path(tmp_path / "cache")
    path.parent.mkdir()
    path.write_text((session / "model.osim").read_text())
    assert job.model == path
    assert trial_keys(job, "walk_01") == trial_keys(job_of(session), "walk_01")


def test_a_model_that_is_not_there_is_named(session):
    with pytest.raises(ValueError, match=r"nowhere\.osim does not exist"):
        open_job(request_of(session, model="nowhere.osim"))


def test_a_recipe_may_name_the_model(session, monkeypatch):
    assert parse_toml(*read_settings("recipes", "gait2hip60"))["model"]["file"] == ""
    packaged = Path(__file__).parents[3] / "pipeline" / "recipes" / "gait2hip60.toml"
    text = packaged.read_text("utf-8").replace('file = ""', f'file = "{(session / "model.osim").as_posix()}"')
    (session / "mine.toml").write_text(text, "utf-8")
    job = open_job(request_of(session, model=None, recipe=str(session / "mine.toml")))
    assert job.model == session / "model.osim"
    # A file that is named on the command line comes first, and the same content gives the same keys.
    assert trial_keys(job, "walk_01") == trial_keys(job_of(session), "walk_01")


def test_a_trials_forces_and_what_says_their_feet_are_part_of_it(session):
    before = trial_keys(job_of(session), "walk_01")
    rewrite(session, '"walk 01.c3d" = "slow"', '"walk 01.c3d" = {condition = "slow", forces = "grf.mot"}')
    (session / "grf.mot").write_text("forces")
    of_trial = {name for name, stage in STAGES.items() if "trial" in stage.facts}
    assert of_trial <= stale(session, before)

    before = trial_keys(job_of(session), "walk_01")
    assert not stale(session, before)
    (session / "grf.mot").write_text("other forces")
    assert of_trial <= stale(session, before)

    before = trial_keys(job_of(session), "walk_01")
    loads = "<ExternalLoads><objects>{}</objects><datafile>grf.mot</datafile></ExternalLoads>"
    force = "<ExternalForce><applied_to_body>calcn_r</applied_to_body></ExternalForce>"
    (session / "loads.xml").write_text(f"<OpenSimDocument>{loads.format(force)}</OpenSimDocument>")
    assert of_trial <= stale(session, before)


def test_forces_that_cannot_be_read_are_named(session):
    rewrite(session, '"walk 01.c3d" = "slow"', '"walk 01.c3d" = {condition = "slow", forces = "gone.mot"}')
    with pytest.raises(TrialRejected, match=r"gone\.mot can't be read.*or `forces` in session\.toml"):
        job_of(session).trial_accounts("walk_01")


def test_a_body_as_given_is_the_model_and_makes_all_of_its_trials(session):
    rewrite(session, 'static = "static.c3d"', 'scaled_model = "subject.osim"')
    (session / "subject.osim").write_text("a body")
    job = job_of(session)
    assert job.model == session / "subject.osim"
    before = trial_keys(job, "walk_01")
    (session / "subject.osim").write_text("another body")
    # Ground reactions too: the model's markers say where the feet stand.
    changed = {"scaling", "inverse_kinematics", "ground_reactions", "inverse_dynamics", "quality"}
    assert changed <= stale(session, before)
