"""What is tried against the second contact peak: its norms are the data set's, its tables add up."""

import csv
from pathlib import Path

import numpy as np
import pytest

from benchmarks.what_if import (
    ARMS,
    HIP_DEG,
    NORMAL_FLEXION,
    Tally,
    arm_table,
    bound_table,
    flexion_arms_mm,
    variant_table,
)
from pipeline.osim.models.default_model import model_file_of
from pipeline.osim.models.shared_model import read_shared_model


@pytest.mark.data
@pytest.mark.parametrize(("condition", "letter"), [("preferred", "C"), ("fast", "F")])
def test_healthy_adults_moments_are_the_data_sets(shared_data: Path, condition, letter):
    with (shared_data / "norms" / "fukuchi2018_hip_moments.csv").open(newline="") as file:
        values = [float(row["hipZ_50"]) for row in csv.DictReader(file) if row["condition"] == letter]
    assert np.mean(values) == pytest.approx(NORMAL_FLEXION[condition], abs=0.01)


@pytest.mark.osim
def test_flexors_flex_extensors_extend_and_the_rectus_gains_as_the_hip_flexes():
    arms = flexion_arms_mm(read_shared_model(model_file_of(None)))
    column = {name: arms[:, index] for index, name in enumerate(ARMS)}
    assert arms.shape == (len(HIP_DEG), len(ARMS))
    assert all((column[name] > 0).all() for name in ("psoas", "iliacus", "recfem"))
    assert all((column[name] < 0).all() for name in ("glmax2", "semimem"))
    assert (np.diff(column["recfem"]) > 0).all()


def test_tables_show_means():
    tally = Tally(first=[300, 320], second=[500, 540], flexion=[1.0, 1.2], activations=[[1, 0, 0], [0, 1, 0]])
    assert variant_table({"as it is": tally}).splitlines()[-1].startswith("| as it is | 310 | 520 | 20 | 1.10 | 0.50 ")
    assert bound_table({("adults", "fast", "as it is"): [(500, 450, 400), (540, 470, np.nan)]}).splitlines()[-1] == (
        "| adults, fast (2 strides) | as it is | 520 | 460 | 400 |"
    )
    arms = np.ones((len(HIP_DEG), len(ARMS)))
    assert len(arm_table(arms, {"adults": [arms, 3 * arms]}).splitlines()) == 2 + 2 * len(ARMS)
