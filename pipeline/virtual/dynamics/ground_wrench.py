"""What the ground must do to a moving body: the whole body's balance of forces and moments.

A wrench here is moment (N·m, about the ground frame's origin) then force (N), on the body. Shapes: P poses.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.osim.models.mechanics import Mechanics

PELVIS = "pelvis"
# The pelvis' own coordinates: what the ground gives the body appears as their generalized forces.
ROOT = ("pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz")


def ground_wrench(mechanics: Mechanics, values: np.ndarray, forces: np.ndarray) -> np.ndarray:
    """The wrench (P, 6) that the body needs from outside, by its generalized forces (P, Q)."""
    pelvis = mechanics.kinematics(values, [PELVIS]).jacobian[:, 0]
    return wrench_of(root_to_wrench(mechanics.names, values, pelvis), mechanics.names, forces)


def wrench_of(to_wrench: np.ndarray, names: Sequence[str], forces: np.ndarray) -> np.ndarray:
    """The same where `root_to_wrench` is known already."""
    return np.einsum("pij,pj->pi", to_wrench, forces[:, _root(names)])


def wrench_per_acceleration(to_wrench: np.ndarray, mechanics: Mechanics, values: np.ndarray) -> np.ndarray:
    """How the wrench grows with each coordinate's acceleration, (P, 6, Q): also momentum per unit speed."""
    return np.einsum("pij,pjq->piq", to_wrench, mechanics.mass_matrices(values)[:, _root(mechanics.names)])


def root_to_wrench(names: Sequence[str], values: np.ndarray, pelvis: np.ndarray) -> np.ndarray:
    """From the generalized forces of ROOT to the wrench, (P, 6, 6), by the pelvis' velocities by unit speeds (P, 6, Q).

    Virtual power is the same: with J those of ROOT's speeds, tau = Jᵀ w about the pelvis' origin.
    """
    root = _root(names)
    at_pelvis = np.linalg.inv(np.swapaxes(pelvis[:, :, root], 1, 2))
    # ROOT's translations put the pelvis' origin where they say.
    at = values[:, root[3:]]
    to_origin = np.tile(np.eye(6), (len(values), 1, 1))
    to_origin[:, :3, 3:] = cross_matrix(at)
    return to_origin @ at_pelvis


def centre_of_pressure(wrench: np.ndarray) -> np.ndarray:
    """Where the floor (y = 0) would give a wrench (P, 6) without moments about x and z, (P, 2): x and z."""
    return np.column_stack([wrench[:, 2], -wrench[:, 0]]) / wrench[:, [4]]


def cross_matrix(at: np.ndarray) -> np.ndarray:
    """(P, 3, 3) such that `matrix @ f` is `cross(at, f)`."""
    x, y, z = at.T
    o = np.zeros_like(x)
    return np.stack([np.stack(row, -1) for row in ((o, -z, y), (z, o, -x), (-y, x, o))], 1)


def _root(names: Sequence[str]) -> list[int]:
    return [names.index(name) for name in ROOT]
