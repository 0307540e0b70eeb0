"""The inertia of a whole tree of bodies along a motion. Shapes: T frames, B bodies, Q coordinates."""

import numpy as np

from pipeline.mechanics.arrays import Tree
from pipeline.mechanics.bodies.forward import new_pose, place_bodies
from pipeline.mechanics.bodies.newton_euler import gather, move_bodies, new_motion, project
from pipeline.mechanics.compiled import kernel


@kernel
def mass_centre(tree: Tree, values: np.ndarray) -> np.ndarray:
    """The whole body's centre of mass in the ground frame, (T, 3), at poses (T, Q)."""
    centre_m, pose, total = np.zeros((values.shape[0], 3)), new_pose(tree), tree.mass_kg.sum()
    for t in range(values.shape[0]):
        place_bodies(tree, values[t], pose)
        for body in range(1, tree.parent.shape[0]):
            share, turned, local = tree.mass_kg[body] / total, pose.rotation[body], tree.centre_m[body]
            for i in range(3):
                along = turned[i, 0] * local[0] + turned[i, 1] * local[1] + turned[i, 2] * local[2]
                centre_m[t, i] += share * (pose.origin_m[body, i] + along)
    return centre_m


@kernel
def mass_matrices(tree: Tree, values: np.ndarray) -> np.ndarray:
    """Generalized inertia, (T, Q, Q), at poses (T, Q): the generalized forces of unit accelerations, without gravity."""
    n_frames, n_coordinates = values.shape
    matrices = np.empty((n_frames, n_coordinates, n_coordinates))
    pose, motion = new_pose(tree), new_motion(tree)
    motion.acceleration[0] = 0.0
    still, unit = np.zeros(n_coordinates), np.zeros(n_coordinates)
    for t in range(n_frames):
        place_bodies(tree, values[t], pose)
        for c in range(n_coordinates):
            unit[c] = 1.0
            move_bodies(tree, pose, still, unit, False, motion)
            gather(tree, motion)
            project(tree, pose, motion, matrices[t, c])
            unit[c] = 0.0
    return matrices
