"""Intervals are told by subjects that a sibling left out, and by nobody who is tested."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from models.data.cycles import Cycles, Split
from models.learning.learn import baseline, baseline_siblings, by_early_stopping, by_median_epoch
from models.learning.protocols import train_and_test
from models.predicting.calibrate import calibrated, coverage_among_left_out, coverage_on_strangers, predicted_left_out
from models.predicting.run import Run, read_run, write_run
from models.scoring.report import render
from tests.models.samples import halves, made_cycles, order

CYCLES = made_cycles(n_subjects=24, n_points=16)
ORDER = order("mean_curve")


@pytest.fixture(scope="module")
def run() -> Run:
    split = Split(train=CYCLES.subjects[:16], test=CYCLES.subjects[16:])
    found = baseline(ORDER, CYCLES, split)
    return replace(found, siblings=baseline_siblings(ORDER, CYCLES, split))


def test_siblings_leave_each_training_subject_out_once(run: Run) -> None:
    left_out, predicted = predicted_left_out(run, CYCLES, ORDER.device)

    assert left_out.subjects == run.split.train
    assert len(left_out.subject) == 16 * 4
    # By hand for the first sibling: the mean curve of its own training subjects of the same condition.
    sibling = run.siblings[0]
    seen = CYCLES.of(sibling.split.train or ())
    expected = seen.measured()[seen.condition == left_out.condition[0]].mean(axis=0)
    np.testing.assert_allclose(predicted[0], expected, rtol=1e-5)


def test_half_widths_don_t_depend_on_who_is_tested(run: Run) -> None:
    targets = CYCLES.measured().copy()
    targets[np.isin(CYCLES.subject, run.split.test)] += 100

    as_they_are, spoiled = (calibrated(run, cycles, ORDER.device) for cycles in (CYCLES, _with(targets)))

    assert as_they_are.calibration == spoiled.calibration
    assert as_they_are.calibration is not None
    assert as_they_are.calibration.n_subjects == 16
    assert coverage_on_strangers(spoiled, _with(targets).of(run.split.test), ORDER.device)[0].mean_share < 0.01


def test_intervals_hold_about_nine_tenths_of_strangers(run: Run) -> None:
    found = coverage_on_strangers(calibrated(run, CYCLES, ORDER.device), CYCLES.of(run.split.test), ORDER.device)
    among = coverage_among_left_out(run, CYCLES, ORDER.device)

    assert [(one.kind, one.n_subjects) for one in (*found, *among)] == [("moments", 8), ("moments", 16)]
    assert all(0.84 < one.mean_share < 0.98 for one in (*found, *among))
    assert all(one.lowest_share <= one.mean_share <= one.highest_share for one in (*found, *among))


def test_too_few_subjects_leave_a_run_without_intervals() -> None:
    cycles = made_cycles(n_subjects=8, n_points=16)

    run = train_and_test(ORDER, "holdout", cycles, halves(cycles))

    assert run.calibration is None
    assert run.report is not None
    assert run.report.coverage == ()
    assert coverage_on_strangers(run, cycles, ORDER.device) == ()
    assert "intervals" not in render(run.report)


@pytest.mark.parametrize("protocol", ["holdout", "loso"])
def test_a_report_tells_what_the_intervals_hold(protocol: str) -> None:
    cycles = CYCLES.of(CYCLES.subjects[:12])

    run = train_and_test(ORDER, protocol, cycles, halves(cycles))  # type: ignore[arg-type]

    assert run.report is not None
    assert run.siblings == ()
    assert "90% intervals" in render(run.report)
    assert run.report.coverage[0].n_subjects == (12 if protocol == "loso" else 2)


def test_networks_bring_their_folds() -> None:
    cycles = CYCLES.of(CYCLES.subjects[:6])
    split = halves(cycles)
    by_median, early = (learn(order("lstm"), cycles, split) for learn in (by_median_epoch, by_early_stopping))

    assert sorted(name for sibling in by_median.siblings for name in sibling.split.test) == list(split.train or ())
    assert len(early.siblings) == 1
    assert not set(early.siblings[0].split.train or ()) & set(early.siblings[0].split.test)


def test_a_run_is_stored_with_its_intervals(run: Run, tmp_path: Path) -> None:
    whole = calibrated(run, CYCLES, ORDER.device)
    folder = tmp_path / "run"
    write_run(folder, whole)

    again = read_run(folder)

    assert again.calibration == whole.calibration
    assert again.novelty is not None
    assert whole.novelty is not None
    np.testing.assert_array_equal(again.novelty.limit, whole.novelty.limit)
    assert {file.name for file in folder.iterdir()} >= {"calibration.json", "novelty.safetensors"}


def test_a_calibration_of_other_points_is_refused(run: Run) -> None:
    whole = calibrated(run, CYCLES, ORDER.device)
    assert whole.calibration is not None
    fewer = whole.calibration.model_copy(update={"half_width": whole.calibration.half_width[:4]})

    with pytest.raises(ValueError, match="the calibration is of"):
        replace(whole, calibration=fewer)


def _with(targets: np.ndarray) -> Cycles:
    return replace(CYCLES, targets=targets)
