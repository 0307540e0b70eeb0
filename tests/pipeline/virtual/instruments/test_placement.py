from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pipeline.virtual.dynamics.planted import NoMotion
from pipeline.virtual.instruments.placement import QUIET_S, moved, require_place, standing_place, start_of
from pipeline.virtual.laboratory import Heading, boxes_m
from tests.pipeline.virtual.performances import LATERAL_M, PROFILE, SUBJECT, standing, walking

HEEL_TO_TIP_M = 0.17 * 1.35
# All that is asked of a body here: whose it is, and which markers it wears.
BODY: Any = SimpleNamespace(subject=SUBJECT, profile=PROFILE)


def _alone_on_plates(heading: Heading, step_m: float) -> int:
    """How many feet lie wholly on a plate on which no other foot of the walk lies, by the walk's own arithmetic."""
    forward_m, _ = start_of(walking(step_m=step_m), PROFILE, heading)
    heels = step_m * np.arange(8) + forward_m
    found = 0
    for low, high in boxes_m(heading)[:, 0]:
        on = [heel for heel in heels if heel < high and heel + HEEL_TO_TIP_M > low]
        found += len(on) == 1 and low < on[0] and on[0] + HEEL_TO_TIP_M < high
    return found


@pytest.mark.parametrize("heading", ["+y", "-y"])
@pytest.mark.parametrize(("step_m", "feet"), [(0.62, 4), (0.7, 4), (0.78, 3), (0.5, 2)])
def test_most_feet_land_on_plates_of_their_own(heading: Heading, step_m: float, feet: int) -> None:
    assert _alone_on_plates(heading, step_m) >= feet


@pytest.mark.parametrize("step_m", [0.5, 0.62, 0.78])
def test_steps_that_plates_can_measure_are_taken(step_m: float) -> None:
    require_place(BODY, walking(step_m=step_m))


def test_steps_so_short_that_two_feet_share_every_plate_are_refused() -> None:
    with pytest.raises(NoMotion, match="VH001 takes steps so short"):
        require_place(BODY, walking(step_m=0.35))


def test_the_path_is_along_the_row_s_middle() -> None:
    walk = walking()
    _, right_m = start_of(walk, PROFILE, "+y")

    assert np.mean(list(LATERAL_M.values())) + right_m == pytest.approx(0.45, abs=0.01)


def test_the_plates_are_empty_before_the_first_foot() -> None:
    walk = walking()
    placed = moved(walk, *start_of(walk, PROFILE, "+y"))
    quiet = round(QUIET_S * 1000)
    on = [
        ((load.cop_m[:quiet, [0, 2]] > box[:, 0]) & (load.cop_m[:quiet, [0, 2]] < box[:, 1])).all(axis=1).any()
        for load in placed.load.values()
        for box in boxes_m("+y")
    ]

    assert not any(on)


def test_moving_shifts_places_and_the_clock_and_nothing_else() -> None:
    walk = walking(start_s=2.0)
    there = moved(walk, 1.5, -0.25)

    np.testing.assert_allclose(there.markers_m - walk.markers_m, np.broadcast_to([1.5, 0, -0.25], walk.markers_m.shape))
    pressed = np.isfinite(walk.load["right"].cop_m[:, 0])
    shift = (there.load["right"].cop_m - walk.load["right"].cop_m)[pressed]
    np.testing.assert_allclose(shift, np.broadcast_to([1.5, 0, -0.25], shift.shape))
    np.testing.assert_allclose(there.coordinates.column("pelvis_tx") - walk.coordinates.column("pelvis_tx"), 1.5)
    np.testing.assert_allclose(there.coordinates.column("pelvis_tz") - walk.coordinates.column("pelvis_tz"), -0.25)
    np.testing.assert_array_equal(there.coordinates.column("hip_flexion_r"), walk.coordinates.column("hip_flexion_r"))
    assert there.coordinates.time_s[0] == 0.0
    assert there.contacts[0].strike_s == pytest.approx(0.2)
    assert all(b.strike_s > a.strike_s for a, b in pairwise(there.contacts))
    assert walk.coordinates.time_s[0] == 2.0


def test_a_standing_person_has_both_feet_on_the_second_plate() -> None:
    still = standing()
    placed = moved(still, *standing_place(still, "+y"))
    low, high = boxes_m("+y")[1].T

    for load in placed.load.values():
        pressed = load.cop_m[np.isfinite(load.cop_m[:, 0])][:, [0, 2]]
        assert (pressed > low).all()
        assert (pressed < high).all()
