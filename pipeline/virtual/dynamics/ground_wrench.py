"""The wrench that a moving body needs from the ground: the balance of its forces and moments.

A wrench here is moment (N·m, about the ground frame's origin) then force (N), on the body. Shapes: P poses.
"""

from collections.abc import Sequence

import numpy as np

from pipeline.osim.models.mechanics import Mechanics

PELVIS = "pelvis"
# The pelvis' own coordinates: without ground reactions their generalized forces are what the ground must provide.
ROOT = ("pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz")


def ground_wrench(mechanics: Mechanics, values: np.ndarray, forces: np.ndarray) -> np.ndarray:
    """The wrench (P, 6) that the body needs from the ground, from its generalized forces (P, Q)."""
    pelvis = mechanics.kinematics(values, [PELVIS]).jacobian[:, 0]
    return wrench_of(root_to_wrench(mechanics.names, values, pelvis), mechanics.names, forces)


def wrench_of(to_wrench: np.ndarray, names: Sequence[str], forces: np.ndarray) -> np.ndarray:
    """The same, with a `root_to_wrench` that is known already."""
    return np.einsum("pij,pj->pi", to_wrench, forces[:, _root(names)])


def wrench_per_acceleration(to_wrench: np.ndarray, mechanics: Mechanics, values: np.ndarray) -> np.ndarray:
    """The wrench per unit acceleration of each coordinate, (P, 6, Q); also momentum per unit speed."""
    return np.einsum("pij,pjq->piq", to_wrench, mechanics.mass_matrices(values)[:, _root(mechanics.names)])


def root_to_wrench(names: Sequence[str], values: np.ndarray, pelvis: np.ndarray) -> np.ndarray:
    """The matrix (P, 6, 6) from ROOT's generalized forces to the wrench. `pelvis` (P, 6, Q) is the pelvis' Jacobian.

    By virtual power tau = Jᵀ w about the pelvis' origin, with J the Jacobian's columns of ROOT.
    """
    root = _root(names)
    at_pelvis = np.linalg.inv(np.swapaxes(pelvis[:, :, root], 1, 2))
    # ROOT's translations are the place of the pelvis' origin.
    at = values[:, root[3:]]
    to_origin = np.tile(np.eye(6), (len(values), 1, 1))
    to_origin[:, :3, 3:] = cross_matrix(at)
    return to_origin @ at_pelvis


def floor_pressure_m(wrench: np.ndarray) -> np.ndarray:
    """The centre of pressure of a wrench (P, 6) on the floor (y = 0), (P, 2): x and z."""
    return np.column_stack([wrench[:, 2], -wrench[:, 0]]) / wrench[:, [4]]


def cross_matrix(at: np.ndarray) -> np.ndarray:
    """(P, 3, 3) such that `matrix @ f` is `cross(at, f)`."""
    x, y, z = at.T
    o = np.zeros_like(x)
    return np.stack([np.stack(row, -1) for row in ((o, -z, y), (z, o, -x), (-y, x, o))], 1)


def _root(names: Sequence[str]) -> list[int]:
    return [names.index(name) for name in ROOT]
