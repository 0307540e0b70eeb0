"""Bodies, markers and inverse dynamics of public models against OpenSim's own, at random poses in range."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytestmark = [pytest.mark.osim, pytest.mark.data]
osim = pytest.importorskip("opensim")
moments = pytest.importorskip("pipeline.osim.asking.moments")
poses = pytest.importorskip("pipeline.osim.asking.poses")
shared_models = pytest.importorskip("pipeline.osim.models.shared_model")

RecordLargest = Callable[[str, float, str, str], None]

REFERENCE = Path("opensim_reference")
FILES = {
    "walking_3d": REFERENCE / "walking_3d" / "subject_walk_scaled.osim",
    "rajagopal2016": REFERENCE / "rajagopal2016" / "Rajagopal2016.osim",
    "gait2354": REFERENCE / "gait2354" / "gait2354_simbody.osim",
    "gait2392, Thelen's": REFERENCE / "gait2392" / "gait2392_thelen2003muscle.osim",
    "gait2392, Millard's": REFERENCE / "gait2392" / "gait2392_millard2012muscle.osim",
}
WIDEST = 3.0


@pytest.fixture(scope="module", params=[*FILES, "ten degrees of freedom"])
def shared(
    request: pytest.FixtureRequest, shared_data: Path, tmp_path_factory: pytest.TempPathFactory
) -> "shared_models.SharedModel":
    if request.param in FILES:
        return shared_models.read_shared_model(shared_data / FILES[request.param])
    from tests.pipeline.osim.ten_dof import build_ten_dof

    return shared_models.read_shared_model(build_ten_dof(tmp_path_factory.mktemp("ten_dof") / "ten_dof.osim"))


def random_motion(shared: "shared_models.SharedModel", n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values in their ranges, speeds and accelerations as of fast walking; coupled coordinates go their own ways."""
    coordinates, rng = shared.model.getCoordinateSet(), np.random.default_rng(5)
    every = [coordinates.get(name) for name in shared.names]
    low = np.array([max(coordinate.getRangeMin(), -WIDEST) for coordinate in every])
    high = np.array([min(coordinate.getRangeMax(), WIDEST) for coordinate in every])
    values = rng.uniform(low, high, (n, len(every)))
    return values, rng.normal(scale=3.0, size=values.shape), rng.normal(scale=30.0, size=values.shape)


def place_error_m(shared: "shared_models.SharedModel", n: int) -> tuple[float, float]:
    """The largest distance of bodies' origins, and of markers."""
    from pipeline.mechanics.bodies.poses import body_places

    skeleton, driven = shared.skeleton, poses.Poses(shared.model)
    values, _, _ = random_motion(shared, n)
    rotation, origin_m = body_places(skeleton.tree, values)
    _, their_origin_m = driven.transforms(values, skeleton.bodies)
    bodies = np.linalg.norm(origin_m - their_origin_m, axis=2).max()
    markers, worst = shared.model.getMarkerSet(), 0.0
    for t in driven.at(values):
        for name, (body, at) in skeleton.markers.items():
            told = markers.get(name).getLocationInGround(driven.state).to_numpy()
            worst = max(worst, float(np.linalg.norm(rotation[t, body] @ at + origin_m[t, body] - told)))
    return float(bodies), worst


def moment_error(shared: "shared_models.SharedModel", n: int) -> float:
    """The largest difference from OpenSim's solver, with a wrench of the ground on two bodies, N·m or N."""
    from pipeline.mechanics.bodies.newton_euler import generalized_forces
    from pipeline.mechanics.bodies.poses import body_jacobians

    skeleton, driven = shared.skeleton, poses.Poses(shared.model)
    motion = random_motion(shared, n)
    feet = np.array([len(skeleton.bodies) - 1, len(skeleton.bodies) // 2])
    wrenches = np.random.default_rng(6).normal(scale=300.0, size=(n, 2, 6))
    ours = generalized_forces(skeleton.tree, *motion, feet, wrenches, True)
    theirs = moments.asked_moments(driven, *motion, without=moments.all_forces(shared.model))
    # What the wrenches give, by the velocities of the bodies' origins.
    jacobian = body_jacobians(skeleton.tree, motion[0], feet)
    _, origin_m = driven.transforms(motion[0], [skeleton.bodies[foot] for foot in feet])
    moment = wrenches[..., :3] - np.cross(origin_m, wrenches[..., 3:])
    theirs -= np.einsum("twiq,twi->tq", jacobian, np.concatenate([moment, wrenches[..., 3:]], axis=2))
    return float(np.abs(ours - theirs).max())


def test_bodies_and_markers_lie_where_opensim_has_them(
    shared: "shared_models.SharedModel", record_largest: RecordLargest
) -> None:
    bodies_m, markers_m = place_error_m(shared, 20)
    record_largest("public models: bodies, from OpenSim's", bodies_m, "{:.1e} m", "1e-12 m")
    record_largest("public models: markers, from OpenSim's", markers_m, "{:.1e} m", "1e-12 m")
    assert max(bodies_m, markers_m) <= 1e-12


def test_moments_are_opensim_s(shared: "shared_models.SharedModel", record_largest: RecordLargest) -> None:
    apart = moment_error(shared, 20)
    record_largest("public models: ID, from OpenSim's solver", apart, "{:.1e} N·m or N", "1e-9")
    assert apart <= 1e-9


@pytest.mark.long
def test_both_at_many_poses(shared: "shared_models.SharedModel", record_largest: RecordLargest) -> None:
    bodies_m, markers_m = place_error_m(shared, 500)
    apart = moment_error(shared, 500)
    record_largest("public models: bodies, from OpenSim's", bodies_m, "{:.1e} m", "1e-12 m")
    record_largest("public models: markers, from OpenSim's", markers_m, "{:.1e} m", "1e-12 m")
    record_largest("public models: ID, from OpenSim's solver", apart, "{:.1e} N·m or N", "1e-9")
    assert max(bodies_m, markers_m) <= 1e-12
    assert apart <= 1e-9


@pytest.mark.long
def test_adults_models(shared_data: Path, record_largest: RecordLargest) -> None:
    """Another group's models of adults, each scaled to a person."""
    files = sorted(shared_data.glob("walking_adults*/reference/*/scaled.osim"))
    assert files
    for file in files:
        shared = shared_models.read_shared_model(file)
        place_m, apart = max(place_error_m(shared, 20)), moment_error(shared, 20)
        record_largest("adults' models: bodies and markers, from OpenSim's", place_m, "{:.1e} m", "1e-12 m")
        record_largest("adults' models: ID, from OpenSim's solver", apart, "{:.1e} N·m or N", "1e-9")
        assert place_m <= 1e-12, file
        assert apart <= 1e-9, file
