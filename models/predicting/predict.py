"""From a trained model and cycles to curves."""

import numpy as np
import torch
from torch import nn

from models.data.cycles import Cycles
from models.data.inputs import inputs_of
from models.networks.baselines import MeanCurveSettings, RidgeSettings, predict_mean_curve, predict_ridge
from models.networks.by_name import build
from models.predicting.conformal import limits, possible
from models.predicting.run import Run, check_fits
from warehouse.interchange.input_cycles import InputCycles
from warehouse.interchange.predictions import Curves, Predicted, TargetChannel
from warehouse.resample import resample_cycles

# More cycles at once are no faster on a CPU, and this many fit into any GPU.
_BATCH = 256


def predict(run: Run, cycles: Cycles, device: torch.device) -> np.ndarray:
    """What `run` says of every cycle, (N, P, K) per body mass. ValueError if the channels or points don't fit."""
    check_fits(run.config, cycles)
    if isinstance(run.config.model, MeanCurveSettings):
        return predict_mean_curve(run.weights, cycles.condition)
    return predict_from_inputs(run, inputs_of(cycles, run.config.inputs), device)


def predict_from_inputs(run: Run, inputs: np.ndarray, device: torch.device) -> np.ndarray:
    """The same of inputs (N, P, C) in their units. ValueError for a model that reads no motion."""
    standard = run.config.input_statistics.standardise(inputs)
    if isinstance(run.config.model, RidgeSettings):
        return predict_ridge(run.config.model, run.weights, standard)
    network = load_network(run).to(device)
    predicted = run_network(network, torch.from_numpy(standard).to(device)).cpu().numpy()
    return predicted if run.config.target_statistics is None else run.config.target_statistics.restore(predicted)


def predict_unmeasured(run: Run, found: InputCycles, device: torch.device) -> Predicted:
    """What `run` says of cycles without targets, how sure that is, and whether their motion is of a kind it knows.

    At the cycles' own number of points, whatever number the run reads. Forces below zero are given as zero, here and
    only here: what is scored is what the model itself says. ValueError if an input of the run is not known.
    """
    points = found.inputs_deg.shape[1]
    cycles = Cycles(
        angles_deg=resample_cycles(found.inputs_deg, run.config.points).astype(np.float32),
        targets=None,
        target_channels=run.config.target_channels,
        subject=found.subject,
        condition=found.condition,
        mass_kg=found.mass_kg,
        height_m=found.height_m,
        duration_s=found.duration_s,
    )
    said, calibration = predict(run, cycles, device), run.calibration
    low = high = None
    if calibration is not None:
        low, high = limits(said, np.array(calibration.half_width), run.config.target_channels)
    curves = Curves(values=possible(said, run.config.target_channels), low=low, high=high)
    verdict = None if run.novelty is None else run.novelty.verdict(cycles.angles_deg)
    return Predicted(
        targets=tuple(TargetChannel(name=channel.name, unit=channel.unit) for channel in run.config.target_channels),
        curves=curves.each(lambda numbers: resample_cycles(numbers, points)),
        level=None if calibration is None else calibration.level,
        n_calibrating=0 if calibration is None else calibration.n_subjects,
        novelty=None if verdict is None else verdict.together,
        angles_outside=() if verdict is None else tuple(map(verdict.angles_outside, range(len(found)))),
    )


def load_network(run: Run) -> nn.Module:
    """The network with its weights, ready to predict. ValueError if it is none, or if the weights don't fit it."""
    config = run.config
    if isinstance(config.model, MeanCurveSettings | RidgeSettings):
        raise ValueError(f"{config.model.name} is no network")
    network = build(config.model, len(config.input_channels), len(config.target_channels))
    try:
        network.load_state_dict(dict(run.weights), strict=True)
    except RuntimeError as error:
        raise ValueError(f"the weights don't fit a {config.model.name} of the stated size: {error}") from error
    return network.eval()


@torch.no_grad()
def run_network(network: nn.Module, inputs_NPC: torch.Tensor) -> torch.Tensor:
    """(N, P, C) standardised -> (N, P, K), in evaluation mode whatever mode the network was in; it is left there."""
    network.eval()
    return torch.cat([network(batch) for batch in inputs_NPC.split(_BATCH)])
