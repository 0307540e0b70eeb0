"""The walk of `c3d_faults` whose channels were doctored, on the body of the person who walked it."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.errors import TrialRejected
from pipeline.markers.static_trial import read_static
from pipeline.own_model.standing import standing_subject
from pipeline.process_trial import process_trial
from pipeline.records import SubjectModel
from pipeline.session.setup import SessionSetup, open_session
from pipeline.sizing.size_subject import size_subject
from pipeline.solving.judged_strides import SolvedButRejected

pytestmark = [pytest.mark.osim, pytest.mark.data]

WALK = "2014001_C4_05.c3d"
FAULTS = ("q_fx_negated.c3d", "b_moments_in_Nm_labelled_Nmm.c3d")


@pytest.fixture(scope="module")
def session(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doctored")
    recorded = shared_data / "walking_adults" / "2014001"
    for file in (recorded / "2014001_ST.c3d", recorded / WALK, *(shared_data / "c3d_faults" / name for name in FAULTS)):
        shutil.copyfile(file, folder / file.name)
    trials = "\n".join(f'"{name}" = "preferred"' for name in (WALK, *FAULTS))
    (folder / "session.toml").write_text(
        'format = 1\n[subject]\nid = "2014001"\nmass_kg = 67.0\nheight_m = 1.66\nsex = "M"\n'
        '[session]\nid = "s"\ncohort = "adults"\nprofile = "isb_full_body"\nstatic = "2014001_ST.c3d"\n'
        f'sizing = ["{WALK}"]\n[trials]\n{trials}\n',
        "utf-8",
    )
    return folder


@pytest.fixture(scope="module")
def setup(session: Path) -> SessionSetup:
    return open_session(str(session), "gait2hip60", None)


@pytest.fixture(scope="module")
def model(setup: SessionSetup, tmp_path_factory: pytest.TempPathFactory) -> SubjectModel:
    scaled = size_subject(setup, standing_subject(setup))
    file = tmp_path_factory.mktemp("model") / "scaled.osim"
    file.write_text(scaled.osim_xml, "utf-8")
    return SubjectModel(file=file, scale_factors=scaled.scale_factors, warnings=())


def test_a_doctored_walk_is_refused_with_what_is_wrong_and_keeps_its_motion(
    setup: SessionSetup, model: SubjectModel, tmp_path: Path
) -> None:
    with pytest.raises(SolvedButRejected) as refused:
        process_trial(setup, setup.session.trials[1], read_static(setup), model, tmp_path)
    assert "Plate 1: the sideways force (fx) explains the motion with its sign reversed; plate 2: the sideways" in str(
        refused.value
    )
    assert '[plates.1] reverse = ["fx"], [plates.2] reverse = ["fx"]' in refused.value.reason
    assert refused.value.stage == "inverse_dynamics"
    assert len(refused.value.kinematics.coordinates.time_s) > 100


def test_a_motion_that_no_stride_is_kept_of_accuses_no_plate(
    setup: SessionSetup, model: SubjectModel, tmp_path: Path
) -> None:
    """Of the same walk with its sign reversed: markers that are off are the reason, whatever the plates say."""
    strict = setup.recipe.quality.model_copy(update={"max_marker_error_m": 1e-4, "max_marker_rms_m": 1e-4})
    hopeless = replace(setup, recipe=setup.recipe.model_copy(update={"quality": strict}))
    with pytest.raises(TrialRejected) as refused:
        process_trial(hopeless, hopeless.session.trials[1], read_static(hopeless), model, tmp_path)
    assert refused.value.stage == "inverse_kinematics"
    assert "sign reversed" not in refused.value.reason


def test_moments_in_another_unit_than_stated_are_no_plate_s(
    setup: SessionSetup, model: SubjectModel, tmp_path: Path
) -> None:
    with pytest.raises(TrialRejected, match=r"plate 1 is left out: its moments.*N·m under the unit N·mm") as refused:
        process_trial(setup, setup.session.trials[2], read_static(setup), model, tmp_path)
    assert refused.value.stage == "ground_reactions"


def test_what_the_session_says_of_its_plates_is_put_right_with_a_warning(
    session: Path, setup: SessionSetup, model: SubjectModel, tmp_path: Path
) -> None:
    true = process_trial(setup, setup.session.trials[0], read_static(setup), model, tmp_path / "true")
    assert true.plates is not None
    assert true.plates.faults == ()
    text = (session / "session.toml").read_text("utf-8")
    corrected = session / "corrected.toml"
    corrected.write_text(text + '[plates.1]\nreverse = ["fx"]\n[plates.2]\nreverse = ["fx"]\n', "utf-8")
    stated = open_session(str(corrected), "gait2hip60", None)
    assert set(stated.plate_corrections) == {1, 2}

    found = process_trial(stated, stated.session.trials[1], read_static(stated), model, tmp_path / "corrected")

    assert found.recording.warnings[-1] == "plate 2 is put right as [plates.2] says: fx reversed"
    hip = "hip_adduction_r"
    assert found.solution.moments.column(hip) == pytest.approx(true.solution.moments.column(hip), abs=0.05)
    assert replace(found.plates, faults=()).gain == pytest.approx(true.plates.gain, abs=1e-3)
