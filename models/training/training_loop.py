"""The training loop: epochs until the validation loss stops improving, or for a given number of them.

Callbacks follow a training and may end it between two batches; those of `journal.py` let an interrupted training
resume.
"""

from typing import Protocol

import torch
from torch import nn
from torch.nn import functional

from models.training.examples import Examples, batches_in_order
from models.training.network_training import BestEpoch, NetworkTraining, finite_mean
from models.training.recipe import StoppingSettings, TrainingRecipe


class Interrupted(Exception):
    """The training was asked to stop. The message says what is kept of it."""


class TrainingCallbacks(Protocol):
    """Called while networks are trained, one after the other, in an order that one command always repeats."""

    def begin(self, training: NetworkTraining) -> None:
        """A training begins. This may set it to the state in which it was interrupted."""

    def between_batches(self) -> None:
        """May raise Interrupted, which ends the training."""

    def after_epoch(self, training: NetworkTraining) -> None:
        """An epoch is over."""

    def end(self) -> None:
        """The training is over."""


class _NoCallbacks:
    def begin(self, training: NetworkTraining) -> None:
        pass

    def between_batches(self) -> None:
        pass

    def after_epoch(self, training: NetworkTraining) -> None:
        pass

    def end(self) -> None:
        pass


NO_CALLBACKS: TrainingCallbacks = _NoCallbacks()


def train_until_best(
    network: nn.Module,
    train: Examples,
    validation: Examples,
    recipe: TrainingRecipe,
    callbacks: TrainingCallbacks = NO_CALLBACKS,
) -> BestEpoch:
    """Trains until the validation loss has not improved for the recipe's patience, or for its `max_epochs`.

    ValueError if a loss becomes NaN or infinite, Interrupted if a callback raises it. The network is left with its last
    weights, not its best.
    """
    training = NetworkTraining(network, train, recipe)
    callbacks.begin(training)
    while not _is_over(training, recipe.stopping):
        train_loss = training.run_epoch(callbacks.between_batches)
        loss = validation_loss(training.kept_network, validation, recipe.optimizer.batch_cycles)
        training.end_epoch(train_loss, loss)
        callbacks.after_epoch(training)
    callbacks.end()
    assert training.best is not None, "a recipe has at least one epoch"
    return training.best


def train_epochs(
    network: nn.Module,
    train: Examples,
    n_epochs: int,
    recipe: TrainingRecipe,
    callbacks: TrainingCallbacks = NO_CALLBACKS,
) -> dict[str, torch.Tensor]:
    """Trains for this many epochs and returns the weights. Errors as in `train_until_best`."""
    training = NetworkTraining(network, train, recipe)
    callbacks.begin(training)
    while training.epoch < n_epochs:
        training.end_epoch(training.run_epoch(callbacks.between_batches), None)
        callbacks.after_epoch(training)
    callbacks.end()
    return training.weights()


@torch.no_grad()
def validation_loss(network: nn.Module, validation: Examples, batch_cycles: int) -> float:
    """The mean over batches of their mean squared error, as published: a short last batch counts as a whole one.

    ValueError for NaN or infinity.
    """
    network.eval()
    batches = batches_in_order(validation, batch_cycles)
    losses = [functional.mse_loss(network(inputs), targets) for inputs, targets in batches]
    return finite_mean(torch.stack(losses), "validation")


def _is_over(training: NetworkTraining, stopping: StoppingSettings) -> bool:
    if training.best is None:
        return False
    epochs_without_improvement = training.epoch - training.best.epoch
    return training.epoch >= stopping.max_epochs or epochs_without_improvement >= stopping.patience_epochs
