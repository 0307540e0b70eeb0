"""Protocols: who is tested, by whom, and beside which baselines."""

import numpy as np
import pytest

from models.data.cycles import Cycles, SubjectSplit
from models.predicting.trained_run import TrainedRun
from models.scoring.report import report_text
from models.training.protocols import PROTOCOLS, leave_each_out, train_and_test
from models.training.train_on_split import train_baseline
from tests.models.samples import halves, made_cycles, small_setup

CYCLES = made_cycles(n_points=16)


@pytest.mark.parametrize("protocol", PROTOCOLS)
@pytest.mark.parametrize("name", ["lstm", "ridge"])
def test_every_protocol_tests_beside_the_baselines(protocol: str, name: str) -> None:
    run = train_and_test(small_setup(name), protocol, CYCLES, halves(CYCLES))  # type: ignore[arg-type]

    assert run.report is not None
    assert [card.model for card in run.report.scorecards] == [
        rival for rival in ("mean_curve", "ridge") if rival != name
    ] + [name]
    tested = [row.subject for row in run.report.scorecards[-1].kinds[0].subjects]
    assert tested == list(CYCLES.subjects if protocol == "loso" else CYCLES.subjects[-2:])
    assert report_text(run.report).startswith(f"moments: {name}")


def test_leaving_one_out_never_shows_a_model_whom_it_is_tested_on() -> None:
    seen: list[tuple[str, ...]] = []

    def watched(cycles: Cycles, split: SubjectSplit) -> TrainedRun:
        seen.append(split.train or ())
        return train_baseline(setup, cycles, split)

    setup = small_setup("mean_curve")
    run, card = leave_each_out(setup, watched, CYCLES, halves(CYCLES))

    assert [set(CYCLES.subjects) - set(train) for train in seen] == [{name} for name in CYCLES.subjects] + [set()]
    assert run.split.train == CYCLES.subjects
    # By hand for the first subject: the mean curve of the others of the same condition.
    first, others = CYCLES.of(CYCLES.subjects[:1]), CYCLES.of(CYCLES.subjects[1:])
    error = [
        targets - others.measured()[others.condition == condition].mean(axis=0)
        for targets, condition in zip(first.measured(), first.condition, strict=True)
    ]
    assert card.kinds[0].subjects[0].rmse == pytest.approx(np.sqrt(np.mean(np.square(error))), rel=1e-5)


def test_a_split_without_test_subjects_is_refused() -> None:
    with pytest.raises(ValueError, match="holds no subject out"):
        train_and_test(small_setup("ridge"), "holdout", CYCLES, SubjectSplit(train=CYCLES.subjects, test=()))


def test_one_subject_can_t_be_left_out() -> None:
    alone = CYCLES.of(CYCLES.subjects[:1])

    with pytest.raises(ValueError, match="needs two or more"):
        leave_each_out(small_setup("mean_curve"), _never, alone, SubjectSplit(train=alone.subjects, test=()))


def _never(_cycles: Cycles, _split: SubjectSplit) -> TrainedRun:
    raise AssertionError("nothing can be learned here")


def test_who_holds_everybody_out_is_told_before_any_training() -> None:
    everybody = SubjectSplit(train=(), test=CYCLES.subjects)

    with pytest.raises(ValueError, match="nobody is left to train on: cut it with fewer of them in --holdout"):
        train_and_test(small_setup("mean_curve"), "holdout", CYCLES, everybody)
