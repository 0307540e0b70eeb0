import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.anatomy.segment_frames import Axis, Order, angles_between, segment_frame, turned_about_y

ORDERS: tuple[Order, ...] = ("ZXY", "ZYX", "YXZ")
AXES: tuple[Axis, ...] = ("x", "y", "z")
STILL = np.eye(3)[None]


def vectors(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(20, 3))


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("axis", AXES)
def test_a_rotation_about_one_axis_is_that_angle_and_no_other(order: Order, axis: Axis) -> None:
    turned = Rotation.from_euler(axis, 0.4).as_matrix()[None]

    found = angles_between(STILL, turned, order)

    assert {name: angle.item() for name, angle in found.items()} == pytest.approx({**dict.fromkeys(AXES, 0), axis: 0.4})


@pytest.mark.parametrize("order", ORDERS)
def test_three_rotations_come_back_whatever_frame_they_begin_from(order: Order) -> None:
    angles = np.random.default_rng(3).uniform(-1.5, 1.5, (50, 3))
    proximal = Rotation.random(50, random_state=1).as_matrix()
    distal = proximal @ Rotation.from_euler(order, angles).as_matrix()

    found = angles_between(proximal, distal, order)

    np.testing.assert_allclose(np.stack([found[axis] for axis in map(lower, order)], axis=1), angles, atol=1e-12)


def lower(letter: str) -> Axis:
    return {"X": "x", "Y": "y", "Z": "z"}[letter]


@pytest.mark.parametrize(("axis", "second"), [(a, b) for a in AXES for b in AXES if a != b])
def test_a_frame_keeps_its_first_axis_and_nears_its_second(axis: Axis, second: Axis) -> None:
    along, towards = vectors(1), vectors(2)

    frame = segment_frame(axis, along, second, towards)

    np.testing.assert_allclose(frame.swapaxes(1, 2) @ frame, np.broadcast_to(np.eye(3), frame.shape), atol=1e-14)
    np.testing.assert_allclose(np.linalg.det(frame), 1.0)
    first, other = frame[:, :, AXES.index(axis)], frame[:, :, AXES.index(second)]
    np.testing.assert_allclose(first, along / np.linalg.norm(along, axis=1, keepdims=True))
    # The second is the part of `towards` that is square to the first.
    square = towards - first * (first * towards).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(other, square / np.linalg.norm(square, axis=1, keepdims=True))


def test_a_frame_turns_about_its_own_y() -> None:
    frame = segment_frame("y", vectors(4), "x", vectors(5))

    turned = angles_between(frame, turned_about_y(frame, 0.3), "ZXY")

    np.testing.assert_allclose(turned["y"], 0.3)
    np.testing.assert_allclose([turned["x"], turned["z"]], 0.0, atol=1e-15)


def test_an_unseen_point_leaves_its_frame_and_its_angles_unknown() -> None:
    along = vectors(6)
    along[3] = np.nan

    frame = segment_frame("y", along, "z", vectors(7))

    unknown = np.isnan(angles_between(frame, frame, "ZXY")["z"])
    assert np.flatnonzero(unknown).tolist() == [3]
