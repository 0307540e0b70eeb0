"""Predictions in files: per body mass and in N, with limits, and not known where there is no cycle."""

import io

import numpy as np
import pyarrow.csv
import pyarrow.parquet as pq

from warehouse.interchange.opensim_table import parse_table
from warehouse.interchange.predictions import Curves, Predicted, TargetChannel, cycle_rows, encoded, sto, target_columns

TARGETS = (TargetChannel(name="force_glmed", unit="N/kg"), TargetChannel(name="moment_hip_flexion", unit="N·m/kg"))
VALUES = np.array([[1.0, 2.0], [3.0, np.nan]])
CURVES = Curves(values=VALUES, low=VALUES - 1, high=VALUES + 1)
PREDICTED = Predicted(
    targets=TARGETS,
    curves=Curves(values=np.arange(12.0).reshape(2, 3, 2), low=None, high=None),
    level=None,
    n_calibrating=0,
    novelty=np.array([0.5, 2.0]),
    angles_outside=((), ("knee_angle_r", "hip_flexion_l")),
)


def test_newtons_are_the_mass_times_newtons_per_kilogram() -> None:
    found = target_columns(TARGETS, CURVES, np.array([50.0, 60.0]))

    assert found["force_glmed"][0] == "N/kg"
    assert found["force_glmed"][1].tolist() == [1, 3]
    assert found["force_glmed_n"][0] == "N"
    assert found["force_glmed_n"][1].tolist() == [50, 180]
    assert found["force_glmed_n_high"][1].tolist() == [100, 240]
    assert found["moment_hip_flexion_nm"][0] == "N·m"
    np.testing.assert_array_equal(found["moment_hip_flexion_nm_low"][1], [50, np.nan])


def test_without_a_mass_there_are_no_newtons_and_without_limits_none() -> None:
    bare = Curves(values=VALUES, low=None, high=None)

    assert list(target_columns(TARGETS, bare, np.full(2, np.nan))) == ["force_glmed", "moment_hip_flexion"]


def test_a_row_for_each_cycle_and_sample_in_their_order() -> None:
    rows = cycle_rows({"sequence": np.arange(2)}, PREDICTED, np.full(2, np.nan)).to_pydict()

    assert rows["sequence"] == [0, 0, 0, 1, 1, 1]
    assert rows["sample"] == [0, 1, 2, 0, 1, 2]
    assert rows["force_glmed"] == [0, 2, 4, 6, 8, 10]
    assert rows["outside"] == [False] * 3 + [True] * 3
    assert rows["angles_outside"][3] == "knee_angle_r hip_flexion_l"


def test_parquet_says_the_unit_and_csv_leaves_what_is_not_known_empty() -> None:
    rows = cycle_rows({"sequence": np.arange(2)}, PREDICTED, np.array([60.0, np.nan]))

    stored = pq.read_table(io.BytesIO(encoded(".parquet", rows)))
    text = encoded(".csv", rows).decode()

    assert stored.field("force_glmed_n").metadata == {b"unit": b"N"}
    assert "nan" not in text.lower()
    assert pyarrow.csv.read_csv(io.BytesIO(text.encode())).column("force_glmed_n").null_count == 3


def test_an_opensim_table_has_a_column_for_each_leg_and_says_its_unit() -> None:
    legs = {"right": CURVES, "left": Curves(values=VALUES + 10, low=VALUES, high=VALUES)}

    in_newtons, per_mass = (
        sto("walk", np.array([0.0, 0.1]), legs, TARGETS, mass_kg).decode() for mass_kg in (50.0, np.nan)
    )

    found = parse_table("walk.sto", in_newtons)
    assert found.columns[:3] == ("force_glmed_r", "moment_hip_flexion_r", "force_glmed_r_low")
    assert found.numbers(["force_glmed_r", "force_glmed_l"]).tolist() == [[50, 550], [150, 650]]
    assert np.isnan(found.numbers(["moment_hip_flexion_r"])[1, 0])
    assert in_newtons.startswith("walk, in N and N·m\n")
    assert per_mass.startswith("walk, in N/kg and N·m/kg\n")
    assert parse_table("walk.sto", per_mass).numbers(["force_glmed_r"])[0, 0] == 1
