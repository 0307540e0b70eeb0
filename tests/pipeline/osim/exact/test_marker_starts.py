"""Inverse kinematics of a whole walk, on an arm whose every pose is known."""

from pathlib import Path

import numpy as np
import pytest

from tests.pipeline.osim.arm import build_arm, positions_m
from tests.pipeline.osim.exact.arm_problem import posed, swing

pytestmark = pytest.mark.osim
descent = pytest.importorskip("pipeline.osim.exact.marker_descent")
starts = pytest.importorskip("pipeline.osim.exact.marker_starts")


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_arm(tmp_path_factory.mktemp("arm") / "arm.osim")


def test_from_far_away_the_arm_is_found(arm: Path) -> None:
    shoulder, elbow = np.full(4, 2.5), np.full(4, -1.4)
    problem, frames, time_s = posed(arm, positions_m(shoulder, elbow))
    found = starts.solve_walk(problem, frames, time_s)
    assert found.solved.all()
    np.testing.assert_allclose(np.exp(1j * found.free), np.exp(1j * np.column_stack([shoulder, elbow])), atol=1e-8)


def mirrored(shoulder: np.ndarray, elbow: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The other pose with the wrist in the same place."""
    hinge, wrist = positions_m(shoulder, elbow)[:, 1:].swapaxes(0, 1)
    along = wrist / np.linalg.norm(wrist, axis=1, keepdims=True)
    other = 2 * (hinge * along).sum(axis=1, keepdims=True) * along - hinge
    return np.arctan2(other[:, 0], -other[:, 1]), -elbow


def test_a_forearm_stays_on_its_side_while_the_other_is_hardly_cheaper(arm: Path) -> None:
    """The wrist alone has two poses. What else is seen tells them apart by hundredths, now one way, now the other."""
    truth = swing(70)
    mirror = mirrored(*truth)
    positions = positions_m(*truth)
    np.testing.assert_allclose(positions_m(*mirror)[:, 2], positions[:, 2], atol=1e-12)
    # The elbow's marker lies on the line from shoulder to wrist, nearer to one side or the other; the third only adds
    # the same error to both sides.
    sides = positions[:, 1], positions_m(*mirror)[:, 1]
    leaning = 0.5 + 0.004 * np.sign(np.sin(np.arange(70) / 3))[:, None]
    positions[:, 1] = leaning * sides[0] + (1 - leaning) * sides[1]
    weights = (0.0, 1.0, 100.0)
    problem, frames, time_s = posed(arm, positions, weights)
    alone = [descent.descend(problem, frames, np.column_stack(side), descent.NEAR) for side in (truth, mirror)]
    cheaper = alone[0].cost < alone[1].cost
    assert 20 < cheaper.sum() < 50, "neither side is the better one throughout"
    assert (np.abs(alone[0].cost / alone[1].cost - 1) < 0.05).all()
    found = starts.solve_walk(problem, frames, time_s)
    assert found.solved.all()
    assert np.abs(np.diff(found.free, axis=0)).max() < 0.1
    assert len(set(np.sign(found.free[:, 1]))) == 1


def test_a_real_jump_is_followed(arm: Path) -> None:
    shoulder, elbow = swing(60)
    shoulder[31:] += 1.5
    problem, frames, time_s = posed(arm, positions_m(shoulder, elbow))
    found = starts.solve_walk(problem, frames, time_s)
    assert found.solved.all()
    np.testing.assert_allclose(found.free, np.column_stack([shoulder, elbow]), atol=1e-8)


def test_frames_without_the_wrist_keep_the_elbow_of_their_neighbours(arm: Path) -> None:
    shoulder, elbow = swing(70)
    positions = positions_m(shoulder, elbow)
    positions[20:30, 2] = np.nan
    problem, frames, time_s = posed(arm, positions)
    found = starts.solve_walk(problem, frames, time_s)
    assert found.solved.all()
    seen = np.r_[0:20, 30:70]
    np.testing.assert_allclose(found.free[:, 0], shoulder, atol=1e-8)
    np.testing.assert_allclose(found.free[seen, 1], elbow[seen], atol=1e-8)
    near = elbow[15:35]
    assert (found.free[20:30, 1] > near.min() - 0.1).all()
    assert (found.free[20:30, 1] < near.max() + 0.1).all()


def test_what_no_marker_ever_shows_stays_at_its_default(arm: Path) -> None:
    shoulder, elbow = swing(40)
    positions = positions_m(shoulder, elbow)
    positions[:, 2] = np.nan
    problem, frames, time_s = posed(arm, positions)
    found = starts.solve_walk(problem, frames, time_s)
    assert found.solved.all()
    np.testing.assert_array_equal(found.free[:, 1], 0.3)
    np.testing.assert_allclose(found.free[:, 0], shoulder, atol=1e-8)
