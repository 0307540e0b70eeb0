"""`least_effort_controls` on random problems of any shape, against general solvers: Clarabel for quadratic programmes,
HiGHS for linear ones, and bounded least squares where there is no solution."""

import clarabel
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.optimize import linprog, lsq_linear

from pipeline.mechanics.muscles.dual import BALANCED
from pipeline.mechanics.muscles.effort import least_effort_controls

SIZES = st.tuples(st.integers(1, 8), st.integers(1, 30), st.booleans(), st.integers(0, 10**6))
Problem = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def problem(n_equations: int, n_muscles: int, reserves: bool, seed: int, reach: float = 1.0) -> Problem:
    """Three frames of sparse gains of any size, bounds on either side of zero or not, some controls useless or twins.

    Targets are what some controls make, those beyond their bounds by `reach` if that is above one.
    """
    rng = np.random.default_rng(seed)
    if reach == 1 and not reserves:
        n_muscles += 2 * n_equations + 3  # fewer would be equations that hold by luck alone
    gain = rng.normal(size=(3, n_equations, n_muscles)) * 10 ** rng.uniform(-1, 2, size=n_muscles)
    gain *= rng.random(gain.shape) < 0.6
    if n_muscles > 3:
        gain[..., 1] = gain[..., 0]
        gain[..., 2] = 0.0
    low, high = rng.choice([0.0, 0.01, -1.0], size=n_muscles), rng.choice([1.0, 0.6], size=n_muscles)
    inside = low + rng.uniform(0, 1, size=(3, n_muscles)) * (high - low)
    target = np.einsum("tij,tj->ti", gain, reach * inside)
    if reserves:
        gain = np.concatenate([gain, np.broadcast_to(np.eye(n_equations), (3, n_equations, n_equations))], axis=2)
        low, high = np.r_[low, np.full(n_equations, -1e4)], np.r_[high, np.full(n_equations, 1e4)]
        target += rng.normal(size=target.shape)
    return gain, target, low, high


def by_clarabel(gain: np.ndarray, target: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """Least Σ x² of one frame, by an interior-point method for cones."""
    n = len(low)
    rows = sparse.csc_matrix(np.vstack([gain, np.eye(n), -np.eye(n)]))
    cones = [clarabel.ZeroConeT(len(target)), clarabel.NonnegativeConeT(2 * n)]
    options = clarabel.DefaultSettings()
    options.verbose = False
    options.tol_gap_abs = options.tol_gap_rel = 1e-10
    found = clarabel.DefaultSolver(
        sparse.csc_matrix(2 * np.eye(n)), np.zeros(n), rows, np.r_[target, high, -low], cones, options
    ).solve()
    return np.array(found.x)


@settings(max_examples=40, deadline=None)
@given(sizes=SIZES)
def test_squares_are_a_quadratic_programme(sizes: tuple[int, int, bool, int]) -> None:
    gain, target, low, high = problem(*sizes)
    found = least_effort_controls(gain, target, low, high, 2)
    assert found.solved.all()
    assert np.abs(found.shortfall).max() <= BALANCED
    assert (found.control >= low).all()
    assert (found.control <= high).all()
    for t in range(3):
        theirs = by_clarabel(gain[t], target[t], low, high)
        size = 1 + (theirs**2).sum()
        assert (found.control[t] ** 2).sum() <= (theirs**2).sum() + 1e-6 * size
        np.testing.assert_allclose(found.control[t], theirs, atol=2e-4 * np.sqrt(size))


@settings(max_examples=40, deadline=None)
@given(sizes=SIZES, exponent=st.sampled_from([2, 2.5, 3, 4]))
def test_no_way_from_the_optimum_leads_down(sizes: tuple[int, int, bool, int], exponent: float) -> None:
    """Effort is convex: its slope falls towards no other controls that make the same, and linear programmes say so."""
    gain, target, low, high = problem(*sizes)
    found = least_effort_controls(gain, target, low, high, exponent)
    assert (found.solved | (np.abs(found.shortfall).max(axis=1) <= BALANCED)).all(), "there are such controls"
    for t in np.flatnonzero(found.solved):
        x = found.control[t]
        slope = exponent * np.sign(x) * np.abs(x) ** (exponent - 1)
        best = linprog(slope, A_eq=gain[t], b_eq=gain[t] @ x, bounds=list(zip(low, high, strict=True)), method="highs")
        assert best.status == 0
        assert slope @ x - best.fun <= 1e-6 * (1 + np.abs(slope) @ np.abs(x))


@settings(max_examples=40, deadline=None)
@given(n_equations=st.integers(1, 5), n_muscles=st.integers(1, 20), seed=st.integers(0, 10**6))
@pytest.mark.parametrize("exponent", [2, 3])
def test_what_can_not_be_made_is_known_and_all_but_made(
    exponent: int, n_equations: int, n_muscles: int, seed: int
) -> None:
    gain, target, low, high = problem(n_equations, n_muscles, False, seed, reach=1.7)
    found = least_effort_controls(gain, target, low, high, exponent)
    for t in range(3):
        nearest = lsq_linear(gain[t], target[t], bounds=(low, high + 1e-12), tol=1e-14)
        left = np.linalg.norm(target[t] - gain[t] @ nearest.x)
        if left > 1e-4:
            assert found.impossible[t]
            assert not found.solved[t]
            # A unit of shortfall costs 1e6, squared and halved, beside the effort of what comes nearest.
            allowed = np.sqrt(left**2 + 2e-6 * (nearest.x**2).sum())
            assert np.linalg.norm(found.shortfall[t]) <= allowed * (1 + 1e-6)


@settings(max_examples=60, deadline=None)
@given(
    n_equations=st.integers(1, 8),
    n_muscles=st.integers(4, 40),
    times=st.floats(10, 3000),
    optimal=st.sampled_from([1.0, 10.0, 1000.0]),
    seed=st.integers(0, 10**6),
)
def test_reserves_far_beyond_their_optimal_force_are_no_hindrance(
    n_equations: int, n_muscles: int, times: float, optimal: float, seed: int
) -> None:
    """Targets that ask reserves for many times their optimal force: prices are large there, and rounded."""
    rng = np.random.default_rng(seed)
    muscles = rng.normal(size=(3, n_equations, n_muscles)) * 10 ** rng.uniform(-1, 2.5, size=n_muscles)
    reserves = np.broadcast_to(optimal * np.eye(n_equations), (3, n_equations, n_equations))
    gain = np.concatenate([muscles, reserves], axis=2)
    low, high = (
        np.r_[np.full(n_muscles, 0.01), np.full(n_equations, -1e4)],
        np.r_[np.ones(n_muscles), np.full(n_equations, 1e4)],
    )
    beyond = times * optimal * rng.uniform(-1, 1, size=(3, n_equations))
    target = np.einsum("tij,tj->ti", muscles, rng.uniform(0.01, 1, size=(3, n_muscles))) + beyond
    found = least_effort_controls(gain, target, low, high, 2)
    assert found.solved.all()
    assert not found.impossible.any()
    assert np.abs(target - np.einsum("tij,tj->ti", gain, found.control)).max() <= BALANCED
    assert (found.control >= low).all()
    assert (found.control <= high).all()
    for t in range(3):
        theirs = by_clarabel(gain[t], target[t], low, high)
        size = 1 + (theirs**2).sum()
        assert (found.control[t] ** 2).sum() <= (theirs**2).sum() + 1e-6 * size
        np.testing.assert_allclose(found.control[t], theirs, atol=2e-4 * np.sqrt(size))


@pytest.mark.parametrize("largest", [1e4, np.inf])
def test_a_want_beside_a_hard_working_reserve_is_proved_and_named(largest: float) -> None:
    """Two equations share muscles: the first has a wide reserve, the second none, and is asked for too much."""
    gain = np.array([[[30.0, -20.0, 1.0], [10.0, 5.0, 0.0]]])
    low, high = np.r_[0.0, 0.0, -largest], np.r_[1.0, 1.0, largest]
    found = least_effort_controls(np.repeat(gain, 2, axis=0), np.array([[500.0, 16.0], [500.0, 14.0]]), low, high, 2)
    assert found.impossible.tolist() == [True, False]
    assert found.solved.tolist() == [False, True]
    assert np.abs(found.shortfall[0]).argmax() == 1
    assert found.shortfall[0, 1] == pytest.approx(1.0, abs=1e-3)


def test_a_solved_frame_is_a_balanced_one() -> None:
    """Where effort is so flat that its models can't be solved to balance, the frame isn't called solved."""
    for seed in (1, 20):
        gain, target, low, high = problem(6, 30, True, seed)
        found = least_effort_controls(gain, 5 * target, low, high, 6)
        assert found.solved.any() and not found.solved.all(), "some are solved and some are not"
        assert np.abs(found.shortfall[found.solved]).max() <= BALANCED
        assert not found.impossible.any(), "reserves can make anything; what isn't solved is only not proved"
