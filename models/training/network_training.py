"""One network in training, an epoch at a time, and the state from which an interrupted training resumes exactly.

N cycles, P points of each, C input channels, K targets.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.training.examples import Examples
from models.training.recipe import TrainingRecipe
from warehouse.settings_file import Checked


@dataclass(frozen=True, slots=True, kw_only=True)
class BestEpoch:
    """The epoch, counted from one, with the smallest validation loss, that loss, and the weights after it."""

    epoch: int
    loss: float
    weights: dict[str, Tensor]


class CurvePoint(Checked):
    """One epoch of a learning curve: mean loss over its batches, and the validation loss after it.

    `validation_loss` is None where there are no validation subjects.
    """

    epoch: int
    train_loss: float
    validation_loss: float | None


class TrainingProgress(Checked):
    """The learning curve so far and its best epoch, which is None where no epoch was validated."""

    curve: tuple[CurvePoint, ...]
    best_epoch: int | None
    best_loss: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingState:
    """Everything that a training needs to resume. Tensors are copies, on the device."""

    tensors: dict[str, Tensor]
    progress: TrainingProgress


class NetworkTraining:
    """A network, its optimizer and its learning curve, an epoch at a time.

    Random numbers come from torch's global generators: seed them before the first epoch.
    """

    def __init__(self, network: nn.Module, train: Examples, recipe: TrainingRecipe) -> None:
        self.network, self.train, self.recipe = network, train, recipe
        settings = recipe.optimizer
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=settings.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
        self.average = (
            AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(settings.average_decay))
            if settings.average_decay
            else None
        )
        self.best: BestEpoch | None = None
        self.curve: list[CurvePoint] = []

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.curve)

    @property
    def kept_network(self) -> nn.Module:
        """What is validated and kept: the network, or the moving average of its weights."""
        return self.network if self.average is None else self.average.module

    def weights(self) -> dict[str, Tensor]:
        """Copies of the kept network's weights, on the CPU."""
        return {name: value.detach().cpu().clone() for name, value in self.kept_network.state_dict().items()}

    def run_epoch(self, between_batches: Callable[[], None]) -> float:
        """One pass over all cycles in a new order; the mean of its batches' losses.

        ValueError if that is NaN or infinite; `between_batches` may raise too.
        """
        losses = []
        self.network.train()
        # Drawn on the CPU: the same order on every device.
        batches = torch.randperm(len(self.train)).split(self.recipe.optimizer.batch_cycles)
        for index, rows in enumerate(batches):
            between_batches()
            self._set_learning_rate(self.epoch + (index + 1) / len(batches))
            losses.append(self._step(rows))
        return finite_mean(torch.stack(losses), "training")

    def end_epoch(self, train_loss: float, validation_loss: float | None) -> None:
        """Adds a point to the curve, and keeps the weights if the validation loss is the smallest so far."""
        self.curve.append(CurvePoint(epoch=self.epoch + 1, train_loss=train_loss, validation_loss=validation_loss))
        if validation_loss is None:
            return
        if self.best is None or validation_loss < self.best.loss - self.recipe.stopping.min_improvement:
            self.best = BestEpoch(epoch=self.epoch, loss=validation_loss, weights=self.weights())

    def state(self) -> TrainingState:
        """Everything `resume` needs, between two epochs."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for index, entries in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in entries.items()}
        if self.average is not None:
            tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        if self.best is not None:
            tensors |= {f"best.{name}": value for name, value in self.best.weights.items()}
        tensors = {name: value.detach().clone() for name, value in tensors.items()}
        return TrainingState(
            tensors={**tensors, **_random_states(self.train.device)},
            progress=TrainingProgress(
                curve=tuple(self.curve),
                best_epoch=None if self.best is None else self.best.epoch,
                best_loss=None if self.best is None else self.best.loss,
            ),
        )

    def resume(self, state: TrainingState) -> None:
        """Goes back to a state of the same recipe, network and data, random numbers included."""
        self.network.load_state_dict(_part(state, "network"))
        self.curve = list(state.progress.curve)
        of_optimizer: dict[int, dict[str, Tensor]] = {}
        for name, value in _part(state, "optimizer").items():
            index, entry = name.split(".", 1)
            of_optimizer.setdefault(int(index), {})[entry] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": of_optimizer})
        if self.average is not None:
            self.average.load_state_dict(_part(state, "average"))
        epoch, loss = state.progress.best_epoch, state.progress.best_loss
        if epoch is not None and loss is not None:
            self.best = BestEpoch(epoch=epoch, loss=loss, weights=_part(state, "best"))
        _set_random_states(_part(state, "random"))

    def _set_learning_rate(self, epochs_done: float) -> None:
        share = self.recipe.schedule.share(epochs_done, self.recipe.stopping.max_epochs)
        for group in self.optimizer.param_groups:
            group["lr"] = self.recipe.optimizer.learning_rate * share

    def _step(self, rows: Tensor) -> Tensor:
        settings = self.recipe.optimizer
        inputs, targets = self.train.take(rows)
        self.optimizer.zero_grad(set_to_none=True)
        with torch.autocast(inputs.device.type, torch.bfloat16, enabled=settings.precision == "bfloat16"):
            predicted = self.network(inputs)
        # Weights and the loss stay in single precision, and so do validation and prediction.
        loss = functional.mse_loss(predicted.float(), targets)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), settings.gradient_clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return loss.detach()


def finite_mean(batch_losses: Tensor, which: str) -> float:
    """The mean loss over batches. ValueError for NaN or infinity: training can't continue from there."""
    loss = float(batch_losses.mean())
    if not math.isfinite(loss):
        value = "NaN" if math.isnan(loss) else "infinite"
        raise ValueError(f"the {which} loss became {value}: lower the recipe's learning_rate, or look at the targets")
    return loss


def _random_states(device: torch.device) -> dict[str, Tensor]:
    states = {"random.cpu": torch.get_rng_state()}
    return states | ({"random.cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def _set_random_states(states: dict[str, Tensor]) -> None:
    torch.set_rng_state(states["cpu"].cpu())
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"].cpu())


def _part(state: TrainingState, name: str) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in state.tensors.items() if key.startswith(prefix)}
