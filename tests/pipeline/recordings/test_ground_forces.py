"""Columns of ground reactions as laboratories name them, and tables that must be refused with the true reason."""

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.recordings.ground_forces import PointForce, files_of_forces, is_ground_forces, read_ground_forces
from tests.pipeline.recordings.trc_text import table_text

TIME_S = np.arange(50) / 500
RIGHT = ("ground_force_r_v", "ground_force_r_p", "ground_torque_r_")
LEFT = ("ground_force_l_v", "ground_force_l_p", "ground_torque_l_")
LOADS = """<?xml version="1.0" encoding="UTF-8" ?>
<OpenSimDocument Version="40000"><ExternalLoads name="loads"><objects>{forces}</objects>
<datafile>{data}</datafile></ExternalLoads></OpenSimDocument>"""


def external_force(body="calcn_r", force="a_v", point="a_p", torque="a_m", extra=""):
    return f"""<ExternalForce name="{body}"><applied_to_body> {body} </applied_to_body>
    <force_expressed_in_body>ground</force_expressed_in_body><point_expressed_in_body>ground</point_expressed_in_body>
    <force_identifier>{force}</force_identifier><point_identifier>{point}</point_identifier>
    <torque_identifier>{torque}</torque_identifier>{extra}</ExternalForce>"""


def columns_of(*reactions):
    return [identifier + axis for reaction in reactions for identifier in reaction for axis in "xyz"]


def values_of(n_reactions):
    """Reaction r's column c holds 100 r + c + 1 throughout."""
    row = [100.0 * reaction + column + 1 for reaction in range(n_reactions) for column in range(9)]
    return np.tile(row, (len(TIME_S), 1))


def write(folder, columns, values=None, name="walk_grf.mot", header="inDegrees=no"):
    path = folder / name
    path.write_text(
        table_text(columns, TIME_S, values_of(len(columns) // 9) if values is None else values, header=header)
    )
    return path


@pytest.mark.parametrize(
    ("first", "second", "feet"),
    [
        (RIGHT, LEFT, ("right", "left")),
        (
            ("ground_force_v", "ground_force_p", "ground_torque_"),
            ("1_ground_force_v", "1_ground_force_p", "1_ground_torque_"),
            (None, None),
        ),
        (
            ("ground_force_1_v", "ground_force_1_p", "ground_force_1_m"),
            ("ground_force_2_v", "ground_force_2_p", "ground_force_2_m"),
            (None, None),
        ),
        (
            ("R_ground_force_v", "R_ground_force_p", "R_ground_torque_"),
            ("L_ground_force_v", "L_ground_force_p", "L_ground_torque_"),
            ("right", "left"),
        ),
        (
            ("ground_force_left_v", "ground_force_left_p", "ground_torque_left_"),
            ("ground_force_right_v", "ground_force_right_p", "ground_torque_right_"),
            ("left", "right"),
        ),
        (
            ("ground_force_calcn_r_v", "ground_force_calcn_r_p", "ground_moment_calcn_r_m"),
            ("ground_force_calcn_l_v", "ground_force_calcn_l_p", "ground_moment_calcn_l_m"),
            ("right", "left"),
        ),
        (("f1_", "p1_", "m1_"), ("f2_", "p2_", "m2_"), (None, None)),
        (("FP1_v", "FP1_p", "FP1_t"), ("FP2_v", "FP2_p", "FP2_t"), (None, None)),
    ],
)
def test_names_tell_force_point_torque_and_foot(tmp_path, first, second, feet):
    forces = read_ground_forces(write(tmp_path, columns_of(first, second)))
    assert tuple(each.foot for each in forces.reactions) == feet
    assert forces.rate_hz == pytest.approx(500)
    for number, each in enumerate(forces.reactions):
        np.testing.assert_allclose(each.force_n[0], 100 * number + np.array([1, 2, 3]))
        np.testing.assert_allclose(each.point_m[0], 100 * number + np.array([4, 5, 6]))
        np.testing.assert_allclose(each.torque_nm[0], 100 * number + np.array([7, 8, 9]))
    assert forces.told_by == ("the columns' names" if all(feet) else "")


def test_numbered_axes_as_opensims_c3d_reader_writes_them(tmp_path):
    columns = [f"{letter}1_{axis}" for letter in "fpm" for axis in "123"]
    (only,) = read_ground_forces(write(tmp_path, columns)).reactions
    np.testing.assert_allclose(only.torque_nm[0], [7, 8, 9])


def test_a_reaction_may_have_no_torque(tmp_path):
    columns = columns_of(RIGHT)[:6]
    (only,) = read_ground_forces(write(tmp_path, columns, values_of(1)[:, :6])).reactions
    assert not only.torque_nm.any()


def test_other_columns_are_named_and_not_used(tmp_path):
    path = write(tmp_path, [*columns_of(RIGHT), "emg_gasmed"], np.hstack([values_of(1), np.ones((50, 1))]))
    assert "1 columns are no ground reaction: emg_gasmed" in read_ground_forces(path).warnings[0]


def test_a_motion_is_no_file_of_forces(tmp_path):
    motion = ("pelvis_tilt", "pelvis_tx", "pelvis_ty", "pelvis_tz", "hip_flexion_r")
    assert not is_ground_forces(motion)
    assert is_ground_forces(tuple(columns_of(RIGHT)))
    with pytest.raises(TrialRejected, match=r"no ground reaction: .* found pelvis_tilt, pelvis_tx"):
        read_ground_forces(write(tmp_path, motion, np.ones((50, 5))))


def test_the_moment_about_a_point_is_lever_times_force():
    # 700 N upwards, 0.1 m before the point, with 3 N·m of friction; then no force, and a point that is nowhere.
    reaction = PointForce(
        name="r",
        foot="right",
        force_n=np.array([[0, 700.0, 0], [0, 0, 0]]),
        point_m=np.array([[0.6, 0, 0.1], [346.1, 0, 96.4]]),
        torque_nm=np.array([[0, 3.0, 0], [0, 0, 0]]),
    )
    np.testing.assert_allclose(reaction.moment_nm(np.array([0.5, 0, 0.1])), [[0, 3, 70], [0, 0, 0]], atol=1e-9)


def test_external_loads_beside_it_say_the_feet_and_columns(tmp_path):
    path = write(tmp_path, columns_of(("a_v", "a_p", "a_m"), ("b_v", "b_p", "b_m")))
    forces = external_force("calcn_l") + external_force("/bodyset/toes_r", "b_v", "b_p", "b_m")
    loads = tmp_path / "any name.xml"
    loads.write_text(LOADS.format(forces=forces, data=r"C:\study\walk_grf.mot"))
    (tmp_path / "setup.xml").write_text("<OpenSimDocument><ScaleTool/></OpenSimDocument>")
    (tmp_path / "broken.xml").write_text("<OpenSimDocument><ExternalLoads>")
    for given in (path, loads):
        found = read_ground_forces(given)
        assert [each.foot for each in found.reactions] == ["left", "right"]
        assert found.told_by == "any name.xml"
        np.testing.assert_allclose(found.reactions[1].force_n[0], [101, 102, 103])
        assert files_of_forces(given) == (path, loads)


def test_a_force_that_is_switched_off_is_told(tmp_path):
    write(tmp_path, columns_of(("a_v", "a_p", "a_m")))
    off = external_force("hand_r", "h_v", "h_p", "h_m", "<isDisabled>true</isDisabled>")
    (tmp_path / "l.xml").write_text(LOADS.format(forces=external_force() + off, data="walk_grf.mot"))
    found = read_ground_forces(tmp_path / "walk_grf.mot")
    assert len(found.reactions) == 1
    assert "hand_r is switched off" in found.warnings[0]


@pytest.mark.parametrize(
    ("forces", "words"),
    [
        (external_force("hand_r"), "l.xml: force hand_r acts on 'hand_r', expected a foot"),
        (external_force("pelvis"), "acts on 'pelvis', expected a foot"),
        (
            external_force(force="c_v"),
            "finds its force in columns c_vx, y and z, which walk_grf.mot lacks; it has a_vx",
        ),
        (external_force(point="Unassigned"), "no point_identifier"),
        (external_force().replace(">ground<", ">calcn_r<"), "force_expressed_in_body 'calcn_r', expected ground"),
        (external_force(), "leaves out the reaction b of walk_grf.mot"),
        (external_force(extra="<isDisabled>true</isDisabled>"), "switches on no ExternalForce"),
    ],
)
def test_external_loads_that_would_lose_a_force_are_refused(tmp_path, forces, words):
    write(tmp_path, columns_of(("a_v", "a_p", "a_m"), ("b_v", "b_p", "b_m")))
    (tmp_path / "l.xml").write_text(LOADS.format(forces=forces, data="walk_grf.mot"))
    with pytest.raises(TrialRejected, match=words):
        read_ground_forces(tmp_path / "walk_grf.mot")


def test_two_external_loads_for_one_file(tmp_path):
    path = write(tmp_path, columns_of(("a_v", "a_p", "a_m")))
    for name in ("a.xml", "b.xml"):
        (tmp_path / name).write_text(LOADS.format(forces=external_force(), data="walk_grf.mot"))
    with pytest.raises(TrialRejected, match=r"a\.xml, b\.xml each say on which bodies"):
        read_ground_forces(path)
    assert read_ground_forces(tmp_path / "b.xml").told_by == "b.xml"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<OpenSimDocument><ScaleTool/></OpenSimDocument>", "l.xml: holds OpenSimDocument, expected ExternalLoads"),
        ("not xml", "l.xml: is no XML"),
        (LOADS.format(forces=external_force(), data=""), "l.xml: has no <datafile>"),
        (LOADS.format(forces=external_force(), data="gone.mot"), "gone.mot: the file can't be read"),
    ],
)
def test_an_xml_that_names_no_forces(tmp_path, text, words):
    (tmp_path / "l.xml").write_text(text)
    with pytest.raises(TrialRejected, match=words):
        read_ground_forces(tmp_path / "l.xml")


def with_value(row, column, value, columns=RIGHT):
    values = values_of(1)
    values[row, column] = value
    return table_text(columns_of(columns), TIME_S, values)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (with_value(3, 1, np.nan), "the force of ground_r is not a number in 1 rows, first at 0.006 s"),
        (with_value(3, 4, np.nan), "the point of ground_r is not a number"),
        (with_value(3, 7, np.inf), "the torque of ground_r is not a number"),
        (with_value(0, 0, 1).replace("endheader", "end"), "no 'endheader' line.*Export it again"),
        (with_value(0, 0, 1).replace("nRows=50", "nRows=500"), "says 500 rows, and it holds 50. It is cut off"),
        (with_value(0, 0, 1)[:-8], "row 49 has . numbers, expected 10"),
        (
            with_value(0, 0, 1).replace("ground_force_r_vx", "ground_force_r_vy"),
            "has ground_force_r_vy twice",
        ),
        (with_value(0, 0, 1).replace("ground_force_r_vx", "fore_aft"), "'ground_r' lacks columns of its force"),
        (with_value(0, 0, 1).replace("ground_force_r_p", "cop_r_"), "'ground_r' lacks columns of its point"),
        ("", "no 'endheader' line"),
    ],
)
def test_a_table_of_forces_that_is_not_whole_is_refused(tmp_path, text, words):
    path = tmp_path / "walk_grf.mot"
    path.write_text(text)
    with pytest.raises(TrialRejected, match=f"walk_grf.mot: .*{words}"):
        read_ground_forces(path)


def test_a_point_may_be_unknown_where_nothing_acts(tmp_path):
    values = values_of(1)
    values[10, :3], values[10, 3:6] = 0, np.nan
    (only,) = read_ground_forces(write(tmp_path, columns_of(RIGHT), values)).reactions
    assert np.isfinite(only.point_m).all()


def test_missing_rows_are_told(tmp_path):
    path = tmp_path / "walk_grf.mot"
    kept = np.delete(np.arange(50), [20, 21])
    path.write_text(table_text(columns_of(RIGHT), TIME_S[kept], values_of(1)[kept]))
    with pytest.raises(TrialRejected, match=r"time steps are uneven .*longest after 0\.038 s"):
        read_ground_forces(path)


@pytest.mark.data
@pytest.mark.parametrize(
    ("name", "told_by", "rate_hz", "feet"),
    [
        ("gait2354/subject01_walk1_grf.mot", "subject01_walk1_grf.xml", 600, ["right", "left"]),
        ("rajagopal2016/walk/grf_walk.mot", "the columns' names", 2000, ["right", "left"]),
        ("walking_3d/grf_walk.mot", "grf_walk.xml", 2000, ["right", "left"]),
    ],
)
def test_forces_of_opensims_examples(shared_data, name, told_by, rate_hz, feet):
    forces = read_ground_forces(shared_data / "opensim_reference" / name)
    assert (forces.told_by, [each.foot for each in forces.reactions]) == (told_by, feet)
    assert forces.rate_hz == pytest.approx(rate_hz, rel=1e-3)
    assert forces.warnings == ()
