"""Baselines against curves and regressions known in advance."""

import numpy as np
import pytest
import torch

from models.networks.baselines import (
    RidgeSettings,
    fit_mean_curve,
    fit_ridge,
    harmonics,
    predict_mean_curve,
    predict_ridge,
)
from tests.models.samples import made_cycles


def test_the_mean_curve_of_each_condition_and_of_all_for_a_new_one() -> None:
    targets = np.arange(3.0)[:, None, None] * np.ones((3, 5, 2))

    weights = fit_mean_curve(targets, np.array(["slow", "slow", "fast"]))
    predicted = predict_mean_curve(weights, np.array(["fast", "slow", "strolling"]))

    np.testing.assert_allclose(predicted, np.array([2, 0.5, 1])[:, None, None] * np.ones((3, 5, 2)))


def test_harmonics_of_a_known_curve() -> None:
    phase = np.linspace(0, 2 * np.pi, 31)
    curve = 4 + 3 * np.cos(phase) - 2 * np.sin(2 * phase)

    found = harmonics(curve[None, :, None], highest=3)

    # Mean; cosines 1 to 3; sines 1 to 3.
    np.testing.assert_allclose(found, [[4, 3, 0, 0, 0, -2, 0]], atol=1e-12)


def test_ridge_finds_a_linear_law() -> None:
    train, test = made_cycles(n_subjects=60), made_cycles(n_subjects=2, seed=1)
    settings = RidgeSettings(harmonics=2)

    weights = fit_ridge(settings, train.angles_deg / 20, train.measured(), train.subject)
    predicted = predict_ridge(settings, weights, test.angles_deg / 20)

    np.testing.assert_allclose(predicted, test.measured(), atol=1e-3)


def test_ridge_of_noise_falls_back_on_the_mean() -> None:
    random = np.random.default_rng(0)
    inputs, targets = random.normal(size=(40, 12, 2)), random.normal(size=(40, 12, 1))

    weights = fit_ridge(RidgeSettings(harmonics=1), inputs, targets, np.repeat(np.arange(10).astype(str), 4))

    assert weights["penalty"] >= 10
    assert torch.allclose(weights["intercept"], torch.tensor(targets.mean(axis=0), dtype=torch.float32), atol=0.05)


def test_one_subject_can_t_choose_a_penalty() -> None:
    cycles = made_cycles(n_subjects=1)

    with pytest.raises(ValueError, match="two or more"):
        fit_ridge(RidgeSettings(), cycles.angles_deg, cycles.measured(), cycles.subject)


def test_more_harmonics_than_samples_are_refused() -> None:
    with pytest.raises(ValueError, match="no harmonic 5"):
        harmonics(np.ones((1, 9, 1)), highest=5)
