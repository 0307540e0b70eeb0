import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import minimize

from pipeline.mechanics.muscles.effort import least_effort_controls


def problem(seed: int, n_frames: int = 1) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Fourteen muscles over four coordinates, each with a reserve; some muscles are at a bound in what is asked."""
    rng = np.random.default_rng(seed)
    muscles = rng.normal(size=(n_frames, 4, 14)) * 30
    gain = np.concatenate([muscles, np.broadcast_to(np.eye(4), (n_frames, 4, 4))], axis=2)
    low, high = np.r_[np.full(14, 0.01), np.full(4, -1e4)], np.r_[np.full(14, 1.0), np.full(4, 1e4)]
    some = np.clip(rng.uniform(-0.3, 1.3, size=(n_frames, 14)), 0.01, 1)
    target = np.einsum("tij,tj->ti", muscles, some)
    return gain, target, low, high


def by_scipy(gain: np.ndarray, target: np.ndarray, low: np.ndarray, high: np.ndarray, exponent: float) -> np.ndarray:
    """One frame by a general solver for smooth programmes."""
    found = minimize(
        lambda x: (np.abs(x) ** exponent).sum(),
        np.clip(np.linalg.lstsq(gain, target)[0], low, high),
        jac=lambda x: exponent * np.sign(x) * np.abs(x) ** (exponent - 1),
        bounds=list(zip(low, high, strict=True)),
        constraints={"type": "eq", "fun": lambda x: gain @ x - target, "jac": lambda x: gain},
        method="SLSQP",
        options={"ftol": 1e-15, "maxiter": 2000},
    )
    return found.x


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10**6), exponent=st.sampled_from([2, 3]))
def test_no_general_solver_finds_less_effort(seed: int, exponent: int) -> None:
    gain, target, low, high = problem(seed)
    found = least_effort_controls(gain, target, low, high, exponent)
    assert found.solved.all()
    assert np.abs(found.shortfall).max() <= 1e-8
    assert (found.control >= low).all()
    assert (found.control <= high).all()
    theirs = by_scipy(gain[0], target[0], low, high, exponent)
    assert np.abs(gain[0] @ theirs - target[0]).max() < 1e-6, "SLSQP found no controls to compare with"
    effort, their_effort = ((np.abs(x) ** exponent).sum() for x in (found.control[0], theirs))
    assert effort <= their_effort + 1e-6
    np.testing.assert_allclose(found.control[0], theirs, atol=2e-4)


@pytest.mark.parametrize("exponent", [2, 3, 5])
def test_the_optimality_conditions_hold(exponent: int) -> None:
    """What a control costs at the margin is the price of what it makes, unless it is at a bound that stops it."""
    gain, target, low, high = problem(7, n_frames=30)
    found = least_effort_controls(gain, target, low, high, exponent)
    assert found.solved.all()
    x = found.control
    marginal = exponent * np.sign(x) * np.abs(x) ** (exponent - 1)
    price = marginal[:, 14:]  # the reserves are never at a bound, and make one each
    surplus = np.einsum("tij,ti->tj", gain, price) - marginal
    inside, at_low = (x > low + 1e-9) & (x < high - 1e-9), x <= low + 1e-9
    assert np.abs(surplus[inside]).max() <= 1e-6
    assert surplus[at_low].max() <= 1e-6
    assert surplus[x >= high - 1e-9].min(initial=0.0) >= -1e-6


def test_one_muscle_alone_has_no_choice() -> None:
    gain = np.full((3, 1, 1), 50.0)
    target = np.array([[1.0], [25.0], [50.0]])
    found = least_effort_controls(gain, target, np.zeros(1), np.ones(1), 2)
    np.testing.assert_allclose(found.control, [[0.02], [0.5], [1.0]], atol=1e-12)


def test_two_equal_muscles_share_equally_and_a_stronger_one_takes_more() -> None:
    gain = np.array([[[10.0, 10.0]], [[10.0, 30.0]]])
    found = least_effort_controls(gain, np.array([[8.0], [20.0]]), np.zeros(2), np.ones(2), 2)
    np.testing.assert_allclose(found.control, [[0.4, 0.4], [0.2, 0.6]], atol=1e-12)


def test_frames_do_not_see_each_other() -> None:
    gain, target, low, high = problem(3, n_frames=20)
    whole = least_effort_controls(gain, target, low, high, 2)
    order = np.random.default_rng(0).permutation(20)
    mixed = least_effort_controls(gain[order], target[order], low, high, 2)
    np.testing.assert_allclose(mixed.control, whole.control[order], atol=1e-9)
    alone = least_effort_controls(gain[4:5], target[4:5], low, high, 2)
    np.testing.assert_allclose(alone.control[0], whole.control[4], atol=1e-9)


@pytest.mark.parametrize("exponent", [2, 3])
def test_what_no_controls_can_make_is_said_with_what_is_missing(exponent: int) -> None:
    gain = np.zeros((3, 2, 4))
    gain[:, 0, :2], gain[:, 1, 2:] = 10.0, 10.0
    target = np.array([[5.0, 5.0], [5.0, 29.0], [5.0, 5.0]])  # at most 20 can be made of the second
    found = least_effort_controls(gain, target, np.zeros(4), np.ones(4), exponent)
    assert found.solved.tolist() == [True, False, True]
    np.testing.assert_allclose(found.control[1], [0.25, 0.25, 1, 1], atol=1e-3)
    np.testing.assert_allclose(found.shortfall[1], [0, 9], atol=1e-2)
    assert np.abs(found.shortfall[[0, 2]]).max() <= 1e-8


def test_bounds_that_only_just_suffice_are_found() -> None:
    """Every control at its bound: the dual's second derivative vanishes there."""
    gain = np.array([[[10.0, 10.0]]])
    found = least_effort_controls(gain, np.array([[20.0 - 1e-7]]), np.zeros(2), np.ones(2), 2)
    assert found.solved.all()
    np.testing.assert_allclose(found.control, 1.0, atol=1e-7)


def test_unsound_questions_are_refused() -> None:
    gain, target, low, high = problem(0)
    with pytest.raises(ValueError, match="exponent 1: effort can be minimised exactly for exponents of 2 and more"):
        least_effort_controls(gain, target, low, high, 1)
    with pytest.raises(ValueError, match="control 0 has its lower bound above"):
        least_effort_controls(gain, target, high, low, 2)
    with pytest.raises(ValueError, match="don't fit a gain"):
        least_effort_controls(gain, target[:, :2], low, high, 2)
    with pytest.raises(ValueError, match="must be finite"):
        least_effort_controls(gain, target * np.nan, low, high, 2)
