"""Lagrange's equations and the balance of power need no other implementation to be told right from wrong."""

import numpy as np

from pipeline.mechanics.arrays import Tree
from pipeline.mechanics.bodies.inertia import mass_centre, mass_matrices
from pipeline.mechanics.bodies.newton_euler import generalized_forces
from pipeline.mechanics.bodies.poses import body_jacobians, body_places
from tests.pipeline.mechanics.chains import leg, motions

NOBODY = np.zeros(0, dtype=np.int64)


def moments(tree: Tree, *motion: np.ndarray, as_opensim: bool = False) -> np.ndarray:
    nothing = np.zeros((len(motion[0]), 0, 6))
    return generalized_forces(tree, *motion, NOBODY, nothing, as_opensim)


def lagrange(tree: Tree, values: np.ndarray, speeds: np.ndarray, accelerations: np.ndarray) -> np.ndarray:
    """M a + Σ (∂M/∂q_i q̇_i) q̇ − ½ ∂(q̇ᵀ M q̇)/∂q + ∂V/∂q at one pose (Q,), by central differences."""
    h, n = 1e-5, len(values)
    around = np.vstack([values + h * np.eye(n), values - h * np.eye(n)])
    by_coordinate = (mass_matrices(tree, around[:n]) - mass_matrices(tree, around[n:])) / (2 * h)
    height = mass_centre(tree, around) @ tree.gravity_m_s2
    weight = -tree.mass_kg.sum() * (height[:n] - height[n:]) / (2 * h)
    inertial = mass_matrices(tree, values[None])[0] @ accelerations
    carried = np.einsum("ijk,i,k->j", by_coordinate, speeds, speeds)
    return inertial + carried - 0.5 * np.einsum("ijk,j,k->i", by_coordinate, speeds, speeds) + weight


def test_lagrange_s_equations_hold() -> None:
    tree = leg()
    for values, speeds, accelerations in zip(*motions(5), strict=True):
        found = moments(tree, values[None], speeds[None], accelerations[None])[0]
        np.testing.assert_allclose(found, lagrange(tree, values, speeds, accelerations), atol=2e-8)


def test_opensim_s_velocity_terms_break_lagrange_s_equations() -> None:
    tree = leg()
    values, speeds, accelerations = (each[:1] for each in motions(1))
    found = moments(tree, values, speeds, accelerations, as_opensim=True)[0]
    wrong = np.abs(found - lagrange(tree, values[0], speeds[0], accelerations[0]))
    assert wrong.max() > 1e-2
    # At rest the two are the same.
    still = (
        moments(tree, values, 0 * speeds, accelerations),
        moments(tree, values, 0 * speeds, accelerations, as_opensim=True),
    )
    np.testing.assert_array_equal(*still)


def test_power_becomes_kinetic_energy() -> None:
    """Without gravity, the moments' power is the rate at which the kinetic energy grows."""
    tree, h = leg(gravity=False), 1e-5
    values, speeds, accelerations = motions(6)

    def energy(t: float) -> np.ndarray:
        moved, moving = values + t * speeds + t * t / 2 * accelerations, speeds + t * accelerations
        return 0.5 * np.einsum("ti,tij,tj->t", moving, mass_matrices(tree, moved), moving)

    growth = (energy(h) - energy(-h)) / (2 * h)
    power = (moments(tree, values, speeds, accelerations) * speeds).sum(axis=1)
    np.testing.assert_allclose(power, growth, atol=1e-7)
    wrong = (moments(tree, values, speeds, accelerations, as_opensim=True) * speeds).sum(axis=1)
    assert np.abs(wrong - growth).max() > 1e-3


def test_an_external_wrench_gives_its_virtual_work() -> None:
    tree = leg()
    values, speeds, accelerations = motions(4)
    force, moment, point = np.random.default_rng(3).normal(size=(3, 4, 3))
    about_origin = np.hstack([moment + np.cross(point, force), force])[:, None]
    pushed = np.array([3])
    found = generalized_forces(tree, values, speeds, accelerations, pushed, np.ascontiguousarray(about_origin), False)
    jacobian, origin_m = body_jacobians(tree, values, pushed)[:, 0], body_places(tree, values)[1][:, 3]
    at_body = np.hstack([moment + np.cross(point - origin_m, force), force])
    expected = moments(tree, values, speeds, accelerations) - np.einsum("tij,ti->tj", jacobian, at_body)
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_nan_stays_in_its_frame() -> None:
    tree = leg()
    values, speeds, accelerations = motions(3)
    expected = moments(tree, values, speeds, accelerations)
    values[1, 6] = np.nan
    found = moments(tree, values, speeds, accelerations)
    assert np.isnan(found[1]).any()
    np.testing.assert_array_equal(found[[0, 2]], expected[[0, 2]])
