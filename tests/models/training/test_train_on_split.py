"""Ways of learning: nothing of the test subjects reaches a run, and one seed gives one run."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from models.data.cycles import SubjectSplit
from models.predicting.predict import predict
from models.predicting.trained_run import WEIGHTS, write_run
from models.training.train_on_split import folds, train_baseline, train_by_early_stopping, train_by_median_epoch
from tests.models.samples import halves, made_cycles, small_setup

CYCLES = made_cycles(n_points=16)
NETWORKS = ("lstm", "transformer", "mamba")


def _bytes(name: str, seed: int, folder: Path) -> bytes:
    write_run(folder, train_by_median_epoch(small_setup(name, seed=seed), CYCLES, halves(CYCLES)))
    return (folder / WEIGHTS).read_bytes()


@pytest.mark.parametrize("name", NETWORKS)
def test_one_seed_gives_the_same_bytes_and_another_others(name: str, tmp_path: Path) -> None:
    first = _bytes(name, 1, tmp_path / "first")

    assert _bytes(name, 1, tmp_path / "again") == first
    assert _bytes(name, 2, tmp_path / "other") != first


@pytest.mark.parametrize("standardised", [False, True])
@pytest.mark.parametrize(
    ("name", "train"), [("ridge", train_baseline), ("mean_curve", train_baseline), ("lstm", train_by_median_epoch)]
)
def test_test_subjects_leave_no_trace(name: str, train: object, standardised: bool) -> None:
    split = halves(CYCLES)
    tested = np.isin(CYCLES.subject, split.test)
    disturbed = replace(
        CYCLES,
        angles_deg=np.where(tested[:, None, None], 1e3, CYCLES.angles_deg),
        targets=np.where(tested[:, None, None], -1e3, CYCLES.measured()),
    )

    setup = small_setup(name, standardise_targets=standardised)
    clean, other = (train(setup, cycles, split) for cycles in (CYCLES, disturbed))  # type: ignore[operator]

    assert clean.config == other.config
    assert all(clean.weights[key].equal(other.weights[key]) for key in clean.weights)


def test_validation_subjects_choose_the_epoch_and_nothing_else() -> None:
    run = train_by_early_stopping(small_setup("lstm"), CYCLES, halves(CYCLES))
    (kept_out,) = {tuple(run.config.origin["validation_subjects"])}  # type: ignore[arg-type]
    others = [name for name in CYCLES.subjects[:-2] if name not in kept_out]

    expected = CYCLES.of(others).angles_deg.reshape(-1, 10).mean(axis=0)

    np.testing.assert_allclose(run.config.input_statistics.mean, expected, rtol=1e-4)
    assert run.split == halves(CYCLES)


def test_the_median_of_the_folds_best_epochs_is_trained() -> None:
    run = train_by_median_epoch(small_setup("lstm", folds={"count": 4}), CYCLES, halves(CYCLES))

    best = [fold["best_epoch"] for fold in run.config.origin["folds"]]  # type: ignore[index, union-attr, call-overload]
    assert len(best) == 4
    assert run.config.origin["epochs"] == int(np.median(best))


def test_folds_test_each_training_subject_once_and_nobody_else() -> None:
    found = list(folds(CYCLES, halves(CYCLES), 2))

    assert sorted(name for fold in found for name in fold.test) == sorted(CYCLES.subjects[:-2])
    assert all(set(fold.train or ()) | set(fold.test) == set(CYCLES.subjects[:-2]) for fold in found)


def test_fewer_subjects_than_folds_are_named() -> None:
    with pytest.raises(ValueError, match=r"5 folds need as many training subjects, and there are 4 \(made/S00"):
        next(folds(CYCLES, halves(CYCLES), 5))


def test_a_split_without_training_subjects_is_refused() -> None:
    with pytest.raises(ValueError, match="no training subjects"):
        train_baseline(small_setup("ridge"), CYCLES, SubjectSplit(train=None, test=CYCLES.subjects))


def test_a_network_learns_what_there_is_to_learn() -> None:
    # The targets are a mixture of the angles of the same instant: no cycle's mean tells them, a network soon does.
    cycles = made_cycles(n_points=16, n_subjects=20)
    split = halves(cycles)
    changes = {
        "stopping": {"max_epochs": 40, "patience_epochs": 40, "min_improvement": 0},
        "lstm": {"hidden": 32},
        "standardise_targets": True,
    }

    runs = (
        train_by_early_stopping(small_setup("lstm", **changes), cycles, split),
        train_baseline(small_setup("mean_curve"), cycles, split),
    )

    tested = cycles.of(split.test)
    network, mean = (np.abs(predict(run, tested, torch.device("cpu")) - tested.measured()).mean() for run in runs)
    assert network < mean / 2


def test_left_legs_teach_unless_the_recipe_says_otherwise() -> None:
    left = np.arange(len(CYCLES.subject)) % 2 == 1
    both = replace(CYCLES, side=np.where(left, "left", "right"))
    right_only = CYCLES.take(~left)

    taught_by_right, by_both, by_right_of_both = (
        train_by_median_epoch(small_setup("lstm", mirrored_left=mirrored), cycles, halves(CYCLES))
        for cycles, mirrored in ((right_only, True), (both, True), (both, False))
    )

    assert by_right_of_both.config.input_statistics == taught_by_right.config.input_statistics
    assert all(weight.equal(by_right_of_both.weights[key]) for key, weight in taught_by_right.weights.items())
    assert not by_both.weights["fc.bias"].equal(taught_by_right.weights["fc.bias"])


def test_a_run_that_reads_conditions_refuses_one_it_was_not_taught() -> None:
    run = train_by_early_stopping(small_setup("lstm", inputs=("angles", "condition:slow,fast")), CYCLES, halves(CYCLES))
    running = replace(CYCLES, condition=np.full(len(CYCLES.subject), "running"))

    assert predict(run, CYCLES, torch.device("cpu")).shape == CYCLES.measured().shape
    with pytest.raises(ValueError, match="walked in another: running"):
        predict(run, running, torch.device("cpu"))
