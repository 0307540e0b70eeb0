"""Small dense linear algebra, written out for kernels: a call of LAPACK costs as much as a matrix of this size.

Shapes: N rows.
"""

import numpy as np

from pipeline.mechanics.compiled import inner


@inner
def factor_cholesky(matrix: np.ndarray) -> bool:
    """Replace the upper triangle of a symmetric matrix (N, N) by its factor U, Uᵀ U = matrix; only that is read.

    False, the triangle then spoilt, if the matrix isn't positive definite, or has NaN. Zeros are passed over: rows of a
    tree's leaves first, and its root's last, keep all that the matrix has (Featherstone 2008, section 8.6).
    """
    size = matrix.shape[0]
    for k in range(size):
        if not (0.0 < matrix[k, k] < np.inf):
            return False
        pivot = np.sqrt(matrix[k, k])
        matrix[k, k] = pivot
        inverse = 1.0 / pivot
        row = matrix[k]
        for j in range(k + 1, size):
            row[j] *= inverse
        for i in range(k + 1, size):
            share = row[i]
            if share == 0.0:
                continue
            target = matrix[i]
            for j in range(i, size):
                target[j] -= share * row[j]
    return True


@inner
def solve_factored(factor: np.ndarray, right: np.ndarray) -> None:
    """Solve Uᵀ U x = right (N,), x in its place, by the upper triangle that `factor_cholesky` left."""
    forward_substitute(factor, right)
    size = right.shape[0]
    for k in range(size - 1, -1, -1):
        row = factor[k]
        rest = right[k]
        for j in range(k + 1, size):
            rest -= row[j] * right[j]
        right[k] = rest / row[k]


@inner
def forward_substitute(factor: np.ndarray, right: np.ndarray) -> None:
    """Solve Uᵀ x = right (N,), x in its place."""
    size = right.shape[0]
    for k in range(size):
        row = factor[k]
        right[k] /= row[k]
        share = right[k]
        for j in range(k + 1, size):
            right[j] -= share * row[j]
