"""What muscles of given tension do to the bodies that they touch.

From these, moments follow without moment arms (`bodies/newton_euler.py`: `virtual_work`), which checks what static
optimization found with them, and so do the forces that joints carry (`joint_forces`).
Shapes: T frames, U muscles, B bodies, Q coordinates.
"""

import numpy as np

from pipeline.mechanics.arrays import Paths, Tree
from pipeline.mechanics.muscles.paths import laid_paths


def muscle_pulls(tree: Tree, paths: Paths, values: np.ndarray, tension_n: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Wrenches of all muscles together on bodies, (T, B, 6), and what they do to coordinates directly, (T, Q).

    At poses (T, Q) and tensions (T, U). A wrench is a moment about the ground's origin and a force. Only points that
    slide in their bodies act on a coordinate directly.
    """
    pulls = laid_paths(tree, paths, values, np.zeros(values.shape), tension_n)[1]
    return pulls.wrenches, pulls.direct
