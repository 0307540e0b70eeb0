"""How models are trained and tested, by name: who is held out, and when training stops.

- `gait2hip60`: the publication's. The release's test subjects are held out; folds of the others find the number of
  epochs; a network trained on all the others is tested once.
- `holdout`: the same subjects are held out; one fold of the others says when to stop. About a sixth of the work.
- `loso`: every subject is left out once, and all are tested so; the model that is kept is trained on everybody.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Literal

import numpy as np
import torch

from models.data.cycles import Cycles, Split
from models.learning.learn import Learn, Order, baseline, baseline_siblings, by_early_stopping, by_median_epoch
from models.networks.baselines import MeanCurveSettings, RidgeSettings
from models.predicting.calibrate import calibrated, coverage_among_left_out, coverage_on_strangers
from models.predicting.conformal import LEVEL, fewest_subjects
from models.predicting.predict import predict
from models.predicting.run import Run
from models.scoring.report import Coverage, make_report
from models.scoring.scorecard import Scorecard, score

Protocol = Literal["gait2hip60", "holdout", "loso"]
BASELINES = ("mean_curve", "ridge")


def train_and_test(order: Order, protocol: Protocol, cycles: Cycles, split: Split) -> Run:
    """A trained run with its report, its scorecard beside both baselines' by the same protocol.

    ValueError for a protocol without subjects to test, or too few to train on.
    """
    learn, hold_out = PROTOCOLS[protocol]
    run, card = hold_out(order, learner(order, learn), cycles, split)
    rivals = [replace(order, model=order.recipe.model(name)) for name in BASELINES if name != order.model.name]
    cards = [hold_out(rival, partial(baseline, rival), cycles, split)[1] for rival in rivals]
    run = calibrated(_with_siblings(order, run, cycles), cycles, order.device)
    return replace(run, report=make_report(card, cards, _coverage(run, cycles, order.device)), siblings=())


def _with_siblings(order: Order, run: Run, cycles: Cycles) -> Run:
    """A baseline learns without folds: it gets them here, where they are enough to calibrate it."""
    if run.siblings or len(run.split.train or ()) < fewest_subjects(LEVEL):
        return run
    return replace(run, siblings=baseline_siblings(order, cycles, run.split))


def _coverage(run: Run, cycles: Cycles, device: torch.device) -> tuple[Coverage, ...]:
    if run.split.test:
        return coverage_on_strangers(run, cycles.of(run.split.test), device)
    return coverage_among_left_out(run, cycles, device)


def learner(order: Order, network_learner: Callable[[Order, Cycles, Split], Run]) -> Learn:
    """How this order's model learns: baselines know one way only."""
    if isinstance(order.model, MeanCurveSettings | RidgeSettings):
        return partial(baseline, order)
    return partial(network_learner, order)


def hold_out_once(order: Order, learn: Learn, cycles: Cycles, split: Split) -> tuple[Run, Scorecard]:
    """Trains on the split's training subjects, tests on its test subjects. ValueError if it has none."""
    if not split.test:
        raise ValueError("the release holds no subject out for the test: cut it with --holdout, or use --protocol loso")
    run, tested = learn(cycles, split), cycles.of(split.test)
    return run, score(order.model.name, tested, predict(run, tested, order.device))


def leave_each_out(order: Order, learn: Learn, cycles: Cycles, split: Split) -> tuple[Run, Scorecard]:
    """Tests every subject by a model that never saw it; the run is trained on all. ValueError for one subject."""
    subjects = tuple(sorted({*(split.train or ()), *split.test}))
    if len(subjects) < 2:
        raise ValueError(f"leaving one subject out needs two or more: the release has {', '.join(subjects)}")
    predicted = np.empty_like(cycles.measured())
    siblings = []
    for left_out in subjects:
        others = Split(train=tuple(name for name in subjects if name != left_out), test=(left_out,))
        siblings.append(learn(cycles, others))
        predicted[cycles.subject == left_out] = predict(siblings[-1], cycles.of([left_out]), order.device)
    run = replace(learn(cycles, Split(train=subjects, test=())), siblings=tuple(siblings))
    return run, score(order.model.name, cycles, predicted)


HoldOut = Callable[[Order, Learn, Cycles, Split], tuple[Run, Scorecard]]

PROTOCOLS: Mapping[Protocol, tuple[Callable[[Order, Cycles, Split], Run], HoldOut]] = MappingProxyType(
    {
        "gait2hip60": (by_median_epoch, hold_out_once),
        "holdout": (by_early_stopping, hold_out_once),
        "loso": (by_early_stopping, leave_each_out),
    }
)
