import os
from dataclasses import replace

import numpy as np
import pytest

import pipeline.markers.static_trial as module
from pipeline.errors import TrialRejected
from pipeline.markers.static_trial import pose_static, read_static
from pipeline.session.setup import open_session
from tests.pipeline.conftest import with_every_label
from tests.pipeline.session.test_session import COMPLETE


@pytest.fixture
def setup(tmp_path):
    (tmp_path / "session.toml").write_text(COMPLETE)
    (tmp_path / "static.c3d").write_text("static")
    return open_session(str(tmp_path), "gait2hip60", None)


@pytest.fixture
def reads(setup, monkeypatch) -> list[str]:
    """The files that were read, with what reads and poses them replaced by their names."""
    files: list[str] = []
    monkeypatch.setattr(module, "read_recording", lambda path, needed=(): files.append(path.name) or path)
    monkeypatch.setattr(module, "pose_static", lambda recording, profile, settings: (recording, settings))
    monkeypatch.setattr(module, "_last", {})
    return files


def test_a_session_s_static_trial_is_read_once(setup, reads):
    assert read_static(setup) is read_static(setup)
    assert reads == ["static.c3d"]


def test_a_changed_file_or_setting_is_read_again(setup, reads):
    """Even if the file has the size and the time of the one before, as a copy that keeps times has."""
    os.utime(setup.session.static, ns=(1, 1))
    read_static(setup)
    setup.session.static.write_text("STATIC")
    os.utime(setup.session.static, ns=(1, 1))
    read_static(setup)
    scaling = setup.recipe.scaling.model_copy(update={"static_window_s": 0.25})
    read_static(replace(setup, recipe=setup.recipe.model_copy(update={"scaling": scaling})))

    assert len(reads) == 3


def test_without_a_static_trial_and_walks_that_size_it_says_what_is_missing(setup, reads):
    nothing = setup.session.model_copy(update={"static": None, "sizing_trials": ()})

    with pytest.raises(TrialRejected, match=r"`sizing` in session\.toml names no walk") as rejected:
        read_static(replace(setup, session=nothing))

    assert rejected.value.stage == "scaling"
    assert not reads


def test_the_pose_is_the_mean_of_the_middle(walker, profile, recipe):
    recording = with_every_label(walker.recording(), profile)
    middle, half = len(recording.time_s) // 2, round(recipe.scaling.static_window_s * recording.point_rate_hz / 2)

    pose = pose_static(recording, profile, recipe.scaling).pose

    apart = recording.marker("R_IAS") - recording.marker("L_FCC")
    mean = apart[middle - half : middle + half].mean(axis=0)
    in_ground = pose.marker("R_IAS")[0] - pose.marker("L_FCC")[0]
    assert np.linalg.norm(in_ground) == pytest.approx(np.linalg.norm(mean))
    assert pose.positions_m.shape == (1, len(pose.labels), 3)
