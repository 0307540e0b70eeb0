import numpy as np
import pytest

from pipeline.osim.motion import SAMPLES_PER_FRAME, dense
from pipeline.records import Coordinates


def motion(values: np.ndarray, time_s: np.ndarray) -> Coordinates:
    return Coordinates(time_s=time_s, names=("a", "b"), rotational=np.array([True, False]), values=values)


def test_the_frames_stay_and_parabolas_are_followed() -> None:
    time_s = 0.3 + np.arange(9) / 100
    exact = lambda t: np.column_stack([1 + 2 * t - 30 * t**2, -t])  # noqa: E731
    found = dense(motion(exact(time_s), time_s))
    np.testing.assert_allclose(found.time_s[::SAMPLES_PER_FRAME], time_s, rtol=1e-14)
    np.testing.assert_allclose(found.values, exact(found.time_s), atol=1e-12)


def test_a_smooth_swing_is_followed_between_its_frames() -> None:
    time_s = np.arange(100) / 100
    found = dense(motion(np.column_stack([np.sin(12 * time_s), np.cos(12 * time_s)]), time_s))
    inside = (found.time_s > 0.1) & (found.time_s < 0.9)
    np.testing.assert_allclose(found.values[inside, 0], np.sin(12 * found.time_s[inside]), atol=1e-7)


def test_five_frames_are_too_few() -> None:
    with pytest.raises(ValueError, match="5 frames can't be differentiated twice"):
        dense(motion(np.zeros((5, 2)), np.arange(5.0)))


def test_uneven_frames_are_refused() -> None:
    with pytest.raises(ValueError, match="evenly spaced"):
        dense(motion(np.zeros((8, 2)), np.array([0, 1, 2, 3, 5, 6, 7, 8.0])))
