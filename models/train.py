"""The training loop: whole data sets on the device, one pass over shuffled cycles an epoch.

N cycles, P points of each, C input channels, K targets.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from models.recipe import OptimizerSettings, TrainingRecipe


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """Standardised inputs (N, P, C) and per-mass targets (N, P, K), on the device where they are used."""

    inputs: Tensor
    targets: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The epoch, counted from one, with the smallest validation loss, that loss, and the weights after it."""

    epoch: int
    loss: float
    weights: dict[str, Tensor]


def device_named(name: str) -> torch.device:
    """`cpu`, `cuda`, or `auto`: a GPU where there is one. ValueError if the one asked for is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in ("cpu", "cuda"):
        raise ValueError(f"device {name!r}: expected auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("no CUDA device was found here, and --device cuda asks for one: use --device auto or cpu")
    return torch.device(name)


def train_until_best(network: nn.Module, train: Examples, validation: Examples, recipe: TrainingRecipe) -> Best:
    """Trains until the validation loss has not improved for the recipe's patience, or its most epochs are over.

    ValueError if the loss becomes NaN. The network is left with its last weights, not its best.
    """
    stopping, best = recipe.stopping, None
    for epoch, _ in zip(range(1, stopping.max_epochs + 1), epochs(network, train, recipe.optimizer), strict=False):
        loss = validation_loss(network, validation, recipe.optimizer.batch_cycles)
        if best is None or loss < best.loss - stopping.min_improvement:
            weights = {name: value.detach().cpu().clone() for name, value in network.state_dict().items()}
            best = Best(epoch=epoch, loss=loss, weights=weights)
        elif epoch - best.epoch >= stopping.patience_epochs:
            break
    assert best is not None, "a recipe has at least one epoch"
    return best


def train_for(network: nn.Module, train: Examples, n_epochs: int, optimizer: OptimizerSettings) -> None:
    """Trains for so many epochs."""
    for _ in zip(range(n_epochs), epochs(network, train, optimizer), strict=False):
        pass


def epochs(network: nn.Module, train: Examples, settings: OptimizerSettings) -> Iterator[None]:
    """Trains without end, yielding after each epoch."""
    optimizer = torch.optim.AdamW(
        network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
    )
    n_cycles, device = len(train.inputs), train.inputs.device
    while True:
        network.train()
        # Drawn on the CPU: the same order on every device.
        for rows in torch.randperm(n_cycles).to(device).split(settings.batch_cycles):
            optimizer.zero_grad(set_to_none=True)
            with torch.autocast(device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"):
                predicted = network(train.inputs[rows])
            # Weights, the loss and its sum stay in single precision, and so do validation and prediction.
            functional.mse_loss(predicted.float(), train.targets[rows]).backward()
            nn.utils.clip_grad_norm_(network.parameters(), settings.gradient_clip)
            optimizer.step()
        yield


@torch.no_grad()
def validation_loss(network: nn.Module, validation: Examples, batch_cycles: int) -> float:
    """The mean over batches of their mean squared error, as published: a short last batch counts as a whole one.

    ValueError for NaN: nothing can be learned from there.
    """
    network.eval()
    batches = zip(validation.inputs.split(batch_cycles), validation.targets.split(batch_cycles), strict=True)
    loss = float(torch.stack([functional.mse_loss(network(inputs), targets) for inputs, targets in batches]).mean())
    if loss != loss:
        raise ValueError("the validation loss became NaN: lower the recipe's learning_rate, or look at the targets")
    return loss
