"""Trained models on subjects they never saw, without retraining, beside each other and what needs no network."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations

import numpy as np
import torch

from models.data.channels import TARGETS, Task
from models.data.cycles import Cycles, Split, cohort_of
from models.learning.learn import Learn, Order, baseline
from models.learning.protocols import BASELINES
from models.learning.recipe import load_training_recipe
from models.predicting.calibrate import coverage_on_strangers
from models.predicting.predict import predict
from models.predicting.run import Run
from models.scoring.report import Report, make_report
from models.scoring.scorecard import Comparison, Scorecard, compare, score
from warehouse.settings_file import Checked

# Subjects are left out one by one up to this many, and in this many groups beyond.
_MOST_GROUPS = 20


class Evaluation(Checked):
    """Several models on the same cycles: a report each, in the order of `models`, and how each pair differs."""

    release: str
    models: tuple[str, ...]
    subjects: tuple[str, ...]
    reports: tuple[Report, ...]
    between: tuple[Comparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """One model beside what was measured of the subjects it never saw: `predicted` (N, P, K) of `cycles`."""

    name: str
    report: Report
    cycles: Cycles
    predicted: np.ndarray


def evaluate_together(runs: Mapping[str, Run], cycles: Cycles, device: torch.device) -> tuple[Unseen, ...]:
    """Each run, by its name, on the subjects that none of them was trained on; cycles as `common_task` asks.

    The baselines in their reports know these cycles' other subjects: that is what a laboratory has that measured some
    people and asks about the next one. ValueError if no subject is new to all, or if channels or points don't fit.
    """
    unseen = cycles.of(_unseen_by_all(runs, cycles))
    baselines: dict[tuple[Task, tuple[str, ...]], list[Scorecard]] = {}
    tested = []
    for name, run in runs.items():
        task, inputs = run.config.task, run.config.inputs
        mine = unseen.with_targets(TARGETS[task])
        if (task, inputs) not in baselines:
            baselines[task, inputs] = list(_baseline_scores(task, inputs, mine))
        predicted = predict(run, mine, device)
        coverage = coverage_on_strangers(run, mine, device)
        report = make_report(score(name, mine, predicted), baselines[task, inputs], coverage)
        tested.append(Unseen(name=name, report=report, cycles=mine, predicted=predicted))
    return tuple(tested)


def compared(tested: Sequence[Unseen]) -> tuple[Comparison, ...]:
    """Every pair of models, by subject, for each kind of target that both predict."""
    cards = [one.report.scorecards[-1] for one in tested]
    return tuple(found for first, second in combinations(cards, 2) for found in compare(first, second))


def common_task(runs: Sequence[Run]) -> Task:
    """What cycles must have measured so that all of these can be tested on them."""
    tasks = {run.config.task for run in runs}
    return tasks.pop() if len(tasks) == 1 else "both"


def of_cohorts(cycles: Cycles, cohorts: Sequence[str]) -> Cycles:
    """The cycles of these cohorts; all if none is named. ValueError for a cohort that has none."""
    present = {cohort_of(name) for name in cycles.subjects}
    if missing := sorted(set(cohorts) - present):
        known = ", ".join(sorted(present))
        raise ValueError(f"no cycles of the cohort {', '.join(missing)}: there are cycles of {known}")
    return cycles.of(name for name in cycles.subjects if not cohorts or cohort_of(name) in cohorts)


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


def _unseen_by_all(runs: Mapping[str, Run], cycles: Cycles) -> tuple[str, ...]:
    unseen = {name: set(unseen_subjects(run, cycles)) for name, run in runs.items()}
    common = tuple(sorted(set.intersection(*unseen.values())))
    if not common:
        told = "; ".join(f"{name} is new to {', '.join(sorted(found))}" for name, found in unseen.items())
        raise ValueError(f"no subject is unknown to all of these models ({told}): evaluate them one by one")
    return common


def _baseline_scores(task: Task, inputs: tuple[str, ...], cycles: Cycles) -> Iterator[Scorecard]:
    if len(cycles.subjects) < 3:
        return
    recipe = load_training_recipe("gait2hip60").model_copy(update={"inputs": inputs})
    for name in BASELINES:
        order = Order(model=recipe.model(name), task=task, recipe=recipe, device=torch.device("cpu"))
        yield score(f"{name}, others", cycles, _from_the_others(partial(baseline, order), cycles))


def _from_the_others(learn: Learn, cycles: Cycles) -> np.ndarray:
    predicted = np.empty_like(cycles.measured())
    for tested in np.array_split(np.array(cycles.subjects), min(len(cycles.subjects), _MOST_GROUPS)):
        split = Split(train=tuple(sorted(set(cycles.subjects) - set(tested.tolist()))), test=tuple(tested.tolist()))
        rows = np.isin(cycles.subject, tested)
        predicted[rows] = predict(learn(cycles, split), cycles.take(rows), torch.device("cpu"))
    return predicted
