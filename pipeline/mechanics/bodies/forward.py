"""Forward kinematics of a frame: where a pose puts the bodies, and the screws about which coordinates move them.

A screw is an angular velocity and the velocity of the point of the moving body that lies at the ground's origin: six
numbers in the ground frame, with which bodies of one tree add up without being carried from point to point.
Shapes: B bodies, A axes, Q coordinates.
"""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.arrays import Tree
from pipeline.mechanics.bodies.functions import evaluate_at
from pipeline.mechanics.compiled import inner


class Pose(NamedTuple):
    """Where a frame's bodies are: written by `place_bodies`, one frame after the other.

    rotation (B, 3, 3) to the ground, origin_m (B, 3). screw (A, 6) of a unit of an axis's function; slope and bend (A,)
    of that function by its coordinate, zero for a constant. turn (3, 3) is working space.
    """

    rotation: np.ndarray
    origin_m: np.ndarray
    screw: np.ndarray
    slope: np.ndarray
    bend: np.ndarray
    turn: np.ndarray


def new_pose(tree: Tree) -> Pose:
    """Room for a pose, the ground in place. Not compiled: allocating takes numba long to compile."""
    n_bodies, n_axes = tree.parent.shape[0], tree.turns.shape[0]
    rotation, origin_m = np.zeros((n_bodies, 3, 3)), np.zeros((n_bodies, 3))
    rotation[0, 0, 0] = rotation[0, 1, 1] = rotation[0, 2, 2] = 1.0
    return Pose(rotation, origin_m, np.zeros((n_axes, 6)), np.zeros(n_axes), np.zeros(n_axes), np.zeros((3, 3)))


@inner
def place_bodies(tree: Tree, values: np.ndarray, pose: Pose) -> None:
    """Put all bodies where coordinates of values (Q,) have them; coupled coordinates are taken as given."""
    turn = pose.turn
    for body in range(1, tree.parent.shape[0]):
        parent = tree.parent[body]
        onto, at, rotation = pose.rotation[parent], tree.joint_origin_m[body], tree.joint_rotation[body]
        x = pose.origin_m[parent, 0] + onto[0, 0] * at[0] + onto[0, 1] * at[1] + onto[0, 2] * at[2]
        y = pose.origin_m[parent, 1] + onto[1, 0] * at[0] + onto[1, 1] * at[1] + onto[1, 2] * at[2]
        z = pose.origin_m[parent, 2] + onto[2, 0] * at[0] + onto[2, 1] * at[1] + onto[2, 2] * at[2]
        for i in range(3):
            for j in range(3):
                turn[i, j] = onto[i, 0] * rotation[0, j] + onto[i, 1] * rotation[1, j] + onto[i, 2] * rotation[2, j]
        for axis in range(tree.first_axis[body], tree.first_axis[body + 1]):
            coordinate = tree.coordinate[axis]
            value, slope, bend = evaluate_at(
                tree.functions, tree.function[axis], values[coordinate] if coordinate >= 0 else 0.0
            )
            pose.slope[axis] = slope if coordinate >= 0 else 0.0
            pose.bend[axis] = bend if coordinate >= 0 else 0.0
            d, screw = tree.direction[axis], pose.screw[axis]
            u = turn[0, 0] * d[0] + turn[0, 1] * d[1] + turn[0, 2] * d[2]
            v = turn[1, 0] * d[0] + turn[1, 1] * d[1] + turn[1, 2] * d[2]
            w = turn[2, 0] * d[0] + turn[2, 1] * d[1] + turn[2, 2] * d[2]
            if tree.turns[axis]:
                screw[0], screw[1], screw[2] = u, v, w
                screw[3], screw[4], screw[5] = y * w - z * v, z * u - x * w, x * v - y * u
                _turn_about(turn, d, value)
            else:
                screw[0] = screw[1] = screw[2] = 0.0
                screw[3], screw[4], screw[5] = u, v, w
                x, y, z = x + value * u, y + value * v, z + value * w
        inner, within, placed = tree.body_rotation[body], tree.body_origin_m[body], pose.rotation[body]
        for i in range(3):
            for j in range(3):
                placed[i, j] = turn[i, 0] * inner[0, j] + turn[i, 1] * inner[1, j] + turn[i, 2] * inner[2, j]
        pose.origin_m[body, 0] = x + turn[0, 0] * within[0] + turn[0, 1] * within[1] + turn[0, 2] * within[2]
        pose.origin_m[body, 1] = y + turn[1, 0] * within[0] + turn[1, 1] * within[1] + turn[1, 2] * within[2]
        pose.origin_m[body, 2] = z + turn[2, 0] * within[0] + turn[2, 1] * within[1] + turn[2, 2] * within[2]


@inner
def _turn_about(turn: np.ndarray, d: np.ndarray, angle: float) -> None:
    """Turn a frame, (3, 3), in place, by an angle about its own direction d (3,): Rodrigues's formula."""
    sine, cosine = np.sin(angle), np.cos(angle)
    rest = 1.0 - cosine
    for i in range(3):
        a, b, c = turn[i, 0], turn[i, 1], turn[i, 2]
        along = rest * (a * d[0] + b * d[1] + c * d[2])
        turn[i, 0] = cosine * a + along * d[0] + sine * (b * d[2] - c * d[1])
        turn[i, 1] = cosine * b + along * d[1] + sine * (c * d[0] - a * d[2])
        turn[i, 2] = cosine * c + along * d[2] + sine * (a * d[1] - b * d[0])
