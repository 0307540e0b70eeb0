from dataclasses import replace

import numpy as np
import pytest

from pipeline.c3d.read_c3d import read_c3d
from pipeline.session.load_profile import load_profile
from pipeline.session.propose_profile import profile_text, proposal_in_words, propose_profile, told_labels

LABORATORIES = {
    "adults": ("walking_adults/2014001/2014001_ST.c3d", "walking_adults/2014001/2014001_C4_05.c3d"),
    "children": ("walking_children/HC002D/HC002D_static.c3d", "walking_children/HC002D/HC002D06.c3d"),
    "FMC": ("hospitals/FMC/MH0222_BP08.c3d", "hospitals/FMC/MH0222_BP06.c3d"),
    "QCMAS": ("hospitals/QCMAS/QCMAS.static.c3d", "hospitals/QCMAS/QCMAS.dynamic.c3d"),
    "RCH": ("hospitals/RCH/RCH.01.c3d", "hospitals/RCH/RCH.08.c3d"),
    "treadmill": ("treadmill/RBDS002static.c3d", "treadmill/RBDS002runT25.c3d"),
}


def recordings_of(shared_data, laboratory):
    static, walk = LABORATORIES[laboratory]
    folder = (shared_data / static).parent
    found = shared_data / static
    if not found.is_file():
        found = next(path for path in sorted(folder.glob("*.c3d")) if path.name != (shared_data / walk).name)
    return [read_c3d(found), read_c3d(shared_data / walk)]


@pytest.mark.data
@pytest.mark.parametrize("laboratory", LABORATORIES)
def test_a_real_laboratorys_proposal_can_be_used_as_it_is(shared_data, tmp_path, laboratory) -> None:
    proposed = propose_profile("lab", recordings_of(shared_data, laboratory))
    assert proposed.missing == ""
    path = tmp_path / "lab.toml"
    path.write_text(profile_text(proposed), "utf-8")
    loaded = load_profile(str(path))
    assert loaded.markers == proposed.profile.markers
    assert (loaded.right_foot, loaded.left_foot) == (proposed.profile.right_foot, proposed.profile.left_foot)
    # Nothing that a name tells is asked of the motion, and nothing is lost.
    said = {label for label, *_ in told_labels(proposed)}
    assert said == {label for recording in recordings_of(shared_data, laboratory) for label in shown(recording)}


@pytest.mark.data
def test_a_marker_that_no_name_tells_is_put_on_its_body_by_its_motion(shared_data) -> None:
    recordings = [
        replace(
            each,
            marker_labels=tuple({"RTIB": "ODD1", "LP1M": "ODD2"}.get(label, label) for label in each.marker_labels),
        )
        for each in recordings_of(shared_data, "children")
    ]
    proposed = propose_profile("lab", recordings)
    assert proposed.by_motion["ODD1"] == "tibia_r"
    assert proposed.by_motion["ODD2"] == "calcn_l"
    assert "ODD1" in proposal_in_words(proposed)


@pytest.mark.data
def test_what_is_missing_is_said_and_the_rest_is_proposed(shared_data) -> None:
    proposed = propose_profile("lab", [renamed(each, RASI="?") for each in recordings_of(shared_data, "FMC")])
    assert "right anterior superior iliac spine" in proposed.missing
    assert "not complete" in proposal_in_words(proposed)
    assert '"LASI"' in profile_text(proposed)


@pytest.mark.data
def test_what_markers_leave_open_is_said(shared_data) -> None:
    told = " ".join(propose_profile("lab", recordings_of(shared_data, "RCH")).undetermined)
    assert "right knee's axis" in told
    assert "arms" in told
    assert "trunk" not in told


def renamed(recording, **labels):
    return replace(recording, marker_labels=tuple(labels.get(label, label) for label in recording.marker_labels))


def shown(recording):
    seen = np.isfinite(recording.markers_m).all(axis=2).any(axis=0)
    return [label for label, is_seen in zip(recording.marker_labels, seen, strict=True) if is_seen]
