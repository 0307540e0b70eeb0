import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.virtual.instruments.plate_loads import PATCH_LENGTH_M, plate_channels
from pipeline.virtual.laboratory import GAP_M, PLATES, Heading, boxes_m, to_room
from pipeline.virtual.records import FootLoad

FORCE_N = np.array([[-40.0, 700.0, 25.0]])
HEADINGS: tuple[Heading, Heading] = ("+y", "-y")


def _pressed(forward_m: float, right_m: float, free_moment_nm: float = 3.0) -> FootLoad:
    return FootLoad(
        force_n=FORCE_N, cop_m=np.array([[forward_m, 0.0, right_m]]), free_moment_nm=np.array([free_moment_nm])
    )


def _in_ground(channels: np.ndarray, heading: Heading) -> tuple[np.ndarray, np.ndarray]:
    """Total force, and moment about the origin, of all plates, by the geometry of the format alone."""
    force, moment = np.zeros(3), np.zeros(3)
    for plate, values in zip(PLATES, channels, strict=True):
        up, about = plate.axes @ values[:3], plate.axes @ values[3:]
        force += up
        moment += about + np.cross(plate.transducers_m, up)
    return to_room(heading).T @ force, to_room(heading).T @ moment


def test_standing_on_a_plate_s_middle_pulls_its_fz_down_and_leaves_no_moment_but_the_depth_s() -> None:
    low, high = boxes_m("+y")[0].T
    load = FootLoad(
        force_n=np.array([[0.0, 700.0, 0.0]]),
        cop_m=np.array([[(low[0] + high[0]) / 2, 0.0, (low[1] + high[1]) / 2]]),
        free_moment_nm=np.zeros(1),
    )

    channels = plate_channels([load], "+y")[0]

    x_m, y_m, _ = PLATES[0].stored_origin_m
    # The centre is at the stored origin from the transducers: M = r × F with F = (0, 0, -700) in plate axes.
    np.testing.assert_allclose(channels[0], [0, 0, -700, -700 * y_m, 700 * x_m, 0], atol=1e-9)
    assert not channels[1:].any()


@given(
    forward=st.floats(0.031, 2.459), right=st.floats(0.031, 0.869), turn=st.floats(-20, 20), way=st.sampled_from([0, 1])
)
def test_on_the_row_the_plates_wrenches_add_up_to_the_foot_s(
    forward: float, right: float, turn: float, way: int
) -> None:
    heading = HEADINGS[way]
    low = boxes_m(heading)[:, :, 0].min(axis=0)
    load = _pressed(low[0] + forward, low[1] + right, turn)

    force, moment = _in_ground(plate_channels([load], heading)[0], heading)

    np.testing.assert_allclose(force, FORCE_N[0], atol=1e-9)
    np.testing.assert_allclose(moment, np.add(np.cross(load.cop_m[0], FORCE_N[0]), [0, turn, 0]), atol=1e-9)


def test_a_foot_on_two_plates_loads_both_by_its_area_on_each() -> None:
    border_m = boxes_m("+y")[0, 0, 1] + GAP_M / 2
    channels = plate_channels([_pressed(border_m + PATCH_LENGTH_M / 4, 0.4)], "+y")[0]

    assert channels[0, 2] == pytest.approx(-700 / 4)
    assert channels[1, 2] == pytest.approx(-700 * 3 / 4)


def test_half_off_the_row_half_the_force_is_measured_from_the_inner_half() -> None:
    edge_m = boxes_m("+y")[0, 0, 0]
    force, moment = _in_ground(plate_channels([_pressed(edge_m, 0.4)], "+y")[0], "+y")

    np.testing.assert_allclose(force, FORCE_N[0] / 2, atol=1e-9)
    inner = np.array([edge_m + PATCH_LENGTH_M / 4, 0, 0.4])
    np.testing.assert_allclose(moment, np.add(np.cross(inner, force), [0, 1.5, 0]), atol=1e-9)


def test_a_foot_in_the_air_or_beside_the_row_is_felt_by_nobody() -> None:
    in_air = FootLoad(force_n=np.zeros((1, 3)), cop_m=np.full((1, 3), np.nan), free_moment_nm=np.zeros(1))

    np.testing.assert_array_equal(plate_channels([in_air, _pressed(-1.0, 0.4), _pressed(1.0, 2.0)], "+y"), 0.0)
