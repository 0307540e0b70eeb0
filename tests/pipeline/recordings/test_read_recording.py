"""Markers and ground reactions put together: laws of rigid bodies, real walks, and pairs that don't belong together."""

import numpy as np
import pytest

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.c3d.read_c3d import read_c3d
from pipeline.errors import TrialRejected
from pipeline.recordings.ground_forces import GroundForces, PointForce, read_ground_forces
from pipeline.recordings.read_recording import read_recording, with_ground_forces
from pipeline.recordings.trc import read_trc
from tests.pipeline.recordings.trc_text import table_text, trc_text

GRAVITY_M_S2 = 9.80665
# The laboratory's axes to those of the other group's files.
ADULTS_TURN = np.array([[-1.0, 0, 0], [0, 0, 1], [0, 1, 0]])
COLUMNS = [stem + axis for stem in ("ground_force_r_v", "ground_force_r_p", "ground_torque_r_") for axis in "xyz"]


def standing(folder, *, n_frames=50, up=1, first_frame=1):
    """Someone on one foot: heel, toe, pelvis and head over 100 Hz, up along axis `up`."""
    places_mm = np.array([[-100.0, 0, 0], [100, 0, 0], [0, 950, 20], [0, 1700, 0]])
    order = {1: [0, 1, 2], 2: [0, 2, 1]}[up]
    positions = np.tile(places_mm[:, order], (n_frames, 1, 1))
    path = folder / "walk.trc"
    path.write_text(trc_text(labels=("HEE", "TOE", "PEL", "HEA"), positions=positions, first_frame=first_frame))
    return path


def pushed(folder, *, first_s=0.0, stop_s=0.5, rate_hz=1000.0, values=(20.0, 700, -10, 0.05, 0, 0.01, 0, 3, 0)):
    """A force that grows from nothing, at a point that wanders along the foot."""
    time_s = np.arange(first_s, stop_s, 1 / rate_hz)
    table = np.tile(values, (len(time_s), 1)).astype(float)
    table[:, :3] *= np.linspace(0, 1, len(time_s))[:, None]
    table[:, 3] += 0.05 * np.sin(2 * np.pi * time_s)
    path = folder / "walk_grf.mot"
    path.write_text(table_text(COLUMNS, time_s, table))
    return path


def test_the_centre_of_pressure_and_the_free_moment_come_back(tmp_path):
    recording = read_recording(standing(tmp_path), pushed(tmp_path))
    (plate,) = recording.plates
    assert (plate.foot, plate.name, plate.has_edges) == ("right", "ground_r", False)
    np.testing.assert_array_equal(plate.normal, [0, 1, 0])
    assert recording.analog_rate_hz == 1000
    cop_m, free_nm = centre_of_pressure(plate, 50.0)
    loaded = np.isfinite(free_nm)
    at_s = np.arange(len(cop_m)) / 1000
    np.testing.assert_allclose(cop_m[loaded, 0], (0.05 + 0.05 * np.sin(2 * np.pi * at_s))[loaded], atol=1e-6)
    np.testing.assert_allclose(cop_m[loaded][:, 1:], np.tile([0, 0.01], (loaded.sum(), 1)), atol=1e-9)
    np.testing.assert_allclose(free_nm[loaded], 3, atol=1e-6)


@pytest.mark.parametrize(("rate_hz", "ratio"), [(1000.0, 10), (100.0, 1), (60.0, 1), (960.0, 10)])
def test_forces_come_at_a_whole_multiple_of_the_markers_rate(tmp_path, rate_hz, ratio):
    recording = read_recording(standing(tmp_path), pushed(tmp_path, rate_hz=rate_hz, stop_s=0.6))
    (plate,) = recording.plates
    assert recording.analog_rate_hz == 100 * ratio
    assert len(plate.force_n) == len(recording.analog) == 49 * ratio + 1
    # A ramp stays one.
    expected_n = 700 * np.arange(len(plate.force_n)) / recording.analog_rate_hz
    np.testing.assert_allclose(plate.force_n[:, 1], expected_n / expected_n[-1] * plate.force_n[-1, 1], atol=0.5)
    assert any("interpolated" in warning for warning in recording.warnings) == (rate_hz not in (1000.0, 100.0))


def test_only_what_both_show_is_used(tmp_path):
    recording = read_recording(standing(tmp_path), pushed(tmp_path, first_s=0.1, stop_s=0.295))
    np.testing.assert_allclose(recording.time_s[[0, -1]], [0.1, 0.29], atol=1e-9)
    assert len(recording.markers_m) == len(recording.time_s)
    assert any("covers 0.10-0.29 s of the markers' 0.00-0.49 s" in warning for warning in recording.warnings)


def test_markers_that_begin_later_meet_the_forces_of_their_time(tmp_path):
    early = read_recording(standing(tmp_path), pushed(tmp_path)).plates[0]
    late = read_recording(standing(tmp_path, first_frame=11, n_frames=30), pushed(tmp_path)).plates[0]
    np.testing.assert_allclose(late.force_n, early.force_n[100 : 100 + len(late.force_n)], atol=1e-6)


UP_Z = (20.0, -10, 700, 0.05, 0.01, 0, 0, 0, 3)


@pytest.mark.parametrize(
    ("up", "values", "words"),
    [
        (1, (-20, -700, 10, 0.05, 0, 0.01, 0, -3, 0), "point from the body to the floor.*opposite sign"),
        (1, (20, 700, -10, 50, 0, 10, 0, 3, 0), r"points in millimetres, and \(x, y, z\)"),
        (1, UP_Z, r"With points in metres, and \(-?x, z, -?y\) as \(x, y, z\)"),
        (2, (20, 700, -10, 0.05, 0, 0.01, 0, 3, 0), r"With points in metres, and \(-?x, -?z, y\) as"),
        (1, (20, 700, -10, 5.0, 0, 4.0, 0, 3, 0), "two trials. Export both from one program"),
        (1, (20, 700, -10, 0.05, 0, 0.01, 0, 3000, 0), "torque of ground_r .* Is it in N·mm"),
        (1, (500, 700, -10, 0.05, 0, 0.01, 0, 3, 0), "add up along .* expected one axis"),
        (1, (0, 0, 0, 0.05, 0, 0.01, 0, 0, 0), "no force but zeros"),
    ],
    ids=["on the ground", "mm", "forces z up", "markers z up", "elsewhere", "N·mm", "oblique", "nothing"],
)
def test_forces_that_cannot_be_the_markers_are_refused(tmp_path, up, values, words):
    with pytest.raises(TrialRejected, match=f"walk_grf.mot: .*{words}"):
        read_recording(standing(tmp_path, up=up), pushed(tmp_path, values=values))


def test_both_in_a_laboratory_with_z_up(tmp_path):
    (plate,) = read_recording(standing(tmp_path, up=2), pushed(tmp_path, values=UP_Z)).plates
    np.testing.assert_array_equal(plate.normal, [0, 0, 1])


def test_another_trials_time(tmp_path):
    with pytest.raises(TrialRejected, match=r"covers 7-7\.499 s, and walk\.trc 0-0\.49 s.* Are they of one trial"):
        read_recording(standing(tmp_path), pushed(tmp_path, first_s=7.0, stop_s=7.5))


def test_a_plate_that_nobody_trod_on_is_left_out_and_told(tmp_path):
    recording = read_trc(standing(tmp_path))
    forces = read_ground_forces(pushed(tmp_path))
    idle = PointForce(
        name="2",
        foot=None,
        **{name: np.zeros((len(forces.time_s), 3)) for name in ("force_n", "point_m", "torque_nm")},
    )
    both = GroundForces(
        path=forces.path,
        time_s=forces.time_s,
        rate_hz=forces.rate_hz,
        reactions=(idle, *forces.reactions),
        told_by="",
        warnings=(),
    )
    joined = with_ground_forces(recording, both)
    assert [plate.name for plate in joined.plates] == ["ground_r"]
    assert any("2 carries nothing" in warning for warning in joined.warnings)


def test_a_table_is_no_recording_of_markers(tmp_path):
    with pytest.raises(TrialRejected, match=r"walk_grf\.mot: is a table of motion or forces, expected markers"):
        read_recording(pushed(tmp_path))


@pytest.mark.data
@pytest.mark.parametrize(
    ("markers", "forces", "toe", "stances_s", "duration_s", "mass_kg"),
    [
        # Two and a half seconds on a treadmill; the scaled model beside it weighs 72.6 kg.
        (
            "gait2354/subject01_walk1.trc",
            "gait2354/subject01_walk1_grf.mot",
            "Toe.Tip",
            ((0, 2.5), (0, 2.5)),
            2.5,
            72.6,
        ),
        # Overground: a stance of each foot, over the 1.144 s between two right strikes. walking_3d's scaled model of
        # this subject weighs 85.3 kg.
        (
            "rajagopal2016/walk/motion_capture_walk.trc",
            "rajagopal2016/walk/grf_walk.mot",
            "Toe",
            ((0.2, 1.1), (0.8, 1.65)),
            1.144,
            85.3,
        ),
    ],
)
def test_walks_of_opensims_examples_carry_their_bodies(
    shared_data, markers, forces, toe, stances_s, duration_s, mass_kg
):
    folder = shared_data / "opensim_reference"
    recording = read_recording(folder / markers, folder / forces)
    np.testing.assert_array_equal([plate.normal for plate in recording.plates], [[0, 1, 0]] * 2)
    impulse = 0.0
    for plate, (start_s, stop_s) in zip(recording.plates, stances_s, strict=True):
        during = slice(*(round(time_s * recording.analog_rate_hz) for time_s in (start_s, stop_s)))
        impulse += (plate.force_n[during] @ plate.normal).sum() / recording.analog_rate_hz
    assert impulse / duration_s / GRAVITY_M_S2 == pytest.approx(mass_kg, rel=0.01)
    ratio = round(recording.analog_rate_hz / recording.point_rate_hz)
    for plate in recording.plates:
        letter = plate.foot[0].upper()
        middle_m = (recording.marker(f"{letter}.Heel") + recording.marker(f"{letter}.{toe}")) / 2
        cop_m = centre_of_pressure(plate, 300.0)[0][::ratio]
        assert np.nanmedian(np.linalg.norm((cop_m - middle_m)[:, [0, 2]], axis=1)) < 0.12


@pytest.mark.data
@pytest.mark.parametrize("trial", ["2014001/2014001_C4_05", "2014004/2014004_C4_02", "2014014/2014014_C4_05"])
def test_another_groups_forces_are_those_of_the_plates(shared_data, trial):
    """They turned the axes, and took 1000 of 1500 samples a second."""
    plates = read_c3d(shared_data / "walking_adults" / f"{trial}.c3d").plates
    forces = read_ground_forces(shared_data / "walking_adults" / "reference" / f"{trial}_grf.mot")
    force_n, moment_nm = _differences(plates, forces, ADULTS_TURN)
    assert force_n < 0.02
    assert moment_nm < 0.02


def _differences(plates, forces, turn):
    """Root mean square differences of force and of moment about the laboratory's origin, where a plate is loaded."""
    at_s = np.arange(len(plates[0].force_n)) / 1500
    off_n, off_nm = [], []
    for plate, other in zip(plates, forces.reactions, strict=True):
        theirs = np.hstack([other.force_n @ turn, other.moment_nm(np.zeros(3)) @ turn])
        theirs = np.column_stack([np.interp(at_s, forces.time_s, column) for column in theirs.T])
        ours = np.hstack([plate.force_n, plate.moment_nm + np.cross(plate.origin_m, plate.force_n)])
        off = (theirs - ours)[plate.force_n[:, 2] > 100]
        off_n.append(off[:, :3])
        off_nm.append(off[:, 3:])
    return tuple(float(np.sqrt(np.mean(np.concatenate(each) ** 2))) for each in (off_n, off_nm))
