"""The comparison with laboratories' moments, on moments that are known, and on one child by two roads."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.hip_moment_causes import JUDGED, hips, stance_of
from benchmarks.laboratory_moments import (
    COMPARED,
    Agreement,
    agreement,
    agreements,
    along_thigh,
    divided_by_kg,
    leg_table,
    mass_table,
    moment_table,
    moment_vector,
    stored_moments_nm,
)
from benchmarks.laboratory_outputs import laboratory_walks
from benchmarks.people import everybody, ingest
from benchmarks.walk_dynamics import dynamic_walks
from pipeline.session.recipe import PACKAGED_RECIPE
from warehouse.files.read import read_row
from warehouse.layout import Warehouse

CHILD = "HC044A"


def test_a_vector_is_found_from_what_it_is_about_three_slanting_axes() -> None:
    rng = np.random.default_rng(1)
    axes, vector = rng.normal(size=(5, 3, 3)), rng.normal(size=(5, 3))
    about = np.einsum("tij,ti->tj", axes, vector)
    np.testing.assert_allclose(moment_vector(axes, about), vector, atol=1e-12)


@pytest.mark.parametrize(("side", "outwards"), [("right", 1.0), ("left", -1.0)])
def test_a_moment_about_the_line_of_walking_adducts_one_leg_and_abducts_the_other(side, outwards) -> None:
    """About x, forward, it lifts what is left and lowers what is right: the right thigh's knee goes to the left."""
    standing = np.eye(3)[None]
    flexion, adduction, rotation = along_thigh(np.array([[2.0, 3.0, 5.0]]), standing, side)
    assert (flexion[0], adduction[0], rotation[0]) == (5.0, 2.0 * outwards, 3.0 * outwards)


def test_figures_are_of_frames_where_both_are_known() -> None:
    theirs = np.sin(np.linspace(0, 6, 50))
    ours = 1.0 + theirs
    theirs[40] = np.nan
    frames = np.arange(50) >= 10

    found = agreement("001", "left", "hip flexion", ours, theirs, frames)

    assert (found.r, found.rms, found.mean) == pytest.approx((1.0, 1.0, 1.0))
    assert not found.aim_met
    assert agreement("001", "left", "hip flexion", ours, theirs, np.arange(50) >= 32) is None


def test_tables_name_legs_and_count_what_meets_the_aim() -> None:
    found = [
        Agreement(person="001", side="right", moment="hip flexion", r=0.96, rms=0.05, mean=-0.02),
        Agreement(person="001", side="right", moment="hip flexion", r=0.98, rms=0.15, mean=-0.10),
        Agreement(person="001", side="left", moment="knee flexion", r=0.90, rms=0.20, mean=0.10),
    ]
    assert "| 001, right | 0.970 / 0.10 / -0.06 | – |" in leg_table(found)
    assert "| hip flexion | 0.970 | 0.960 | 0.10 | 0.15 | -0.06 | -0.10 | 1 of 2 |" in moment_table(found)
    assert "| 001 | 32.1 | – |" in mass_table({"001": (32.1, float("nan"))})


@pytest.mark.data
@pytest.mark.osim
def test_stored_moments_are_those_of_newton_and_euler_at_the_hip(tmp_path: Path, shared_data: Path) -> None:
    """The stored ones are about the coordinates' axes; the others a wrench on the thigh, taken about its centre."""
    (person,) = (one for one in everybody(shared_data) if one.facts.id == CHILD)
    ingest(person, tmp_path, PACKAGED_RECIPE)
    warehouse = Warehouse(str(tmp_path / "warehouse"))
    (stored,) = laboratory_walks(warehouse, "HipMoment")
    ours_nm = stored_moments_nm(warehouse, stored)
    mass_kg = read_row(warehouse, "sessions", stored.key)["mass_kg"]
    sides = set()
    for walk in dynamic_walks(tmp_path):
        for stride, hip in hips(walk, warehouse):
            sides.add(stride.side)
            stance = stance_of(walk, stride)
            for moment in JUDGED:
                wrench = hip.ours(())[stance, COMPARED[moment][1]]
                np.testing.assert_allclose(ours_nm[moment, stride.side][stance] / mass_kg, wrench, atol=0.01)
                assert np.abs(wrench).max() > 0.3
    assert sides == {"right", "left"}
    assert divided_by_kg(warehouse, stored) == pytest.approx(mass_kg, rel=0.01)
    assert {one.moment for one in agreements(warehouse, stored)} == set(COMPARED)
