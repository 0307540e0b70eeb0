from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.records import Coordinates, GeneralizedForces, MuscleForces

pytestmark = pytest.mark.osim
balance = pytest.importorskip("pipeline.osim.balance")
laid = pytest.importorskip("tests.pipeline.osim.laid")

ANGLES_RAD = np.array([-0.5, 0.0, 0.3, 0.9, 0.6, 0.2])
FRAMES = len(ANGLES_RAD)


@pytest.fixture
def tensions() -> MuscleForces:
    force = np.array([[100.0, 0.0], [0.0, 50.0], [20.0, 30.0], [200.0, 10.0], [0.0, 0.0], [5.0, 70.0]])
    return MuscleForces(
        time_s=np.arange(FRAMES) / 100,
        muscle_names=("front", "back"),
        activation=force / 1000,
        force_n=force,
        actuator_coordinates=("swing",),
        actuator_force=np.arange(1.0, 1 + FRAMES)[:, None],
        converged=np.ones(FRAMES, dtype=bool),
        short_of=np.full(FRAMES, ""),
    )


def asked(values: np.ndarray) -> GeneralizedForces:
    return GeneralizedForces(
        time_s=np.arange(FRAMES) / 100,
        names=("swing", "pointer_angle"),
        rotational=np.array([True, True]),
        values=values,
    )


def by_the_laws(
    model: Path, motion: Coordinates, moments: GeneralizedForces, forces: MuscleForces
) -> GeneralizedForces:
    return laid.balance_by(model, motion, moments, forces, "corrected")


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
    found = by_the_laws(pendulum, pendulum_kit.swing(ANGLES_RAD), asked(np.zeros((FRAMES, 2))), tensions)
    assert found.names == ("swing",), "a coupled coordinate is folded, not reported"
    np.testing.assert_allclose(
        found.column("swing"), pulled(pendulum_kit, tensions.force_n) + np.arange(1, 1 + FRAMES), rtol=1e-9
    )


def test_a_coupled_coordinates_share_goes_to_its_driver(
    pendulum: Path, pendulum_kit: SimpleNamespace, tensions: MuscleForces
) -> None:
    values = np.column_stack([[5.0, 6.0, 7.0, 8.0, 0.0, 1.0], [10.0, -10.0, 20.0, 0.0, 3.0, 1.0]])
    still = replace(tensions, force_n=np.zeros((FRAMES, 2)), actuator_force=np.zeros((FRAMES, 1)))
    found = by_the_laws(pendulum, pendulum_kit.swing(ANGLES_RAD), asked(values), still)
    np.testing.assert_allclose(found.column("swing"), -(values[:, 0] + pendulum_kit.slope * values[:, 1]))


def test_records_of_different_lengths_are_refused(
    pendulum: Path, pendulum_kit: SimpleNamespace, tensions: MuscleForces
) -> None:
    motion, moments = pendulum_kit.swing(ANGLES_RAD), asked(np.zeros((FRAMES, 2)))
    whole = laid.laid_muscles(pendulum, motion, tensions, mechanics="corrected")
    some = motion.cut(slice(0, 5))
    with pytest.raises(ValueError, match="GeneralizedForces has 6 frames, not 5"):
        balance.muscle_balance(pendulum, some, moments, tensions, whole)
    with pytest.raises(ValueError, match="LaidMuscles has 6 frames, not 5"):
        balance.muscle_balance(pendulum, some, moments.cut(slice(0, 5)), tensions.cut(slice(0, 5)), whole)


@pytest.mark.data
def test_tensions_pull_by_opensims_own_moment_arms(shared_data: Path, tmp_path: Path) -> None:
    """The whole body at six poses, one newton and more in each of 80 muscles, patellae coupled to their knees.

    No path lies over two surfaces, where OpenSim iterates only so far.
    """
    from pipeline.osim.compared_paths import with_one_surface
    from pipeline.osim.models.model import load_model, set_pose
    from tests.parity.walking_3d import ITERATED

    walked = shared_data / "opensim_reference" / "walking_3d" / "subject_walk_scaled.osim"
    file = with_one_surface(walked, ITERATED, tmp_path / "one_surface.osim")
    model = load_model(file)
    coordinates, muscles = model.getCoordinateSet(), model.getMuscles()
    names = tuple(coordinates.get(i).getName() for i in range(coordinates.getSize()))
    muscle_names = tuple(muscles.get(i).getName() for i in range(muscles.getSize()))
    rng = np.random.default_rng(4)
    poses = rng.uniform(0.05, 0.4, size=(FRAMES, len(names)))
    for side in "rl":
        poses[:, names.index(f"knee_angle_{side}_beta")] = poses[:, names.index(f"knee_angle_{side}")]
    force_n = rng.uniform(1, 500, size=(FRAMES, len(muscle_names)))
    time_s = np.arange(FRAMES) / 100
    found = laid.balance_by(
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
            actuator_force=np.zeros((FRAMES, 0)),
            converged=np.ones(FRAMES, dtype=bool),
            short_of=np.full(FRAMES, ""),
        ),
        mechanics="opensim",
    )
    state = model.getWorkingState()
    legs = ("hip_flexion_r", "hip_adduction_r", "hip_rotation_l", "knee_angle_r", "knee_angle_l", "ankle_angle_r")
    for frame in range(FRAMES):
        set_pose(model, state, poses[frame])
        model.realizePosition(state)
        for name in legs:
            arms = [muscles.get(i).computeMomentArm(state, coordinates.get(name)) for i in range(len(muscle_names))]
            assert found.column(name)[frame] == pytest.approx(force_n[frame] @ arms, rel=1e-8), name
