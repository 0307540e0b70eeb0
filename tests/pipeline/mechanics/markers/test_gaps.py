"""Coordinates out of sight, on an arm whose every pose is known: markers are hidden of a motion that made them."""

import numpy as np
import pytest

from pipeline.mechanics.markers.fit import fit_poses
from tests.pipeline.mechanics.markers.two_pins import ELBOW_DEFAULT, arm_problem, held_poses, times_s
from tests.pipeline.osim.arm import MARKERS, positions_m

T = times_s(70)
SHOULDER, ELBOW = 0.4 * np.sin(4 * T), 0.9 + 0.3 * np.sin(6 * T)


def angles(hidden: np.ndarray, tasks: tuple[tuple[int, float, float], ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Shoulder and elbow found while the wrist is out of sight in the frames `hidden`."""
    positions = positions_m(SHOULDER, ELBOW)
    positions[hidden, list(MARKERS).index("wrist")] = np.nan
    values = fit_poses(arm_problem(tasks=tasks), T, positions, held_poses(70)).values
    return values[:, 0], values[:, 1]


@pytest.mark.parametrize(
    ("hidden", "nearest"),
    [(np.arange(0, 23), 23), (np.arange(51, 70), 50), (np.arange(0, 1), 1), (np.arange(69, 70), 68)],
)
def test_at_an_end_a_coordinate_keeps_what_the_nearest_frame_shows(hidden: np.ndarray, nearest: int) -> None:
    shoulder, elbow = angles(hidden)
    seen = np.setdiff1d(np.arange(70), hidden)
    np.testing.assert_allclose(shoulder, SHOULDER, atol=1e-8)
    np.testing.assert_allclose(elbow[seen], ELBOW[seen], atol=1e-8)
    np.testing.assert_allclose(elbow[hidden], ELBOW[nearest], atol=1e-8)


def test_both_ends_and_a_gap_of_one_walk() -> None:
    hidden = np.r_[0:20, 30:40, 60:70]
    _, elbow = angles(hidden)
    np.testing.assert_allclose(elbow[:20], ELBOW[20], atol=1e-8)
    np.testing.assert_allclose(elbow[60:], ELBOW[59], atol=1e-8)
    np.testing.assert_allclose(elbow[30:40], ELBOW[30:40], atol=0.05)
    low, high = sorted((ELBOW[29], ELBOW[40]))
    assert (elbow[30:40] >= low - 1e-8).all()
    assert (elbow[30:40] <= high + 1e-8).all()


def test_seen_once_it_is_known_throughout() -> None:
    _, elbow = angles(np.setdiff1d(np.arange(70), [33]))
    np.testing.assert_allclose(elbow, ELBOW[33], atol=1e-8)


def test_what_a_task_holds_is_held_where_no_marker_shows_it() -> None:
    _, elbow = angles(np.arange(0, 23), ((1, 1e-9, 0.2),))
    np.testing.assert_allclose(elbow[:23], 0.2, atol=1e-7)
    np.testing.assert_allclose(elbow[23:], ELBOW[23:], atol=1e-6)


def test_what_no_frame_shows_stays_at_its_default() -> None:
    shoulder, elbow = angles(np.arange(70))
    np.testing.assert_array_equal(elbow, ELBOW_DEFAULT)
    np.testing.assert_allclose(shoulder, SHOULDER, atol=1e-8)
