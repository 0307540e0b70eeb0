"""What is said of cycles that nobody measured."""

from dataclasses import replace

import numpy as np
import torch

from models.predicting.conformal import Calibration
from models.predicting.predict import predict, predict_unmeasured
from models.training.train_on_split import train_baseline
from tests.models.samples import halves, made_cycles, small_setup
from warehouse.interchange.input_cycles import InputCycles

CPU = torch.device("cpu")


def test_no_force_is_below_zero_nor_outside_its_limits() -> None:
    cycles = made_cycles(task="both")
    learned = train_baseline(small_setup("ridge", task="both"), cycles, halves(cycles))
    weak = {**learned.weights, "intercept": learned.weights["intercept"] - 4.5}
    width = ((0.5,) * len(cycles.target_channels),) * cycles.n_points
    run = replace(learned, weights=weak, calibration=Calibration(level=0.9, n_subjects=9, n_cycles=9, half_width=width))
    unmeasured = InputCycles(
        source="made",
        inputs_deg=cycles.angles_deg,
        subject=cycles.subject,
        condition=cycles.condition,
        mass_kg=cycles.mass_kg,
        height_m=cycles.height_m,
        duration_s=cycles.duration_s,
    )

    curves = predict_unmeasured(run, unmeasured, CPU).curves

    said = predict(run, cycles, CPU)
    forces = np.array([channel.name.startswith("force_") for channel in cycles.target_channels])
    assert curves.low is not None and curves.high is not None
    assert (said[..., forces] < -1).any()
    assert curves.values[..., forces].min() == 0
    assert ((curves.low <= curves.values) & (curves.values <= curves.high)).all()
    np.testing.assert_array_equal(curves.values[..., ~forces], said[..., ~forces])
    assert curves.values[..., ~forces].min() < 0
