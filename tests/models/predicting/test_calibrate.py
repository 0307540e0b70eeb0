"""Intervals come from subjects held out of fold runs, and from no test subject."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.data.cycles import Cycles, SubjectSplit
from models.predicting.calibrate import calibrate_run, coverage_across_folds, coverage_on_unseen, predict_held_out
from models.predicting.trained_run import TrainedRun, read_run, write_run
from models.scoring.report import report_text
from models.training.protocols import train_and_test
from models.training.train_on_split import (
    train_baseline,
    train_baseline_on_folds,
    train_by_early_stopping,
    train_by_median_epoch,
)
from tests.models.samples import halves, made_cycles, small_setup

CYCLES = made_cycles(n_subjects=24, n_points=16)
SETUP = small_setup("mean_curve")


@pytest.fixture(scope="module")
def run() -> TrainedRun:
    split = SubjectSplit(train=CYCLES.subjects[:16], test=CYCLES.subjects[16:])
    run = train_baseline(SETUP, CYCLES, split)
    return replace(run, fold_runs=train_baseline_on_folds(SETUP, CYCLES, split))


def test_fold_runs_hold_each_training_subject_out_once(run: TrainedRun) -> None:
    held_out, predicted = predict_held_out(run, CYCLES, SETUP.device)

    assert held_out.subjects == run.split.train
    assert len(held_out.subject) == 16 * 4
    # By hand for the first fold run: the mean curve of its own training subjects of the same condition.
    fold_run = run.fold_runs[0]
    seen = CYCLES.of(fold_run.split.train or ())
    expected = seen.measured()[seen.condition == held_out.condition[0]].mean(axis=0)
    np.testing.assert_allclose(predicted[0], expected, rtol=1e-5)


def test_half_widths_don_t_depend_on_the_test_subjects(run: TrainedRun) -> None:
    targets = CYCLES.measured().copy()
    targets[np.isin(CYCLES.subject, run.split.test)] += 100

    as_they_are, spoiled = (calibrate_run(run, cycles, SETUP.device) for cycles in (CYCLES, _with(targets)))

    assert as_they_are.calibration == spoiled.calibration
    assert as_they_are.calibration is not None
    assert as_they_are.calibration.n_subjects == 16
    assert coverage_on_unseen(spoiled, _with(targets).of(run.split.test), SETUP.device)[0].mean_share < 0.01


def test_intervals_cover_about_nine_tenths_of_unseen_subjects(run: TrainedRun) -> None:
    unseen = coverage_on_unseen(calibrate_run(run, CYCLES, SETUP.device), CYCLES.of(run.split.test), SETUP.device)
    across = coverage_across_folds(run, CYCLES, SETUP.device)

    assert [(one.kind, one.n_subjects) for one in (*unseen, *across)] == [("moments", 8), ("moments", 16)]
    assert all(0.84 < one.mean_share < 0.98 for one in (*unseen, *across))
    assert all(one.lowest_share <= one.mean_share <= one.highest_share for one in (*unseen, *across))


def test_too_few_subjects_leave_a_run_without_intervals() -> None:
    cycles = made_cycles(n_subjects=8, n_points=16)

    run = train_and_test(SETUP, "holdout", cycles, halves(cycles))

    assert run.calibration is None
    assert run.report is not None
    assert run.report.coverage == ()
    assert coverage_on_unseen(run, cycles, SETUP.device) == ()
    assert "intervals" not in report_text(run.report)


@pytest.mark.parametrize("protocol", ["holdout", "loso"])
def test_a_report_says_what_the_intervals_cover(protocol: str) -> None:
    cycles = CYCLES.of(CYCLES.subjects[:12])

    run = train_and_test(SETUP, protocol, cycles, halves(cycles))  # type: ignore[arg-type]

    assert run.report is not None
    assert run.fold_runs == ()
    assert "90% intervals" in report_text(run.report)
    assert run.report.coverage[0].n_subjects == (12 if protocol == "loso" else 2)


def test_networks_bring_their_folds() -> None:
    cycles = CYCLES.of(CYCLES.subjects[:6])
    split = halves(cycles)
    by_median, early = (
        train(small_setup("lstm"), cycles, split) for train in (train_by_median_epoch, train_by_early_stopping)
    )

    assert sorted(name for fold_run in by_median.fold_runs for name in fold_run.split.test) == list(split.train or ())
    assert len(early.fold_runs) == 1
    assert not set(early.fold_runs[0].split.train or ()) & set(early.fold_runs[0].split.test)


def test_a_run_is_stored_with_its_intervals(run: TrainedRun, tmp_path: Path) -> None:
    whole = calibrate_run(run, CYCLES, SETUP.device)
    folder = tmp_path / "run"
    write_run(folder, whole)

    again = read_run(folder)

    assert again.calibration == whole.calibration
    assert again.known_motion is not None
    assert whole.known_motion is not None
    np.testing.assert_array_equal(again.known_motion.limit, whole.known_motion.limit)
    assert {file.name for file in folder.iterdir()} >= {"calibration.json", "novelty.safetensors"}


def test_a_calibration_of_other_points_is_refused(run: TrainedRun) -> None:
    whole = calibrate_run(run, CYCLES, SETUP.device)
    assert whole.calibration is not None
    fewer = whole.calibration.model_copy(update={"half_width": whole.calibration.half_width[:4]})

    with pytest.raises(ValueError, match="the calibration is of"):
        replace(whole, calibration=fewer)


def _with(targets: np.ndarray) -> Cycles:
    return replace(CYCLES, targets=targets)
