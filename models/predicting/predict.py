"""From a trained run and cycles to curves."""

import numpy as np
import torch
from torch import nn

from models.data.cycles import Cycles
from models.data.inputs import inputs_of
from models.networks.baselines import MeanCurveSettings, RidgeSettings, predict_mean_curve, predict_ridge
from models.networks.by_name import build
from models.predicting.conformal import interval_limits, without_negative_forces
from models.predicting.trained_run import TrainedRun, check_fits
from warehouse.interchange.input_cycles import InputCycles
from warehouse.interchange.predictions import Curves, Predicted, TargetChannel
from warehouse.resample import resample_cycles

# Larger batches are no faster on a CPU; this one fits into any GPU.
_BATCH = 256


def predict(run: TrainedRun, cycles: Cycles, device: torch.device) -> np.ndarray:
    """The run's prediction for each cycle, (N, P, K) per body mass. ValueError if channels or points don't fit."""
    check_fits(run.config, cycles)
    if isinstance(run.config.model, MeanCurveSettings):
        return predict_mean_curve(run.weights, cycles.condition)
    return predict_from_inputs(run, inputs_of(cycles, run.config.inputs), device)


def predict_from_inputs(run: TrainedRun, inputs: np.ndarray, device: torch.device) -> np.ndarray:
    """The same from inputs (N, P, C) in their units. ValueError for the mean curve, which reads no motion."""
    standard = run.config.input_statistics.standardise(inputs)
    if isinstance(run.config.model, RidgeSettings):
        return predict_ridge(run.config.model, run.weights, standard)
    network = load_network(run).to(device)
    predicted = run_network(network, torch.from_numpy(standard).to(device)).cpu().numpy()
    return predicted if run.config.target_statistics is None else run.config.target_statistics.restore(predicted)


def predict_unmeasured(run: TrainedRun, unmeasured: InputCycles, device: torch.device) -> Predicted:
    """Predictions for cycles without targets, with their intervals, and how novel each cycle's motion is to the run.

    Curves have the cycles' own number of points, whatever number the run reads. Negative forces are set to zero, here
    only: scores are of the unchanged predictions. ValueError if an input that the run reads is not known.
    """
    points = unmeasured.inputs_deg.shape[1]
    cycles = Cycles(
        angles_deg=resample_cycles(unmeasured.inputs_deg, run.config.points).astype(np.float32),
        targets=None,
        target_channels=run.config.target_channels,
        subject=unmeasured.subject,
        condition=unmeasured.condition,
        mass_kg=unmeasured.mass_kg,
        height_m=unmeasured.height_m,
        duration_s=unmeasured.duration_s,
    )
    predicted, calibration = predict(run, cycles, device), run.calibration
    low = high = None
    if calibration is not None:
        low, high = interval_limits(predicted, np.array(calibration.half_width), run.config.target_channels)
    curves = Curves(values=without_negative_forces(predicted, run.config.target_channels), low=low, high=high)
    novelty = None if run.known_motion is None else run.known_motion.novelty(cycles.angles_deg)
    return Predicted(
        targets=tuple(TargetChannel(name=channel.name, unit=channel.unit) for channel in run.config.target_channels),
        curves=curves.each(lambda numbers: resample_cycles(numbers, points)),
        level=None if calibration is None else calibration.level,
        n_calibrating=0 if calibration is None else calibration.n_subjects,
        novelty=None if novelty is None else novelty.together,
        angles_outside=() if novelty is None else tuple(map(novelty.angles_outside, range(len(unmeasured)))),
    )


def load_network(run: TrainedRun) -> nn.Module:
    """The network with its weights, ready to predict. ValueError for a baseline, or if the weights don't fit."""
    config = run.config
    if isinstance(config.model, MeanCurveSettings | RidgeSettings):
        raise ValueError(f"{config.model.name} is no network")
    channels = len(config.input_channels), len(config.target_channels)
    try:
        # Without memory first: a size that somebody typed may ask for more than the machine has.
        with torch.device("meta"):
            build(config.model, *channels).load_state_dict(dict(run.weights), strict=True, assign=True)
        network = build(config.model, *channels)
        network.load_state_dict(dict(run.weights), strict=True)
    except RuntimeError as error:
        raise ValueError(f"the weights don't fit a {config.model.name} of the stated size: {error}") from error
    return network.eval()


@torch.no_grad()
def run_network(network: nn.Module, inputs_NPC: torch.Tensor) -> torch.Tensor:
    """(N, P, C) standardised -> (N, P, K). The network is put into evaluation mode and left there."""
    network.eval()
    return torch.cat([network(batch) for batch in inputs_NPC.split(_BATCH)])
