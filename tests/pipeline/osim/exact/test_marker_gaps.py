"""Coordinates out of sight, on an arm whose every pose is known: markers are hidden of a motion that made them."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.records import CoordinateTask, Markers
from tests.pipeline.osim.arm import MARKERS, build_arm, positions_m

pytestmark = pytest.mark.osim
exact_ik = pytest.importorskip("pipeline.osim.exact.inverse_kinematics")
shared_models = pytest.importorskip("pipeline.osim.models.shared_model")

T = np.arange(70) / 100
SHOULDER, ELBOW = 0.4 * np.sin(4 * T), 0.9 + 0.3 * np.sin(6 * T)


@pytest.fixture(scope="module")
def arm(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_arm(tmp_path_factory.mktemp("arm") / "arm.osim")


def angles(arm: Path, hidden: np.ndarray, tasks: tuple[CoordinateTask, ...] = ()) -> tuple[np.ndarray, np.ndarray]:
    """Shoulder and elbow found while the wrist is out of sight in the frames `hidden`."""
    positions = positions_m(SHOULDER, ELBOW)
    positions[hidden, list(MARKERS).index("wrist")] = np.nan
    markers = Markers(time_s=T, rate_hz=100.0, labels=tuple(MARKERS), positions_m=positions)
    found = exact_ik.fit_markers(shared_models.shared_model(arm), markers, dict.fromkeys(MARKERS, 1.0), tasks)
    return found.values[:, 0], found.values[:, 1]


@pytest.mark.parametrize(
    ("hidden", "nearest"),
    [(np.arange(0, 23), 23), (np.arange(51, 70), 50), (np.arange(0, 1), 1), (np.arange(69, 70), 68)],
)
def test_at_an_end_a_coordinate_keeps_what_the_nearest_frame_shows(arm: Path, hidden: np.ndarray, nearest: int) -> None:
    shoulder, elbow = angles(arm, hidden)
    seen = np.setdiff1d(np.arange(70), hidden)
    np.testing.assert_allclose(shoulder, SHOULDER, atol=1e-8)
    np.testing.assert_allclose(elbow[seen], ELBOW[seen], atol=1e-8)
    np.testing.assert_allclose(elbow[hidden], ELBOW[nearest], atol=1e-8)


def test_both_ends_and_a_gap_of_one_walk(arm: Path) -> None:
    hidden = np.r_[0:20, 30:40, 60:70]
    _, elbow = angles(arm, hidden)
    np.testing.assert_allclose(elbow[:20], ELBOW[20], atol=1e-8)
    np.testing.assert_allclose(elbow[60:], ELBOW[59], atol=1e-8)
    np.testing.assert_allclose(elbow[30:40], ELBOW[30:40], atol=0.05)
    low, high = sorted((ELBOW[29], ELBOW[40]))
    assert (elbow[30:40] >= low - 1e-8).all()
    assert (elbow[30:40] <= high + 1e-8).all()


def test_seen_once_it_is_known_throughout(arm: Path) -> None:
    _, elbow = angles(arm, np.setdiff1d(np.arange(70), [33]))
    np.testing.assert_allclose(elbow, ELBOW[33], atol=1e-8)


def test_what_a_task_holds_is_held_where_no_marker_shows_it(arm: Path) -> None:
    _, elbow = angles(arm, np.arange(0, 23), (CoordinateTask(name="elbow", weight=1e-9, value=0.2),))
    np.testing.assert_allclose(elbow[:23], 0.2, atol=1e-7)
    np.testing.assert_allclose(elbow[23:], ELBOW[23:], atol=1e-6)


def test_what_no_frame_shows_stays_at_its_default(arm: Path) -> None:
    shoulder, elbow = angles(arm, np.arange(70))
    np.testing.assert_array_equal(elbow, 0.3)
    np.testing.assert_allclose(shoulder, SHOULDER, atol=1e-8)
