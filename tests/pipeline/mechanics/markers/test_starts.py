"""Inverse kinematics of a whole walk, on an arm whose every pose is known."""

import numpy as np
import pytest

from pipeline.mechanics.markers.descent import NEAR, descend_frames
from pipeline.mechanics.markers.starts import _between, _unlike, solve_frames
from tests.pipeline.mechanics.markers.two_pins import ELBOW_DEFAULT, arm_frames, arm_problem, arm_swing, times_s
from tests.pipeline.osim.arm import positions_m


def test_from_far_away_the_arm_is_found() -> None:
    shoulder, elbow = np.full(4, 2.5), np.full(4, -1.4)
    found = solve_frames(arm_problem(), arm_frames(positions_m(shoulder, elbow)), times_s(4))
    assert found.solved.all()
    np.testing.assert_allclose(np.exp(1j * found.free), np.exp(1j * np.column_stack([shoulder, elbow])), atol=1e-8)


def mirrored(shoulder: np.ndarray, elbow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The other pose with the wrist in the same place."""
    hinge, wrist = positions_m(shoulder, elbow)[:, 1:].swapaxes(0, 1)
    along = wrist / np.linalg.norm(wrist, axis=1, keepdims=True)
    other = 2 * (hinge * along).sum(axis=1, keepdims=True) * along - hinge
    return np.arctan2(other[:, 0], -other[:, 1]), -elbow


def test_a_forearm_stays_on_its_side_while_the_other_is_hardly_cheaper() -> None:
    """The wrist alone has two poses. What else is seen tells them apart by hundredths, now one way, now the other."""
    truth = arm_swing(70)
    mirror = mirrored(*truth)
    positions = positions_m(*truth)
    np.testing.assert_allclose(positions_m(*mirror)[:, 2], positions[:, 2], atol=1e-12)
    # The elbow's marker lies on the line from shoulder to wrist, nearer to one side or the other; the third only adds
    # the same error to both sides.
    sides = positions[:, 1], positions_m(*mirror)[:, 1]
    leaning = 0.5 + 0.004 * np.sign(np.sin(np.arange(70) / 3))[:, None]
    positions[:, 1] = leaning * sides[0] + (1 - leaning) * sides[1]
    problem, frames = arm_problem((0.0, 1.0, 100.0)), arm_frames(positions)
    alone = [descend_frames(problem, frames, np.arange(70), np.column_stack(s), NEAR)[2] for s in (truth, mirror)]
    cheaper = alone[0] < alone[1]
    assert 20 < cheaper.sum() < 50, "neither side is the better one throughout"
    assert (np.abs(alone[0] / alone[1] - 1) < 0.05).all()
    found = solve_frames(problem, frames, times_s(70))
    assert found.solved.all()
    assert np.abs(np.diff(found.free, axis=0)).max() < 0.1
    assert len(set(np.sign(found.free[:, 1]))) == 1


def test_a_real_jump_is_followed() -> None:
    shoulder, elbow = arm_swing(60)
    shoulder[31:] += 1.5
    found = solve_frames(arm_problem(), arm_frames(positions_m(shoulder, elbow)), times_s(60))
    assert found.solved.all()
    np.testing.assert_allclose(found.free, np.column_stack([shoulder, elbow]), atol=1e-8)


def test_frames_without_the_wrist_keep_the_elbow_of_their_neighbours() -> None:
    shoulder, elbow = arm_swing(70)
    positions = positions_m(shoulder, elbow)
    positions[20:30, 2] = np.nan
    found = solve_frames(arm_problem(), arm_frames(positions), times_s(70))
    assert found.solved.all()
    seen = np.r_[0:20, 30:70]
    np.testing.assert_allclose(found.free[:, 0], shoulder, atol=1e-8)
    np.testing.assert_allclose(found.free[seen, 1], elbow[seen], atol=1e-8)
    near = elbow[15:35]
    assert (found.free[20:30, 1] > near.min() - 0.1).all()
    assert (found.free[20:30, 1] < near.max() + 0.1).all()


def test_what_no_marker_ever_shows_stays_at_its_default() -> None:
    shoulder, elbow = arm_swing(40)
    positions = positions_m(shoulder, elbow)
    positions[:, 2] = np.nan
    found = solve_frames(arm_problem(), arm_frames(positions), times_s(40))
    assert found.solved.all()
    np.testing.assert_array_equal(found.free[:, 1], ELBOW_DEFAULT)
    np.testing.assert_allclose(found.free[:, 0], shoulder, atol=1e-8)


@pytest.mark.parametrize(("n_known", "degree"), [(4, 3), (5, 3), (6, 3), (9, 3)])
def test_starts_amid_known_frames_lie_on_their_polynomial(n_known: int, degree: int) -> None:
    """So too at the ends; beyond the last known frame, and across a jump, a frame starts where the one before is."""
    known = 2 * np.arange(n_known)
    new = known + 1
    coefficients = 0.1 * np.random.default_rng(n_known).normal(size=(degree + 1, 3))
    poses = np.polynomial.polynomial.polyval(known / known[-1], coefficients).T
    poses[2:, 2] += 1.0
    start = _between(known, poses, new)
    expected = np.polynomial.polynomial.polyval(new / known[-1], coefficients).T
    np.testing.assert_allclose(start[:-1, :2], expected[:-1, :2], atol=1e-12)
    np.testing.assert_array_equal(start[-1], poses[-1])
    np.testing.assert_array_equal(start[1, 2], poses[1, 2])
    np.testing.assert_array_equal(_between(known, np.full((n_known, 1), 0.3), new), 0.3)


def test_a_jump_is_unlike_the_steps_around_it_and_an_even_motion_is_not() -> None:
    poses = np.column_stack([np.linspace(0.0, 1.0, 8), np.zeros(8)])
    np.testing.assert_allclose(_unlike(poses), 0.0, atol=1e-15)
    for first in range(1, 8):
        jumping = poses.copy()
        jumping[first:, 1] += 0.5
        assert _unlike(jumping)[first - 1] == pytest.approx(0.5)
    assert _unlike(poses[:2]) == np.inf, "of a single step nothing is known"
