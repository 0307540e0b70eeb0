import numpy as np
import pytest

from pipeline.c3d.force_plates import PlateSetup, measured_plate, plate_axes
from pipeline.virtual.laboratory import GAP_M, PLATES, Heading, boxes_m, to_room


@pytest.mark.parametrize("plate", PLATES, ids=lambda plate: str(plate.number))
def test_a_plate_is_as_the_format_defines_it(plate) -> None:
    setup = PlateSetup(number=1, type=2, corners_m=plate.corners_m, origin_m=plate.stored_origin_m)
    read = measured_plate(setup, np.zeros((1, 6)))

    np.testing.assert_allclose(plate.axes, plate_axes(plate.corners_m), atol=1e-15)
    np.testing.assert_allclose(plate.axes[:, 2], [0, 0, -1], atol=1e-15)
    np.testing.assert_allclose(plate.transducers_m, read.origin_m, atol=1e-15)
    assert -0.05 < plate.transducers_m[2] < -0.03


def test_plates_lie_in_a_row_without_overlapping() -> None:
    boxes = boxes_m("+y")

    np.testing.assert_allclose(np.diff(boxes[:, 0, 0]), 0.63)
    np.testing.assert_allclose(boxes[1:, 0, 0] - boxes[:-1, 0, 1], GAP_M)
    np.testing.assert_allclose(boxes[:, 1], [[0.0, 0.9]] * 4)


@pytest.mark.parametrize("heading", ["+y", "-y"])
def test_a_ground_frame_is_right_handed_with_z_up_in_the_room(heading: Heading) -> None:
    turn = to_room(heading)

    assert np.linalg.det(turn) == pytest.approx(1.0)
    np.testing.assert_array_equal(turn @ [0, 1, 0], [0, 0, 1])
    np.testing.assert_array_equal(turn @ [1, 0, 0], [0, 1 if heading == "+y" else -1, 0])


def test_who_walks_back_meets_the_last_plate_first() -> None:
    assert np.argmin(boxes_m("+y")[:, 0, 0]) == 0
    assert np.argmin(boxes_m("-y")[:, 0, 0]) == 3
