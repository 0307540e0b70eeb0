"""A trained model on subjects it never saw, without retraining, beside what can be had without a network."""

from collections.abc import Iterable
from functools import partial

import numpy as np
import torch

from models.calibrate import coverage_on_strangers
from models.data import Cycles, Split
from models.learn import Learn, Order, baseline
from models.predict import predict
from models.protocols import BASELINES
from models.recipe import load_training_recipe
from models.report import Report, make_report
from models.run import Run
from models.scorecard import Scorecard, score

# Subjects are left out one by one up to this many, and in this many groups beyond.
_MOST_GROUPS = 20


def evaluate(run: Run, cycles: Cycles, device: torch.device) -> Report:
    """The run's report on the subjects it was not trained on.

    Its baselines know these cycles' other subjects: that is what a laboratory has that measured some people and
    asks about the next one. ValueError if the run was trained on everybody, or if channels or points don't fit.
    """
    unseen = cycles.of(unseen_subjects(run, cycles))
    card = score(run.config.model.name, unseen, predict(run, unseen, device))
    return make_report(card, list(_baseline_scores(run, unseen)), coverage_on_strangers(run, unseen, device))


def unseen_subjects(run: Run, cycles: Cycles) -> tuple[str, ...]:
    """Whom the run was not trained on. ValueError if nobody is left.

    A published checkpoint names only those it was tested on, by their codes: where cycles of one of them are here, the
    others with them may have been trained on, and only the tested ones are taken. Where none is, all are strangers.
    """
    if run.split.train is None:
        tested = tuple(name for name in cycles.subjects if name.rpartition("/")[2] in run.split.test)
        return tested or cycles.subjects
    unseen = tuple(name for name in cycles.subjects if name not in set(run.split.train))
    if not unseen:
        raise ValueError(f"the run was trained on every one of {', '.join(cycles.subjects)}: they can't test it")
    return unseen


def _baseline_scores(run: Run, cycles: Cycles) -> Iterable[Scorecard]:
    if len(cycles.subjects) < 3:
        return
    recipe = load_training_recipe("gait2hip60").model_copy(update={"inputs": run.config.inputs})
    for name in BASELINES:
        order = Order(model=recipe.model(name), task=run.config.task, recipe=recipe, device=torch.device("cpu"))
        yield score(f"{name}, others", cycles, _from_the_others(partial(baseline, order), cycles))


def _from_the_others(learn: Learn, cycles: Cycles) -> np.ndarray:
    predicted = np.empty_like(cycles.measured())
    for tested in np.array_split(np.array(cycles.subjects), min(len(cycles.subjects), _MOST_GROUPS)):
        split = Split(train=tuple(sorted(set(cycles.subjects) - set(tested.tolist()))), test=tuple(tested.tolist()))
        rows = np.isin(cycles.subject, tested)
        predicted[rows] = predict(learn(cycles, split), cycles.take(rows), torch.device("cpu"))
    return predicted
