import pyarrow as pa
import pytest

from warehouse.channels import INPUT_COORDINATES, LOAD_CHANNELS, LOADED_JOINTS, MOMENT_COORDINATES, MUSCLE_GROUPS
from warehouse.columns import Column, TableSchema, later, real
from warehouse.schemas import PER_MOTION, PER_REJECTED, PER_SESSION, PER_TRIAL, SCHEMAS, schema_of


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema.name)
def test_every_field_has_a_unit_and_a_meaning(schema: TableSchema) -> None:
    for field in (column.field() for column in schema.fixed):
        assert field.metadata[b"unit"]
        assert len(field.metadata[b"meaning"]) > 3
    for family in schema.families:
        assert family.units
        assert family.column(f"{family.prefix}x", family.units[0]).field().metadata[b"unit"]


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema.name)
def test_a_columns_name_tells_its_unit(schema: TableSchema) -> None:
    suffixes = {
        "_s": "s",
        "_m": "m",
        "_kg": "kg",
        "_hz": "Hz",
        "_nm": "N·m",
        "_y": "year",
        "_n": "N",
        "_ratio": "1",
    }
    named_for_an_axis_or_a_rate = ("scale_y", "walking_speed_m_s", "load_hip_y", "distal_y", "proximal_y")
    for column in schema.columns:
        for suffix, unit in suffixes.items():
            if column.name.endswith(suffix) and not column.name.endswith(named_for_an_axis_or_a_rate):
                assert column.unit == unit, column.name


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=lambda schema: schema.name)
def test_names_are_unique_and_the_summary_is_of_them(schema: TableSchema) -> None:
    names = [column.name for column in schema.fixed]
    assert len(set(names)) == len(names)
    assert set(schema.summary) <= set(names)


def test_cycles_hold_ten_inputs_fourteen_forces_and_three_moments() -> None:
    names = [column.name for column in schema_of("cycles").columns]
    units = {column.name: column.unit for column in schema_of("cycles").columns}
    inputs = [name for name in names if name.endswith(("_ipsi", "_contra"))]
    assert len(inputs) == len(INPUT_COORDINATES) == 10
    assert len([name for name in names if name.startswith("force_")]) == len(MUSCLE_GROUPS) == 14
    assert len([name for name in names if name.startswith("moment_")]) == len(MOMENT_COORDINATES) == 3
    assert units["hip_flexion_ipsi"] == "degree"
    assert units["force_glmed"] == "N/kg"
    assert units["moment_hip_flexion"] == "N·m/kg"


def test_laboratory_angles_say_by_whose_convention_and_which_way_is_positive() -> None:
    columns = {column.name: column for column in schema_of("joint_angles").columns if column.name != "time_s"}
    assert {(column.unit, column.missing) for column in columns.values()} == {("degree", "nan")}
    assert all("is positive" in column.meaning for column in columns.values())
    assert columns["isb_ankle_inversion_l"].meaning.startswith("Foot against tibia and fibula, by the ISB")
    # A pelvis has one tilt; its obliquity is seen from either side.
    pelvis = [
        "pig_pelvis_tilt",
        *(f"pig_pelvis_{angle}_{side}" for side in "rl" for angle in ("obliquity", "rotation")),
    ]
    assert [name for name in columns if name.startswith("pig_pelvis")] == pelvis


def test_contact_forces_say_on_what_they_act_and_in_whose_axes() -> None:
    columns = {column.name: column for column in schema_of("joint_loads").columns}
    assert len(columns) == 1 + len(LOADED_JOINTS) * 2 * 3
    assert {column.unit for name, column in columns.items() if name != "time_s"} == {"N"}
    assert "of the pelvis on the left femur at the hip, along the femur's axis x" in columns["hip_l_distal_x"].meaning
    assert (
        "of the femur on the right tibia at the knee, along the femur's axis z" in columns["knee_r_proximal_z"].meaning
    )
    of_cycles = {column.name: column for column in schema_of("cycles").columns}
    assert {of_cycles[name].unit for name in LOAD_CHANNELS} == {"N/kg"}
    assert [name for name, column in of_cycles.items() if column.later] == ["heading_change_deg", *LOAD_CHANNELS]


def test_a_column_added_later_holds_numbers_that_may_be_unknown() -> None:
    with pytest.raises(ValueError, match="'x' was added later"):
        later(real("x", "N", "something"))


def test_a_family_with_several_units_asks_which() -> None:
    kinematics = schema_of("kinematics")
    assert kinematics.resolve("pelvis_tx", {"pelvis_tx": "m"}).unit == "m"
    with pytest.raises(ValueError, match="'pelvis_tx': its unit depends on the model"):
        kinematics.resolve("pelvis_tx", {})
    with pytest.raises(ValueError, match="one of degree, m"):
        kinematics.resolve("pelvis_tx", {"pelvis_tx": "rad"})


def test_residuals_are_kept_apart_from_moments() -> None:
    moments = schema_of("moments")
    residual = moments.resolve("residual_pelvis_tx", {"residual_pelvis_tx": "N"})
    assert "residual at the pelvis" in residual.meaning
    assert "`pelvis_tx`" in residual.meaning


def test_an_identity_column_is_no_model_column() -> None:
    with pytest.raises(ValueError, match="takes no column 'trial'"):
        schema_of("kinematics").resolve("trial", {"trial": "m"})


def test_every_table_is_one_of_the_groups() -> None:
    assert {"subjects", "trials", "cycles", *PER_SESSION, *PER_TRIAL, *PER_MOTION, *PER_REJECTED} == set(SCHEMAS)


def test_an_unknown_table_is_named() -> None:
    with pytest.raises(ValueError, match="no table 'emg'"):
        schema_of("emg")


def test_a_column_without_a_unit_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="needs a unit"):
        Column(name="x", type=pa.float64(), unit="", meaning="something")
