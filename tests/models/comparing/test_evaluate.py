"""Who a model may be tested on, beside whom, and how several are compared."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from models.comparing.evaluate import common_task, compared, evaluate_together, of_cohorts, unseen_subjects
from models.data.channels import TARGETS, Task
from models.data.cycles import Split
from models.learning.learn import baseline
from models.predicting.run import Run
from tests.models.samples import made_cycles, order

CYCLES = made_cycles(n_points=16, task="both")
CPU = torch.device("cpu")


def _run(name: str, *subjects: int, task: Task = "both") -> Run:
    chosen = Split(train=tuple(CYCLES.subjects[index] for index in subjects), test=())
    return baseline(order(name, task), CYCLES.with_targets(TARGETS[task]), chosen)


def test_a_run_is_evaluated_on_whom_it_never_saw() -> None:
    (found,) = evaluate_together({"mine": _run("ridge", 0, 1)}, CYCLES, CPU)

    cards = found.report.scorecards
    assert [row.subject for row in cards[-1].kinds[0].subjects] == list(CYCLES.subjects[2:])
    assert [card.model for card in cards] == ["mean_curve, others", "ridge, others", "mine"]


def test_several_are_tested_on_whom_none_of_them_saw() -> None:
    runs = {"a": _run("ridge", 0, 1), "b": _run("mean_curve", 1, 2)}

    tested = evaluate_together(runs, CYCLES, CPU)

    assert all(one.cycles.subjects == CYCLES.subjects[3:] for one in tested)
    forces, moments = compared(tested)
    assert [(one.kind, one.first, one.second, one.n_subjects) for one in (forces, moments)] == [
        ("forces", "a", "b", 3),
        ("moments", "a", "b", 3),
    ]
    by_hand = [np.mean([one.rmse for one in found.report.scorecards[-1].kinds[0].subjects]) for found in tested]
    assert forces.difference == pytest.approx(by_hand[0] - by_hand[1])


def test_one_of_forces_and_one_of_both_are_compared_in_forces() -> None:
    runs = {"both": _run("mean_curve", 0, 1), "forces": _run("mean_curve", 0, 1, task="forces")}
    assert common_task(list(runs.values())) == "both"

    (found,) = compared(evaluate_together(runs, CYCLES, CPU))

    # The same method from the same people: what else it predicts changes nothing.
    assert (found.kind, found.difference) == ("forces", pytest.approx(0, abs=1e-6))
    assert common_task([runs["forces"]]) == "forces"


def test_models_that_know_everybody_between_them_can_t_be_compared() -> None:
    runs = {"a": _run("ridge", 0, 1, 2), "b": _run("ridge", 3, 4, 5)}

    with pytest.raises(ValueError, match=r"no subject is unknown to all of these models .a is new to made/S03"):
        evaluate_together(runs, CYCLES, CPU)


def test_a_cohort_is_chosen_by_its_name() -> None:
    north = np.isin(CYCLES.subject, CYCLES.subjects[:2])
    names = np.where(north, np.char.replace(CYCLES.subject, "made", "north"), CYCLES.subject)
    cycles = replace(CYCLES, subject=names)

    assert {name.split("/")[0] for name in of_cohorts(cycles, ["north"]).subjects} == {"north"}
    assert of_cohorts(cycles, []).subjects == cycles.subjects
    with pytest.raises(ValueError, match="no cycles of the cohort east: there are cycles of"):
        of_cohorts(cycles, ["east"])


def test_a_run_that_knows_everybody_can_t_be_tested() -> None:
    with pytest.raises(ValueError, match="trained on every one of"):
        unseen_subjects(_run("ridge", *range(6)), CYCLES)


def test_a_published_run_is_tested_on_its_own_test_subjects_or_on_strangers() -> None:
    tested = CYCLES.subjects[1].rpartition("/")[2]
    trained = _run("ridge", 0, 1)

    assert unseen_subjects(replace(trained, split=Split(train=None, test=(tested,))), CYCLES) == CYCLES.subjects[1:2]
    assert unseen_subjects(replace(trained, split=Split(train=None, test=("X9",))), CYCLES) == CYCLES.subjects
