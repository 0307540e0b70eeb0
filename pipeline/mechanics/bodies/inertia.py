"""The inertia of a whole tree of bodies along a motion. Shapes: T frames, Q coordinates."""

import numpy as np

from pipeline.mechanics.arrays import Tree
from pipeline.mechanics.bodies.newton_euler import needed
from pipeline.mechanics.bodies.poses import body_places


def mass_centre(tree: Tree, values: np.ndarray) -> np.ndarray:
    """The whole body's centre of mass in the ground frame, (T, 3), at poses (T, Q)."""
    rotation, origin_m = body_places(tree, values)
    centres_m = origin_m + (rotation @ tree.centre_m[:, :, None])[..., 0]
    return np.asarray(tree.mass_kg[1:] / tree.mass_kg.sum() @ centres_m[:, 1:])


def mass_matrices(tree: Tree, values: np.ndarray) -> np.ndarray:
    """Generalized inertia, (T, Q, Q), at poses (T, Q): generalized forces of unit accelerations, without gravity."""
    n_frames, n_coordinates = values.shape
    units = np.broadcast_to(np.eye(n_coordinates), (n_frames, n_coordinates, n_coordinates))
    return needed(tree, values, np.zeros(values.shape), units, gravity=False).forces
