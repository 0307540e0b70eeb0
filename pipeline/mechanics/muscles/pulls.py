"""What muscles of given tension do to the bodies that they touch.

From these, moments follow without moment arms (`bodies/newton_euler.py`: `virtual_work`), which checks what static
optimization found with them, and so do the forces that joints carry (`joint_forces`).
Shapes: T frames, U muscles, B bodies, Q coordinates.
"""

import numpy as np

from pipeline.mechanics.arrays import Paths, Tree, reals
from pipeline.mechanics.bodies.forward import Pose, new_pose, place_bodies
from pipeline.mechanics.compiled import kernel
from pipeline.mechanics.muscles.paths import PathRoom, lay_on_bodies, new_path_room, pull_on_moving_points


def muscle_pulls(tree: Tree, paths: Paths, values: np.ndarray, tension_n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wrenches of all muscles together on bodies, (T, B, 6), and what they do to coordinates directly, (T, Q).

    At poses (T, Q) and tensions (T, U). A wrench is a moment about the ground's origin and a force. Only points that
    slide in their bodies act on a coordinate directly.
    """
    n_frames, n_coordinates = values.shape
    wrenches, direct = np.zeros((n_frames, len(tree.parent), 6)), np.zeros((n_frames, n_coordinates))
    sliding, length_m = np.zeros((tension_n.shape[1], n_coordinates)), np.zeros(tension_n.shape[1])
    rooms = new_pose(tree), new_path_room(tree, paths)
    _muscle_pulls(tree, paths, reals(values), reals(tension_n), *rooms, sliding, length_m, wrenches, direct)
    return wrenches, direct


@kernel
def _muscle_pulls(
    tree: Tree,
    paths: Paths,
    values: np.ndarray,
    tension_n: np.ndarray,
    pose: Pose,
    room: PathRoom,
    sliding: np.ndarray,
    length_m: np.ndarray,
    wrenches: np.ndarray,
    direct: np.ndarray,
) -> None:
    n_muscles, n_coordinates = sliding.shape
    for t in range(values.shape[0]):
        place_bodies(tree, values[t], pose)
        lay_on_bodies(tree, paths, values[t], pose, room, length_m)
        for muscle in range(n_muscles):
            for c in range(n_coordinates):
                sliding[muscle, c] = 0.0
        pull_on_moving_points(tree.functions, paths, values[t], pose, room, sliding)
        for muscle in range(n_muscles):
            tension = tension_n[t, muscle]
            for c in range(n_coordinates):
                direct[t, c] += tension * sliding[muscle, c]
            for k in range(paths.first_touched[muscle], paths.first_touched[muscle + 1]):
                for i in range(6):
                    wrenches[t, paths.touched[k], i] += tension * room.pull[k, i]
