"""Metrics against figures worked out by hand, named after their definitions."""

import math

import numpy as np
import pytest

from models.scoring import metrics

# Two cycles of one subject: one point each, two channels.
MEASURED = np.array([[[1.0, 10.0]], [[3.0, 10.0]]])
PREDICTED = np.array([[[2.0, 10.0]], [[3.0, 12.0]]])


def test_the_three_published_figures() -> None:
    found = metrics.errors(MEASURED, PREDICTED)

    assert found.rmse == pytest.approx(math.sqrt((1 + 0 + 0 + 4) / 4))
    assert found.mae == pytest.approx((1 + 0 + 0 + 2) / 4)
    # About the one mean of 1, 10, 3, 10, which is 6: 25 + 16 + 9 + 16.
    assert found.r2_one_mean == pytest.approx(1 - 5 / 66)


def test_r2_about_one_mean_flatters_channels_of_different_size() -> None:
    constant_per_channel = np.broadcast_to(MEASURED.mean(axis=0), MEASURED.shape)

    assert metrics.errors(MEASURED, constant_per_channel).r2_one_mean > 0.9
    assert metrics.channel_r2(MEASURED, constant_per_channel)[0] == pytest.approx(0)


def test_channel_figures() -> None:
    measured = np.array([[[0.0], [4.0]], [[2.0], [6.0]]])
    predicted = measured + np.array([[[1.0], [1.0]], [[1.0], [-1.0]]])

    assert metrics.channel_rmse(measured, predicted) == pytest.approx([1.0])
    # The mean curve runs from 1 to 5; the scatter about the channel's mean, 3, is 9 + 1 + 1 + 9.
    assert metrics.channel_nrmse(measured, predicted) == pytest.approx([1 / 4])
    assert metrics.channel_r2(measured, predicted) == pytest.approx([1 - 4 / 20])


def test_what_never_changes_has_no_r2() -> None:
    flat = np.full((2, 3, 1), 5.0)

    assert np.isnan(metrics.channel_r2(flat, flat + 1)).all()
    assert np.isnan(metrics.channel_nrmse(flat, flat + 1)).all()
    assert math.isnan(metrics.errors(flat, flat + 1).r2_one_mean)


def test_each_subject_over_its_own_cycles() -> None:
    subject = np.array(["b", "a"])

    found = metrics.errors_by_subject(MEASURED, PREDICTED, subject)

    assert list(found) == ["a", "b"]
    assert found["a"].rmse == pytest.approx(math.sqrt(4 / 2))
    assert found["b"].rmse == pytest.approx(math.sqrt(1 / 2))


def test_an_interval_holds_the_mean_and_narrows_with_more_subjects() -> None:
    few = metrics.mean_interval(np.array([1.0, 2.0, 3.0]))
    many = metrics.mean_interval(np.tile([1.0, 2.0, 3.0], 30))

    assert few is not None
    assert many is not None
    assert few.low < 2 < few.high
    assert many.high - many.low < (few.high - few.low) / 4
    # The normal approximation is good for 90 subjects: 1.96 SD / √n on each side.
    assert many.high - many.low == pytest.approx(2 * 1.96 * math.sqrt(2 / 3) / math.sqrt(90), rel=0.1)


def test_two_subjects_give_no_interval() -> None:
    assert metrics.mean_interval(np.array([1.0, 2.0])) is None
