"""The left side is the right one's mirror image, and what isn't is named."""

import shutil

import pytest

from pipeline.osim.models.rajagopal2016.tables import (
    EXCEPTIONS,
    TABLES,
    TABLES_FOLDER,
    both_sides,
    mirror,
    negated,
    read_tables,
    to_left,
)


@pytest.fixture
def folder(tmp_path):
    shutil.copytree(TABLES_FOLDER, tmp_path / "tables", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    return tmp_path / "tables"


def edit(file, old: str, new: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")


def named(rows, **cells):
    found = [row for row in rows if cells.items() <= row.items()]
    assert len(found) == 1
    return found[0]


def test_the_model_s_parts_are_those_of_the_publication():
    tables = read_tables()
    # Rajagopal et al. (2016), abstract: 80 muscle-tendon units, 17 torque actuators, 37 degrees of freedom; the
    # two patellae follow their knees.
    assert len(tables["muscles"]) == 80
    assert len(tables["actuators"]) == 17
    assert len(tables["coordinates"]) - len(tables["couplers"]) == 37
    assert len(tables["bodies"]) == len(tables["joints"]) == 22


def test_every_row_has_a_name_of_its_own():
    for name, rows in read_tables().items():
        keys = [TABLES[name].key(row) for row in rows]
        assert len(set(keys)) == len(keys), name
        assert all(row.keys() == set(TABLES[name].columns) for row in rows)


def test_every_part_hangs_on_one_that_is_there():
    tables = read_tables()
    bodies = {row["name"] for row in tables["bodies"]}
    cylinders = {row["name"] for row in tables["wrap_cylinders"]}
    muscles = {row["name"] for row in tables["muscles"]}
    coordinates = {row["name"] for row in tables["coordinates"]}
    assert {row["child"] for row in tables["joints"]} == bodies
    assert {row["parent"] for row in tables["joints"]} < bodies | {"ground"}
    assert {row["body"] for row in tables["path_points"]} < bodies
    assert {row["muscle"] for row in tables["path_points"]} == muscles
    assert {row["muscle"] for row in tables["path_wraps"]} < muscles
    # The released file has a surface for the pectineus, but no such muscle.
    unused = {"PECT_at_femshaft_r", "PECT_at_femshaft_l"}
    assert cylinders - {row["cylinder"] for row in tables["path_wraps"]} == unused
    assert {row["coordinate"] for row in tables["axes"]} - {""} < coordinates
    assert {row["coordinate"] for row in tables["actuators"]} < coordinates


@pytest.mark.parametrize(
    ("right", "left"),
    [
        ("femur_r", "femur_l"),
        ("knee_angle_r_beta", "knee_angle_l_beta"),
        ("addbrev_r-P1", "addbrev_l-P1"),
        ("hip_r/rotation1", "hip_l/rotation1"),
        ("radius_r", "radius_l"),
        ("pelvis_rotation", "pelvis_rotation"),
        ("lumbar_rot", "lumbar_rot"),
    ],
)
def test_the_left_twin_s_name(right, left):
    assert to_left(right) == left


@pytest.mark.parametrize(("number", "expected"), [("0.1", "-0.1"), ("-1e-05", "1e-05"), ("0", "0"), ("", "")])
def test_a_sign_is_changed_without_touching_digits(number, expected):
    assert negated(number) == expected


def test_a_mirror_changes_the_side_of_a_point_and_of_a_tilt():
    tables = read_tables()
    points, joints = tables["path_points"], tables["joints"]
    right, left = (named(points, name=f"addbrev_{side}-P1") for side in "rl")
    assert (right["body"], left["body"]) == ("pelvis", "pelvis")
    assert [left[f"at_{axis}_m"] for axis in "xyz"] == ["-0.0191", "-0.094", "-0.0154"]
    assert [right[f"at_{axis}_m"] for axis in "xyz"] == ["-0.0191", "-0.094", "0.0154"]
    ankles = [named(joints, name=f"ankle_{side}") for side in "rl"]
    assert [ankle["parent_x_rad"] for ankle in ankles] == ["0.175895", "-0.175895"]
    assert [ankle["parent_z_rad"] for ankle in ankles] == ["0.0186622", "0.0186622"]


def test_left_hip_adduction_turns_the_other_way_about_the_same_axis():
    axes = read_tables()["axes"]
    right, left = (named(axes, joint=f"hip_{side}", axis="rotation2") for side in "rl")
    assert [(row["x"], row["y"], row["z"], row["slope"]) for row in (right, left)] == [
        ("1", "0", "0", "1"),
        ("1", "0", "0", "-1"),
    ]


def test_runs_of_right_rows_are_followed_by_their_left_ones():
    table = TABLES["path_wraps"]
    rows = [dict.fromkeys(table.columns, "") | {"muscle": name, "cylinder": "c"} for name in ("a_r", "b_r", "m", "c_r")]
    assert [row["muscle"] for row in both_sides(table, rows)] == ["a_r", "b_r", "a_l", "b_l", "m", "c_r", "c_l"]


def test_mirroring_twice_gives_the_figures_back():
    for name, table in TABLES.items():
        for row in read_tables()[name]:
            twice = mirror(table, mirror(table, row))
            assert [twice[c] for c in table.columns if c in table.mirrored] == [
                row[c] for c in table.columns if c in table.mirrored
            ]


def test_an_exception_is_kept():
    cylinders = read_tables()["wrap_cylinders"]
    assert [named(cylinders, name=f"BF_at_gastroc_{side}")["quadrant"] for side in "rl"] == ["y", "all"]


def test_an_exception_that_no_longer_fits_is_refused(folder):
    edit(folder / "joints.csv", "-3.14159,0.619901,0,toes_r", "-3.14160,0.619901,0,toes_r")
    with pytest.raises(ValueError, match=r"joints mtp_l parent_x_rad mirrors as 3\.14160, not 3\.14159"):
        read_tables(folder)


def test_an_exception_to_nothing_is_refused(folder):
    edit(folder / f"{EXCEPTIONS}.csv", "joints,mtp_l", "joints,mtp_x")
    with pytest.raises(ValueError, match="joints has no row mtp_x"):
        read_tables(folder)


def test_a_table_with_other_columns_is_refused(folder):
    edit(folder / "muscles.csv", "tendon_slack_length_m", "tendon_slack_length_mm")
    with pytest.raises(ValueError, match=r"muscles\.csv: columns .*tendon_slack_length_mm.*expected"):
        read_tables(folder)
