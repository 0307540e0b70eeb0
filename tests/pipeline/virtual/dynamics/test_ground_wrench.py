"""The body's balance against a pendulum's worth of theory."""

import numpy as np
import pytest

from pipeline.ground.contacts import GRAVITY_M_S2
from pipeline.virtual.dynamics.ground_wrench import (
    PELVIS,
    cross_matrix,
    floor_pressure_m,
    ground_wrench,
    root_to_wrench,
    wrench_per_acceleration,
)

pytestmark = pytest.mark.osim


def poses(body, n=3):
    return np.random.default_rng(1).normal(0, 0.3, (n, len(body.mechanics.names)))


def test_a_body_at_rest_needs_its_weight_under_its_mass_centre(body):
    values = poses(body)
    still = np.zeros_like(values)
    wrench = ground_wrench(body.mechanics, values, body.mechanics.generalized_forces(values, still, still))
    np.testing.assert_allclose(wrench[:, 3:], [[0, body.subject.mass_kg * GRAVITY_M_S2, 0]] * 3, atol=1e-6)
    np.testing.assert_allclose(floor_pressure_m(wrench), body.mechanics.mass_centre_m(values)[:, [0, 2]], atol=1e-9)
    np.testing.assert_allclose(wrench[:, 1], 0.0, atol=1e-6)


def test_accelerations_need_their_share_of_wrench(body):
    values = poses(body)
    still, faster = np.zeros_like(values), np.random.default_rng(2).normal(0, 5, values.shape)
    mechanics = body.mechanics
    more = [ground_wrench(mechanics, values, mechanics.generalized_forces(values, still, a)) for a in (still, faster)]
    pelvis = mechanics.kinematics(values, [PELVIS]).jacobian[:, 0]
    by = wrench_per_acceleration(root_to_wrench(mechanics.names, values, pelvis), mechanics, values)
    np.testing.assert_allclose(more[1] - more[0], np.einsum("pij,pj->pi", by, faster), atol=1e-6)


def test_cross_matrix_is_the_cross_product():
    a, b = np.random.default_rng(0).normal(size=(2, 5, 3))
    np.testing.assert_allclose(np.einsum("pij,pj->pi", cross_matrix(a), b), np.cross(a, b))
