"""Joints in every layout, against OpenSim: places, and inertial forces with the terms that Simbody omits."""

from collections.abc import Sequence

import numpy as np
import pytest

from pipeline.mechanics.bodies.newton_euler import generalized_forces
from pipeline.mechanics.bodies.poses import body_places

pytestmark = pytest.mark.osim
custom_joint = pytest.importorskip("tests.pipeline.osim.arrays.custom_joint")
functions = pytest.importorskip("pipeline.osim.arrays.functions")
moments = pytest.importorskip("pipeline.osim.asking.moments")
poses_of = pytest.importorskip("pipeline.osim.asking.poses")
trees = pytest.importorskip("pipeline.osim.arrays.tree")

N = None
# Coordinates of the three rotations and the three translations, and whether Simbody omits a velocity term.
LAYOUTS = [
    ((0, 0, 0, N, N, N), True),
    ((N, 0, 0, N, N, N), True),
    ((0, 1, 0, N, N, N), True),
    ((0, 0, 0, 0, 0, 0), True),
    ((0, 0, 0, 0, 1, 2), True),
    ((0, 0, N, N, N, N), False),
    ((0, N, 0, N, N, N), False),
    ((0, 1, 2, N, N, N), False),
    ((0, 0, 1, N, N, N), False),
    ((1, 0, 0, N, N, N), False),
    ((0, 1, 1, 0, N, 1), False),
    ((N, N, 0, 0, 0, N), False),
    ((0, 1, 2, 3, 4, 5), False),
]


@pytest.mark.parametrize(("drivers", "omits"), LAYOUTS)
def test_a_custom_joint_moves_as_in_opensim(drivers: Sequence[int | None], omits: bool) -> None:
    model = custom_joint.custom_model(drivers)
    tree, bodies = trees.read_tree(model, functions.FunctionTable())
    poses = poses_of.Poses(model)
    random = np.random.default_rng(2)
    values, speeds, accelerations = random.uniform(-1, 1, (3, 4, len(poses.names)))
    for ours, theirs in zip(body_places(tree, values), poses.transforms(values, bodies), strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-14)
    nobody, nothing = np.zeros(0, dtype=np.int64), np.zeros((4, 0, 6))
    theirs = moments.asked_moments(poses, values, speeds, accelerations, without=[])
    same = generalized_forces(tree, values, speeds, accelerations, nobody, nothing, True)
    np.testing.assert_allclose(same, theirs, atol=1e-12)
    right = generalized_forces(tree, values, speeds, accelerations, nobody, nothing, False)
    assert (np.abs(right - same).max() > 1e-3) == omits
