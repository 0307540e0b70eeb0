import numpy as np
import pytest

from pipeline.recordings.describe_file import describe_file
from tests.pipeline.recordings.test_motion_table import NAMES, VALUES
from tests.pipeline.recordings.test_motion_table import TIME_S as MOTION_TIME_S
from tests.pipeline.recordings.test_read_recording import COLUMNS, pushed, standing
from tests.pipeline.recordings.trc_text import table_text


def test_markers_alone_and_with_forces(tmp_path):
    markers, forces = standing(tmp_path), pushed(tmp_path)
    alone, both = describe_file(markers, None), describe_file(markers, forces)
    assert "walk.trc (read with trc)" in alone
    assert "4 at 100 Hz, 50 frames, 0.50 s from 0.00 s" in alone
    assert "plates    none" in alone
    assert "force 1   ground_r: the right foot's, peak vertical force on the body" in both


def test_a_file_of_forces(tmp_path):
    time_s = np.arange(0, 1, 1 / 500)
    values = np.tile([0.0, 700, 0, 0.1, 0, 0.1, 0, 2, 0], (500, 1))
    values[:100] = 0
    path = tmp_path / "walk_grf.mot"
    path.write_text(table_text(COLUMNS, time_s, values))
    said = describe_file(path, None)
    for expected in (
        "walk_grf.mot (ground reactions)",
        "500 rows at 500 Hz, 0.00-1.00 s, taken as N, m and N·m",
        "feet      by the columns' names",
        "force 1   ground_r: the right foot's, peak 700 N, loaded 0.20-1.00 s",
    ):
        assert expected in said


def test_a_motion(tmp_path):
    path = tmp_path / "walk_ik.mot"
    path.write_text(table_text(NAMES, MOTION_TIME_S, VALUES, header="inDegrees=yes"))
    said = describe_file(path, None)
    assert "3 coordinates, 10 rows at 100 Hz" in said
    assert "knee_angle_r: 0 to 60 degrees" in said
    assert "pelvis_ty: 0.95 to 0.95 m" in said


def test_forces_need_markers_beside_them(tmp_path):
    path = pushed(tmp_path)
    with pytest.raises(ValueError, match="holds no markers"):
        describe_file(path, path)
