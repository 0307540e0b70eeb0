"""From a trained model and cycles to curves."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from models.baselines import MeanCurveSettings, RidgeSettings, predict_mean_curve, predict_ridge
from models.conformal import limits
from models.data import Cycles
from models.inputs import inputs_of
from models.networks import build
from models.novelty import Verdict
from models.run import Run, check_fits

# More cycles at once are no faster on a CPU, and this many fit into any GPU.
_BATCH = 256


def predict(run: Run, cycles: Cycles, device: torch.device) -> np.ndarray:
    """What `run` says of every cycle, (N, P, K) per body mass. ValueError if the channels or points don't fit."""
    check_fits(run.config, cycles)
    settings = run.config.model
    if isinstance(settings, MeanCurveSettings):
        return predict_mean_curve(run.weights, cycles.condition)
    inputs = run.config.input_statistics.standardise(inputs_of(cycles, run.config.inputs))
    if isinstance(settings, RidgeSettings):
        return predict_ridge(settings, run.weights, inputs)
    network = load_network(run).to(device)
    predicted = run_network(network, torch.from_numpy(inputs).to(device)).cpu().numpy()
    return predicted if run.config.target_statistics is None else run.config.target_statistics.restore(predicted)


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """Curves (N, P, K) per body mass with their limits, and whether each cycle is of a kind that the run has seen.

    Limits are None for a run without intervals, the verdict for one that doesn't know its training subjects' motion.
    """

    values: np.ndarray
    low: np.ndarray | None
    high: np.ndarray | None
    verdict: Verdict | None


def predict_in_full(run: Run, cycles: Cycles, device: torch.device) -> Prediction:
    """What `run` says of every cycle, how sure that is, and whether it may be asked. ValueError as `predict`."""
    values = predict(run, cycles, device)
    low = high = None
    if run.calibration is not None:
        low, high = limits(values, np.array(run.calibration.half_width), run.config.target_channels)
    verdict = None if run.novelty is None else run.novelty.verdict(cycles.angles_deg)
    return Prediction(values=values, low=low, high=high, verdict=verdict)


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
