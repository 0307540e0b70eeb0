import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.recordings.motion_table import read_motion_table
from tests.pipeline.recordings.trc_text import table_text

TIME_S = np.arange(10) / 100
NAMES = ("pelvis_tilt", "pelvis_ty", "knee_angle_r")
VALUES = np.column_stack([np.full(10, 5.0), np.full(10, 0.95), np.linspace(0, 60, 10)])


def write(folder, text):
    path = folder / "walk_ik.mot"
    path.write_text(text)
    return path


def test_degrees_become_radians_and_lengths_stay(tmp_path):
    motion, warnings = read_motion_table(write(tmp_path, table_text(NAMES, TIME_S, VALUES, header="inDegrees=yes")))
    assert motion.names == NAMES
    assert motion.rotational.tolist() == [True, False, True]
    np.testing.assert_allclose(motion.column("knee_angle_r"), np.radians(VALUES[:, 2]), rtol=1e-7)
    np.testing.assert_allclose(motion.column("pelvis_ty"), 0.95)
    assert warnings == ()


def test_radians_stay(tmp_path):
    motion, _ = read_motion_table(write(tmp_path, table_text(NAMES, TIME_S, np.radians(VALUES))))
    np.testing.assert_allclose(motion.column("knee_angle_r"), np.radians(VALUES[:, 2]), rtol=1e-7)


def test_the_model_says_what_is_an_angle(tmp_path):
    text = table_text(("slide", "turn"), TIME_S, VALUES[:, :2], header="inDegrees=yes")
    motion, _ = read_motion_table(write(tmp_path, text), frozenset({"turn"}))
    np.testing.assert_allclose(motion.values[0], [5.0, np.radians(0.95)])


def test_states_keep_the_coordinates_values(tmp_path):
    names = (
        "/jointset/knee_r/knee_angle_r/value",
        "/jointset/knee_r/knee_angle_r/speed",
        "/forceset/psoas_r/fiber_length",
    )
    motion, warnings = read_motion_table(write(tmp_path, table_text(names, TIME_S, VALUES)))
    assert motion.names == ("knee_angle_r",)
    assert "2 columns are no coordinate's value" in warnings[0]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (table_text(NAMES, TIME_S, VALUES, header="note=1"), "no inDegrees in its header"),
        (table_text(NAMES, TIME_S, VALUES, header="inDegrees=maybe"), "inDegrees=maybe, expected yes or no"),
        (table_text(NAMES, TIME_S, np.where(VALUES == 60, np.nan, VALUES)), r"knee_angle_r is not a number at 0\.09 s"),
        (table_text(("knee_angle_r_moment",), TIME_S, VALUES[:, :1]), "holds moments, forces or activations"),
        (table_text(("f_vx", "f_px"), TIME_S, VALUES[:, :2]), "holds ground reactions, expected joint coordinates"),
        (table_text(NAMES, TIME_S[[0, 1, 2, 5, 6]], VALUES[:5]), "time steps are uneven"),
        (table_text(NAMES, TIME_S[:1], VALUES[:1]), "holds 1 rows, expected a motion"),
    ],
)
def test_what_is_no_motion_is_refused(tmp_path, text, words):
    with pytest.raises(TrialRejected, match=rf"walk_ik\.mot: .*{words}"):
        read_motion_table(write(tmp_path, text))


@pytest.mark.data
def test_opensims_own_results(shared_data):
    motion, _ = read_motion_table(
        shared_data / "opensim_reference" / "gait2354" / "expected" / "subject01_walk1_ik.mot"
    )
    assert len(motion.names) == 23
    # The pelvis is a metre above the floor, and the knee bends by 70 degrees.
    assert np.ptp(np.degrees(motion.column("knee_angle_r"))) == pytest.approx(71.5, abs=1)
    assert motion.column("pelvis_ty").mean() == pytest.approx(1.03, abs=0.03)
