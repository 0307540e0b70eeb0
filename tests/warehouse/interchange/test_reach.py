"""What legs do passes, what no leg does is told in a sentence: joints' reach is Roaas and Andersson's, not ours."""

from pathlib import Path

import numpy as np
import pytest

from warehouse.channels import INPUT_COORDINATES
from warehouse.interchange.reach import REACH_DEG, impossible, impossible_cycles

# Their means and standard deviations, degrees, at either end (1982, Acta Orthop Scand 53:205, table).
HEALTHY = {
    "hip_flexion": ((-10, 5), (120, 8)),
    "hip_adduction": ((-39, 7), (31, 7)),
    "hip_rotation": ((-34, 7), (33, 8)),
    "knee_angle": ((-2, 3), (144, 7)),
    "ankle_angle": ((-40, 7), (15, 6)),
}


def walk() -> np.ndarray:
    angles = np.zeros((100, 10))
    angles[:, 0] = 20 * np.cos(np.linspace(0, 2 * np.pi, 100))
    return angles


@pytest.mark.parametrize("channel", range(10))
def test_every_healthy_joint_s_reach_is_possible_and_four_times_its_spread_further_is_the_limit(channel: int) -> None:
    ends = HEALTHY[INPUT_COORDINATES[channel][:-2]]
    for (mean, sd), limit, sign in zip(ends, REACH_DEG[channel], (-1, 1), strict=True):
        angles = walk()
        angles[50, channel] = mean + sign * 4 * sd
        assert impossible(angles) == ""
        assert sign * limit >= sign * (mean + sign * 4 * sd)
        angles[50, channel] = limit + sign
        assert impossible(angles).startswith(f"{INPUT_COORDINATES[channel]} is {limit + sign:g} degrees at sample 50")


def test_what_is_not_known_is_no_fault() -> None:
    angles = walk()
    angles[10:20, 3] = np.nan

    assert impossible(angles) == impossible(np.full((5, 10), np.nan)) == ""


def test_the_other_sign_of_a_knee_is_told() -> None:
    angles = walk()
    angles[60, 6] = -65.0

    assert "another sign (flexion is positive)" in impossible(angles)


@pytest.mark.data
def test_published_cycles_pass_in_degrees_and_not_in_radians(shared_data: Path) -> None:
    published = np.load(shared_data / "gait2hip60" / "expected_predictions.npz")["X"]

    assert impossible_cycles("x", published) == ""
    assert impossible_cycles("x", np.radians(published)).startswith("x: 12 of 12 cycles can't be a walk's. cycle 0: no")
