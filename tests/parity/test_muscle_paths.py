"""Muscle paths against OpenSim's own, at random poses: lengths, and moment arms of every coordinate that has one.

Around a single cylinder OpenSim lays a path in a plane, without iterating; `as_opensim` does the same, to rounding.
Around two it iterates until a path's angle to the surface is within 0.1 degrees, and the shortest path is shorter by
less than a micrometre. OpenSim 4.6 adds up lengths from tangent points' places in the ground that it has kept from its
first iteration; where that differs, its path is measured here from the tangent points that it ended with.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import opensim as osim
import pytest

from pipeline.mechanics.bodies.functions import evaluate_at
from pipeline.mechanics.muscles.paths import muscle_paths
from pipeline.osim.compared_paths import length_through_points
from tests.pipeline.mechanics.muscles.muscle_models import FILES, MuscleModel, read_muscle_model

pytestmark = [pytest.mark.osim, pytest.mark.data]

# Where OpenSim iterates, and where it doesn't.
ITERATED_M, ITERATED_ARM_M = 1e-6, 1e-4
EXACT_M, EXACT_ARM_M = 1e-10, 1e-10


@pytest.fixture(scope="module", params=FILES)
def one(request: pytest.FixtureRequest, shared_data: Path) -> MuscleModel:
    return read_muscle_model(shared_data / FILES[request.param], as_opensim=True)


def test_paths_are_opensim_s_at_some_poses(one: MuscleModel, record_property: Callable[[str, object], None]) -> None:
    compare(one, 30, record_property)


@pytest.mark.long
def test_paths_are_opensim_s_at_many_poses(one: MuscleModel, record_property: Callable[[str, object], None]) -> None:
    compare(one, 500, record_property)


def compare(one: MuscleModel, n: int, record_property: Callable[[str, object], None]) -> None:
    poses = one.poses(n, seed=11)
    found = muscle_paths(one.tree, one.paths, poses, np.zeros_like(poses))
    arms = with_followers(one, poses, found.per_newton)
    iterated = np.diff(one.paths.first_wrap) == 2
    crossed = found.per_newton.any(axis=0)
    worst = {"length": np.zeros(len(one.muscles)), "arm": np.zeros(len(one.muscles))}
    longest = np.zeros(len(one.muscles))
    state = one.model.getWorkingState()
    for t in range(n):
        place(one, state, poses[t])
        for u in range(len(one.muscles)):
            path = osim.GeometryPath.safeDownCast(one.model.getMuscles().get(u).getPath())
            asked = path.getLength(state)
            ended = length_through_points(path, state) if iterated[u] else asked
            longest[u] = max(longest[u], found.length_m[t, u] - ended)
            worst["length"][u] = max(worst["length"][u], abs(found.length_m[t, u] - ended))
            if abs(asked - ended) > EXACT_M:
                continue
            for k in np.flatnonzero(crossed[u]):
                if k in one.tree.dependent:
                    continue
                arm = path.computeMomentArm(state, one.model.getCoordinateSet().get(one.coordinates[k]))
                worst["arm"][u] = max(worst["arm"][u], abs(arms[t, u, k] - arm))
    for what, most in worst.items():
        record_property(f"muscle_paths_{what}_m", float(most[~iterated].max()))
        if iterated.any():
            record_property(f"muscle_paths_{what}_two_surfaces_m", float(most[iterated].max()))
    off = {
        name: (float(worst["length"][u]), float(worst["arm"][u]))
        for u, name in enumerate(one.muscles)
        if worst["length"][u] > (ITERATED_M if iterated[u] else EXACT_M)
        or worst["arm"][u] > (ITERATED_ARM_M if iterated[u] else EXACT_ARM_M)
    }
    assert not off
    # Where OpenSim stops short of the shortest path, ours is no longer.
    assert longest[iterated].max(initial=0.0) < EXACT_M


def place(one: MuscleModel, state: osim.State, pose: np.ndarray) -> None:
    for name, value in zip(one.coordinates, pose, strict=True):
        one.model.getCoordinateSet().get(name).setValue(state, value, False)
    one.model.realizePosition(state)


def with_followers(one: MuscleModel, poses: np.ndarray, per_newton: np.ndarray) -> np.ndarray:
    """Each coordinate's arm as OpenSim understands it: with what the coordinates coupled to it do."""
    arms = per_newton.copy()
    tree = one.tree
    for dependent, driver, function in zip(tree.dependent, tree.driver, tree.coupling, strict=True):
        slopes = np.array([evaluate_at.py_func(tree.functions, function, x)[1] for x in poses[:, driver]])
        arms[:, :, driver] += slopes[:, None] * per_newton[:, :, dependent]
    return arms
