"""Muscle volumes by mass and height, on the model whose strengths were made from them."""

import csv

import numpy as np
import pytest

from benchmarks.muscle_volumes import measured_muscle, strengths_by_volume, volumes_cm3
from pipeline.osim.models.rajagopal2016.tables import TABLES_FOLDER

# Whom Rajagopal et al. (2016) made their model's strengths for.
MASS_KG, HEIGHT_M = 75.0, 1.70


def model():
    with (TABLES_FOLDER / "muscles.csv").open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["name"].endswith("_r")]
    names = [row["name"] for row in rows]
    columns = ("max_isometric_force_n", "optimal_fiber_length_m")
    return names, *(np.array([float(row[column]) for row in rows]) for column in columns)


def test_the_models_own_strengths_come_back_for_the_man_it_was_made_for():
    names, strength_n, optimal_m = model()
    found = strengths_by_volume(names, strength_n, optimal_m, optimal_m, mass_kg=MASS_KG, height_m=HEIGHT_M)
    assert len(names) == 40
    np.testing.assert_allclose(found, strength_n, rtol=0.05)
    assert np.median(np.abs(found / strength_n - 1)) < 0.01


def test_strength_falls_as_fibres_grow_longer_at_the_same_volume():
    names, strength_n, optimal_m = model()
    person = {"mass_kg": 60.0, "height_m": 1.6}
    short = strengths_by_volume(names, strength_n, optimal_m, optimal_m, **person)
    long = strengths_by_volume(names, strength_n, optimal_m, 2 * optimal_m, **person)
    np.testing.assert_allclose(long, short / 2)


def test_parts_make_up_their_muscle():
    names, strength_n, optimal_m = model()
    found = strengths_by_volume(names, strength_n, optimal_m, optimal_m, mass_kg=60, height_m=1.6)
    of_gluteus = [name.startswith("glmed") for name in names]
    assert sum(of_gluteus) == 3
    assert (found * optimal_m)[of_gluteus].sum() * 100 / 60 == pytest.approx(volumes_cm3(60, 1.6)["glmed"])


def test_all_of_a_legs_muscles_make_nearly_its_total():
    # Six small muscles that the model lacks are missing.
    total = 47 * MASS_KG * HEIGHT_M + 1285
    assert 0.95 < sum(volumes_cm3(MASS_KG, HEIGHT_M).values()) / total < 1


def test_a_small_child_is_beyond_the_regressions():
    with pytest.raises(ValueError, match="psoas"):
        volumes_cm3(14, 1.0)


@pytest.mark.parametrize("name", ["glut_med1_r", "psoas"])
def test_another_models_muscle_is_refused(name):
    with pytest.raises(ValueError, match=name):
        measured_muscle(name)
