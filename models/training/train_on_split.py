"""From cycles and one split by subject to one trained run.

Three ways: a baseline's fit, the publication's median epoch, and early stopping. Each is a function
`(setup, cycles, split) -> TrainedRun`. Statistics, weights and the number of epochs all come from the split's training
subjects.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from statistics import median

import torch
from pydantic import JsonValue
from torch import nn

from models.data.channels import TASK_TARGETS, Task
from models.data.cycles import Cycles, Statistics, SubjectSplit, statistics_of
from models.data.inputs import input_channels, inputs_of
from models.networks.baselines import MeanCurveSettings, RidgeSettings, fit_mean_curve, fit_ridge
from models.networks.by_name import build
from models.predicting.trained_run import PredictorSettings, RunConfig, TrainedRun
from models.training.examples import Standardisation, examples_of
from models.training.network_training import BestEpoch
from models.training.recipe import TrainingRecipe
from models.training.training_loop import NO_CALLBACKS, TrainingCallbacks, train_epochs, train_until_best

TrainOnSplit = Callable[[Cycles, SubjectSplit], TrainedRun]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingSetup:
    """What to train, how and where.

    `callbacks` change no number; `device` changes the speed and, on a GPU, the last digits.
    """

    model: PredictorSettings
    task: Task
    recipe: TrainingRecipe
    device: torch.device
    callbacks: TrainingCallbacks = NO_CALLBACKS


def train_baseline(setup: TrainingSetup, cycles: Cycles, split: SubjectSplit) -> TrainedRun:
    """The mean curve or the ridge regression of the training subjects. ValueError for a network."""
    cycles = _legs_to_train_on(setup, cycles)
    train, statistics = _training_cycles(cycles, split), _input_statistics(setup, cycles, split)
    match setup.model:
        case MeanCurveSettings():
            weights = fit_mean_curve(train.measured(), train.condition)
        case RidgeSettings():
            inputs = statistics.standardise(inputs_of(train, setup.recipe.inputs))
            weights = fit_ridge(setup.model, inputs, train.measured(), train.subject)
        case _:
            raise ValueError(f"{setup.model.name} is no baseline")
    return _trained_run(setup, cycles, split, weights, {})


def train_baseline_on_folds(setup: TrainingSetup, cycles: Cycles, split: SubjectSplit) -> tuple[TrainedRun, ...]:
    """The baseline once without each fold of the training subjects. ValueError for fewer subjects than folds."""
    return tuple(train_baseline(setup, cycles, fold) for fold in folds(cycles, split, setup.recipe.folds.count))


def train_by_median_epoch(setup: TrainingSetup, cycles: Cycles, split: SubjectSplit) -> TrainedRun:
    """As published: find each fold's best epoch, then train on all training subjects for the median of them.

    ValueError for fewer training subjects than folds.
    """
    cycles = _legs_to_train_on(setup, cycles)
    best_epochs = [(fold, _best_epoch(setup, cycles, fold)) for fold in folds(cycles, split, setup.recipe.folds.count)]
    n_epochs = max(1, int(median(best.epoch for _, best in best_epochs)))
    standardisation = _standardisation(setup, cycles, split)
    train = examples_of(_training_cycles(cycles, split), standardisation, setup.device)
    weights = train_epochs(_fresh_network(setup), train, n_epochs, setup.recipe, setup.callbacks)
    origin: list[JsonValue] = [
        {"best_epoch": best.epoch, "validation_loss": best.loss, "validation_subjects": list(fold.test)}
        for fold, best in best_epochs
    ]
    run = _trained_run(setup, cycles, split, weights, {"epochs": n_epochs, "folds": origin})
    fold_runs = tuple(_trained_run(setup, cycles, fold, best.weights, {}) for fold, best in best_epochs)
    return replace(run, fold_runs=fold_runs)


def train_by_early_stopping(setup: TrainingSetup, cycles: Cycles, split: SubjectSplit) -> TrainedRun:
    """Cheaper: one fold of the training subjects says when to stop, and the weights of that epoch are kept.

    That fold's subjects choose the epoch and nothing else: neither statistics nor weights come from them.
    """
    cycles = _legs_to_train_on(setup, cycles)
    fold = next(folds(cycles, split, setup.recipe.folds.count))
    best = _best_epoch(setup, cycles, fold)
    origin: dict[str, JsonValue] = {
        "epochs": best.epoch,
        "validation_loss": best.loss,
        "validation_subjects": list(fold.test),
    }
    run = _trained_run(setup, cycles, fold, best.weights, origin)
    return replace(run, split=split, fold_runs=(run,))


def folds(cycles: Cycles, split: SubjectSplit, count: int) -> Iterator[SubjectSplit]:
    """Splits of the training subjects into `count` groups of about equally many cycles; each is the test once.

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
        yield SubjectSplit(train=train.take(train_rows).subjects, test=train.take(test_rows).subjects)


def _best_epoch(setup: TrainingSetup, cycles: Cycles, fold: SubjectSplit) -> BestEpoch:
    standardisation = _standardisation(setup, cycles, fold)
    train, validation = (
        examples_of(part, standardisation, setup.device)
        for part in (_training_cycles(cycles, fold), cycles.of(fold.test))
    )
    return train_until_best(_fresh_network(setup), train, validation, setup.recipe, setup.callbacks)


def _legs_to_train_on(setup: TrainingSetup, cycles: Cycles) -> Cycles:
    """All cycles, or the right legs' only if the recipe says so; folds and statistics follow."""
    if setup.recipe.mirrored_left or cycles.side is None:
        return cycles
    return cycles.take(cycles.side == "right")


def _training_cycles(cycles: Cycles, split: SubjectSplit) -> Cycles:
    if not split.train:
        raise ValueError("the split names no training subjects")
    return cycles.of(split.train)


def _input_statistics(setup: TrainingSetup, cycles: Cycles, split: SubjectSplit) -> Statistics:
    train = _training_cycles(cycles, split)
    return statistics_of(lambda: (inputs_of(part, setup.recipe.inputs) for part in train.blocks()))


def _target_statistics(setup: TrainingSetup, cycles: Cycles, split: SubjectSplit) -> Statistics | None:
    # Baselines predict targets as they are: a linear method gains nothing from another scale.
    if not setup.recipe.standardise_targets or isinstance(setup.model, MeanCurveSettings | RidgeSettings):
        return None
    train = _training_cycles(cycles, split)
    return statistics_of(lambda: (part.measured() for part in train.blocks()))


def _standardisation(setup: TrainingSetup, cycles: Cycles, split: SubjectSplit) -> Standardisation:
    return Standardisation(
        input_names=setup.recipe.inputs,
        inputs=_input_statistics(setup, cycles, split),
        targets=_target_statistics(setup, cycles, split),
    )


def _fresh_network(setup: TrainingSetup) -> nn.Module:
    """A network with the recipe's first weights: the same for every fold, as is the order of cycles (as published)."""
    if isinstance(setup.model, MeanCurveSettings | RidgeSettings):
        raise ValueError(f"{setup.model.name} is no network")
    torch.manual_seed(setup.recipe.seed)
    inputs, targets = input_channels(setup.recipe.inputs), TASK_TARGETS[setup.task]
    return build(setup.model, len(inputs), len(targets)).to(setup.device)


def _trained_run(
    setup: TrainingSetup,
    cycles: Cycles,
    split: SubjectSplit,
    weights: Mapping[str, torch.Tensor],
    origin: dict[str, JsonValue],
) -> TrainedRun:
    return TrainedRun(
        config=RunConfig(
            model=setup.model,
            task=setup.task,
            inputs=setup.recipe.inputs,
            points=cycles.n_points,
            input_channels=input_channels(setup.recipe.inputs),
            target_channels=TASK_TARGETS[setup.task],
            input_statistics=_input_statistics(setup, cycles, split),
            target_statistics=_target_statistics(setup, cycles, split),
            origin={"recipe": setup.recipe.model_dump(mode="json"), **origin},
        ),
        weights=weights,
        split=split,
    )
