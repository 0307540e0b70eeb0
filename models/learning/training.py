"""One network being taught: everything that must be kept so that an interrupted training goes on as if undisturbed.

N cycles, P points of each, C input channels, K targets.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from models.learning.recipe import TrainingRecipe
from warehouse.settings_file import Checked


class Source(Protocol):
    """Standardised inputs (N, P, C) and per-mass targets (N, P, K), wherever they are kept."""

    def __len__(self) -> int:
        """N."""

    @property
    def device(self) -> torch.device:
        """Where batches are used."""

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """The inputs and targets of these rows (a tensor on the CPU), on the device."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Examples:
    """A source that lies whole on the device where it is used: inputs (N, P, C), targets (N, P, K)."""

    inputs: Tensor
    targets: Tensor

    def __len__(self) -> int:
        return len(self.inputs)

    @property
    def device(self) -> torch.device:
        """Where both lie."""
        return self.inputs.device

    def take(self, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of both."""
        chosen = rows.to(self.device)
        return self.inputs[chosen], self.targets[chosen]


@dataclass(frozen=True, slots=True, kw_only=True)
class Best:
    """The epoch, counted from one, with the smallest validation loss, that loss, and the weights after it."""

    epoch: int
    loss: float
    weights: dict[str, Tensor]


class Point(Checked):
    """One epoch of a learning curve: the mean over its batches, and the validation loss after it (None: not asked)."""

    epoch: int
    train_loss: float
    validation_loss: float | None


class Facts(Checked):
    """What is known of a training so far, but for its tensors. Null: no epoch was validated."""

    curve: tuple[Point, ...]
    best_epoch: int | None
    best_loss: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Stand:
    """How far a training has come. Tensors are copies, on the device."""

    tensors: dict[str, Tensor]
    facts: Facts


class Training:
    """A network, its optimizer, and what was found so far, an epoch at a time.

    Random numbers come from torch's global generators: seed them before the first epoch.
    """

    def __init__(self, network: nn.Module, train: Source, recipe: TrainingRecipe) -> None:
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
        self.best: Best | None = None
        self.curve: list[Point] = []

    @property
    def epoch(self) -> int:
        """Epochs done."""
        return len(self.curve)

    @property
    def taught(self) -> nn.Module:
        """What is validated and kept: the network, or the moving average of its weights."""
        return self.network if self.average is None else self.average.module

    def weights(self) -> dict[str, Tensor]:
        """Copies of what was taught so far, on the CPU."""
        return {name: value.detach().cpu().clone() for name, value in self.taught.state_dict().items()}

    def run_epoch(self, between_batches: Callable[[], None]) -> float:
        """One pass over all cycles in a new order; the mean of its batches' losses. What it calls may raise."""
        losses = []
        self.network.train()
        # Drawn on the CPU: the same order on every device.
        batches = torch.randperm(len(self.train)).split(self.recipe.optimizer.batch_cycles)
        for index, rows in enumerate(batches):
            between_batches()
            self._set_learning_rate(self.epoch + (index + 1) / len(batches))
            losses.append(self._step(rows))
        return known_loss(torch.stack(losses), "training")

    def keep(self, train_loss: float, validation_loss: float | None) -> None:
        """Ends an epoch: a point of the curve, and the best weights so far if it was validated."""
        self.curve.append(Point(epoch=self.epoch + 1, train_loss=train_loss, validation_loss=validation_loss))
        if validation_loss is None:
            return
        if self.best is None or validation_loss < self.best.loss - self.recipe.stopping.min_improvement:
            self.best = Best(epoch=self.epoch, loss=validation_loss, weights=self.weights())

    def stand(self) -> Stand:
        """Everything `resume` needs, between two epochs."""
        tensors = {f"network.{name}": value for name, value in self.network.state_dict().items()}
        for index, entries in self.optimizer.state_dict()["state"].items():
            tensors |= {f"optimizer.{index}.{name}": value for name, value in entries.items()}
        if self.average is not None:
            tensors |= {f"average.{name}": value for name, value in self.average.state_dict().items()}
        if self.best is not None:
            tensors |= {f"best.{name}": value for name, value in self.best.weights.items()}
        tensors = {name: value.detach().clone() for name, value in tensors.items()}
        return Stand(
            tensors={**tensors, **_random_states(self.train.device)},
            facts=Facts(
                curve=tuple(self.curve),
                best_epoch=None if self.best is None else self.best.epoch,
                best_loss=None if self.best is None else self.best.loss,
            ),
        )

    def resume(self, stand: Stand) -> None:
        """Goes back to a stand of the same recipe, network and data, random numbers included."""
        self.network.load_state_dict(_part(stand, "network"))
        self.curve = list(stand.facts.curve)
        state: dict[int, dict[str, Tensor]] = {}
        for name, value in _part(stand, "optimizer").items():
            index, entry = name.split(".", 1)
            state.setdefault(int(index), {})[entry] = value
        self.optimizer.load_state_dict({**self.optimizer.state_dict(), "state": state})
        if self.average is not None:
            self.average.load_state_dict(_part(stand, "average"))
        if stand.facts.best_epoch is not None and stand.facts.best_loss is not None:
            self.best = Best(epoch=stand.facts.best_epoch, loss=stand.facts.best_loss, weights=_part(stand, "best"))
        _set_random_states(_part(stand, "random"))

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
        # Weights, the loss and its sum stay in single precision, and so do validation and prediction.
        loss = functional.mse_loss(predicted.float(), targets)
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), settings.gradient_clip)
        self.optimizer.step()
        if self.average is not None:
            self.average.update_parameters(self.network)
        return loss.detach()


def known_loss(of_batches: Tensor, which: str) -> float:
    """The mean over batches. ValueError for NaN or infinity: nothing can be learned from there."""
    loss = float(of_batches.mean())
    if not math.isfinite(loss):
        found = "NaN" if math.isnan(loss) else "infinite"
        raise ValueError(f"the {which} loss became {found}: lower the recipe's learning_rate, or look at the targets")
    return loss


def in_order(source: Source, batch_cycles: int) -> Iterator[tuple[Tensor, Tensor]]:
    """All of a source, batch after batch."""
    return (source.take(rows) for rows in torch.arange(len(source)).split(batch_cycles))


def _random_states(device: torch.device) -> dict[str, Tensor]:
    states = {"random.cpu": torch.get_rng_state()}
    return states | ({"random.cuda": torch.cuda.get_rng_state(device)} if device.type == "cuda" else {})


def _set_random_states(states: dict[str, Tensor]) -> None:
    torch.set_rng_state(states["cpu"].cpu())
    if "cuda" in states:
        torch.cuda.set_rng_state(states["cuda"].cpu())


def _part(stand: Stand, name: str) -> dict[str, Tensor]:
    prefix = f"{name}."
    return {key.removeprefix(prefix): value for key, value in stand.tensors.items() if key.startswith(prefix)}
