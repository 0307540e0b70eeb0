import numpy as np

from pipeline.mechanics.bodies.poses import body_jacobians, body_places, coupling_slopes, fold, follow_couplings
from tests.pipeline.mechanics.chains import leg, motions


def test_jacobians_are_the_derivatives_of_places() -> None:
    tree, values, h = leg(), motions(3)[0], 1e-6
    bodies = np.arange(1, 5)
    found = body_jacobians(tree, values, bodies)
    rotation, _ = body_places(tree, values)
    for c in range(values.shape[1]):
        step = np.zeros_like(values)
        step[:, c] = h
        (turned, origin), (back, before) = body_places(tree, values + step), body_places(tree, values - step)
        np.testing.assert_allclose(found[:, :, 3:, c], ((origin - before) / (2 * h))[:, 1:], atol=1e-8)
        spin = np.einsum("tbij,tbkj->tbik", ((turned - back) / (2 * h))[:, 1:], rotation[:, 1:])
        turning = np.stack([spin[..., 2, 1], spin[..., 0, 2], spin[..., 1, 0]], axis=-1)
        np.testing.assert_allclose(found[:, :, :3, c], turning, atol=1e-8)


def test_bodies_stay_rigid() -> None:
    rotation, _ = body_places(leg(), motions(4)[0])
    np.testing.assert_allclose(
        rotation @ rotation.swapaxes(-1, -2), np.broadcast_to(np.eye(3), rotation.shape), atol=1e-14
    )
    np.testing.assert_allclose(np.linalg.det(rotation), 1.0, atol=1e-14)


def test_a_coupled_coordinate_follows_its_driver() -> None:
    tree, values = leg(), motions(4)[0]
    c = tree.functions.coefficients[tree.coupling[0]]
    follow_couplings(tree, values)
    np.testing.assert_allclose(values[:, 9], np.polynomial.Polynomial(c)(values[:, 6]), atol=1e-15)
    slopes = coupling_slopes(tree, values)
    np.testing.assert_allclose(slopes[:, 0], np.polynomial.Polynomial(c).deriv()(values[:, 6]), atol=1e-15)
    forces = np.ones_like(values)
    fold(tree, slopes, forces)
    np.testing.assert_allclose(forces[:, 6], 1 + slopes[:, 0])
