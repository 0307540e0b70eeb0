import errno
import os
from dataclasses import replace

import pytest

from pipeline.session.recipe import read_settings
from pipeline.storing.ingest_trial import ingest_trial
from pipeline.storing.job import Job
from pipeline.storing.prepare_session import prepare_session
from pipeline.storing.request import SessionRequest
from pipeline.storing.stages import STAGES
from pipeline.storing.staleness import session_state
from pipeline.storing.store_rejected import record_crash, store_rejected
from tests.pipeline.storing.test_job import request_of, rewrite
from tests.pipeline.storing.test_store_trial import accept, job, result  # noqa: F401 - fixtures
from tests.warehouse.one_file import remove_table
from warehouse.files.read import read_table
from warehouse.holdings.sources import read_sources
from warehouse.outcome import Rejection
from warehouse.provenance import file_sha256

WALKS = ("walk_01", "walk_02")


def of(job: Job) -> SessionRequest:  # noqa: F811
    return request_of(job.setup.session.file.parent)


def states(job: Job) -> dict[str, str]:  # noqa: F811
    return {state.key.trial: state.state for state in session_state(of(job)).trials}


@pytest.fixture
def done(job, result) -> Job:  # noqa: F811
    for trial in WALKS:
        accept(job, result, trial)
    return job


def test_what_was_never_done_is_missing(job):  # noqa: F811
    assert states(job) == {"walk_01": "missing", "walk_02": "missing"}
    assert not session_state(of(job)).scaled


def test_what_would_come_out_the_same_is_fresh(done):
    assert states(done) == {"walk_01": "fresh", "walk_02": "fresh"}
    assert not any(state.to_do for state in session_state(of(done)).trials)


def test_a_changed_recording_makes_its_own_trial_stale(done):
    done.setup.session.trial("walk_02").path.write_text("recorded again")

    fresh, stale = session_state(of(done)).trials

    assert (fresh.state, stale.state) == ("fresh", "stale")
    assert stale.reason == "the recording changed"
    assert set(stale.stages) == set(STAGES) - {"scaling", "session"}


def test_a_changed_walk_that_sizes_the_body_makes_all_stale(done):
    done.setup.session.trial("walk_01").path.write_text("recorded again")

    own, other = session_state(of(done)).trials

    assert (own.state, other.state) == ("stale", "stale")
    assert other.reason == "the walks that size the body changed"
    assert set(other.stages) == set(STAGES) - {"ground_reactions", "session"}


def test_a_changed_setting_is_named_with_both_values(done):
    folder = done.setup.session.file.parent
    text = read_settings("recipes", "gait2hip60")[1]
    assert "activation_exponent = 2\n" in text
    changed = text.replace("activation_exponent = 2\n", "activation_exponent = 3\n")
    (folder / "mine.toml").write_text(changed, "utf-8")

    first = session_state(request_of(folder, recipe=str(folder / "mine.toml"))).trials[0]

    assert first.reason == "recipe static_optimization.activation_exponent: 2.0 -> 3.0"
    assert first.stages == ("static_optimization", "quality")


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("mass_kg = 70.0", "mass_kg = 71.0", "mass_kg: 70.0 -> 71.0"),
        ('"walk_02.c3d" = "fast"', '"walk_02.c3d" = "slow"', "condition: fast -> slow"),
    ],
)
def test_a_changed_fact_is_named(done, old, new, reason):
    rewrite(done.setup.session.file.parent, old, new)

    assert session_state(of(done)).trials[1].reason == reason


def test_a_rejection_that_would_come_again_is_no_work(done):
    rejection = Rejection(stage="markers", reason="walk_02.c3d lacks R_FCC.")
    store_rejected(done, "walk_02", rejection, done.trial_accounts("walk_02"))

    state = session_state(of(done)).trials[1]

    assert (state.state, state.reason, state.to_do) == ("rejected", "markers: walk_02.c3d lacks R_FCC.", False)


def test_a_crash_is_tried_again(job):  # noqa: F811
    record_crash(of(job), "walk_01", Rejection(stage="ingest_trial", reason="killed"))

    state = session_state(of(job)).trials[0]

    assert (state.state, state.to_do) == ("stale", True)
    assert "tried again" in state.reason


def test_a_lost_table_makes_its_trial_stale(done):
    remove_table(done.warehouse, "moments", done.setup.session.trial_key("walk_01"))

    assert states(done) == {"walk_01": "stale", "walk_02": "fresh"}


def test_a_lost_recording_is_told_and_left_alone(done):
    done.setup.session.trial("walk_01").path.unlink()

    state = session_state(of(done)).trials[0]

    assert (state.state, state.to_do) == ("unreachable", False)
    assert "walk 01.c3d" in state.reason


def test_a_new_version_of_a_stage_is_a_reason(done, monkeypatch):
    monkeypatch.setitem(STAGES, "inverse_dynamics", replace(STAGES["inverse_dynamics"], version=99))

    state = session_state(of(done)).trials[0]

    assert "gait2hip now computes it differently" in state.reason
    assert state.stages == ("inverse_dynamics", "static_optimization", "quality")


def test_another_trial_in_the_session_makes_no_trial_stale(done):
    text = done.setup.session.file.read_text()
    (done.setup.session.file.parent / "walk_03.c3d").write_text("new")
    done.setup.session.file.write_text(text.rstrip() + '\n"walk_03.c3d" = "slow"\n')

    assert states(done) == {"walk_01": "fresh", "walk_02": "fresh", "walk_03": "missing"}


def test_a_lost_recording_costs_nothing_that_it_gave_before(done):
    done.setup.session.trial("walk_01").path.unlink()

    outcome = ingest_trial(of(done), "walk_01")

    assert outcome.rejection is not None
    assert outcome.rejection.stage == "read_c3d"
    assert "The earlier result was kept" in outcome.rejection.reason
    assert read_table(done.warehouse, "cycles", outcome.key).num_rows > 0


def test_settings_by_which_no_session_could_be_scaled_are_not_remembered(done):
    outcome = prepare_session(of(done))

    assert outcome.rejection is not None
    assert outcome.rejection.stage == "read_c3d"
    assert read_sources(done.warehouse) == []


def test_a_static_trial_that_cannot_be_read_now_takes_nothing_away(done, monkeypatch):
    static = done.setup.session.static

    def away(path):
        if path == static:
            raise OSError(errno.EIO, os.strerror(errno.EIO))
        return file_sha256(path)

    monkeypatch.setattr("pipeline.storing.job.file_sha256", away)

    with pytest.raises(ValueError, match=r"session\.toml: static\.c3d can't be read"):
        prepare_session(of(done))
    assert read_table(done.warehouse, "cycles", done.setup.session.trial_key("walk_01")).num_rows > 0
