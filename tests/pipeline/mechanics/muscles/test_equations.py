"""Equations of a model made of numbers: four coordinates, the third coupled to the second and driving the fourth."""

import numpy as np
import pytest

from pipeline.mechanics.arrays import CONDITIONAL, FIXED, MOVING, Paths, Tree
from pipeline.mechanics.muscles.blocks import entry_places
from pipeline.mechanics.muscles.equations import (
    Equations,
    equations_of,
    gain_and_target,
    moved_coordinates,
    write_equations,
)

N_COORDINATES, N_FRAMES = 7, 5
FREE = [0, 1, 4, 6]  # 2 and 3 are coupled, 5 is locked
# Couplings in an order in which drivers are known: 2 follows 1 and 4, 3 follows 2.
DEPENDENT, DRIVER = np.array([2, 2, 3]), np.array([1, 4, 2])
ACTUATED, OPTIMAL = [0, 1, 3, 5, 6], [10.0, 1.0, 2.0, 7.0, 5.0]


def model() -> tuple[Tree, Paths]:
    """Axes 0 to 7: one for each coordinate, and one of a constant. Three muscles."""
    tree = Tree._make([np.zeros(0)] * len(Tree._fields))._replace(
        coordinate=np.array([0, 1, 2, 3, 4, 5, 6, -1]), dependent=DEPENDENT, driver=DRIVER
    )
    paths = Paths._make([np.zeros(0)] * len(Paths._fields))._replace(
        first_point=np.array([0, 2, 4, 6]),
        point_kind=np.array([FIXED, FIXED, FIXED, MOVING, CONDITIONAL, FIXED]),
        point_coordinate=np.array([[-1] * 3, [-1] * 3, [-1] * 3, [6, -1, 6], [0] * 3, [-1] * 3]),
        first_crossed=np.array([0, 2, 3, 5]),
        crossed=np.array([1, 7, 5, 3, 7]),
    )
    return tree, paths


def equations() -> Equations:
    return equations_of(*model(), FREE, ACTUATED, OPTIMAL, N_COORDINATES)


def frames() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """per_newton, full_n, slopes and what is asked."""
    rng = np.random.default_rng(0)
    per_newton = rng.normal(size=(N_FRAMES, 3, N_COORDINATES)) * moved_coordinates(*model(), N_COORDINATES)
    return (
        per_newton,
        rng.uniform(100, 900, (N_FRAMES, 3)),
        rng.normal(size=(N_FRAMES, 3)),
        rng.normal(size=(N_FRAMES, N_COORDINATES)),
    )


def test_a_muscle_moves_what_its_axes_and_sliding_points_move() -> None:
    moved = moved_coordinates(*model(), N_COORDINATES)
    assert [np.flatnonzero(row).tolist() for row in moved] == [[1], [5, 6], [3]]


def test_blocks_follow_couplings_to_free_coordinates() -> None:
    blocks = equations().blocks
    # The muscle on 3 works on both drivers of 2, as does the actuator there; that on the locked 5 works on none.
    groups = np.split(blocks.equation, blocks.first_equation[1:-1])
    assert [[FREE[i] for i in group] for group in groups] == [[0], [1, 4], [6], []]
    groups = np.split(blocks.control, blocks.first_control[1:-1])
    assert [group.tolist() for group in groups] == [[3], [0, 2, 4, 5], [1, 7], [6]]


def test_virtual_work_is_what_the_free_coordinates_do() -> None:
    """Each control's power is the same through all coordinates as through the free ones alone."""
    per_newton, full_n, slope, asked = frames()
    gain, target = gain_and_target(equations(), per_newton, full_n, slope, asked)
    speeds = np.random.default_rng(1).normal(size=(N_FRAMES, N_COORDINATES))
    speeds[:, 5] = 0.0
    speeds[:, 2] = slope[:, 0] * speeds[:, 1] + slope[:, 1] * speeds[:, 4]
    speeds[:, 3] = slope[:, 2] * speeds[:, 2]
    np.testing.assert_allclose(
        np.einsum("tfu,tf->tu", gain[..., :3], speeds[:, FREE]),
        np.einsum("tuq,tq->tu", per_newton * full_n[..., None], speeds),
        atol=1e-10,
    )
    np.testing.assert_allclose(
        np.einsum("tfr,tf->tr", gain[..., 3:], speeds[:, FREE]), speeds[:, ACTUATED] * OPTIMAL, atol=1e-12
    )
    np.testing.assert_allclose((target * speeds[:, FREE]).sum(axis=1), (asked * speeds).sum(axis=1), atol=1e-12)


def test_the_kernel_writes_what_its_readable_twin_says() -> None:
    made, given = equations(), frames()
    gain, target = gain_and_target(made, *given)
    before = [array.copy() for array in given]
    equation, control = entry_places(made.blocks)
    outside = gain.copy()
    outside[:, equation, control] = 0
    assert not outside.any(), "blocks hold all of the gain"
    entry, found = write_equations(made, *given)
    np.testing.assert_allclose(entry, gain[:, equation, control], rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(found, target, rtol=1e-14, atol=1e-14)
    for array, same in zip(given, before, strict=True):
        np.testing.assert_array_equal(array, same)


@pytest.mark.parametrize("n_muscles", [0, 1])
def test_a_model_without_couplings_or_muscles_has_equations(n_muscles: int) -> None:
    tree, paths = model()
    none = np.zeros(0, dtype=np.int64)
    paths = paths._replace(first_point=paths.first_point[: n_muscles + 1])
    made = equations_of(tree._replace(dependent=none, driver=none), paths, [0, 1], [0], [3.0], N_COORDINATES)
    asked = np.ones((2, N_COORDINATES))
    gain, target = gain_and_target(
        made, np.ones((2, n_muscles, N_COORDINATES)), np.ones((2, n_muscles)), np.zeros((2, 0)), asked
    )
    assert gain.shape == (2, 2, n_muscles + 1)
    np.testing.assert_array_equal(gain[..., -1], [[3, 0], [3, 0]])
    np.testing.assert_array_equal(target, 1)
