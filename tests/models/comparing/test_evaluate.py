"""Who a model may be tested on, beside whom, and how several are compared."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.comparing import evaluate as evaluating
from models.comparing.evaluate import (
    EvaluateRequest,
    common_task,
    compare_pairs,
    cycles_of_cohorts,
    evaluate_on_release,
    evaluate_run,
    evaluate_together,
    unseen_subjects,
)
from models.data.channels import TASK_TARGETS, Task
from models.data.cycles import SubjectSplit
from models.data.released_cycles import ReleasedCycles
from models.predicting.trained_run import TrainedRun, write_run
from models.training.protocols import train_and_test
from models.training.train_on_split import train_baseline
from tests.models.samples import halves, made_cycles, small_setup

CYCLES = made_cycles(n_points=16, task="both")
CPU = torch.device("cpu")


def _run(name: str, *subjects: int, task: Task = "both") -> TrainedRun:
    chosen = SubjectSplit(train=tuple(CYCLES.subjects[index] for index in subjects), test=())
    return train_baseline(small_setup(name, task), CYCLES.with_targets(TASK_TARGETS[task]), chosen)


@pytest.fixture
def _one_release(monkeypatch: pytest.MonkeyPatch) -> None:
    cycles = CYCLES.with_targets(TASK_TARGETS["moments"])
    released = ReleasedCycles(identity="made: 0123", cycles=cycles, split=halves(cycles), n_left_out=0)
    monkeypatch.setattr(evaluating, "load_released_cycles", lambda _root, _task: released)


@pytest.mark.usefixtures("_one_release")
def test_stored_runs_are_evaluated_by_their_folders_names(tmp_path: Path) -> None:
    runs = tmp_path / "my-ridge", tmp_path / "my-mean_curve"
    for folder, name in zip(runs, ("ridge", "mean_curve"), strict=True):
        write_run(folder, _run(name, 0, 1, 2, 3, task="moments"))

    evaluation, evaluated = evaluate_on_release(
        EvaluateRequest(runs=runs, release="R", cohorts=("made",), device="cpu")
    )

    assert evaluation.models == ("my-ridge", "my-mean_curve")
    assert evaluation.release == "made: 0123"
    assert evaluation.subjects == CYCLES.subjects[-2:]
    assert [(one.first, one.second) for one in evaluation.between] == [("my-ridge", "my-mean_curve")]
    assert [one.predicted.shape for one in evaluated] == [(8, 16, 3)] * 2


def test_two_runs_of_one_name_are_refused(tmp_path: Path) -> None:
    folders = tmp_path / "a" / "lstm", tmp_path / "b" / "lstm"

    with pytest.raises(ValueError, match="two runs are called lstm"):
        evaluate_on_release(EvaluateRequest(runs=folders, release="R", cohorts=(), device="cpu"))


@pytest.mark.usefixtures("_one_release")
def test_on_its_own_release_a_run_keeps_the_report_of_its_test(tmp_path: Path) -> None:
    cycles = CYCLES.with_targets(TASK_TARGETS["moments"])
    tested = train_and_test(small_setup("ridge"), "holdout", cycles, halves(cycles))
    write_run(tmp_path / "here", tested.with_origin({"release": "made: 0123"}))
    write_run(tmp_path / "elsewhere", tested.with_origin({"release": "another"}))

    here, elsewhere = (evaluate_run(tmp_path / name, "R", "cpu") for name in ("here", "elsewhere"))

    assert here.report == tested.report
    assert elsewhere.report != tested.report
    np.testing.assert_array_equal(here.predicted, elsewhere.predicted)


def test_a_run_is_evaluated_on_unseen_subjects() -> None:
    (evaluated,) = evaluate_together({"mine": _run("ridge", 0, 1)}, CYCLES, CPU)

    cards = evaluated.report.scorecards
    assert [row.subject for row in cards[-1].kinds[0].subjects] == list(CYCLES.subjects[2:])
    assert [card.model for card in cards] == ["mean_curve, others", "ridge, others", "mine"]


def test_several_are_tested_on_subjects_unseen_by_all() -> None:
    runs = {"a": _run("ridge", 0, 1), "b": _run("mean_curve", 1, 2)}

    evaluated = evaluate_together(runs, CYCLES, CPU)

    assert all(one.cycles.subjects == CYCLES.subjects[3:] for one in evaluated)
    forces, moments = compare_pairs(evaluated)
    assert [(one.kind, one.first, one.second, one.n_subjects) for one in (forces, moments)] == [
        ("forces", "a", "b", 3),
        ("moments", "a", "b", 3),
    ]
    by_hand = [np.mean([row.rmse for row in one.report.scorecards[-1].kinds[0].subjects]) for one in evaluated]
    assert forces.difference == pytest.approx(by_hand[0] - by_hand[1])


def test_one_of_forces_and_one_of_both_are_compared_in_forces() -> None:
    runs = {"both": _run("mean_curve", 0, 1), "forces": _run("mean_curve", 0, 1, task="forces")}
    assert common_task(list(runs.values())) == "both"

    (comparison,) = compare_pairs(evaluate_together(runs, CYCLES, CPU))

    # The same method from the same people: what else it predicts changes nothing.
    assert (comparison.kind, comparison.difference) == ("forces", pytest.approx(0, abs=1e-6))
    assert common_task([runs["forces"]]) == "forces"


def test_models_that_know_everybody_between_them_can_t_be_compared() -> None:
    runs = {"a": _run("ridge", 0, 1, 2), "b": _run("ridge", 3, 4, 5)}

    with pytest.raises(ValueError, match=r"no subject is unknown to all of these models .a is new to made/S03"):
        evaluate_together(runs, CYCLES, CPU)


def test_a_cohort_is_chosen_by_its_name() -> None:
    north = np.isin(CYCLES.subject, CYCLES.subjects[:2])
    names = np.where(north, np.char.replace(CYCLES.subject, "made", "north"), CYCLES.subject)
    cycles = replace(CYCLES, subject=names)

    assert {name.split("/")[0] for name in cycles_of_cohorts(cycles, ["north"]).subjects} == {"north"}
    assert cycles_of_cohorts(cycles, []).subjects == cycles.subjects
    with pytest.raises(ValueError, match="no cycles of the cohort east: there are cycles of"):
        cycles_of_cohorts(cycles, ["east"])


def test_a_run_that_knows_everybody_can_t_be_tested() -> None:
    with pytest.raises(ValueError, match="trained on every one of"):
        unseen_subjects(_run("ridge", *range(6)), CYCLES)


def test_a_published_run_is_tested_on_its_own_test_subjects_or_on_strangers() -> None:
    tested = CYCLES.subjects[1].rpartition("/")[2]
    trained = _run("ridge", 0, 1)

    assert (
        unseen_subjects(replace(trained, split=SubjectSplit(train=None, test=(tested,))), CYCLES)
        == CYCLES.subjects[1:2]
    )
    assert unseen_subjects(replace(trained, split=SubjectSplit(train=None, test=("X9",))), CYCLES) == CYCLES.subjects
