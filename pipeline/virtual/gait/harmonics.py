"""Periodic curves as Fourier series.

Shapes: P phases (in cycles), K = 1 + 2 H terms: mean, cosine 1, sine 1, cosine 2 and so on.
"""

import numpy as np


def basis(phase: np.ndarray, harmonics: int) -> np.ndarray:
    """The terms at these phases, (P, K): a curve is `basis @ terms`."""
    return derivative_basis(phase, harmonics, 0)


def derivative_basis(phase: np.ndarray, harmonics: int, order: int) -> np.ndarray:
    """The terms' derivatives with respect to phase (1/cycle, 1/cycle², …), (P, K)."""
    n = np.arange(1, harmonics + 1)
    turn = 2 * np.pi * n
    angle = turn * phase[:, None] + order * np.pi / 2
    terms = np.empty((len(phase), 1 + 2 * harmonics))
    terms[:, 0] = 1.0 if order == 0 else 0.0
    terms[:, 1::2] = turn**order * np.cos(angle)
    terms[:, 2::2] = turn**order * np.sin(angle)
    return terms


def shifted(terms: np.ndarray, by: float) -> np.ndarray:
    """The terms (K, …) of the same curve, `by` cycles later."""
    n = np.arange(1, (len(terms) + 1) // 2)
    angle = (2 * np.pi * n * by).reshape(-1, *[1] * (terms.ndim - 1))
    cosine, sine = terms[1::2], terms[2::2]
    later = terms.copy()
    later[1::2] = cosine * np.cos(angle) - sine * np.sin(angle)
    later[2::2] = cosine * np.sin(angle) + sine * np.cos(angle)
    return later


def at_phases(values: np.ndarray, phase: np.ndarray) -> np.ndarray:
    """Values (N, …) on an even grid of one cycle, interpolated at phases (P,) by their Fourier series: (P, …)."""
    n = len(values)
    spectrum = np.fft.rfft(values.reshape(n, -1), axis=0) / n
    order = np.arange(len(spectrum))
    weight = np.where((order == 0) | (2 * order == n), 1.0, 2.0)
    turn = np.exp(2j * np.pi * order * phase[:, None]) * weight
    return (turn @ spectrum).real.reshape(len(phase), *values.shape[1:])
