"""Ranges are the model's, and narrower where walking people stay within less."""

import numpy as np
import pytest

from pipeline.osim.models.rajagopal2016.tables import read_tables
from pipeline.virtual.person.joint_ranges import joint_ranges


def test_every_clamped_coordinate_has_a_range_within_the_models():
    clamped = {row["name"]: row for row in read_tables()["coordinates"] if row["clamped"] == "true"}

    assert joint_ranges().keys() == clamped.keys()
    for name, (low, high) in joint_ranges().items():
        assert float(clamped[name]["min"]) == low < high <= float(clamped[name]["max"])


@pytest.mark.parametrize(("name", "highest_deg"), [("ankle_angle", 20), ("hip_adduction", 18), ("knee_angle", 120)])
def test_walkers_bend_ankles_and_adduct_hips_less_than_the_model_can(name, highest_deg):
    for side in "rl":
        assert np.degrees(joint_ranges()[f"{name}_{side}"][1]) == pytest.approx(highest_deg, abs=0.1)
