"""The whole chain on a virtual walk whose truth is known, called as a function: no warehouse, and no state kept."""

import hashlib
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.markers.static_trial import read_static
from pipeline.osim.engines import load_engine
from pipeline.osim.models import shared_model
from pipeline.process_trial import process_trial
from pipeline.records import SubjectModel
from pipeline.session.setup import SessionSetup, open_session
from pipeline.sizing.size_subject import size_subject
from pipeline.solving.trial_result import TrialResult
from pipeline.virtual.make_laboratory import make_session
from pipeline.virtual.request import checked_request

pytestmark = pytest.mark.osim


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two walks of a virtual person, seen without noise."""
    folder = tmp_path_factory.mktemp("laboratory")
    request = checked_request(
        folder, cohort="healthy", subjects=1, conditions="med", trials=2, seed=1, blemishes="none"
    )
    return make_session(request, 1)


@pytest.fixture(scope="module")
def setup(session: Path) -> SessionSetup:
    return open_session(str(session), "gait2hip60", None)


@pytest.fixture(scope="module")
def model(setup: SessionSetup, tmp_path_factory: pytest.TempPathFactory) -> SubjectModel:
    scaled = size_subject(setup, read_static(setup))
    file = tmp_path_factory.mktemp("model") / "scaled.osim"
    file.write_text(scaled.osim_xml, "utf-8")
    return SubjectModel(file=file, scale_factors=scaled.scale_factors, marker_error_m=scaled.marker_error_m)


@pytest.fixture(scope="module")
def result(setup: SessionSetup, model: SubjectModel, tmp_path_factory: pytest.TempPathFactory) -> TrialResult:
    trial = setup.session.trials[0]
    return process_trial(setup, trial, read_static(setup), model, tmp_path_factory.mktemp("work"))


def test_the_true_hip_angles_come_back(session: Path, setup: SessionSetup, result: TrialResult) -> None:
    truth = pq.read_table(session / "truth" / f"{setup.session.trials[0].name}.motion.parquet")
    angles = result.solution.kinematics.coordinates
    true_deg = np.interp(angles.time_s, truth["time_s"].to_numpy(), truth["hip_flexion_r"].to_numpy())
    error_deg = (np.degrees(angles.column("hip_flexion_r")) - true_deg)[result.solution.frames]

    assert np.sqrt(np.mean(error_deg**2)) < 0.5
    assert len(result.cycles) == len(result.strides) >= 2


def test_angles_of_laboratories_come_with_the_solution(result: TrialResult) -> None:
    """In a walk without noise, hip flexion by Plug-in Gait is the model's, and the slope of the pelvis' spines."""
    coordinates, found = result.solution.kinematics.coordinates, result.angles
    flexion_deg = np.degrees(coordinates.column("hip_flexion_r"))
    offset_deg = found.angles_deg["pig_hip_flexion_r"] - flexion_deg

    assert np.array_equal(found.time_s, coordinates.time_s)
    assert found.warnings == ()
    assert np.ptp(offset_deg) < 2
    assert 8 < np.median(offset_deg) < 15


def test_the_same_input_gives_the_same_numbers_and_touches_no_recording(
    session: Path, setup: SessionSetup, model: SubjectModel, result: TrialResult, tmp_path: Path
) -> None:
    before = _hashes(session)
    again = process_trial(setup, setup.session.trials[0], read_static(setup), model, tmp_path)

    for kind in ("moments", "muscles"):
        first, second = getattr(result.solution, kind), getattr(again.solution, kind)
        values = "force_n" if kind == "muscles" else "values"
        assert np.array_equal(getattr(first, values), getattr(second, values))
    assert _hashes(session) == before


def test_another_trial_before_it_changes_no_bit(
    setup: SessionSetup, model: SubjectModel, result: TrialResult, tmp_path: Path
) -> None:
    """A worker takes many trials: models and static trials that it keeps must not carry anything over."""
    static = read_static(setup)
    process_trial(setup, setup.session.trials[1], static, model, tmp_path / "other")
    after = process_trial(setup, setup.session.trials[0], static, model, tmp_path / "after").solution
    shared_model.forget()
    fresh = process_trial(setup, setup.session.trials[0], static, model, tmp_path / "fresh").solution

    for solution in (after, fresh):
        kinematics = solution.kinematics.coordinates.values
        assert np.array_equal(kinematics, result.solution.kinematics.coordinates.values)
        assert np.array_equal(solution.moments.values, result.solution.moments.values)
        assert np.array_equal(solution.muscles.force_n, result.solution.muscles.force_n)


def test_known_kinematics_are_not_solved_again(
    setup: SessionSetup, model: SubjectModel, result: TrialResult, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = load_engine(setup.recipe.model.engine)
    monkeypatch.setattr(engine, "inverse_kinematics", None)
    known = result.solution.kinematics

    again = process_trial(setup, setup.session.trials[0], read_static(setup), model, tmp_path, known)

    assert np.array_equal(again.solution.moments.values, result.solution.moments.values)


def test_a_model_that_stood_badly_is_told(
    setup: SessionSetup, model: SubjectModel, result: TrialResult, tmp_path: Path
) -> None:
    astray = replace(model, marker_error_m=dict.fromkeys(model.marker_error_m, 0.05))
    trial, known = setup.session.trials[0], result.solution.kinematics

    warnings = process_trial(setup, trial, read_static(setup), astray, tmp_path, known).warnings

    assert any("stands 50 mm" in warning for warning in warnings)
    assert not any("stands" in warning for warning in result.warnings)


def _hashes(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.glob("*.c3d")}


def test_muscles_that_opensim_is_asked_for_are_told(
    setup: SessionSetup, model: SubjectModel, result: TrialResult, tmp_path: Path
) -> None:
    """An ellipsoid, far from all muscles: the forces stay nearly the same, and a warning says why."""
    import opensim as osim

    whole = osim.Model(str(model.file))
    egg = osim.WrapEllipsoid()
    egg.setName("egg")
    egg.set_dimensions(osim.Vec3(0.01, 0.02, 0.03))
    egg.set_translation(osim.Vec3(0.0, 1.0, 0.0))
    whole.updBodySet().get("pelvis").addWrapObject(egg)
    osim.GeometryPath.safeDownCast(whole.updMuscles().get("glmed1_r").updPath()).addPathWrap(egg)
    whole.finalizeConnections()
    file = tmp_path / "egg.osim"
    whole.printToXML(str(file))

    trial, static = setup.session.trials[0], read_static(setup)
    found = process_trial(setup, trial, static, replace(model, file=file), tmp_path, result.solution.kinematics)

    assert not any("OpenSim is asked" in warning for warning in result.warnings)
    (told,) = [warning for warning in found.warnings if "OpenSim is asked" in warning]
    assert "all muscles' paths, since" in told
    assert "(muscle glmed1_r, wrapping surface egg: a WrapEllipsoid)" in told
    source = found.solution.muscle_source
    assert source.asked == ("paths",)
    assert source.mechanics_used("corrected") == "corrected, but muscles' paths as OpenSim has them"
    column = found.solution.muscles.muscle_names.index("glmed1_r")
    ours, theirs = (each.solution.muscles.force_n[:, column] for each in (result, found))
    assert 0 < np.abs(ours - theirs).max() < 0.3 * ours.max()
