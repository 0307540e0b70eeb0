"""One frame's kernel, and what must not matter: the start, other frames, and how equations are split."""

import numpy as np
import pytest

from pipeline.mechanics.muscles import effort
from pipeline.mechanics.muscles.blocks import Blocks, entry_places, find_blocks
from pipeline.mechanics.muscles.dual import IMPOSSIBLE, SOLVED, UNSOLVED
from pipeline.mechanics.muscles.effort import Programmes, least_effort_controls, least_effort_in_blocks

Problem = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def two_legs(n_frames: int, seed: int = 0) -> Problem:
    """Two groups of four equations and twelve muscles, one joint without muscles, and a reserve for each equation.

    Gains and targets change smoothly, and ask a reserve for up to sixty times its optimal force.
    """
    rng = np.random.default_rng(seed)
    phase = np.linspace(0, 2 * np.pi, n_frames)[:, None]
    gain, target = np.zeros((n_frames, 9, 33)), np.zeros((n_frames, 9))
    for rows, columns in ((slice(0, 4), slice(0, 12)), (slice(4, 8), slice(12, 24))):
        arm, change = rng.normal(size=(2, 4, 12)) * 30
        gain[:, rows, columns] = arm + 0.3 * change * np.sin(phase)[..., None]
        some = np.clip(rng.uniform(-0.5, 1, 12) + np.sin(phase + rng.uniform(0, 6, 12)), 0.01, 1)
        target[:, rows] = np.einsum("tij,tj->ti", gain[:, rows, columns], some)
    target += 60 * np.sin(phase + rng.uniform(0, 6, 9))
    gain[:, np.arange(9), 24 + np.arange(9)] = 1.0
    low, high = np.r_[np.full(24, 0.01), np.full(9, -1e4)], np.r_[np.ones(24), np.full(9, 1e4)]
    return gain, target, low, high


def whole(problem: Problem) -> Blocks:
    return find_blocks(np.ones(problem[0].shape[1:], dtype=bool))


def test_frames_alone_together_and_reversed_agree() -> None:
    gain, target, low, high = two_legs(60)
    together = least_effort_controls(gain, target, low, high, 2)
    assert together.solved.all()
    at_bound = (together.control[:, :24] <= 0.01) | (together.control[:, :24] >= 1)
    assert 0.2 < at_bound.mean() < 0.8
    back = least_effort_controls(gain[::-1], target[::-1], low, high, 2)
    np.testing.assert_allclose(back.control[::-1], together.control, rtol=0, atol=1e-12)
    # With one frame each the structure is each frame's own too.
    alone = [least_effort_controls(gain[t : t + 1], target[t : t + 1], low, high, 2).control[0] for t in range(60)]
    np.testing.assert_allclose(alone, together.control, rtol=0, atol=1e-12)


def test_a_problem_split_and_unsplit_agree() -> None:
    problem = two_legs(40, seed=1)
    split, unsplit = (least_effort_controls(*problem, 2, blocks) for blocks in (None, whole(problem)))
    assert split.solved.all()
    assert unsplit.solved.all()
    np.testing.assert_allclose(split.control, unsplit.control, rtol=0, atol=1e-11)


def test_one_leg_out_of_reach_leaves_the_other_at_its_optimum() -> None:
    gain, target, low, high = two_legs(6, seed=2)
    feasible = least_effort_controls(gain, target, low, high, 2)
    high = high.copy()
    low[28:32], high[28:32] = -1.0, 1.0
    target = target.copy()
    target[:, 4] += 1e4
    found = least_effort_controls(gain, target, low, high, 2)
    assert found.impossible.all()
    assert not found.solved.any()
    first = np.r_[:12, 24:28, 32]
    np.testing.assert_allclose(found.control[:, first], feasible.control[:, first], rtol=0, atol=1e-12)
    assert np.abs(found.shortfall[:, [0, 1, 2, 3, 8]]).max() <= 1e-8
    assert (np.abs(found.shortfall).argmax(axis=1) == 4).all()


def solve_one(problem: Problem, start: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The first frame's controls, dual and status by the kernel, from a dual."""
    gain, target, low, high = problem
    blocks = find_blocks((gain != 0).any(axis=0))
    equation, of = entry_places(blocks)
    entry = np.ascontiguousarray(gain[:1, equation, of])
    weight, centre = np.full((1, len(low)), 2.0), np.zeros((1, len(low)))
    programme = Programmes(entry, target[:1].copy(), low, high, weight, centre)
    answer = effort._solve(blocks, programme, start[None])
    status = np.where(answer.solved[0], SOLVED, np.where(answer.impossible[0], IMPOSSIBLE, UNSOLVED))
    return answer.control[0], answer.dual[0], status


@pytest.mark.parametrize("seed", range(5))
def test_the_start_does_not_matter(seed: int) -> None:
    problem = two_legs(1, seed=3)
    control, dual, status = solve_one(problem, np.full(9, np.nan))
    assert (status == SOLVED).all()
    start = np.random.default_rng(seed).normal(size=9) * 10 ** float(seed)
    other, again, status = solve_one(problem, start)
    assert (status == SOLVED).all()
    np.testing.assert_allclose(other, control, rtol=0, atol=1e-12)
    np.testing.assert_allclose(again, dual, rtol=1e-10)


def test_a_block_without_a_solution_has_no_dual_to_start_from() -> None:
    gain, target, low, high = two_legs(1, seed=4)
    target[0, 8] = 2e4
    _, dual, status = solve_one((gain, target, low, high), np.full(9, np.nan))
    assert status.tolist() == [SOLVED, SOLVED, IMPOSSIBLE]
    assert np.isnan(dual).tolist() == [False] * 8 + [True]


def test_an_equation_without_controls_holds_only_for_nothing() -> None:
    gain = np.zeros((2, 2, 1))
    gain[:, 0] = 5.0
    found = least_effort_controls(gain, np.array([[1.0, 0.0], [1.0, 3.0]]), np.zeros(1), np.ones(1), 2)
    assert found.solved.tolist() == [True, False]
    assert found.impossible.tolist() == [False, True]
    np.testing.assert_allclose(found.control, 0.2, atol=1e-12)
    np.testing.assert_allclose(found.shortfall, [[0, 0], [0, 3]], atol=1e-12)


def test_controls_of_no_equation_do_nothing() -> None:
    gain = np.zeros((1, 1, 3))
    gain[0, 0, 1] = 2.0
    found = least_effort_controls(gain, np.ones((1, 1)), np.array([0.1, 0, -1]), np.ones(3), 2)
    np.testing.assert_allclose(found.control, [[0.1, 0.5, 0]], atol=1e-15)


def test_equal_bounds_fix_a_control() -> None:
    gain = np.full((1, 1, 3), 10.0)
    bounds = np.array([0.3, 0.0, 0.0]), np.array([0.3, 1.0, 1.0])
    found = least_effort_controls(gain, np.full((1, 1), 9.0), *bounds, 2)
    assert found.solved.all()
    np.testing.assert_allclose(found.control, [[0.3, 0.3, 0.3]], atol=1e-12)
    fixed = least_effort_controls(gain[..., :1], np.full((1, 1), 3.0), np.full(1, 0.3), np.full(1, 0.3), 2)
    assert fixed.solved.all()
    np.testing.assert_allclose(fixed.control, 0.3)


def test_all_controls_at_their_bounds_are_a_solution() -> None:
    gain = np.array([[[10.0, -4.0, 3.0], [2.0, 7.0, -5.0]]])
    corner = np.array([1.0, 0.0, 1.0])
    found = least_effort_controls(gain, gain @ corner, np.zeros(3), np.ones(3), 2)
    assert found.solved.all()
    np.testing.assert_allclose(found.control[0], corner, atol=1e-9)


def test_nothing_asked_costs_nothing() -> None:
    gain, target, low, high = two_legs(3)
    found = least_effort_controls(gain, 0 * target, np.minimum(low, 0), high, 2)
    assert found.solved.all()
    np.testing.assert_allclose(found.control, 0, atol=1e-12)


def test_no_frames_have_no_controls() -> None:
    gain, target, low, high = two_legs(2)
    found = least_effort_controls(gain[:0], target[:0], low, high, 2)
    assert found.control.shape == (0, 33)


def test_numbers_that_are_none_are_refused() -> None:
    gain, target, low, high = two_legs(2)
    blocks = find_blocks((gain != 0).any(axis=0))
    for place in ((0, 0, 0), (0, 0, 20), (1, 8, 32)):  # one of them where all other frames have zero
        broken = gain.copy()
        broken[place] = np.nan
        for known in (None, blocks):
            with pytest.raises(ValueError, match="gain and target must be finite"):
                least_effort_controls(broken, target, low, high, 2, known)
    with pytest.raises(ValueError, match="control 3 has its lower bound above its upper one, or NaN"):
        least_effort_controls(gain, target, np.where(np.arange(33) == 3, np.nan, low), high, 2)
    with pytest.raises(ValueError, match="no finite value"):
        least_effort_controls(gain, target, np.full(33, -np.inf), np.full(33, -np.inf), 2)
    with pytest.raises(ValueError, match="gain and target must be finite"):
        least_effort_in_blocks(blocks, np.full((2, blocks.first_entry[-1]), np.nan), target, low, high, 2)


@pytest.mark.parametrize("broken", ["gain", "target", "reserve"])
@pytest.mark.parametrize("start", [np.nan, 0.0])
def test_a_frame_of_no_numbers_is_not_solved(broken: str, start: float) -> None:
    gain, target, low, high = two_legs(1)
    if broken == "target":
        target[0, 5] = np.nan
    else:
        gain[0, 5, 14 if broken == "gain" else 29] = np.nan
    _, _, status = solve_one((gain, target, low, high), np.full(9, start))
    assert (status == SOLVED).tolist() == [True, False, True]
