"""Ways around one surface, against drawings on paper and a minimisation."""

from math import acos, hypot, pi, sqrt

import numpy as np
import pytest
from scipy.optimize import minimize

from pipeline.mechanics.compiled import kernel
from pipeline.mechanics.muscles.wrapping import (
    CLEAR,
    INSIDE,
    NEEDED,
    POSSIBLE,
    Detour,
    around_cylinder,
    around_sphere,
)

RADIUS_M = 0.05
X, Y, Z = 0, 1, 2


@kernel
def _cylinder(p: np.ndarray, q: np.ndarray, half_length: float, axis: int, sign: int, in_plane: bool) -> Detour:
    return around_cylinder(p[0], p[1], p[2], q[0], q[1], q[2], 0.05, half_length, axis, sign, in_plane)


@kernel
def _sphere(p: np.ndarray, q: np.ndarray, axis: int, sign: int) -> Detour:
    return around_sphere(p[0], p[1], p[2], q[0], q[1], q[2], 0.05, axis, sign)


def cylinder(p, q, *, half_length: float = 1.0, axis: int = X, sign: int = 0, in_plane: bool = False) -> Detour:
    return _cylinder(np.array(p, float), np.array(q, float), half_length, axis, sign, in_plane)


def sphere(p, q, *, axis: int = X, sign: int = 0) -> Detour:
    return _sphere(np.array(p, float), np.array(q, float), axis, sign)


def whole_length(p, q, way: Detour) -> float:
    touch, leave = (way.x1, way.y1, way.z1), (way.x2, way.y2, way.z2)
    return np.linalg.norm(np.subtract(touch, p)) + way.arc_m + np.linalg.norm(np.subtract(leave, q))


def test_in_a_plane_the_way_is_two_tangents_and_an_arc() -> None:
    p, q = (-0.13, 0.0, 0.0), (0.13, 0.001, 0.0)
    way = cylinder(p, q)
    angle = pi - np.arctan2(0.001, 0.13) - acos(0.05 / 0.13) - acos(0.05 / hypot(0.13, 0.001))
    assert way.outcome == NEEDED
    assert way.arc_m == pytest.approx(0.05 * angle, abs=1e-15)
    assert whole_length(p, q, way) == pytest.approx(
        sqrt(0.13**2 - 0.05**2) + sqrt(0.13**2 + 0.001**2 - 0.05**2) + 0.05 * angle, abs=1e-15
    )


def test_around_a_cylinder_the_way_is_a_helix_that_unrolls_to_a_line() -> None:
    rng = np.random.default_rng(3)
    for _ in range(50):
        a, b, turn = rng.uniform(0.06, 0.3), rng.uniform(0.06, 0.3), rng.uniform(2.6, 3.1)
        p, q = (a, 0.0, rng.uniform(-0.2, 0.2)), (b * np.cos(turn), b * np.sin(turn), rng.uniform(-0.2, 0.2))
        way = cylinder(p, q)
        if way.outcome == CLEAR:
            continue
        flat = sqrt(a * a - 0.05**2) + sqrt(b * b - 0.05**2) + 0.05 * (turn - acos(0.05 / a) - acos(0.05 / b))
        assert whole_length(p, q, way) == pytest.approx(hypot(flat, q[2] - p[2]), abs=1e-14)
        slopes = [
            (way.z1 - p[2]) / hypot(way.x1 - p[0], way.y1 - p[1]),
            (q[2] - way.z2) / hypot(way.x2 - q[0], way.y2 - q[1]),
            (way.z2 - way.z1) / sqrt(max(way.arc_m**2 - (way.z2 - way.z1) ** 2, 1e-300)),
        ]
        assert slopes[:2] == pytest.approx([slopes[0]] * 2, abs=1e-12)
        if way.arc_m > 1e-3:
            assert slopes[2] == pytest.approx(slopes[0], abs=1e-9)


def test_no_other_tangent_points_give_a_shorter_way() -> None:
    p, q = np.array([-0.1, 0.01, -0.08]), np.array([0.2, 0.03, 0.15])
    way = cylinder(p, q)
    flat = sqrt(way.arc_m**2 - (way.z2 - way.z1) ** 2)

    def length(z: np.ndarray) -> float:
        first, last = np.array([way.x1, way.y1, z[0]]), np.array([way.x2, way.y2, z[1]])
        return np.linalg.norm(first - p) + hypot(flat, z[1] - z[0]) + np.linalg.norm(last - q)

    best = minimize(length, [0.0, 0.0], method="BFGS", options={"gtol": 1e-12})
    assert whole_length(p, q, way) == pytest.approx(best.fun, abs=1e-13)
    assert whole_length(p, q, way) <= best.fun + 1e-15
    in_plane = cylinder(p, q, in_plane=True)
    assert whole_length(p, q, way) < whole_length(p, q, in_plane) < whole_length(p, q, way) + 1e-3


def test_a_way_that_just_touches_is_straight() -> None:
    straight = 0.3
    for above in (1e-4, 1e-6, 1e-9):
        way = cylinder((-0.15, RADIUS_M - above, 0.0), (0.15, RADIUS_M - above, 0.0))
        assert way.outcome == NEEDED
        assert 0 <= way.arc_m < 4 * sqrt(RADIUS_M * above)
        assert whole_length((-0.15, 0.05 - above, 0), (0.15, 0.05 - above, 0), way) - straight < 20 * above
    assert cylinder((-0.15, RADIUS_M + 1e-9, 0.0), (0.15, RADIUS_M + 1e-9, 0.0)).outcome == CLEAR


def test_a_way_beyond_the_line_s_ends_is_clear() -> None:
    assert cylinder((0.1, 0.01, 0.0), (0.2, 0.02, 0.0)).outcome == CLEAR


def test_an_end_inside_the_surface_wraps_nothing() -> None:
    assert cylinder((0.01, 0.0, 0.0), (0.2, 0.0, 0.0)).outcome == INSIDE
    assert cylinder((0.2, 0.0, 0.0), (0.01, 0.0, 0.0)).outcome == INSIDE
    assert sphere((0.01, 0.0, 0.0), (0.2, 0.0, 0.0)).outcome == INSIDE


def test_both_tangent_points_beyond_the_cylinder_s_end_wrap_nothing() -> None:
    ends = (-0.1, 0.0, 0.3), (0.1, 0.01, 0.3)
    assert cylinder(*ends, half_length=0.31).outcome == NEEDED
    assert cylinder(*ends, half_length=0.29).outcome == CLEAR


@pytest.mark.parametrize("sign", [1, -1])
def test_half_a_cylinder_is_gone_round_on_its_open_side_though_that_is_longer(sign: int) -> None:
    p, q = (0.02 * sign, -0.1, 0.0), (0.02 * sign, 0.1, 0.0)
    assert cylinder(p, q).x1 * sign > 0
    for half, outcome in ((sign, NEEDED), (-sign, POSSIBLE)):
        way = cylinder(p, q, axis=X, sign=half)
        assert way.outcome == outcome
        assert way.x1 * half > 0
        assert way.x2 * half > 0
    long_way = whole_length(p, q, cylinder(p, q, axis=X, sign=-sign))
    assert long_way > whole_length(p, q, cylinder(p, q, axis=X, sign=sign)) + 0.01


def test_a_line_on_the_open_side_is_clear_and_on_the_closed_side_is_pulled_across() -> None:
    assert cylinder((0.07, -0.1, 0.0), (0.07, 0.1, 0.0), axis=X, sign=1).outcome == CLEAR
    way = cylinder((0.01, -0.1, 0.0), (-0.2, 0.1, 0.0), axis=X, sign=1)
    assert way.outcome == POSSIBLE
    assert max(way.x1, way.x2) > 0


def test_around_a_sphere_the_way_is_a_great_circle() -> None:
    p, q = np.array([-0.1, 0.02, 0.01]), np.array([0.14, 0.01, -0.03])
    way = sphere(p, q)
    far = np.linalg.norm(p), np.linalg.norm(q)
    between = acos(p @ q / far[0] / far[1])
    angle = between - acos(RADIUS_M / far[0]) - acos(RADIUS_M / far[1])
    assert way.arc_m == pytest.approx(RADIUS_M * angle, abs=1e-15)
    touch, leave = np.array([way.x1, way.y1, way.z1]), np.array([way.x2, way.y2, way.z2])
    assert np.linalg.norm(touch) == pytest.approx(RADIUS_M, abs=1e-16)
    assert touch @ (touch - p) == pytest.approx(0, abs=1e-16)
    assert leave @ (leave - q) == pytest.approx(0, abs=1e-16)
    assert np.dot(np.cross(p, q), touch) == pytest.approx(0, abs=1e-16)
    assert acos(touch @ leave / RADIUS_M**2) * RADIUS_M == pytest.approx(way.arc_m, abs=1e-9)


def test_half_a_sphere_is_gone_round_the_long_way() -> None:
    p, q = (0.02, -0.1, 0.0), (-0.02, 0.1001, 0.0)
    short = sphere(p, q)
    for sign in (1, -1):
        way = sphere(p, q, axis=X, sign=sign)
        assert (way.x1 + way.x2) * sign > 0
        assert way.outcome == NEEDED
        assert way.arc_m >= short.arc_m - 1e-15


def test_a_line_through_a_sphere_s_centre_has_no_answer() -> None:
    assert np.isnan(sphere((-0.1, 0.0, 0.0), (0.1, 0.0, 0.0)).y1)
