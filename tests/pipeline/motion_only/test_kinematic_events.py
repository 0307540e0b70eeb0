"""Steps told by joint angles alone."""

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.motion_only.kinematic_events import STRIKE_DELAY, events_of_angles
from pipeline.session.recipe import load_recipe
from warehouse.channels import INPUT_COORDINATES

SETTINGS = load_recipe("gait2hip60").ground_reactions
STRIDE_S = 1.1
TIME_S = np.arange(0, 4.5, 0.01)


def pendulum_legs(amplitude_deg: float = 25.0) -> np.ndarray:
    """Stiff legs that swing from the hips in opposite phase: each is farthest forward once a stride."""
    angles = np.zeros((len(TIME_S), len(INPUT_COORDINATES)))
    swing = amplitude_deg * np.cos(2 * np.pi * TIME_S / STRIDE_S)
    angles[:, INPUT_COORDINATES.index("hip_flexion_r")] = swing
    angles[:, INPUT_COORDINATES.index("hip_flexion_l")] = -swing
    return angles


def test_a_foot_strikes_soon_after_its_leg_is_farthest_forward() -> None:
    events = events_of_angles("walk.mot", TIME_S, pendulum_legs(), SETTINGS)

    # The cosine's peaks; the one at time 0 is an end of the record and no step.
    right = STRIDE_S * np.arange(1, 5) + STRIKE_DELAY * STRIDE_S
    left = STRIDE_S * (np.arange(0, 4) + 0.5) + STRIKE_DELAY * STRIDE_S
    np.testing.assert_allclose(events.times("foot_strike", "right"), right, atol=1e-3)
    np.testing.assert_allclose(events.times("foot_strike", "left"), left, atol=1e-3)
    # A foot leaves when it is farthest behind: half a stride after its leg is farthest forward.
    np.testing.assert_allclose(events.times("foot_off", "right"), STRIDE_S * (np.arange(0, 4) + 0.5), atol=1e-3)


def test_unknown_frames_tell_no_step_and_the_others_stay() -> None:
    angles = pendulum_legs()
    angles[100:120] = np.nan

    strikes = events_of_angles("walk.mot", TIME_S, angles, SETTINGS).times("foot_strike", "right")

    assert len(strikes) == 3
    np.testing.assert_allclose(strikes, STRIDE_S * np.arange(2, 5) + STRIKE_DELAY * STRIDE_S, atol=1e-3)


@pytest.mark.parametrize("angles", [np.radians(pendulum_legs()), np.full((len(TIME_S), 10), np.nan)])
def test_what_is_no_walk_is_refused_with_a_hint_at_the_unit(angles: np.ndarray) -> None:
    with pytest.raises(TrialRejected, match="this is not a walk, or the angles are in another unit"):
        events_of_angles("walk.csv", TIME_S, angles, SETTINGS)
