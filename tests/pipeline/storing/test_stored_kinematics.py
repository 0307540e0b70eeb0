import numpy as np
import pytest

from pipeline.records import Coordinates, Kinematics
from pipeline.storing.stored_kinematics import columns_of, read_kinematics
from tests.warehouse.one_file import write_table
from warehouse.identity import TrialKey
from warehouse.layout import Warehouse, table_path

KEY = TrialKey(cohort="adults", subject="S1", session="v1", trial="t1")
N_FRAMES = 200
NAMES = ("pelvis_tx", "hip_flexion_r", "knee_angle_r")


@pytest.fixture
def kinematics() -> Kinematics:
    rng = np.random.default_rng(0)
    coordinates = Coordinates(
        time_s=np.arange(N_FRAMES) / 100,
        names=NAMES,
        rotational=np.array([False, True, True]),
        values=rng.normal(0, 0.7, (N_FRAMES, 3)),
    )
    return Kinematics(
        coordinates=coordinates.as_stored(),
        marker_names=("R_IAS", "L_IAS", "R.MT5"),
        marker_error_m=np.where(rng.random((N_FRAMES, 3)) < [0, 0.2, 0.2], np.nan, rng.uniform(0, 0.04, (N_FRAMES, 3))),
    )


@pytest.fixture
def warehouse(tmp_path, kinematics) -> Warehouse:
    where = Warehouse(str(tmp_path))
    columns, units = columns_of(kinematics)
    write_table(where, "kinematics", KEY, columns, provenance_key="k", recipe="r", units=units)
    return where


def test_what_is_read_back_is_bit_for_bit_what_was_solved(warehouse, kinematics):
    found = read_kinematics(warehouse, KEY, {"inverse_kinematics": "k"})

    assert found is not None
    assert found.coordinates.names == NAMES
    assert found.coordinates.rotational.tolist() == [False, True, True]
    assert found.marker_names == ("R_IAS", "L_IAS", "R.MT5")
    assert np.array_equal(found.marker_error_m, kinematics.marker_error_m, equal_nan=True)
    assert np.array_equal(found.coordinates.time_s, kinematics.coordinates.time_s)
    assert np.array_equal(found.coordinates.values, kinematics.coordinates.values)


def test_what_is_stored_differs_from_what_was_solved_by_roundings_only():
    values = np.random.default_rng(1).normal(0, 0.7, (100_000, 1))
    solved = Coordinates(time_s=np.arange(100_000.0), names=("a",), rotational=np.array([True]), values=values)

    np.testing.assert_allclose(solved.as_stored().values, values, rtol=5e-16)


def test_results_of_other_settings_are_not_taken(warehouse):
    assert read_kinematics(warehouse, KEY, {"inverse_kinematics": "another"}) is None


def test_a_damaged_file_is_not_taken(warehouse):
    from pathlib import Path

    path = Path(table_path(warehouse, "kinematics", "trial", KEY))
    content = bytearray(path.read_bytes())
    content[200:260] = bytes(60)
    path.write_bytes(content)

    assert read_kinematics(warehouse, KEY, {"inverse_kinematics": "k"}) is None
