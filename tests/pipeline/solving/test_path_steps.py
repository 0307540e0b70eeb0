from dataclasses import replace

import numpy as np
import pytest

from pipeline.session.recipe import load_recipe
from pipeline.solving.engine import LaidMuscles
from pipeline.solving.path_steps import path_step_warnings, unexplained_change_m
from tests.pipeline.solutions import MUSCLES, TIME_S, still_muscles

SETTINGS = load_recipe("gait2hip60").quality
# A muscle of fast walking and, at 2.5 Hz, of a shaken leg: 4 cm either way, up to 0.63 m/s.
AMPLITUDE_M, RATE_RAD_S = 0.04, 2 * np.pi * 2.5


def moving_muscles(step_m: np.ndarray | float = 0.0) -> LaidMuscles:
    """All muscles in a sine, the first with `step_m` (T,) added to its length, which its speed doesn't tell."""
    laid = still_muscles()
    length = np.tile(0.3 + AMPLITUDE_M * np.sin(RATE_RAD_S * TIME_S)[:, None], len(MUSCLES))
    length[:, 0] += step_m
    speed = np.tile(AMPLITUDE_M * RATE_RAD_S * np.cos(RATE_RAD_S * TIME_S)[:, None], len(MUSCLES))
    return replace(laid, length_m=length, lengthening_m_s=speed)


def test_a_smooth_length_is_explained_to_the_trapezoidal_rule_s_error() -> None:
    laid = moving_muscles()
    most = AMPLITUDE_M * RATE_RAD_S**3 * 0.01**3 / 12
    found = np.abs(unexplained_change_m(laid))
    assert 0.5 * most < found.max() <= most < 0.1 * SETTINGS.min_path_step_m
    assert path_step_warnings(laid, SETTINGS) == ()


def test_steps_are_counted_by_muscle_with_the_largest_and_its_time() -> None:
    off = np.zeros(len(TIME_S))
    off[20:60] = -0.005
    off[80:] = 0.002
    (told,) = path_step_warnings(moving_muscles(off), SETTINGS)
    assert told.startswith("muscle paths step from one frame to the next: soleus_r in 3 frames (by 5.0 mm at 0.")
    assert not any(name in told for name in MUSCLES[1:])
    found = unexplained_change_m(moving_muscles(off))[:, 0]
    assert [round(1e3 * found[at]) for at in (19, 59, 79)] == [-5, 5, 2]


def test_a_corner_is_no_step() -> None:
    """A path that touches a surface changes its speed, by 0.1 m/s here within a frame, not its length."""
    laid = still_muscles()
    speed = np.where(TIME_S < 0.505, 0.2, 0.1)[:, None]
    length = 0.3 + np.cumsum(np.where(TIME_S < 0.505, 0.002, 0.001))[:, None]
    corner = replace(laid, length_m=np.tile(length, 4), lengthening_m_s=np.tile(speed, 4))
    assert path_step_warnings(corner, SETTINGS) == ()


@pytest.mark.parametrize("rate_hz", [50.0, 200.0])
def test_a_step_is_one_at_any_rate(rate_hz: float) -> None:
    time_s = np.arange(100) / rate_hz
    laid = still_muscles(time_s)
    laid.length_m[50:, 1] += 0.003
    (told,) = path_step_warnings(laid, SETTINGS)
    assert f"glmed1_r in 1 frame (by 3.0 mm at {time_s[49]:.2f} s)" in told
