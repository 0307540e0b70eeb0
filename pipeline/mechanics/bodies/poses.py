"""Bodies along a motion: where they are, and how each coordinate moves them.

Shapes: T frames, B bodies, S of them, A axes, Q coordinates, C couplings.
"""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.arrays import MarkerPlaces, Tree, reals
from pipeline.mechanics.bodies.forward import Pose, new_pose, place_bodies
from pipeline.mechanics.bodies.functions import evaluate_at
from pipeline.mechanics.compiled import inner, kernel


def body_places(tree: Tree, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Rotations to the ground (T, B, 3, 3) and origins (T, B, 3) of all bodies at poses (T, Q)."""
    placed = _placed(tree, values)
    return placed.rotation, placed.origin_m


def body_jacobians(tree: Tree, values: np.ndarray, bodies: np.ndarray) -> np.ndarray:
    """How each coordinate by itself moves some bodies (S,) at poses (T, Q): (T, S, 6, Q).

    Rows are the angular velocity and then the velocity of the body's origin, in ground, per unit of speed.
    """
    placed = _placed(tree, values)
    jacobian = np.zeros((len(values), len(bodies), 6, values.shape[1]))
    for s, body in enumerate(bodies):
        for axis in tree.carrier[tree.first_carrier[body] : tree.first_carrier[body + 1]]:
            if tree.coordinate[axis] >= 0:
                moving = placed.slope[:, axis, None] * placed.screw[:, axis]
                moving[:, 3:] += np.cross(moving[:, :3], placed.origin_m[:, body])
                jacobian[:, s, :, tree.coordinate[axis]] += moving
    return jacobian


def point_jacobians(tree: Tree, values: np.ndarray, points: MarkerPlaces) -> np.ndarray:
    """How each coordinate by itself moves points (M) fixed to bodies at poses (T, Q): (T, M, 3, Q), in ground."""
    jacobian = np.zeros((len(values), len(points.body), 3, values.shape[1]))
    _point_jacobians(tree, reals(values), points, new_pose(tree), jacobian)
    return jacobian


@kernel
def _point_jacobians(tree: Tree, values: np.ndarray, points: MarkerPlaces, pose: Pose, jacobian: np.ndarray) -> None:
    for t in range(values.shape[0]):
        place_bodies(tree, values[t], pose)
        for m in range(points.body.shape[0]):
            body = points.body[m]
            turn, place = pose.rotation[body], points.place_m[m]
            x = pose.origin_m[body, 0] + turn[0, 0] * place[0] + turn[0, 1] * place[1] + turn[0, 2] * place[2]
            y = pose.origin_m[body, 1] + turn[1, 0] * place[0] + turn[1, 1] * place[1] + turn[1, 2] * place[2]
            z = pose.origin_m[body, 2] + turn[2, 0] * place[0] + turn[2, 1] * place[1] + turn[2, 2] * place[2]
            for c in range(tree.first_carrier[body], tree.first_carrier[body + 1]):
                axis = tree.carrier[c]
                coordinate = tree.coordinate[axis]
                if coordinate >= 0:
                    screw, slope = pose.screw[axis], pose.slope[axis]
                    jacobian[t, m, 0, coordinate] += slope * (screw[3] + screw[1] * z - screw[2] * y)
                    jacobian[t, m, 1, coordinate] += slope * (screw[4] + screw[2] * x - screw[0] * z)
                    jacobian[t, m, 2, coordinate] += slope * (screw[5] + screw[0] * y - screw[1] * x)


class _Placed(NamedTuple):
    """Of every frame: rotation (T, B, 3, 3), origin_m (T, B, 3), screw (T, A, 6) and slope (T, A), as in `Pose`."""

    rotation: np.ndarray
    origin_m: np.ndarray
    screw: np.ndarray
    slope: np.ndarray


def _placed(tree: Tree, values: np.ndarray) -> _Placed:
    n_frames, n_bodies, n_axes = len(values), len(tree.parent), len(tree.turns)
    placed = _Placed(
        rotation=np.empty((n_frames, n_bodies, 3, 3)),
        origin_m=np.empty((n_frames, n_bodies, 3)),
        screw=np.empty((n_frames, n_axes, 6)),
        slope=np.empty((n_frames, n_axes)),
    )
    _place_frames(tree, reals(values), new_pose(tree), placed)
    return placed


@kernel
def _place_frames(tree: Tree, values: np.ndarray, pose: Pose, placed: _Placed) -> None:
    for t in range(values.shape[0]):
        place_bodies(tree, values[t], pose)
        for body in range(tree.parent.shape[0]):
            for i in range(3):
                placed.origin_m[t, body, i] = pose.origin_m[body, i]
                for j in range(3):
                    placed.rotation[t, body, i, j] = pose.rotation[body, i, j]
        for axis in range(tree.turns.shape[0]):
            placed.slope[t, axis] = pose.slope[axis]
            for i in range(6):
                placed.screw[t, axis, i] = pose.screw[axis, i]


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
