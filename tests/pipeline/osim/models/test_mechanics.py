from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytestmark = pytest.mark.osim
mechanics = pytest.importorskip("pipeline.osim.models.mechanics")

ANGLES_RAD = np.array([-0.5, 0.0, 0.3, 0.9])
GRAVITY_M_S2 = 9.80665


@pytest.fixture
def swinger(pendulum: Path) -> mechanics.Mechanics:
    return mechanics.Mechanics(pendulum)


@pytest.fixture
def poses(pendulum_kit: SimpleNamespace) -> np.ndarray:
    return pendulum_kit.swing(ANGLES_RAD).values


def test_markers_turn_with_their_body(
    swinger: mechanics.Mechanics, pendulum_kit: SimpleNamespace, poses: np.ndarray
) -> None:
    stations = swinger.marker_stations()
    assert set(stations) == set(pendulum_kit.markers)
    found = swinger.positions_m(poses, [stations["front"]])[:, 0]
    x, y, z = pendulum_kit.markers["front"]
    expected = np.column_stack(
        [
            x * np.cos(ANGLES_RAD) - y * np.sin(ANGLES_RAD),
            x * np.sin(ANGLES_RAD) + y * np.cos(ANGLES_RAD),
            np.full(4, z),
        ]
    )
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_the_jacobian_is_the_positions_derivative(swinger: mechanics.Mechanics, poses: np.ndarray) -> None:
    stations = list(swinger.marker_stations().values())
    found = swinger.jacobian(poses, stations)
    for column in range(2):
        step = np.zeros_like(poses)
        step[:, column] = 1e-6
        slope = (swinger.positions_m(poses + step, stations) - swinger.positions_m(poses - step, stations)) / 2e-6
        np.testing.assert_allclose(found[..., column], slope, atol=1e-9)


def test_a_swing_asks_for_inertia_and_weight(
    swinger: mechanics.Mechanics, pendulum_kit: SimpleNamespace, poses: np.ndarray
) -> None:
    accelerations = np.column_stack([np.array([1.0, -2.0, 0.0, 5.0]), np.zeros(4)])
    found = swinger.generalized_forces(poses, np.zeros_like(poses), accelerations)[:, 0]
    inertia = pendulum_kit.mass_kg * pendulum_kit.length_m**2 * accelerations[:, 0]
    np.testing.assert_allclose(
        found, inertia + pendulum_kit.weight_n * pendulum_kit.length_m * np.sin(ANGLES_RAD), atol=1e-6
    )


def test_a_wrench_acts_about_its_point(swinger: mechanics.Mechanics, poses: np.ndarray) -> None:
    force, moment, point = np.array([3.0, 20.0, -4.0]), np.array([0.0, 0.0, 1.5]), np.array([0.15, -0.45, 0.1])
    found = swinger.wrench_forces(poses, "bob", *(np.tile(each, (4, 1)) for each in (force, moment, point)))
    np.testing.assert_allclose(found[:, 0], point[0] * force[1] - point[1] * force[0] + moment[2], rtol=1e-12)


def test_the_mass_centre_is_the_bob(
    swinger: mechanics.Mechanics, pendulum_kit: SimpleNamespace, poses: np.ndarray
) -> None:
    found = swinger.mass_centre_m(poses)
    np.testing.assert_allclose(found[:, 0], pendulum_kit.length_m * np.sin(ANGLES_RAD), atol=1e-8)
    np.testing.assert_allclose(found[:, 1], -pendulum_kit.length_m * np.cos(ANGLES_RAD), atol=1e-8)


def test_frames_of_other_coordinates_are_refused(swinger: mechanics.Mechanics) -> None:
    with pytest.raises(ValueError, match=r"shape \(4, 3\), expected frames of 2 coordinates"):
        swinger.mass_centre_m(np.zeros((4, 3)))


@pytest.mark.data
def test_a_whole_bodys_jacobian_and_virtual_work(shared_data: Path) -> None:
    """Against finite differences and against OpenSim's own lengthening speeds, at poses nobody takes."""
    from pipeline.mechanics.muscles.paths import muscle_paths
    from pipeline.osim.asking.poses import Poses
    from pipeline.osim.models.shared_model import shared_model

    file = shared_data / "opensim_reference" / "walking_3d" / "subject_walk_scaled.osim"
    whole = mechanics.Mechanics(file)
    poses = np.random.default_rng(1).normal(scale=0.2, size=(3, len(whole.names)))
    stations = list(whole.marker_stations().values())
    found = whole.jacobian(poses, stations)
    for column in range(len(whole.names)):
        step = np.zeros_like(poses)
        step[:, column] = 1e-6
        slope = (whole.positions_m(poses + step, stations) - whole.positions_m(poses - step, stations)) / 2e-6
        np.testing.assert_allclose(found[..., column], slope, atol=1e-8, err_msg=whole.names[column])

    shared = shared_model(file)
    speeds = np.random.default_rng(2).normal(size=poses.shape)
    per_newton = muscle_paths(shared.skeleton.tree, shared.muscles.opensim_paths, poses, speeds).per_newton
    muscles, driven = shared.model.getMuscles(), Poses(shared.model)
    for frame in driven.moving(poses, speeds):
        for i, name in enumerate(shared.summary.muscles):
            path = muscles.get(name).getGeometryPath()
            if path.getWrapSet().getSize() < 2:
                speed = path.getLengtheningSpeed(driven.state)
                assert speed == pytest.approx(-per_newton[frame, i] @ speeds[frame], abs=1e-10), name
