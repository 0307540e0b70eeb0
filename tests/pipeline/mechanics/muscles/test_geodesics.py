"""One geodesic around two cylinders, against a belt's length and a minimisation."""

from math import acos, hypot

import numpy as np
import pytest
from scipy.optimize import fsolve, minimize
from scipy.spatial.transform import Rotation

from pipeline.mechanics.compiled import kernel
from pipeline.mechanics.muscles.geodesics import bridge_cylinders

RADII_M = 0.03, 0.05


@kernel
def _bridge(before, after, rotation1, rotation2, origin1, origin2, sense1, sense2, leave, meet, system) -> bool:
    return bridge_cylinders(
        before,
        after,
        (rotation1, rotation2),
        (origin1, origin2),
        (0.03, 0.05),
        (sense1, sense2),
        leave,
        meet,
        system,
    )


def bridge(before, after, rotations, origins, senses, angles, heights) -> tuple[bool, np.ndarray, np.ndarray]:
    leave, meet = (point_on(i, rotations, origins, angles[i], heights[i]) for i in range(2))
    solved = _bridge(before, after, *rotations, *origins, *senses, leave, meet, np.zeros((4, 5)))
    return solved, leave, meet


def point_on(i: int, rotations, origins, angle: float, height: float) -> np.ndarray:
    return origins[i] + rotations[i] @ [RADII_M[i] * np.cos(angle), RADII_M[i] * np.sin(angle), height]


def end_length(i: int, end, point, rotations, origins, sense: float) -> float:
    """From an end to a point of a cylinder along its surface: a line, unrolled. `sense` turns from end to point."""
    x, y, z = rotations[i].T @ (end - origins[i])
    u, v, w = rotations[i].T @ (point - origins[i])
    angle = sense * (np.arctan2(v, u) - np.arctan2(y, x)) % (2 * np.pi) - acos(RADII_M[i] / hypot(x, y))
    return hypot(np.sqrt(x * x + y * y - RADII_M[i] ** 2) + RADII_M[i] * angle, w - z)


def whole_length(before, after, leave, meet, rotations, origins, senses) -> float:
    return (
        end_length(0, before, leave, rotations, origins, senses[0])
        + np.linalg.norm(meet - leave)
        + end_length(1, after, meet, rotations, origins, -senses[1])
    )


def test_around_parallel_cylinders_it_is_a_belt_s_length() -> None:
    rotations, origins = (np.eye(3), np.eye(3)), (np.zeros(3), np.array([0.2, 0.0, 0.0]))
    before, after, senses = np.array([-0.1, -0.02, -0.05]), np.array([0.35, -0.03, 0.12]), (-1.0, -1.0)
    solved, leave, meet = bridge(before, after, rotations, origins, senses, (1.5, 1.6), (0.0, 0.05))
    assert solved
    # Seen along the axes, an open belt over both wheels: the bridge leans by the radii's difference over the distance.
    lean = np.arcsin((RADII_M[1] - RADII_M[0]) / 0.2)
    top = np.pi / 2 + lean
    one = np.arctan2(before[1], before[0]) % (2 * np.pi) - acos(RADII_M[0] / hypot(*before[:2])) - top
    x, y = after[0] - 0.2, after[1]
    other = top - np.arctan2(y, x) - acos(RADII_M[1] / hypot(x, y))
    flat = (
        np.sqrt(hypot(*before[:2]) ** 2 - RADII_M[0] ** 2)
        + RADII_M[0] * one
        + 0.2 * np.cos(lean)
        + RADII_M[1] * other
        + np.sqrt(x * x + y * y - RADII_M[1] ** 2)
    )
    found = whole_length(before, after, leave, meet, rotations, origins, senses)
    assert found == pytest.approx(hypot(flat, after[2] - before[2]), abs=1e-14)


@pytest.mark.parametrize("seed", range(6))
def test_around_skew_cylinders_no_other_bridge_is_shorter(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rotations = np.eye(3), Rotation.from_rotvec(rng.uniform(-0.5, 0.5, 3)).as_matrix()
    origins = np.zeros(3), np.array([0.2, rng.uniform(-0.02, 0.02), rng.uniform(-0.02, 0.02)])
    before = np.array([-0.1, -0.02, rng.uniform(-0.05, 0.05)])
    after, senses = np.array([0.35, -0.03, rng.uniform(-0.05, 0.05)]), (-1.0, -1.0)
    solved, leave, meet = bridge(before, after, rotations, origins, senses, (1.6, 1.6), (0.0, 0.0))
    assert solved

    def tangent_bridge(heights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        def touching(angles: np.ndarray) -> list[float]:
            a, b = (point_on(i, rotations, origins, angles[i], heights[i]) for i in range(2))
            normals = [rotations[i] @ [np.cos(angles[i]), np.sin(angles[i]), 0.0] for i in range(2)]
            return [(b - a) @ normal for normal in normals]

        angles = fsolve(touching, [1.6, 1.6], xtol=1e-12)
        return (
            point_on(0, rotations, origins, angles[0], heights[0]),
            point_on(1, rotations, origins, angles[1], heights[1]),
        )

    best = minimize(
        lambda heights: whole_length(before, after, *tangent_bridge(heights), rotations, origins, senses),
        [0.0, 0.0],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-16, "maxiter": 2000},
    )
    found = whole_length(before, after, leave, meet, rotations, origins, senses)
    assert found == pytest.approx(best.fun, abs=1e-12)
    other_leave, other_meet = tangent_bridge(best.x)
    np.testing.assert_allclose([leave, meet], [other_leave, other_meet], atol=1e-6)


def test_where_it_starts_leaves_no_trace() -> None:
    rotations = np.eye(3), Rotation.from_rotvec([0.2, -0.3, 0.1]).as_matrix()
    origins, senses = (np.zeros(3), np.array([0.2, 0.01, 0.0])), (-1.0, -1.0)
    before, after = np.array([-0.1, -0.02, -0.05]), np.array([0.35, -0.03, 0.1])
    _, leave, meet = bridge(before, after, rotations, origins, senses, (1.6, 1.6), (0.0, 0.0))
    solved, other_leave, other_meet = bridge(before, after, rotations, origins, senses, (1.3, 1.9), (0.03, -0.02))
    assert solved
    np.testing.assert_allclose([leave, meet], [other_leave, other_meet], atol=1e-14)


def test_an_end_inside_a_cylinder_is_not_solved() -> None:
    rotations, origins = (np.eye(3), np.eye(3)), (np.zeros(3), np.array([0.2, 0.0, 0.0]))
    solved, _, _ = bridge(
        np.zeros(3), np.array([0.35, 0.0, 0.0]), rotations, origins, (-1.0, -1.0), (1.6, 1.6), (0.0, 0.0)
    )
    assert not solved
