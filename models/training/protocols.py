"""Protocols, by name: which subjects are held out for the test, and how the epochs are chosen.

- `gait2hip60`: as published. The release's test subjects are held out; folds of the training subjects choose the number
  of epochs; a network trained on all training subjects is tested once.
- `holdout`: the same subjects are held out; one fold of the training subjects chooses the epoch. About a sixth of the
  work.
- `loso` (leave one subject out): each subject is tested by a model trained on the others; the run that is kept is
  trained on all.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch

from models.data.cycles import Cycles, SubjectSplit
from models.networks.baselines import MeanCurveSettings, RidgeSettings
from models.predicting.calibrate import calibrate_run, coverage_across_folds, coverage_on_unseen
from models.predicting.conformal import INTERVAL_LEVEL, fewest_subjects
from models.predicting.predict import predict
from models.predicting.trained_run import TrainedRun
from models.scoring.report import Coverage, make_report
from models.scoring.scorecard import Scorecard, score
from models.training.train_on_split import (
    TrainingSetup,
    TrainOnSplit,
    train_baseline,
    train_baseline_on_folds,
    train_by_early_stopping,
    train_by_median_epoch,
)

ProtocolName = Literal["gait2hip60", "holdout", "loso"]
BASELINES = ("mean_curve", "ridge")


def train_and_test(setup: TrainingSetup, protocol: ProtocolName, cycles: Cycles, split: SubjectSplit) -> TrainedRun:
    """A trained run with its report: its scorecard beside both baselines', all by the same protocol.

    ValueError if there are no subjects to test, or too few to train on.
    """
    train_network, test = PROTOCOLS[protocol]
    train = partial(train_baseline if _is_baseline(setup) else train_network, setup)
    run, card = test(setup, train, cycles, split)
    baselines = [replace(setup, model=setup.recipe.model(name)) for name in BASELINES if name != setup.model.name]
    baseline_cards = [test(one, partial(train_baseline, one), cycles, split)[1] for one in baselines]
    run = calibrate_run(_with_fold_runs(setup, run, cycles), cycles, setup.device)
    report = make_report(card, baseline_cards, _coverage(run, cycles, setup.device))
    return replace(run, report=report, fold_runs=())


def _is_baseline(setup: TrainingSetup) -> bool:
    return isinstance(setup.model, MeanCurveSettings | RidgeSettings)


def _with_fold_runs(setup: TrainingSetup, run: TrainedRun, cycles: Cycles) -> TrainedRun:
    """A baseline is trained without folds: its fold runs are made here, if there are enough subjects to calibrate."""
    if run.fold_runs or len(run.split.train or ()) < fewest_subjects(INTERVAL_LEVEL):
        return run
    return replace(run, fold_runs=train_baseline_on_folds(setup, cycles, run.split))


def _coverage(run: TrainedRun, cycles: Cycles, device: torch.device) -> tuple[Coverage, ...]:
    if run.split.test:
        return coverage_on_unseen(run, cycles.of(run.split.test), device)
    return coverage_across_folds(run, cycles, device)


def hold_out_once(
    setup: TrainingSetup, train: TrainOnSplit, cycles: Cycles, split: SubjectSplit
) -> tuple[TrainedRun, Scorecard]:
    """Trains on the split's training subjects, tests on its test subjects. ValueError if it has none."""
    if not split.test:
        raise ValueError("the release holds no subject out for the test: cut it with --holdout, or use --protocol loso")
    if not split.train:
        raise ValueError(
            f"the release holds every subject out for the test ({', '.join(split.test)}), and nobody is left to train "
            "on: cut it with fewer of them in --holdout, or use --protocol loso"
        )
    run, tested = train(cycles, split), cycles.of(split.test)
    return run, score(setup.model.name, tested, predict(run, tested, setup.device))


def leave_each_out(
    setup: TrainingSetup, train: TrainOnSplit, cycles: Cycles, split: SubjectSplit
) -> tuple[TrainedRun, Scorecard]:
    """Tests each subject by a model trained on the others; the run is trained on all. ValueError for one subject."""
    subjects = tuple(sorted({*(split.train or ()), *split.test}))
    if len(subjects) < 2:
        raise ValueError(f"leaving one subject out needs two or more: the release has {', '.join(subjects)}")
    predicted = np.empty_like(cycles.measured())
    fold_runs = []
    for left_out in subjects:
        others = SubjectSplit(train=tuple(name for name in subjects if name != left_out), test=(left_out,))
        fold_runs.append(train(cycles, others))
        predicted[cycles.subject == left_out] = predict(fold_runs[-1], cycles.of([left_out]), setup.device)
    run = replace(train(cycles, SubjectSplit(train=subjects, test=())), fold_runs=tuple(fold_runs))
    return run, score(setup.model.name, cycles, predicted)


TrainNetwork = Callable[[TrainingSetup, Cycles, SubjectSplit], TrainedRun]
TrainAndScore = Callable[[TrainingSetup, TrainOnSplit, Cycles, SubjectSplit], tuple[TrainedRun, Scorecard]]

PROTOCOLS: Mapping[ProtocolName, tuple[TrainNetwork, TrainAndScore]] = MappingProxyType(
    {
        "gait2hip60": (train_by_median_epoch, hold_out_once),
        "holdout": (train_by_early_stopping, hold_out_once),
        "loso": (train_by_early_stopping, leave_each_out),
    }
)
