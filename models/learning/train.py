"""The training loop: one pass over shuffled cycles an epoch, until enough was learned."""

import torch
from torch import nn
from torch.nn import functional

from models.learning.recipe import StoppingSettings, TrainingRecipe
from models.learning.training import Best, Source, Training, in_order, known_loss
from models.learning.watch import UNWATCHED, Watch


def device_named(name: str) -> torch.device:
    """`cpu`, `cuda`, or `auto`: a GPU where there is one. ValueError if the one asked for is not there."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name not in ("cpu", "cuda"):
        raise ValueError(f"device {name!r}: expected auto, cpu or cuda")
    if name == "cuda" and not torch.cuda.is_available():
        raise ValueError("no CUDA device was found here, and --device cuda asks for one: use --device auto or cpu")
    return torch.device(name)


def train_until_best(
    network: nn.Module, train: Source, validation: Source, recipe: TrainingRecipe, watch: Watch = UNWATCHED
) -> Best:
    """Trains until the validation loss has not improved for the recipe's patience, or its most epochs are over.

    ValueError if a loss becomes NaN, Interrupted if the watch says so. The network is left with its last weights, not
    its best.
    """
    training = Training(network, train, recipe)
    watch.begin(training)
    while not _has_learned_enough(training, recipe.stopping):
        train_loss = training.run_epoch(watch.between_batches)
        training.keep(train_loss, validation_loss(training.taught, validation, recipe.optimizer.batch_cycles))
        watch.after_epoch(training)
    watch.end()
    assert training.best is not None, "a recipe has at least one epoch"
    return training.best


def train_for(
    network: nn.Module, train: Source, n_epochs: int, recipe: TrainingRecipe, watch: Watch = UNWATCHED
) -> dict[str, torch.Tensor]:
    """Trains for so many epochs and gives the weights. ValueError and Interrupted as above."""
    training = Training(network, train, recipe)
    watch.begin(training)
    while training.epoch < n_epochs:
        training.keep(training.run_epoch(watch.between_batches), None)
        watch.after_epoch(training)
    watch.end()
    return training.weights()


@torch.no_grad()
def validation_loss(network: nn.Module, validation: Source, batch_cycles: int) -> float:
    """The mean over batches of their mean squared error, as published: a short last batch counts as a whole one.

    ValueError for NaN: nothing can be learned from there.
    """
    network.eval()
    losses = [functional.mse_loss(network(inputs), targets) for inputs, targets in in_order(validation, batch_cycles)]
    return known_loss(torch.stack(losses), "validation")


def _has_learned_enough(training: Training, stopping: StoppingSettings) -> bool:
    if training.best is None:
        return False
    waited = training.epoch - training.best.epoch
    return training.epoch >= stopping.max_epochs or waited >= stopping.patience_epochs
