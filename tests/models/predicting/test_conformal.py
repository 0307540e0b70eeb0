"""Intervals hold what they promise for subjects never seen, when cycles of one subject are alike."""

import numpy as np
import pytest
from pydantic import ValidationError

from models.data.channels import FORCE_TARGETS, MOMENT_TARGETS
from models.predicting.conformal import (
    Calibration,
    calibration_from_errors,
    fewest_subjects,
    interval_limits,
    quantile_by_subject,
    shares_inside,
    without_negative_forces,
)


def test_one_cycle_a_subject_gives_the_textbook_quantile() -> None:
    # Split conformal: of n errors the ⌈0.9 (n + 1)⌉-th smallest.
    errors, subject = np.arange(1.0, 20.0), np.array([f"S{number}" for number in range(19)])

    assert quantile_by_subject(errors, subject, 0.9) == 18


def test_a_subject_with_many_cycles_counts_once() -> None:
    # Nine subjects with an error of 1 each; a tenth has a hundred cycles with errors of 5.
    errors = np.r_[np.ones(9), np.full(100, 5.0)]
    subject = np.array([f"S{number}" for number in range(9)] + ["talkative"] * 100)

    assert quantile_by_subject(errors, subject, 0.8) == 1
    assert quantile_by_subject(errors, subject, 0.9) == 5


def test_too_few_subjects_can_t_tell_an_interval() -> None:
    subject = np.array([f"S{number}" for number in range(8)])

    assert fewest_subjects(0.9) == 9
    assert fewest_subjects(0.95) == 19
    assert calibration_from_errors(np.ones((8, 2, 3)), subject, 0.9) is None
    assert np.isinf(quantile_by_subject(np.ones(8), subject, 0.9))
    assert calibration_from_errors(np.ones((0, 2, 3)), np.array([], dtype=str), 0.9) is None


@pytest.mark.parametrize("n_subjects", [9, 25, 60])
def test_coverage_of_new_subjects_is_nine_tenths(n_subjects: int) -> None:
    # A subject's own error is larger than what differs between its cycles, as in gait, and its tails are heavy.
    rng = np.random.default_rng(n_subjects)
    n_cycles, shape = 4, (1, 40)

    def errors(count: int) -> np.ndarray:
        own = rng.standard_t(4, size=(count, 1, *shape)).repeat(n_cycles, axis=1)
        return np.abs(own + 0.3 * rng.normal(size=own.shape)).reshape(-1, *shape)

    shares = []
    for _ in range(30):
        calibration = calibration_from_errors(
            errors(n_subjects), np.repeat(np.arange(n_subjects).astype(str), n_cycles), 0.9
        )
        assert calibration is not None
        shares.append(float((errors(50) <= np.array(calibration.half_width)).mean()))

    # By the theorem at least 0.9, and at most 2 / (S + 1) more; the mean over 30 draws is known within 0.01.
    assert 0.89 <= np.mean(shares) <= 0.9 + 2 / (n_subjects + 1) + 0.01


def test_limits_are_symmetric_but_for_forces_below_zero() -> None:
    low, high = interval_limits(np.array([[[1.0, 1.0]]]), np.array([[3.0, 3.0]]), (FORCE_TARGETS[0], MOMENT_TARGETS[0]))

    assert low.tolist() == [[[0.0, -2.0]]]
    assert high.tolist() == [[[4.0, 4.0]]]


def test_a_force_far_below_zero_is_none_and_so_are_its_limits() -> None:
    predicted, channels = np.array([[[-4.0, -4.0]]]), (FORCE_TARGETS[0], MOMENT_TARGETS[0])

    low, high = interval_limits(predicted, np.array([[3.0, 3.0]]), channels)

    assert without_negative_forces(predicted, channels).tolist() == [[[0.0, -4.0]]]
    assert low.tolist() == [[[0.0, -7.0]]]
    assert high.tolist() == [[[0.0, -1.0]]]


def test_shares_are_counted_by_subject() -> None:
    measured = np.array([[[0.0], [2.0]], [[0.0], [0.0]]])

    assert shares_inside(measured, measured * 0 - 1, measured * 0 + 1, np.array(["a", "b"])) == {"a": 0.5, "b": 1.0}


@pytest.mark.parametrize("rows", [((1.0, 2.0), (1.0,)), ((1.0,), (-1.0,))])
def test_a_calibration_that_can_t_be_is_refused(rows: tuple[tuple[float, ...], ...]) -> None:
    with pytest.raises(ValidationError, match="half_width must be"):
        Calibration(level=0.9, n_subjects=9, n_cycles=9, half_width=rows)
