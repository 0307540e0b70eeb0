"""`gait2hip evaluate`: trained runs on subjects they were not trained on, beside each other and the baselines.

N cycles, P points of each, K targets.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import torch

from models.data.channels import TASK_TARGETS, Task
from models.data.cycles import Cycles, SubjectSplit, cohort_of
from models.data.released_cycles import load_released_cycles
from models.networks.device import device_named
from models.predicting.calibrate import coverage_on_unseen
from models.predicting.predict import predict
from models.predicting.trained_run import TrainedRun, read_run
from models.scoring.report import Report, make_report
from models.scoring.scorecard import ModelComparison, Scorecard, compare_scorecards, score
from models.training.protocols import BASELINES
from models.training.recipe import load_training_recipe
from models.training.train_on_split import TrainingSetup, TrainOnSplit, train_baseline
from warehouse.settings_file import Checked

# Baselines are tested by leaving out one subject at a time, or one of this many groups where there are more subjects.
_MOST_GROUPS = 20


class EvaluateRequest(Checked):
    """The folders of runs to test, and on which release; with `cohorts` empty, on all that it has."""

    runs: tuple[Path, ...]
    release: str
    cohorts: tuple[str, ...]
    device: str


class Evaluation(Checked):
    """Several models on the same cycles: a report each, in the order of `models`, and the difference of each pair."""

    release: str
    models: tuple[str, ...]
    subjects: tuple[str, ...]
    reports: tuple[Report, ...]
    between: tuple[ModelComparison, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluatedRun:
    """A run's report, and its predictions (N, P, K) beside the cycles of subjects it was not trained on."""

    name: str
    report: Report
    cycles: Cycles
    predicted: np.ndarray


def evaluate_on_release(request: EvaluateRequest) -> tuple[Evaluation, tuple[EvaluatedRun, ...]]:
    """The runs, named by their folders, on the release's subjects that none was trained on.

    ValueError if two folders have the same name, or no such subject is left.
    """
    names = [folder.resolve().name for folder in request.runs]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"two runs are called {', '.join(twice)}: give folders of different names, once each")
    folders = dict(zip(names, request.runs, strict=True))
    return evaluate_named_runs(folders, request.release, request.cohorts, request.device)


def evaluate_named_runs(
    folders: Mapping[str, Path], release: str, cohorts: Sequence[str], device: str
) -> tuple[Evaluation, tuple[EvaluatedRun, ...]]:
    """The same for runs with other names than their folders'. ValueError if no subject is left to test them on."""
    runs = {name: read_run(folder) for name, folder in folders.items()}
    released = load_released_cycles(release, common_task(list(runs.values())))
    evaluated = evaluate_together(runs, cycles_of_cohorts(released.cycles, cohorts), device_named(device))
    evaluation = Evaluation(
        release=released.identity,
        models=tuple(folders),
        subjects=evaluated[0].cycles.subjects,
        reports=tuple(one.report for one in evaluated),
        between=compare_pairs(evaluated),
    )
    return evaluation, evaluated


def evaluate_run(folder: Path, release: str, device: str) -> EvaluatedRun:
    """One run on a release's subjects that it was not trained on.

    On the release that it was trained on, the report is that of its own test, whose baselines were trained on the same
    subjects. ValueError if no subject is left to test it on.
    """
    run, torch_device = read_run(folder), device_named(device)
    released = load_released_cycles(release, run.config.task)
    name = run.config.model.name
    if run.report is not None and run.config.origin.get("release") == released.identity:
        unseen = released.cycles.of(unseen_subjects(run, released.cycles))
        predicted = predict(run, unseen, torch_device)
        return EvaluatedRun(name=name, report=run.report, cycles=unseen, predicted=predicted)
    return evaluate_together({name: run}, released.cycles, torch_device)[0]


def evaluate_together(runs: Mapping[str, TrainedRun], cycles: Cycles, device: torch.device) -> tuple[EvaluatedRun, ...]:
    """Each run, by its name, on the subjects that none was trained on. `cycles` have the targets of `common_task`.

    The baselines in the reports are trained on the other tested subjects: what a laboratory could do that has measured
    some people and predicts the next. ValueError if no subject is unseen by all, or channels or points don't fit.
    """
    unseen = cycles.of(_unseen_by_all(runs, cycles))
    baselines: dict[tuple[Task, tuple[str, ...]], list[Scorecard]] = {}
    evaluated = []
    for name, run in runs.items():
        task, inputs = run.config.task, run.config.inputs
        tested = unseen.with_targets(TASK_TARGETS[task])
        if (task, inputs) not in baselines:
            baselines[task, inputs] = list(_baseline_scores(task, inputs, tested))
        predicted = predict(run, tested, device)
        coverage = coverage_on_unseen(run, tested, device)
        report = make_report(score(name, tested, predicted), baselines[task, inputs], coverage)
        evaluated.append(EvaluatedRun(name=name, report=report, cycles=tested, predicted=predicted))
    return tuple(evaluated)


def compare_pairs(evaluated: Sequence[EvaluatedRun]) -> tuple[ModelComparison, ...]:
    """Each pair of models, by subject, for each kind of target that both predict."""
    cards = [one.report.scorecards[-1] for one in evaluated]
    return tuple(comparison for pair in combinations(cards, 2) for comparison in compare_scorecards(*pair))


def common_task(runs: Sequence[TrainedRun]) -> Task:
    """The task whose targets cycles must have so that all of these runs can be tested on them."""
    tasks = {run.config.task for run in runs}
    return tasks.pop() if len(tasks) == 1 else "both"


def cycles_of_cohorts(cycles: Cycles, cohorts: Sequence[str]) -> Cycles:
    """The cycles of these cohorts; all if none is named. ValueError for a cohort without cycles."""
    present = {cohort_of(name) for name in cycles.subjects}
    if missing := sorted(set(cohorts) - present):
        known = ", ".join(sorted(present))
        raise ValueError(f"no cycles of the cohort {', '.join(missing)}: there are cycles of {known}")
    return cycles.of(name for name in cycles.subjects if not cohorts or cohort_of(name) in cohorts)


def unseen_subjects(run: TrainedRun, cycles: Cycles) -> tuple[str, ...]:
    """The subjects that the run was not trained on. ValueError if there are none.

    A published checkpoint names only its test subjects, by their codes. Where these cycles hold any of them, only they
    count as unseen, since it may have been trained on the others; where they hold none, all subjects are unseen.
    """
    if run.split.train is None:
        tested = tuple(name for name in cycles.subjects if name.rpartition("/")[2] in run.split.test)
        return tested or cycles.subjects
    unseen = tuple(name for name in cycles.subjects if name not in set(run.split.train))
    if not unseen:
        raise ValueError(
            f"the run was trained on every one of {', '.join(cycles.subjects)}: they can't test it. "
            "Name a release of other people, or cut one with `gait2hip release --holdout ID` and train on that"
        )
    return unseen


def _unseen_by_all(runs: Mapping[str, TrainedRun], cycles: Cycles) -> tuple[str, ...]:
    unseen = {name: set(unseen_subjects(run, cycles)) for name, run in runs.items()}
    common = tuple(sorted(set.intersection(*unseen.values())))
    if not common:
        by_run = "; ".join(f"{name} is new to {', '.join(sorted(subjects))}" for name, subjects in unseen.items())
        raise ValueError(f"no subject is unknown to all of these models ({by_run}): evaluate them one by one")
    return common


def _baseline_scores(task: Task, inputs: tuple[str, ...], cycles: Cycles) -> Iterator[Scorecard]:
    if len(cycles.subjects) < 3:
        return
    recipe = load_training_recipe("gait2hip60").model_copy(update={"inputs": inputs})
    for name in BASELINES:
        setup = TrainingSetup(model=recipe.model(name), task=task, recipe=recipe, device=torch.device("cpu"))
        yield score(f"{name}, others", cycles, _predict_from_the_others(partial(train_baseline, setup), cycles))


def _predict_from_the_others(train: TrainOnSplit, cycles: Cycles) -> np.ndarray:
    predicted = np.empty_like(cycles.measured())
    for tested in np.array_split(np.array(cycles.subjects), min(len(cycles.subjects), _MOST_GROUPS)):
        others = tuple(sorted(set(cycles.subjects) - set(tested.tolist())))
        rows = np.isin(cycles.subject, tested)
        run = train(cycles, SubjectSplit(train=others, test=tuple(tested.tolist())))
        predicted[rows] = predict(run, cycles.take(rows), torch.device("cpu"))
    return predicted
