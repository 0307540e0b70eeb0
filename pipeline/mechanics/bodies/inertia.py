"""The inertia of a whole tree of bodies along a motion. Shapes: T frames, B bodies, Q coordinates."""

import numpy as np

from pipeline.mechanics.arrays import Tree, reals
from pipeline.mechanics.bodies.forward import Pose, new_pose, place_bodies
from pipeline.mechanics.bodies.newton_euler import BodyMotion, gather, move_bodies, new_motion, project
from pipeline.mechanics.compiled import kernel


def mass_centre(tree: Tree, values: np.ndarray) -> np.ndarray:
    """The whole body's centre of mass in the ground frame, (T, 3), at poses (T, Q)."""
    centre_m = np.zeros((len(values), 3))
    _mass_centre(tree, reals(values), float(tree.mass_kg.sum()), new_pose(tree), centre_m)
    return centre_m


@kernel
def _mass_centre(tree: Tree, values: np.ndarray, total: float, pose: Pose, centre_m: np.ndarray) -> None:
    for t in range(values.shape[0]):
        place_bodies(tree, values[t], pose)
        for body in range(1, tree.parent.shape[0]):
            share, turned, local = tree.mass_kg[body] / total, pose.rotation[body], tree.centre_m[body]
            for i in range(3):
                along = turned[i, 0] * local[0] + turned[i, 1] * local[1] + turned[i, 2] * local[2]
                centre_m[t, i] += share * (pose.origin_m[body, i] + along)


def mass_matrices(tree: Tree, values: np.ndarray) -> np.ndarray:
    """Generalized inertia, (T, Q, Q), at poses (T, Q): generalized forces of unit accelerations, without gravity."""
    matrices = np.empty((*values.shape, values.shape[1]))
    still, unit = np.zeros((2, values.shape[1]))
    motion = new_motion(tree, gravity=False)
    _mass_matrices(tree, reals(values), still, unit, new_pose(tree), motion, matrices)
    return matrices


@kernel
def _mass_matrices(
    tree: Tree,
    values: np.ndarray,
    still: np.ndarray,
    unit: np.ndarray,
    pose: Pose,
    motion: BodyMotion,
    matrices: np.ndarray,
) -> None:
    for t in range(values.shape[0]):
        place_bodies(tree, values[t], pose)
        for c in range(values.shape[1]):
            unit[c] = 1.0
            move_bodies(tree, pose, still, unit, False, motion)
            gather(tree, motion)
            project(tree, pose, motion, matrices[t, c])
            unit[c] = 0.0
