from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.records import Coordinates, GeneralizedForces, MuscleForces

pytestmark = pytest.mark.osim
balance = pytest.importorskip("pipeline.osim.balance")

ANGLES_RAD = np.array([-0.5, 0.0, 0.3, 0.9])


@pytest.fixture
def tensions() -> MuscleForces:
    force = np.array([[100.0, 0.0], [0.0, 50.0], [20.0, 30.0], [200.0, 10.0]])
    return MuscleForces(
        time_s=np.arange(4) / 100,
        muscle_names=("front", "back"),
        activation=force / 1000,
        force_n=force,
        actuator_coordinates=("swing",),
        actuator_force=np.array([[1.0], [2.0], [3.0], [4.0]]),
        converged=np.ones(4, dtype=bool),
        short_of=np.full(4, ""),
    )


def asked(values: np.ndarray) -> GeneralizedForces:
    return GeneralizedForces(
        time_s=np.arange(4) / 100,
        names=("swing", "pointer_angle"),
        rotational=np.array([True, True]),
        values=values,
    )


def pulled(kit: SimpleNamespace, force_n: np.ndarray) -> np.ndarray:
    """The muscles' moment about the pin, from geometry alone."""
    x, y, _ = kit.insertion_m
    total = np.zeros(len(ANGLES_RAD))
    for frame, angle in enumerate(ANGLES_RAD):
        at = np.array([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle), 0])
        for column, origin in enumerate(kit.muscles.values()):
            pull = (np.array(origin) - at) / np.linalg.norm(np.array(origin) - at)
            total[frame] += force_n[frame, column] * np.cross(at, pull)[2]
    return total


def test_tension_times_geometry(pendulum: Path, pendulum_kit: SimpleNamespace, tensions: MuscleForces) -> None:
    found = balance.muscle_balance(pendulum, pendulum_kit.swing(ANGLES_RAD), asked(np.zeros((4, 2))), tensions)
    assert found.names == ("swing",), "a coupled coordinate is folded, not reported"
    np.testing.assert_allclose(
        found.column("swing"), pulled(pendulum_kit, tensions.force_n) + np.arange(1, 5), rtol=1e-9
    )


def test_a_coupled_coordinates_share_goes_to_its_driver(
    pendulum: Path, pendulum_kit: SimpleNamespace, tensions: MuscleForces
) -> None:
    values = np.column_stack([[5.0, 6.0, 7.0, 8.0], [10.0, -10.0, 20.0, 0.0]])
    still = replace(tensions, force_n=np.zeros((4, 2)), actuator_force=np.zeros((4, 1)))
    found = balance.muscle_balance(pendulum, pendulum_kit.swing(ANGLES_RAD), asked(values), still)
    np.testing.assert_allclose(found.column("swing"), -(values[:, 0] + pendulum_kit.slope * values[:, 1]))


def test_records_of_different_lengths_are_refused(
    pendulum: Path, pendulum_kit: SimpleNamespace, tensions: MuscleForces
) -> None:
    with pytest.raises(ValueError, match="GeneralizedForces has 4 frames, not 3"):
        balance.muscle_balance(pendulum, pendulum_kit.swing(ANGLES_RAD[:3]), asked(np.zeros((4, 2))), tensions)


@pytest.mark.data
def test_tensions_pull_by_opensims_own_moment_arms(shared_data: Path, tmp_path: Path) -> None:
    """The whole body at three poses, one newton and more in each of 80 muscles, patellae coupled to their knees.

    No path lies over two surfaces, where OpenSim iterates only so far.
    """
    from pipeline.osim.models.model import load_model, set_pose
    from tests.parity.walking_3d import ITERATED, with_one_surface

    walked = shared_data / "opensim_reference" / "walking_3d" / "subject_walk_scaled.osim"
    file = with_one_surface(walked, tmp_path, ITERATED)
    model = load_model(file)
    coordinates, muscles = model.getCoordinateSet(), model.getMuscles()
    names = tuple(coordinates.get(i).getName() for i in range(coordinates.getSize()))
    muscle_names = tuple(muscles.get(i).getName() for i in range(muscles.getSize()))
    rng = np.random.default_rng(4)
    poses = rng.uniform(0.05, 0.4, size=(3, len(names)))
    for side in "rl":
        poses[:, names.index(f"knee_angle_{side}_beta")] = poses[:, names.index(f"knee_angle_{side}")]
    force_n = rng.uniform(1, 500, size=(3, len(muscle_names)))
    time_s = np.arange(3) / 100
    found = balance.muscle_balance(
        file,
        Coordinates(time_s=time_s, names=names, rotational=np.ones(len(names), dtype=bool), values=poses),
        GeneralizedForces(
            time_s=time_s,
            names=names,
            rotational=np.ones(len(names), dtype=bool),
            values=np.zeros(poses.shape),
        ),
        MuscleForces(
            time_s=time_s,
            muscle_names=muscle_names,
            activation=force_n / 1000,
            force_n=force_n,
            actuator_coordinates=(),
            actuator_force=np.zeros((3, 0)),
            converged=np.ones(3, dtype=bool),
            short_of=np.full(3, ""),
        ),
        mechanics="opensim",
    )
    state = model.getWorkingState()
    legs = ("hip_flexion_r", "hip_adduction_r", "hip_rotation_l", "knee_angle_r", "knee_angle_l", "ankle_angle_r")
    for frame in range(3):
        set_pose(model, state, poses[frame])
        model.realizePosition(state)
        for name in legs:
            arms = [muscles.get(i).computeMomentArm(state, coordinates.get(name)) for i in range(len(muscle_names))]
            assert found.column(name)[frame] == pytest.approx(force_n[frame] @ arms, rel=1e-8), name
