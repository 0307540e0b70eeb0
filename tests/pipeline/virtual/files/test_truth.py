import io

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.virtual.files.truth import blemish_truth, ground_truth, motion_truth
from pipeline.virtual.instruments.blemishes import Mark
from tests.pipeline.virtual.performances import walking

WALK = walking(start_s=0.0)


def _table(content: bytes):
    return pq.read_table(io.BytesIO(content))


def test_angles_are_degrees_translations_metres_and_moments_newton_metres() -> None:
    table = _table(motion_truth(WALK))

    np.testing.assert_allclose(table["hip_flexion_r"], np.degrees(WALK.coordinates.column("hip_flexion_r")))
    np.testing.assert_array_equal(table["pelvis_tx"], WALK.coordinates.column("pelvis_tx"))
    np.testing.assert_array_equal(table["moment_hip_flexion_r"], WALK.moments.column("hip_flexion_r"))
    np.testing.assert_allclose(table["acceleration_hip_flexion_r"], np.degrees(WALK.accelerations[:, 4]))
    assert {"residual_pelvis_tilt", "residual_pelvis_ty"} <= set(table.column_names)
    units = {field.name: field.metadata[b"unit"].decode() for field in table.schema}
    assert units["hip_flexion_r"] == "degree"
    assert units["acceleration_hip_flexion_r"] == "degree/s²"
    assert units["acceleration_pelvis_tx"] == "m/s²"
    assert (units["moment_hip_flexion_r"], units["residual_pelvis_ty"]) == ("N·m", "N")


def test_both_feet_s_loads_are_there_at_the_analog_rate() -> None:
    table = _table(ground_truth(WALK))

    assert len(table) == len(WALK.load["right"].force_n)
    assert np.diff(table["time_s"]).mean() == pytest.approx(1e-3)
    np.testing.assert_array_equal(table["force_y_l"], WALK.load["left"].force_n[:, 1])
    np.testing.assert_array_equal(table["cop_z_r"], WALK.load["right"].cop_m[:, 2])


@pytest.mark.parametrize("content", [motion_truth(WALK), ground_truth(WALK), blemish_truth([])])
def test_every_file_is_labelled_and_every_column_has_a_unit_and_a_meaning(content: bytes) -> None:
    schema = _table(content).schema

    assert schema.metadata[b"note"] == b"virtual, not patients"
    assert all(field.metadata[b"unit"] and field.metadata[b"meaning"] for field in schema)


def test_blemishes_are_told_trial_by_trial() -> None:
    mark = Mark(blemish="gap", of="R_FTC", figure="length", value=0.2, unit="s")

    (row,) = _table(blemish_truth([("walk_slow_01", mark)])).to_pylist()

    assert row == {
        "trial": "walk_slow_01", "blemish": "gap", "of": "R_FTC", "figure": "length", "value": 0.2, "unit": "s"
    }  # fmt: skip
