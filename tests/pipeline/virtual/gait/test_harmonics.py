"""Fourier terms against sines written by hand."""

import numpy as np

from pipeline.virtual.gait.harmonics import at_phases, basis, derivative_basis, shifted

PHASE = np.linspace(0, 1, 37, endpoint=False)
# 2 + 3 cos(2 pi p) - 4 sin(6 pi p)
TERMS = np.array([2.0, 3.0, 0.0, 0.0, 0.0, 0.0, -4.0])


def curve(phase):
    return 2 + 3 * np.cos(2 * np.pi * phase) - 4 * np.sin(6 * np.pi * phase)


def test_terms_are_mean_cosines_and_sines():
    np.testing.assert_allclose(basis(PHASE, 3) @ TERMS, curve(PHASE), atol=1e-12)


def test_derivatives_are_those_of_the_sines():
    w = 2 * np.pi
    first = -3 * w * np.sin(w * PHASE) - 12 * w * np.cos(3 * w * PHASE)
    second = -3 * w**2 * np.cos(w * PHASE) + 36 * w**2 * np.sin(3 * w * PHASE)
    np.testing.assert_allclose(derivative_basis(PHASE, 3, 1) @ TERMS, first, atol=1e-10)
    np.testing.assert_allclose(derivative_basis(PHASE, 3, 2) @ TERMS, second, atol=1e-9)


def test_a_shifted_curve_comes_later():
    np.testing.assert_allclose(basis(PHASE, 3) @ shifted(TERMS, 0.3), curve(PHASE - 0.3), atol=1e-12)


def test_resampling_finds_what_lies_between_samples():
    even = np.arange(16) / 16
    anywhere = np.array([-1.37, 0.013, 0.5, 2.71])
    values = np.column_stack([curve(even), 2 * curve(even)])
    np.testing.assert_allclose(at_phases(values, anywhere)[:, 1], 2 * curve(anywhere), atol=1e-12)
