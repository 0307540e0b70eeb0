from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.ground.floor import (
    HALF_BREADTH,
    belt_velocity_m_s,
    distance_to_edge_m,
    distance_to_foot_m,
    foot_beyond_m,
    foot_outline_m,
    on_floor,
)
from pipeline.markers.ground_frame import ground_rotation, to_ground
from tests.pipeline.conftest import FIRST_STRIKE_S, SPEED_M_S, STANCE_S, STRIDE_S


def markers_of(recording, profile):
    return to_ground(recording, ground_rotation(recording, profile), recording.marker_labels)


def on_a_belt(markers, speed_m_s):
    """The same walk as a camera sees it that a belt carries forward under the walker."""
    back = np.outer(markers.time_s, [speed_m_s, 0.0, 0.0])
    return replace(markers, positions_m=markers.positions_m - back[:, None, :])


def test_a_floor_stands_still(walker, profile, recipe):
    markers = markers_of(walker.recording(), profile)
    assert belt_velocity_m_s(markers, profile, recipe.ground_reactions) == pytest.approx([0, 0, 0], abs=0)


@pytest.mark.parametrize("speed_m_s", [0.4, SPEED_M_S, 3.0])
def test_a_belt_moves_as_the_feet_on_it(walker, profile, recipe, speed_m_s):
    markers = on_a_belt(markers_of(walker.recording(), profile), speed_m_s)
    assert belt_velocity_m_s(markers, profile, recipe.ground_reactions) == pytest.approx([-speed_m_s, 0, 0], abs=0.01)


def test_a_foot_on_a_belt_is_on_the_floor_as_overground(walker, profile, recipe):
    settings, still = recipe.ground_reactions, np.zeros(3)
    overground = markers_of(walker.recording(), profile)
    belt = on_a_belt(overground, SPEED_M_S)
    belt_m_s = belt_velocity_m_s(belt, profile, settings)
    for side in ("right", "left"):
        down = on_floor(overground, profile, side, settings, still)
        since = (overground.time_s - FIRST_STRIKE_S[side]) % STRIDE_S
        assert down[(since > 0.02) & (since < STANCE_S - 0.02)].all()
        assert not down[(since > STANCE_S + 0.1) & (since < STRIDE_S - 0.1)].any()
        assert (on_floor(belt, profile, side, settings, belt_m_s) == down).all()


def test_unseen_feet_tell_of_no_belt(walker, profile, recipe):
    markers = markers_of(walker.recording(), profile)
    unseen = replace(markers, positions_m=np.full_like(markers.positions_m, np.nan))
    assert not belt_velocity_m_s(unseen, profile, recipe.ground_reactions).any()


def test_a_sole_reaches_beyond_its_markers():
    outline = foot_outline_m(np.array([0.0, 0.05, 0.0]), np.array([0.2, 0.04, 0.0]))
    assert outline[:, 0] == pytest.approx([0, 0.27, 0.2, 0.2])
    assert outline[:, 2] == pytest.approx([0, 0, 0.2 * HALF_BREADTH, -0.2 * HALF_BREADTH])


def plate_from(x_m: float, walker) -> object:
    corners = np.array([[x_m, 0, 0.2], [x_m + 0.5, 0, 0.2], [x_m + 0.5, 0, -0.2], [x_m, 0, -0.2]])
    return replace(walker.plate(1, "right"), number=3, corners_m=corners)


def test_a_forefoot_over_an_edge_is_measured(walker):
    heel, toe = np.array([0.3, 0.05, 0.0]), np.array([0.48, 0.04, 0.0])
    beyond_m, number = foot_beyond_m(heel, toe, [plate_from(0.0, walker)])
    assert (beyond_m, number) == (pytest.approx(0.3 + 1.35 * 0.18 - 0.5), 3)
    # With a plate beyond the edge, a crack apart, it is on both.
    assert foot_beyond_m(heel, toe, [plate_from(0.0, walker), plate_from(0.505, walker)])[0] == 0
    assert foot_beyond_m(heel - 0.1, toe - 0.1, [plate_from(0.0, walker)])[0] == 0


def test_distance_to_the_foot_is_measured_across_and_beyond():
    heel, toe = np.zeros((3, 3)), np.tile([0.1, 0.0, 0.0], (3, 1))
    points = np.array([[0.05, 9.0, 0.03], [-0.04, 0.0, 0.0], [0.145, 0.0, 0.0]])
    assert distance_to_foot_m(points, heel, toe) == pytest.approx([0.03, 0.04, 0.01])


@given(st.floats(-1, 1), st.floats(-1, 1), st.sampled_from([1, -1]))
def test_distance_to_the_edge_of_a_rectangle(x, z, winding):
    corners = np.array([[0.3, 0, 0.2], [0.3, 0, -0.2], [-0.3, 0, -0.2], [-0.3, 0, 0.2]])[::winding]
    expected = min(0.3 - abs(x), 0.2 - abs(z))
    found = distance_to_edge_m(np.array([[x, 0.0, z]]), corners)[0]
    assert found == pytest.approx(expected, abs=1e-12) or (found < 0 and expected < 0)
