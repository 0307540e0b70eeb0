"""Cholesky's factor, against numpy's."""

import numpy as np
import pytest

from pipeline.mechanics import linear_algebra
from pipeline.mechanics.compiled import kernel


@kernel
def factor_cholesky(matrix: np.ndarray) -> bool:
    return linear_algebra.factor_cholesky(matrix)


@kernel
def solve_factored(factor: np.ndarray, right: np.ndarray) -> None:
    linear_algebra.solve_factored(factor, right)


@kernel
def forward_substitute(factor: np.ndarray, right: np.ndarray) -> None:
    linear_algebra.forward_substitute(factor, right)


def positive(size: int, seed: int) -> np.ndarray:
    root = np.random.default_rng(seed).normal(size=(size, size))
    return root @ root.T + 0.1 * np.eye(size)


@pytest.mark.parametrize("size", [0, 1, 2, 7, 37])
def test_the_factor_is_numpys_and_solves(size: int) -> None:
    matrix, right = positive(size, size), np.arange(1.0, size + 1)
    factor, solution, half = np.triu(matrix), right.copy(), right.copy()
    assert factor_cholesky(factor)
    np.testing.assert_allclose(factor, np.linalg.cholesky(matrix).T, atol=1e-12)
    solve_factored(factor, solution)
    np.testing.assert_allclose(solution, np.linalg.solve(matrix, right), rtol=1e-8)
    forward_substitute(factor, half)
    np.testing.assert_allclose(factor.T @ half, right, rtol=1e-10)


def test_leaves_first_keep_their_zeros() -> None:
    """Two limbs and a trunk, in this order: what is zero between the limbs stays zero."""
    matrix = positive(9, 0)
    matrix[:3, 3:6] = matrix[3:6, :3] = 0.0
    matrix += 10 * np.eye(9)
    factor = matrix.copy()
    assert factor_cholesky(factor)
    assert (factor[:3, 3:6] == 0).all()
    np.testing.assert_allclose(np.triu(factor).T @ np.triu(factor), matrix, atol=1e-12)


@pytest.mark.parametrize("wrong", [-1.0, 0.0, np.nan, np.inf])
def test_what_is_not_positive_has_no_factor(wrong: float) -> None:
    matrix = positive(4, 1)
    matrix[2, 2] = wrong
    assert not factor_cholesky(matrix)
