"""Inverse dynamics as OpenSim computes it, frame by frame."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import opensim as osim

from pipeline.osim.asking.poses import Poses


def asked_moments(
    poses: Poses,
    values: np.ndarray,
    speeds: np.ndarray,
    accelerations: np.ndarray,
    without: Sequence[osim.Force],
) -> np.ndarray:
    """The generalized forces (T, Q) that a motion (T, Q) each needs beside gravity and the model's forces.

    Those `without` give none. Coupled and locked coordinates are taken as given.
    """
    needed = np.empty(values.shape)
    rows = poses.tree_order(accelerations)
    with _switched_off(poses, without):
        solver = osim.InverseDynamicsSolver(poses.model)
        for t in poses.moving(values, speeds):
            forces = solver.solve(poses.state, osim.Vector.createFromMat(rows[t]))
            needed[t] = forces.to_numpy()[poses.mobility]
    return needed


def all_forces(model: osim.Model) -> list[osim.Force]:
    """Everything that applies forces in a model."""
    forces = model.getForceSet()
    return [forces.get(i) for i in range(forces.getSize())]


@contextmanager
def _switched_off(poses: Poses, forces: Sequence[osim.Force]) -> Iterator[None]:
    on = [force for force in forces if force.appliesForce(poses.state)]
    for force in on:
        force.setAppliesForce(poses.state, False)
    try:
        yield
    finally:
        for force in on:
            force.setAppliesForce(poses.state, True)
