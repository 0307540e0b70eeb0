import pyarrow as pa

from warehouse.channels import ALL_CHANNELS, FORCE_CHANNELS, INPUT_COORDINATES, MOMENT_CHANNELS, MUSCLE_GROUPS
from warehouse.release.columns import arrow_schema, release_columns


def test_channels_are_the_ten_inputs_then_the_seventeen_targets() -> None:
    assert ALL_CHANNELS[:10] == INPUT_COORDINATES
    assert len(FORCE_CHANNELS) == len(MUSCLE_GROUPS) == 14
    assert MOMENT_CHANNELS == ("moment_hip_flexion", "moment_hip_adduction", "moment_hip_rotation")


def test_every_column_says_its_unit_and_meaning() -> None:
    for field in arrow_schema():
        assert field.metadata[b"unit"]
        assert field.metadata[b"meaning"]


def test_units_are_those_of_the_design() -> None:
    unit = {column.name: column.unit for column in release_columns()}

    assert {unit[name] for name in INPUT_COORDINATES} == {"degree"}
    assert {unit[name] for name in FORCE_CHANNELS} == {"N/kg"}
    assert {unit[name] for name in MOMENT_CHANNELS} == {"N·m/kg"}
    assert (unit["mass_kg"], unit["height_m"], unit["duration_s"]) == ("kg", "m", "s")


def test_channels_are_single_precision() -> None:
    assert {arrow_schema().field(name).type for name in ALL_CHANNELS} == {pa.float32()}
