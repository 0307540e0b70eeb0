"""A recorded walk's angles and cycles without its force plates, beside what these tell."""

import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.ground.observe_walk import observe_walk
from pipeline.markers.static_trial import read_static
from pipeline.motion_only.recorded_angles import recorded_angles, scaled_model, trial_of
from pipeline.motion_only.walk_angles import WalkAngles
from pipeline.session.session import load_session
from pipeline.session.setup import open_session
from pipeline.storing.ingest_trial import ingest_trial
from pipeline.storing.prepare_session import prepare_session
from pipeline.storing.request import SessionRequest
from warehouse.channels import INPUT_COORDINATES
from warehouse.errors import WarehouseError
from warehouse.files.read import cycles, read_row, read_table
from warehouse.layout import Warehouse
from warehouse.outcome import Rejection

pytestmark = [pytest.mark.osim, pytest.mark.data]

RECIPE = "gait2hip60"
SESSION = """
format = 1
[subject]
id = "S04"
mass_kg = 72.5
height_m = 1.77
[session]
id = "first"
cohort = "adults"
profile = "isb_full_body"
static = "static.c3d"
[trials]
"walk.c3d" = "preferred"
"""


@pytest.fixture(scope="module")
def session(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A static trial, a walk, the same walk without its plates, and one cut short."""
    folder = tmp_path_factory.mktemp("session")
    adult = shared_data / "walking_adults" / "2014004"
    (folder / "session.toml").write_text(SESSION)
    shutil.copyfile(adult / "2014004_ST.c3d", folder / "static.c3d")
    changes = {"walk": ["nothing"], "no_plates": ["without_plates"], "short": ["unseen", "60", "300"]}
    for name, change in changes.items():
        shutil.copyfile(adult / "2014004_C4_02.c3d", folder / f"{name}.c3d")
        editor = Path(__file__).parents[1] / "edit_c3d.py"
        subprocess.run([sys.executable, str(editor), str(folder / f"{name}.c3d"), *change], check=True)
    return folder / "session.toml"


@pytest.fixture(scope="module")
def scaled(session: Path) -> str:
    found = scaled_model(str(session), RECIPE, None)
    assert isinstance(found, str), found
    return found


def angles(session: Path, name: str, scaled: str) -> WalkAngles:
    found = recorded_angles(str(session), str(session.with_name(f"{name}.c3d")), RECIPE, scaled)
    assert isinstance(found, WalkAngles), found
    return found


def test_plates_are_not_read_and_cycles_are_nearly_theirs(session: Path, scaled: str) -> None:
    walk, without = angles(session, "walk", scaled), angles(session, "no_plates", scaled)

    np.testing.assert_allclose(walk.angles_deg, without.angles_deg, atol=1e-6)
    assert walk.strides == without.strides
    # The force of the plates tells the same two strides; its strikes are the truth here.
    setup = open_session(str(session), RECIPE, None)
    by_force = observe_walk(setup, setup.session.trial("walk"), read_static(setup)).strides
    assert [stride.side for stride in walk.strides] == [stride.side for stride in by_force] == ["right", "left"]
    for ours, theirs in zip(walk.strides, by_force, strict=True):
        assert abs(ours.start_s - theirs.start_s) < 0.025
        assert abs(ours.duration_s - theirs.duration_s) < 0.05


def test_the_angles_are_a_walk_s(session: Path, scaled: str) -> None:
    right, left = angles(session, "walk", scaled).cycles_deg(101)

    for cycle in (right, left):
        of = dict(zip(INPUT_COORDINATES, cycle.T, strict=True))
        # Knee flexion peaks in swing, the hip extends most before toe off (Winter 1991, figures 3.13 and 3.14).
        assert 45 < of["knee_angle_r"].max() < 80
        assert 60 < np.argmax(of["knee_angle_r"]) < 85
        assert 40 < np.argmin(of["hip_flexion_r"]) < 65
        # The other leg does the same half a cycle later.
        assert 10 < np.argmax(of["knee_angle_l"]) < 35


def test_a_walk_that_can_t_be_used_is_refused_by_its_stage(session: Path, scaled: str) -> None:
    found = recorded_angles(str(session), str(session.with_name("short.c3d")), RECIPE, scaled)

    assert isinstance(found, Rejection)
    assert found.stage in ("markers", "cycles", "gait_events")
    assert "short.c3d" in found.reason


def test_a_walk_that_the_session_doesn_t_list_has_no_condition(session: Path) -> None:
    loaded = load_session(session)

    assert trial_of(loaded, session.with_name("walk.c3d")).condition == "preferred"
    assert trial_of(loaded, session.with_name("new walk.c3d")).name == "new_walk"
    assert trial_of(loaded, session.with_name("new walk.c3d")).condition == "unspecified"


def test_a_session_of_kinematics_only_is_stored_as_such_and_predicted_from(session: Path, tmp_path: Path) -> None:
    """A walk without plates is rejected, unless its session asks for no more than angles."""
    folder = tmp_path / "video"
    folder.mkdir()
    for name in ("static", "no_plates"):
        shutil.copyfile(session.with_name(f"{name}.c3d"), folder / f"{name}.c3d")
    request = SessionRequest(
        session_file=str(folder / "session.toml"), recipe=RECIPE, model=None, warehouse=str(tmp_path / "warehouse")
    )
    asked = SESSION.replace("walk.c3d", "no_plates.c3d")
    (folder / "session.toml").write_text(asked)
    assert prepare_session(request).accepted
    refused = ingest_trial(request, "no_plates")
    assert refused.rejection is not None and "set `kinematics_only = true`" in refused.rejection.reason

    (folder / "session.toml").write_text(asked.replace("[trials]", "kinematics_only = true\n[trials]"))
    outcome = ingest_trial(request, "no_plates")

    warehouse = Warehouse(request.warehouse)
    row = read_row(warehouse, "trials", outcome.key)
    assert outcome.accepted and outcome.kinematics_only and row["outcome"] == "kinematics"
    assert (row["n_cycles_right"], row["n_cycles_left"], row["residual_force_ratio"]) == (1, 1, None)
    assert 0.8 < row["walking_speed_m_s"] < 1.8
    for table in ("moments", "forces", "grf", "cycles"):
        with pytest.raises(WarehouseError, match="does not exist"):
            read_table(warehouse, table, outcome.key)
    assert len(cycles(warehouse)) == 0
    # What `predict` reads of the same file are the same cycles.
    stored = read_table(warehouse, "angle_cycles", outcome.key)
    points = len(stored) // 2
    model = scaled_model(request.session_file, RECIPE, None)
    assert isinstance(model, str)
    (right, _) = angles(folder / "session.toml", "no_plates", model).cycles_deg(points)
    np.testing.assert_allclose(stored["knee_angle_ipsi"].to_numpy()[:points], right[:, 6], atol=1e-6)
    again = ingest_trial(request, "no_plates")
    assert again.fresh and again.kinematics_only
