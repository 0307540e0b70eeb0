"""From cycles and a split to a trained model: each way of learning is one function `(cycles, split) -> Run`.

Whatever is learned, statistics included, is learned from the split's training subjects.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median

import numpy as np
import torch
from pydantic import JsonValue
from torch import nn

from models.data.channels import TARGETS, Task
from models.data.cycles import Cycles, Split, Statistics, statistics_of
from models.data.inputs import input_channels, inputs_of
from models.learning.recipe import TrainingRecipe
from models.learning.train import train_for, train_until_best
from models.learning.training import Best, Examples, Source
from models.learning.watch import UNWATCHED, Watch
from models.networks.baselines import MeanCurveSettings, RidgeSettings, fit_mean_curve, fit_ridge
from models.networks.by_name import build
from models.predicting.run import ModelSettings, Run, RunConfig

Learn = Callable[[Cycles, Split], Run]


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to learn and where. `device` changes how fast, and on a GPU the last digits; `watch` changes nothing."""

    model: ModelSettings
    task: Task
    recipe: TrainingRecipe
    device: torch.device
    watch: Watch = UNWATCHED


def baseline(order: Order, cycles: Cycles, split: Split) -> Run:
    """The mean curve or the ridge regression of the training subjects."""
    cycles = _teaching(order, cycles)
    train, statistics = _training_cycles(cycles, split), _input_statistics(order, cycles, split)
    match order.model:
        case MeanCurveSettings():
            weights = fit_mean_curve(train.measured(), train.condition)
        case RidgeSettings():
            inputs = statistics.standardise(inputs_of(train, order.recipe.inputs))
            weights = fit_ridge(order.model, inputs, train.measured(), train.subject)
        case _:
            raise ValueError(f"{order.model.name} is no baseline")
    return _run(order, cycles, split, weights, {})


def baseline_siblings(order: Order, cycles: Cycles, split: Split) -> tuple[Run, ...]:
    """The baseline once more for each fold of the training subjects, without these. ValueError for too few."""
    return tuple(baseline(order, cycles, fold) for fold in folds(cycles, split, order.recipe.folds.count))


def by_median_epoch(order: Order, cycles: Cycles, split: Split) -> Run:
    """As published: folds of the training subjects find the best epochs; their median trains on all of them.

    ValueError for fewer training subjects than folds.
    """
    cycles = _teaching(order, cycles)
    found = [(fold, _best(order, cycles, fold)) for fold in folds(cycles, split, order.recipe.folds.count)]
    n_epochs = max(1, int(median(best.epoch for _, best in found)))
    train = _examples(order, _training_cycles(cycles, split), _scales(order, cycles, split))
    weights = train_for(_fresh_network(order), train, n_epochs, order.recipe, order.watch)
    told: list[JsonValue] = [
        {"best_epoch": best.epoch, "validation_loss": best.loss, "validation_subjects": list(fold.test)}
        for fold, best in found
    ]
    run = _run(order, cycles, split, weights, {"epochs": n_epochs, "folds": told})
    return replace(run, siblings=tuple(_run(order, cycles, fold, best.weights, {}) for fold, best in found))


def by_early_stopping(order: Order, cycles: Cycles, split: Split) -> Run:
    """Cheaper: one fold of the training subjects says when to stop, and the weights of that epoch are kept.

    The subjects of that fold choose the epoch and nothing else: statistics and weights never see them.
    """
    cycles = _teaching(order, cycles)
    fold = next(folds(cycles, split, order.recipe.folds.count))
    best = _best(order, cycles, fold)
    told: dict[str, JsonValue] = {
        "epochs": best.epoch,
        "validation_loss": best.loss,
        "validation_subjects": list(fold.test),
    }
    run = _run(order, cycles, fold, best.weights, told)
    return replace(run, split=split, siblings=(run,))


def folds(cycles: Cycles, split: Split, count: int) -> Iterator[Split]:
    """The training subjects dealt into `count` groups of about equally many cycles; each is once the test.

    ValueError if there are fewer subjects than groups.
    """
    from sklearn.model_selection import GroupKFold

    train = _training_cycles(cycles, split)
    if len(train.subjects) < count:
        raise ValueError(
            f"{count} folds need as many training subjects, and there are {len(train.subjects)} "
            f"({', '.join(train.subjects)}): train on a larger release, or name a recipe with a lower folds.count"
        )
    for train_rows, test_rows in GroupKFold(count).split(train.subject, groups=train.subject):
        yield Split(train=train.take(train_rows).subjects, test=train.take(test_rows).subjects)


def _best(order: Order, cycles: Cycles, fold: Split) -> Best:
    scales = _scales(order, cycles, fold)
    train, validation = (
        _examples(order, part, scales) for part in (_training_cycles(cycles, fold), cycles.of(fold.test))
    )
    return train_until_best(_fresh_network(order), train, validation, order.recipe, order.watch)


def _teaching(order: Order, cycles: Cycles) -> Cycles:
    """Without left legs' cycles where the recipe does not want them; statistics, folds and stopping follow."""
    if order.recipe.mirrored_left or cycles.side is None:
        return cycles
    return cycles.take(cycles.side == "right")


def _training_cycles(cycles: Cycles, split: Split) -> Cycles:
    if not split.train:
        raise ValueError("the split names no training subjects")
    return cycles.of(split.train)


def _input_statistics(order: Order, cycles: Cycles, split: Split) -> Statistics:
    train = _training_cycles(cycles, split)
    return statistics_of(lambda: (inputs_of(part, order.recipe.inputs) for part in train.blocks()))


def _target_statistics(order: Order, cycles: Cycles, split: Split) -> Statistics | None:
    # Baselines predict targets as they are: a linear method gains nothing by another scale.
    if not order.recipe.standardise_targets or isinstance(order.model, MeanCurveSettings | RidgeSettings):
        return None
    train = _training_cycles(cycles, split)
    return statistics_of(lambda: (part.measured() for part in train.blocks()))


def _scales(order: Order, cycles: Cycles, split: Split) -> tuple[Statistics, Statistics | None]:
    return _input_statistics(order, cycles, split), _target_statistics(order, cycles, split)


def _examples(order: Order, cycles: Cycles, scales: tuple[Statistics, Statistics | None]) -> Source:
    streamed = Streamed(order=order, cycles=cycles, scales=scales)
    return streamed if cycles.on_disk else streamed.whole()


@dataclass(frozen=True, slots=True, kw_only=True)
class Streamed:
    """A source whose cycles are made ready batch by batch: they may be larger than memory."""

    order: Order
    cycles: Cycles
    scales: tuple[Statistics, Statistics | None]

    def __len__(self) -> int:
        return len(self.cycles.subject)

    @property
    def device(self) -> torch.device:
        """Where batches are used."""
        return self.order.device

    def take(self, rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """These rows' inputs and targets, standardised."""
        ready = self._ready(self.cycles.read(rows.numpy()))
        return ready.inputs, ready.targets

    def whole(self) -> Examples:
        """All of them at once."""
        return self._ready(self.cycles)

    def _ready(self, cycles: Cycles) -> Examples:
        of_inputs, of_targets = self.scales
        inputs = of_inputs.standardise(inputs_of(cycles, self.order.recipe.inputs))
        targets = cycles.measured().astype(np.float32)
        if of_targets is not None:
            targets = of_targets.standardise(targets)
        return Examples(
            inputs=torch.from_numpy(inputs).to(self.device), targets=torch.from_numpy(targets).to(self.device)
        )


def _fresh_network(order: Order) -> nn.Module:
    """Every network of an order starts from the same weights and sees the same order of cycles, as published."""
    if isinstance(order.model, MeanCurveSettings | RidgeSettings):
        raise ValueError(f"{order.model.name} is no network")
    torch.manual_seed(order.recipe.seed)
    inputs, targets = input_channels(order.recipe.inputs), TARGETS[order.task]
    return build(order.model, len(inputs), len(targets)).to(order.device)


def _run(
    order: Order, cycles: Cycles, split: Split, weights: Mapping[str, torch.Tensor], told: dict[str, JsonValue]
) -> Run:
    return Run(
        config=RunConfig(
            model=order.model,
            task=order.task,
            inputs=order.recipe.inputs,
            points=cycles.n_points,
            input_channels=input_channels(order.recipe.inputs),
            target_channels=TARGETS[order.task],
            input_statistics=_input_statistics(order, cycles, split),
            target_statistics=_target_statistics(order, cycles, split),
            origin={"recipe": order.recipe.model_dump(mode="json"), **told},
        ),
        weights=weights,
        split=split,
    )
