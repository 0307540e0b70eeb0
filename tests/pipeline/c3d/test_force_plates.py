"""A known force at a known point of a plate, turned into each type's channels by statics written out here."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.c3d.force_plates import PlateSetup, centre_of_pressure, measured_plate, plate_axes

LENGTH_M, WIDTH_M, DEPTH_M = 0.6, 0.4, 0.04
A_M, B_M = 0.21, 0.12
# Cross-talk as in a maker's certificate: invertible, near diagonal.
CALIBRATION = np.diag([3.0, 3.1, 11.7, 1.6, 1.5, 0.8]) + 0.01 * np.arange(36).reshape(6, 6) / 36


def corners(yaw_rad: float, centre_m: np.ndarray) -> np.ndarray:
    """A level plate's corners, (4, 3): 1 at (+x, +y) of axes whose z points down, in a lab with z up."""
    x = np.array([np.cos(yaw_rad), np.sin(yaw_rad), 0.0])
    y = np.cross([0.0, 0.0, -1.0], x)
    signs = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    return np.array([centre_m + i * x * LENGTH_M / 2 + j * y * WIDTH_M / 2 for i, j in signs])


def moment_about(point_m: np.ndarray, cop_m: np.ndarray, force_n: np.ndarray, free_nm: float) -> np.ndarray:
    """Statics: the moment about `point_m`, with a free moment about the laboratory's upward z."""
    return np.cross(cop_m - point_m, force_n) + np.array([0.0, 0.0, free_nm])


def channels_of(plate_type: int, force: np.ndarray, cop: np.ndarray, free_z: float) -> np.ndarray:
    """One sample of a plate's channels; all in plate axes (z down), cop from the surface's centre."""
    origin = np.array([0.0, 0.0, DEPTH_M])
    moment = np.cross(cop - origin, force) + np.array([0.0, 0.0, free_z])
    if plate_type == 1:
        return np.array([*force, *cop[:2], free_z])
    if plate_type == 2:
        return np.array([*force, *moment])
    if plate_type == 4:
        return np.linalg.solve(CALIBRATION, np.array([*force, *moment]))
    # Eight forces that add up to six components: two are free, so the twist of fz and the split of fy are
    # chosen.
    fx, fy, fz = force
    fz1, fz2, fz3, fz4 = np.linalg.solve(
        [[1, 1, 1, 1], [B_M, B_M, -B_M, -B_M], [-A_M, A_M, A_M, -A_M], [1, -1, 1, -1]],
        [fz, moment[0], moment[1], 3.0],
    )
    fy14, fy23 = fy / 2 + 1.0, fy / 2 - 1.0
    twist = (moment[2] - A_M * (fy14 - fy23)) / B_M
    return np.array([(fx - twist) / 2, (fx + twist) / 2, fy14, fy23, fz1, fz2, fz3, fz4])


def setup_of(plate_type: int, corners_m: np.ndarray, origin_sign: float = -1.0) -> PlateSetup:
    flat = np.array([A_M, B_M, 0.0]) if plate_type == 3 else np.zeros(3)
    return PlateSetup(
        number=1,
        type=plate_type,
        corners_m=corners_m,
        origin_m=flat + np.array([0.0, 0.0, origin_sign * DEPTH_M]),
        calibration=CALIBRATION if plate_type == 4 else None,
    )


inside = st.floats(-0.45, 0.45)


@pytest.mark.parametrize("plate_type", [1, 2, 3, 4])
@given(
    along=inside,
    across=inside,
    yaw_rad=st.floats(-np.pi, np.pi),
    vertical_n=st.floats(30, 3000),
    shear=st.tuples(st.floats(-500, 500), st.floats(-500, 500)),
    free_nm=st.floats(-30, 30),
)
def test_a_known_push_comes_back(
    plate_type: int,
    along: float,
    across: float,
    yaw_rad: float,
    vertical_n: float,
    shear: tuple[float, float],
    free_nm: float,
) -> None:
    centre = np.array([1.0, -2.0, 0.01])
    corners_m = corners(yaw_rad, centre)
    axes = plate_axes(corners_m)
    force_n = np.array([*shear, vertical_n])
    from_centre = axes @ [along * LENGTH_M, across * WIDTH_M, 0.0]
    # In plate axes the upward free moment is downward, z being down.
    channels = channels_of(plate_type, axes.T @ force_n, axes.T @ from_centre, -free_nm)
    plate = measured_plate(setup_of(plate_type, corners_m), channels[None, :])
    cop_m, free = centre_of_pressure(plate)
    np.testing.assert_allclose(plate.force_n[0], force_n, atol=1e-6)
    np.testing.assert_allclose(cop_m[0], centre + from_centre, atol=1e-9)
    np.testing.assert_allclose(free[0], free_nm, atol=1e-6)
    expected = moment_about(plate.origin_m, centre + from_centre, force_n, free_nm)
    np.testing.assert_allclose(plate.moment_nm[0], expected, atol=1e-6)


@pytest.mark.parametrize("plate_type", [2, 3, 4])
def test_the_origin_is_below_the_surface_whichever_way_it_is_stored(plate_type: int) -> None:
    corners_m = corners(0.3, np.zeros(3))
    channels = channels_of(plate_type, np.array([20.0, 5.0, -700.0]), np.array([0.1, -0.05, 0.0]), 2.0)[None]
    down, up = (measured_plate(setup_of(plate_type, corners_m, sign), channels) for sign in (-1.0, 1.0))
    np.testing.assert_allclose(down.origin_m, [0.0, 0.0, -DEPTH_M], atol=1e-12)
    np.testing.assert_array_equal(down.origin_m, up.origin_m)
    np.testing.assert_array_equal(centre_of_pressure(down)[0], centre_of_pressure(up)[0])


def test_axes_of_the_corners() -> None:
    axes = plate_axes(corners(0.0, np.zeros(3)))
    np.testing.assert_allclose(axes, np.diag([1.0, -1.0, -1.0]), atol=1e-12)


def test_a_plate_in_a_laboratory_with_y_up() -> None:
    # 1 at (+x, +z): y of the plate is the laboratory's z, and x × z is -y, down.
    corners_m = np.array([[0.3, 0, 0.2], [-0.3, 0, 0.2], [-0.3, 0, -0.2], [0.3, 0, -0.2]])
    channels = channels_of(2, np.array([0.0, 0.0, -500.0]), np.array([0.1, 0.05, 0.0]), 0.0)[None]
    plate = measured_plate(setup_of(2, corners_m), channels)
    np.testing.assert_allclose(plate.normal, [0, 1, 0], atol=1e-12)
    np.testing.assert_allclose(plate.force_n[0], [0, 500, 0], atol=1e-9)
    np.testing.assert_allclose(centre_of_pressure(plate)[0][0], [0.1, 0, 0.05], atol=1e-9)


def test_no_centre_of_pressure_without_load() -> None:
    channels = np.array([channels_of(2, np.array([0, 0, -f]), np.zeros(3), 0.0) for f in (0.0, 19.9, 20.0, -50.0)])
    cop_m, free_nm = centre_of_pressure(measured_plate(setup_of(2, corners(0.0, np.zeros(3))), channels))
    assert np.isnan(cop_m).all(axis=1).tolist() == [True, True, False, True]
    assert np.isnan(free_nm).tolist() == [True, True, False, True]


def test_corners_on_a_line_are_refused() -> None:
    with pytest.raises(ValueError, match="don't span a surface"):
        plate_axes(np.array([[0.0, 0, 0], [1, 0, 0], [2, 0, 0], [3, 0, 0]]))


def test_a_type_that_is_not_read_is_refused() -> None:
    with pytest.raises(ValueError, match=r"type 5 is not one of \[1, 2, 3, 4\]"):
        PlateSetup(number=1, type=5, corners_m=corners(0.0, np.zeros(3)), origin_m=np.zeros(3))
