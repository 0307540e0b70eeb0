"""Muscle paths of public models: moment arms as slopes of lengths, no pull on the pelvis, no jumps."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from pipeline.mechanics.bodies.poses import body_places
from pipeline.mechanics.muscles.paths import muscle_paths
from tests.pipeline.mechanics.muscles.muscle_models import FILES, MuscleModel, read_muscle_model

pytestmark = [pytest.mark.osim, pytest.mark.data]

STEP = 1e-6
PELVIS = ("pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz")


@pytest.fixture(scope="module", params=FILES)
def one(request: pytest.FixtureRequest, shared_data: Path) -> MuscleModel:
    return read_muscle_model(shared_data / FILES[request.param])


@pytest.fixture(scope="module")
def walking(shared_data: Path) -> MuscleModel:
    return read_muscle_model(shared_data / FILES["walking_3d"])


def lengths(one: MuscleModel, values: np.ndarray) -> np.ndarray:
    return muscle_paths(one.tree, one.paths, values, np.zeros_like(values)).length_m


def test_a_newton_pulls_along_minus_the_length_s_slope(one: MuscleModel) -> None:
    poses = one.poses(20)
    found = muscle_paths(one.tree, one.paths, poses, np.zeros_like(poses))
    assert np.all(np.isfinite(found.length_m))
    for k in range(poses.shape[1]):
        step = STEP * np.eye(poses.shape[1])[k]
        slope = (lengths(one, poses + step) - lengths(one, poses - step)) / (2 * STEP)
        np.testing.assert_allclose(found.per_newton[:, :, k], -slope, atol=2e-9)


def test_nothing_pulls_on_what_moves_all_of_a_muscle(one: MuscleModel) -> None:
    poses = one.poses(20)
    found = muscle_paths(one.tree, one.paths, poses, np.zeros_like(poses))
    pelvis = [one.coordinates.index(name) for name in PELVIS]
    assert not found.per_newton[:, :, pelvis].any()
    assert found.per_newton.any(axis=(0, 2)).all()


def test_lengthening_is_the_slope_along_the_speeds(one: MuscleModel) -> None:
    poses = one.poses(5)
    speeds = np.random.default_rng(1).normal(size=poses.shape)
    found = muscle_paths(one.tree, one.paths, poses, speeds)
    slope = (lengths(one, poses + STEP * speeds) - lengths(one, poses - STEP * speeds)) / (2 * STEP)
    np.testing.assert_allclose(found.lengthening_m_s, slope, atol=1e-8)


def test_a_frame_s_answer_is_its_own(one: MuscleModel) -> None:
    poses = one.poses(12)
    speeds = np.ones_like(poses)
    together = muscle_paths(one.tree, one.paths, poses, speeds)
    backwards = muscle_paths(one.tree, one.paths, poses[::-1], speeds)
    for ours, theirs in zip(together, backwards, strict=True):
        np.testing.assert_array_equal(ours, theirs[::-1])


def test_nan_in_a_coordinate_makes_its_muscles_nan_and_no_others(one: MuscleModel) -> None:
    poses = one.poses(3)
    arms = muscle_paths(one.tree, one.paths, poses, np.zeros_like(poses)).per_newton
    knee = one.coordinates.index("knee_angle_r")
    crosses = arms[:, :, knee].any(axis=0)
    poses[:, knee] = np.nan
    found = muscle_paths(one.tree, one.paths, poses, np.zeros_like(poses))
    assert np.isnan(found.length_m[:, crosses]).all()
    assert np.isfinite(found.length_m[:, [name.endswith("_l") for name in one.muscles]]).all()


def test_a_path_goes_on_and_off_surfaces_without_a_jump(walking: MuscleModel) -> None:
    """Along lines through the range of all joints, a length changes as its slopes say.

    A kink, where the shorter side of a cylinder changes, costs less than 0.1 mm in such a step. The only jumps are
    OpenSim's rule's: a path wraps nothing while one of its ends lies inside the surface.
    """
    biggest = np.zeros(len(walking.muscles))
    for start, end in pairwise(walking.poses(12, seed=5)):
        line = walking.coupled(start + np.linspace(0, 1, 2001)[:, None] * (end - start))
        found = muscle_paths(walking.tree, walking.paths, line, np.zeros_like(line))
        mean = 0.5 * (found.per_newton[1:] + found.per_newton[:-1])
        jump = np.diff(found.length_m, axis=0) + np.einsum("tuq,tq->tu", mean, np.diff(line, axis=0))
        inside = ends_inside(walking, line)
        biggest = np.maximum(biggest, np.where(inside[1:] == inside[:-1], np.abs(jump), 0).max(axis=0))
    jumping = {name: float(jump) for name, jump in zip(walking.muscles, biggest, strict=True) if jump > 1e-4}
    assert not jumping


def ends_inside(one: MuscleModel, values: np.ndarray) -> np.ndarray:
    """How many points lie inside a surface that their muscle may wrap, (T, U)."""
    rotation, origin_m = body_places(one.tree, values)
    paths = one.paths
    inside = np.zeros((len(values), len(one.muscles)), dtype=int)
    for wrap, surface in enumerate(paths.wrap_surface):
        body, muscle = paths.surface_body[surface], np.searchsorted(paths.first_wrap, wrap, side="right") - 1
        turn = rotation[:, body] @ paths.surface_rotation[surface]
        middle = origin_m[:, body] + rotation[:, body] @ paths.surface_origin_m[surface]
        for point in range(paths.wrap_from[wrap], paths.wrap_to[wrap] + 1):
            holder = paths.point_body[point]
            place = origin_m[:, holder] + rotation[:, holder] @ paths.point_m[point]
            local = np.einsum("tji,tj->ti", turn, place - middle)
            inside[:, muscle] += np.hypot(local[:, 0], local[:, 1]) < paths.surface_size[surface, 0]
    return inside
