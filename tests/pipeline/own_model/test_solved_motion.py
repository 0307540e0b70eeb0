"""Joint coordinates of OpenSim's gait2354 example, against its markers and OpenSim's own inverse dynamics."""

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.recordings.trc import read_trc
from warehouse.interchange.opensim_table import format_table, parse_table

pytestmark = [pytest.mark.osim, pytest.mark.data]
solved = pytest.importorskip("pipeline.own_model.solved_motion")
# What its set-up for inverse dynamics filters by.
CUTOFF_HZ = 6.0


@pytest.fixture(scope="module")
def folder(shared_data):
    return shared_data / "opensim_reference" / "gait2354"


@pytest.fixture(scope="module")
def model(folder):
    return folder / "expected" / "subject01_simbody.osim"


@pytest.fixture(scope="module")
def motion(folder, model):
    return solved.solved_motion(
        folder / "expected" / "subject01_walk1_ik.mot", folder / "subject01_walk1_grf.mot", model
    )


def test_the_models_markers_are_where_the_cameras_saw_them(folder, motion):
    seen = read_trc(folder / "subject01_walk1.trc")
    first = int(np.argmin(np.abs(seen.time_s - motion.recording.time_s[0])))
    off_m = []
    for label in set(seen.marker_labels) & set(motion.recording.marker_labels):
        measured = seen.marker(label)[first : first + len(motion.recording.time_s)]
        off_m.append(np.linalg.norm(measured - motion.recording.marker(label), axis=1))
    assert len(off_m) > 25
    # Inverse kinematics leaves some to their skin, and most within a centimetre or so.
    assert np.nanmedian(off_m) < 0.015
    assert any("how they fit the markers was not judged" in warning for warning in motion.recording.warnings)


def test_its_forces_and_motion_give_opensims_moments(folder, model, motion):
    from pipeline.osim.models.mechanics import Mechanics
    from pipeline.osim.motion import natural_spline

    mechanics, recording = Mechanics(model), motion.recording
    given = solved.kinematics_as_given(motion, recording.time_s, np.eye(3), CUTOFF_HZ).coordinates
    spline = natural_spline(given.time_s, given.values)
    moments = mechanics.generalized_forces(given.values, spline(given.time_s, 1), spline(given.time_s, 2))
    ratio = round(recording.analog_rate_hz / recording.point_rate_hz)
    for plate in recording.plates:
        force_n, moment_nm = plate.force_n[::ratio], plate.moment_nm[::ratio]
        about_m = np.tile(plate.origin_m, (len(force_n), 1))
        moments -= mechanics.wrench_forces(given.values, f"calcn_{plate.foot[0]}", force_n, moment_nm, about_m)
    theirs = parse_table("id", (folder / "expected" / "inverse_dynamics.sto").read_text())
    # Their filter is another one, and reaches further from the ends.
    inner = slice(8, -8)
    for name, tolerance_nm in (
        ("hip_flexion_r", 3),
        ("hip_adduction_l", 3),
        ("knee_angle_r", 1),
        ("ankle_angle_l", 0.5),
    ):
        expected = np.interp(given.time_s, theirs.time_s, theirs.numbers([f"{name}_moment"])[:, 0])
        off = (moments[:, mechanics.names.index(name)] - expected)[inner]
        assert np.sqrt(np.mean(off**2)) < tolerance_nm


def test_how_well_it_fits_is_not_known(motion):
    given = solved.kinematics_as_given(motion, motion.recording.time_s, np.eye(3), CUTOFF_HZ)
    assert np.isnan(given.marker_rms_m).all()
    assert set(given.worst_marker) == {""}


def test_a_part_of_the_motion_is_filtered_with_all_of_it(motion):
    every = solved.kinematics_as_given(motion, motion.recording.time_s, np.eye(3), CUTOFF_HZ)
    part = solved.kinematics_as_given(motion, motion.recording.time_s[10:30], np.eye(3), CUTOFF_HZ)
    np.testing.assert_array_equal(part.coordinates.values, every.coordinates.values[10:30])


def test_a_motion_that_goes_another_way_is_refused(motion):
    backwards = np.diag([-1.0, 1, -1])
    with pytest.raises(TrialRejected, match=r"the pelvis goes along \[-1.*expected forward along \+x"):
        solved.kinematics_as_given(motion, motion.recording.time_s, backwards, CUTOFF_HZ)


def test_a_motion_of_another_model_is_refused(tmp_path, model):
    path = tmp_path / "walk_ik.mot"
    path.write_text(format_table("walk", ["pelvis_tilt", "knee_angle_r"], np.arange(20) / 100, np.zeros((20, 2))))
    with pytest.raises(TrialRejected, match=r"walk_ik\.mot: lacks .*hip_flexion_r.*which subject01_simbody\.osim has"):
        solved.solved_motion(path, None, model)


def test_a_model_stands_with_its_pelvis_above_its_feet(model):
    standing = solved.standing_model(model)
    assert len(standing.time_s) == 1
    leg = standing.marker("R.ASIS") - standing.marker("R.Heel")
    assert leg[0, 1] > 0.7


def test_a_body_as_given_is_judged_by_its_mass_alone(model, recipe):
    from pipeline.session.session import Subject
    from pipeline.sizing.size_subject import body_as_given

    person = Subject(id="S01", mass_kg=72.6, height_m=1.8)
    body = body_as_given(model, person, recipe.scaling)
    assert sum(body.body_mass_kg.values()) == pytest.approx(72.6, abs=0.05)
    assert body.osim_xml == model.read_text()
    with pytest.raises(TrialRejected, match=r"subject01_simbody\.osim weighs 72\.6 kg, session\.toml says 50 kg"):
        body_as_given(model, person.model_copy(update={"mass_kg": 50.0}), recipe.scaling)
