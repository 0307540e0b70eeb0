"""Bodies along a motion: where they are, and how each coordinate moves them.

Shapes: T frames, B bodies, S of them, Q coordinates, C couplings.
"""

import numpy as np

from pipeline.mechanics.arrays import Tree, reals
from pipeline.mechanics.bodies.forward import Pose, new_pose, place_bodies
from pipeline.mechanics.bodies.functions import evaluate_at
from pipeline.mechanics.compiled import inner, kernel


def body_places(tree: Tree, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations to the ground (T, B, 3, 3) and origins (T, B, 3) of all bodies at poses (T, Q)."""
    shape = (len(values), len(tree.parent))
    rotation, origin_m = np.empty((*shape, 3, 3)), np.empty((*shape, 3))
    _body_places(tree, reals(values), new_pose(tree), rotation, origin_m)
    return rotation, origin_m


@kernel
def _body_places(tree: Tree, values: np.ndarray, pose: Pose, rotation: np.ndarray, origin_m: np.ndarray) -> None:
    for t in range(values.shape[0]):
        place_bodies(tree, values[t], pose)
        for body in range(tree.parent.shape[0]):
            for i in range(3):
                origin_m[t, body, i] = pose.origin_m[body, i]
                for j in range(3):
                    rotation[t, body, i, j] = pose.rotation[body, i, j]


def body_jacobians(tree: Tree, values: np.ndarray, bodies: np.ndarray) -> np.ndarray:
    """How each coordinate by itself moves some bodies (S,) at poses (T, Q): (T, S, 6, Q).

    Rows are the angular velocity and then the velocity of the body's origin, in ground, per unit of speed.
    """
    jacobian = np.zeros((len(values), len(bodies), 6, values.shape[1]))
    _body_jacobians(tree, reals(values), bodies, new_pose(tree), jacobian)
    return jacobian


@kernel
def _body_jacobians(tree: Tree, values: np.ndarray, bodies: np.ndarray, pose: Pose, jacobian: np.ndarray) -> None:
    for t in range(values.shape[0]):
        place_bodies(tree, values[t], pose)
        for s in range(bodies.shape[0]):
            add_body_jacobian(tree, pose, bodies[s], jacobian[t, s])


@inner
def add_body_jacobian(tree: Tree, pose: Pose, body: int, jacobian: np.ndarray) -> None:
    """Add one body's columns to a Jacobian (6, Q), in place."""
    x, y, z = pose.origin_m[body, 0], pose.origin_m[body, 1], pose.origin_m[body, 2]
    for place in range(tree.first_carrier[body], tree.first_carrier[body + 1]):
        axis = tree.carrier[place]
        c, s, slope = tree.coordinate[axis], pose.screw[axis], pose.slope[axis]
        if c < 0:
            continue
        for i in range(3):
            jacobian[i, c] += slope * s[i]
        jacobian[3, c] += slope * (s[3] + s[1] * z - s[2] * y)
        jacobian[4, c] += slope * (s[4] + s[2] * x - s[0] * z)
        jacobian[5, c] += slope * (s[5] + s[0] * y - s[1] * x)


@kernel
def follow_couplings(tree: Tree, values: np.ndarray) -> None:
    """Put the coupled coordinates of values (T, Q) where their drivers have them; in place."""
    for t in range(values.shape[0]):
        follow_drivers(tree, values[t])


@inner
def follow_drivers(tree: Tree, values: np.ndarray) -> None:
    """The same of one frame's values (Q,)."""
    for c in range(tree.dependent.shape[0]):
        dependent = tree.dependent[c]
        if c == 0 or tree.dependent[c - 1] != dependent:
            values[dependent] = 0.0
        values[dependent] += evaluate_at(tree.functions, tree.coupling[c], values[tree.driver[c]])[0]


def coupling_slopes(tree: Tree, values: np.ndarray) -> np.ndarray:
    """∂(dependent)/∂(driver) of each coupling at poses (T, Q): (T, C)."""
    slopes = np.empty((len(values), len(tree.dependent)))
    _coupling_slopes(tree, reals(values), slopes)
    return slopes


@kernel
def _coupling_slopes(tree: Tree, values: np.ndarray, slopes: np.ndarray) -> None:
    for t in range(values.shape[0]):
        for c in range(tree.dependent.shape[0]):
            slopes[t, c] = evaluate_at(tree.functions, tree.coupling[c], values[t, tree.driver[c]])[1]


def fold(tree: Tree, slopes: np.ndarray, values: np.ndarray) -> None:
    """Add each dependent's share of `values` (T, …, Q), forces or columns of a Jacobian, to its drivers; in place.

    A coordinate may be driven and drive another: it takes the other's share before it passes on its own.
    """
    for c in reversed(range(len(tree.dependent))):
        share = slopes[:, c].reshape(-1, *[1] * (values.ndim - 2))
        values[..., tree.driver[c]] += values[..., tree.dependent[c]] * share
