"""Smooth functions of one variable as piecewise quintic polynomials, exact to 1e-12.

A piece is cut until it differs from the function, between its ends, by no more than that. Where slope and curvature are
known, a piece has the function's at both ends (Hermite interpolation), and so have the whole and its two derivatives no
jump; where they aren't, it meets the function at the six Chebyshev-Lobatto points, the piece's ends among them.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.osim.arrays.unsupported import Unsupported

EXACT_TO = 1e-12
MOST_PIECES = 4000

_Values = Callable[[np.ndarray], np.ndarray]
_DEGREE = 5
_MOST_PARTS = 16
_NODES = (1 - np.cos(np.pi * np.arange(_DEGREE + 1) / _DEGREE)) / 2
_FROM_NODES = np.linalg.inv(np.vander(_NODES, increasing=True))
# Where a piece of length 1 is compared with the function: none is a node, and none the mirror image of another.
_BETWEEN = np.array([0.2113, 0.5, 0.7639])
_POWERS_BETWEEN = np.vander(_BETWEEN, _DEGREE + 1, increasing=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class SmoothFunction:
    """A function's values, and its slopes and curvatures where they are known: each (N,) -> (N,)."""

    value: _Values
    slope: _Values | None = None
    curvature: _Values | None = None


def quintic_pieces(
    function: SmoothFunction, knots: Sequence[float], part: str, unit: float | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Pieces from the first knot to the last: start (N,) and coefficients (N, 6) of Σ c_k (x − start)^k.

    A function that bends or jumps in a derivative has a knot there. A piece is exact to 1e-12 of the function's largest
    value between the knots; of `unit` where that is given, or of its own largest value if it is larger.
    Unsupported names `part` where thousands of pieces don't suffice, or the function isn't finite.
    """
    edges = np.unique(np.asarray(knots, dtype=float))
    left, right = edges[:-1], edges[1:]
    scale = unit
    finished: list[tuple[np.ndarray, np.ndarray]] = []
    n_pieces = 0
    while len(left):
        step = right - left
        scaled = _polynomials(function, left, right)
        true = function.value((left[:, None] + step[:, None] * _BETWEEN).ravel()).reshape(len(left), -1)
        if not (np.isfinite(scaled).all() and np.isfinite(true).all()):
            raise Unsupported(f"{part}: not finite everywhere between {edges[0]:g} and {edges[-1]:g}")
        if scale is None:
            scale = float(np.abs(true).max())
        largest = np.abs(true).max(axis=1) if unit is not None else 0.0
        error = np.abs(scaled @ _POWERS_BETWEEN.T - true).max(axis=1)
        excess = error / (EXACT_TO / 2 * np.maximum(scale, largest))  # it may be larger where it isn't compared
        fine = excess <= 1
        finished.append((left[fine], scaled[fine] / step[fine, None] ** np.arange(_DEGREE + 1)))
        n_pieces += int(fine.sum())
        left, right = _cut(left[~fine], right[~fine], excess[~fine])
        if n_pieces + len(left) > MOST_PIECES or (right - left <= 1e-9 * (edges[-1] - edges[0])).any():
            raise Unsupported(f"{part}: {MOST_PIECES} quintic pieces don't make it exact to {EXACT_TO:g}")
    start = np.concatenate([start for start, _ in finished])
    coefficients = np.concatenate([rows for _, rows in finished])
    order = np.argsort(start)
    return start[order], coefficients[order]


def _cut(left: np.ndarray, right: np.ndarray, excess: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pieces cut into as many as a smooth function needs, whose error falls with the sixth power of their length."""
    parts = np.clip(np.ceil(excess ** (1 / (_DEGREE + 1))), 2, _MOST_PARTS).astype(int)
    cuts = [np.linspace(a, b, n + 1) for a, b, n in zip(left, right, parts, strict=True)]
    return np.concatenate([*(cut[:-1] for cut in cuts), []]), np.concatenate([*(cut[1:] for cut in cuts), []])


def _polynomials(function: SmoothFunction, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Coefficients (N, 6) of the quintics on pieces [left, right], each as a function of 0 to 1 along it."""
    step = right - left
    if function.slope is None or function.curvature is None:
        at = (left[:, None] + step[:, None] * _NODES).ravel()
        return function.value(at).reshape(len(left), -1) @ _FROM_NODES.T
    ends, which = np.unique([left, right], return_inverse=True)
    y0, y1 = function.value(ends)[which.reshape(2, -1)]
    d0, d1 = function.slope(ends)[which.reshape(2, -1)] * step
    c0, c1 = function.curvature(ends)[which.reshape(2, -1)] * step**2
    # The rest of y, its slope and its curvature at the right end, beside the parabola of the left end.
    y, d, c = y1 - y0 - d0 - c0 / 2, d1 - d0 - c0, c1 - c0
    return np.column_stack([y0, d0, c0 / 2, 10 * y - 4 * d + c / 2, -15 * y + 7 * d - c, 6 * y - 3 * d + c / 2])
