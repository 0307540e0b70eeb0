"""Joint contact forces whose answers are known from statics and from a pendulum's equations."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.osim.engines import ENGINES, load_engine
from pipeline.records import Coordinates, FootWrench, JointLoads, MuscleForces, Side

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
loads = pytest.importorskip("pipeline.osim.joint_loads")
laid_by = pytest.importorskip("tests.pipeline.osim.laid")

FEET: dict[Side, str] = {"right": "bob", "left": "bob"}
LAWS = pytest.mark.parametrize("mechanics", ["corrected", "opensim"])
ANGLE_RAD = np.full(12, 0.4)


@pytest.fixture
def loaded_pivot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loads, "LOADED_JOINTS", {"pivot": ("swing",), "end": ("pointer_angle",)})


def tensions(motion: Coordinates, front_n: float = 0.0, back_n: float = 0.0, torque_nm: float = 0.0) -> MuscleForces:
    """Steady tensions of the pendulum's muscles, and a reserve's torque."""
    n = len(motion.time_s)
    return MuscleForces(
        time_s=motion.time_s,
        muscle_names=("front", "back"),
        activation=np.zeros((n, 2)),
        force_n=np.tile([front_n, back_n], (n, 1)),
        actuator_coordinates=("swing",),
        actuator_force=np.full((n, 1), torque_nm),
        converged=np.ones(n, dtype=bool),
        short_of=np.full(n, ""),
    )


def turned(angle_rad: np.ndarray, vector: np.ndarray) -> np.ndarray:
    """Vectors (T, 3) turned about z."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    x, y, z = np.moveaxis(vector, -1, 0)
    return np.stack([cos * x - sin * y, sin * x + cos * y, z + 0 * cos], axis=-1)


def found_loads(
    model: Path,
    motion: Coordinates,
    forces: MuscleForces,
    push: tuple[FootWrench, ...] = (),
    mechanics: str = "opensim",
) -> JointLoads:
    return laid_by.loads_by(model, motion, push, forces, FEET, mechanics)


@LAWS
@pytest.mark.usefixtures("loaded_pivot")
def test_a_hung_weight_is_the_joint_s_force(pendulum: Path, pendulum_kit: SimpleNamespace, mechanics: str) -> None:
    motion = pendulum_kit.swing(ANGLE_RAD)
    found = found_loads(pendulum, motion, tensions(motion), mechanics=mechanics)
    assert found.joints == ("pivot", "end")
    up = np.tile([0.0, pendulum_kit.weight_n, 0.0], (len(ANGLE_RAD), 1))
    np.testing.assert_allclose(found.in_proximal_n[:, 0], up, atol=1e-6)
    np.testing.assert_allclose(found.in_distal_n[:, 0], turned(-ANGLE_RAD, up), atol=1e-6)
    # Nothing hangs from the pointer.
    np.testing.assert_allclose(found.in_distal_n[:, 1], 0.0, atol=1e-6)


@pytest.mark.usefixtures("loaded_pivot")
def test_a_swing_asks_for_what_turns_the_weight(pendulum: Path, pendulum_kit: SimpleNamespace) -> None:
    time_s = np.arange(100) / 100
    angle, speed, change = 0.3 * np.sin(5 * time_s), 1.5 * np.cos(5 * time_s), -7.5 * np.sin(5 * time_s)
    motion = pendulum_kit.swing(angle)
    found = found_loads(pendulum, motion, tensions(motion))
    # In the bob's axes the weight lies at -y: it is carried along x, and held along y.
    g, m, length = pendulum_kit.weight_n / pendulum_kit.mass_kg, pendulum_kit.mass_kg, pendulum_kit.length_m
    expected = m * np.stack([length * change + g * np.sin(angle), length * speed**2 + g * np.cos(angle)], axis=1)
    np.testing.assert_allclose(found.in_distal_n[10:-10, 0, :2], expected[10:-10], atol=1e-3)


@LAWS
@pytest.mark.usefixtures("loaded_pivot")
def test_muscles_press_the_joint_by_their_pull(pendulum: Path, pendulum_kit: SimpleNamespace, mechanics: str) -> None:
    motion = pendulum_kit.swing(ANGLE_RAD)
    found = found_loads(pendulum, motion, tensions(motion, 300.0, 120.0), mechanics=mechanics)
    at = turned(ANGLE_RAD, np.tile(pendulum_kit.insertion_m, (len(ANGLE_RAD), 1)))
    pull = np.zeros_like(at)
    for tension, origin in zip((300.0, 120.0), pendulum_kit.muscles.values(), strict=True):
        way = np.array(origin) - at
        pull += tension * way / np.linalg.norm(way, axis=1, keepdims=True)
    np.testing.assert_allclose(found.in_proximal_n[:, 0], [0.0, pendulum_kit.weight_n, 0.0] - pull, atol=1e-6)


@pytest.mark.usefixtures("loaded_pivot")
def test_a_muscle_along_the_bone_presses_with_all_its_tension(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    model = osim.Model(str(pendulum))
    path = osim.GeometryPath.safeDownCast(model.updMuscles().get("front").getPath())
    osim.PathPoint.safeDownCast(path.getPathPointSet().get(0)).setLocation(osim.Vec3(0, 0.2, 0))
    model.finalizeConnections()
    file = tmp_path / "along.osim"
    model.printToXML(str(file))
    motion = pendulum_kit.swing(np.zeros(12))
    found = found_loads(file, motion, tensions(motion, 500.0))
    expected = np.tile([0.0, pendulum_kit.weight_n - 500.0, 0.0], (12, 1))
    np.testing.assert_allclose(found.in_distal_n[:, 0], expected, atol=1e-6)


@pytest.mark.usefixtures("loaded_pivot")
def test_reserve_torques_press_nothing(pendulum: Path, pendulum_kit: SimpleNamespace) -> None:
    motion = pendulum_kit.swing(ANGLE_RAD)
    without, driven = (found_loads(pendulum, motion, tensions(motion, 50.0, torque_nm=nm)) for nm in (0.0, 40.0))
    np.testing.assert_array_equal(without.in_distal_n, driven.in_distal_n)


@pytest.mark.usefixtures("loaded_pivot")
def test_the_ground_s_push_unloads_the_joint(pendulum: Path, pendulum_kit: SimpleNamespace) -> None:
    motion, force = pendulum_kit.swing(ANGLE_RAD), (3.0, 15.0, -4.0)
    push = pendulum_kit.push(motion.time_s, force, (0.15, -0.45, 0.1))
    found = found_loads(pendulum, motion, tensions(motion), (push,))
    expected = np.tile(np.array([0.0, pendulum_kit.weight_n, 0.0]) - force, (12, 1))
    np.testing.assert_allclose(found.in_proximal_n[:, 0], expected, atol=1e-6)


@pytest.mark.usefixtures("loaded_pivot")
def test_frames_are_chosen_by_their_times(pendulum: Path, pendulum_kit: SimpleNamespace) -> None:
    motion = pendulum_kit.swing(0.3 * np.sin(np.arange(40) / 8))
    whole, some = tensions(motion, 100.0), tensions(motion.cut(slice(10, 20)), 100.0)
    expected = found_loads(pendulum, motion, whole).cut(slice(10, 20))
    found = found_loads(pendulum, motion, some)
    np.testing.assert_array_equal(found.time_s, expected.time_s)
    np.testing.assert_array_equal(found.in_distal_n, expected.in_distal_n)
    with pytest.raises(ValueError, match="some are not among the coordinates"):
        found_loads(pendulum, motion, replace(some, time_s=some.time_s + 0.003))


def test_a_model_without_such_joints_has_none(pendulum: Path, pendulum_kit: SimpleNamespace) -> None:
    motion = pendulum_kit.swing(ANGLE_RAD)
    found = found_loads(pendulum, motion, tensions(motion))
    assert found.joints == ()
    assert found.in_distal_n.shape == (len(ANGLE_RAD), 0, 3)


def test_forces_of_other_muscles_are_refused(pendulum: Path, pendulum_kit: SimpleNamespace) -> None:
    motion = pendulum_kit.swing(ANGLE_RAD)
    with pytest.raises(ValueError, match="of other muscles"):
        found_loads(pendulum, motion, replace(tensions(motion), muscle_names=("front", "left")))


@pytest.fixture(scope="module")
def standing() -> SimpleNamespace:
    """The built-in model upright on two feet, each on half of the weight, and its muscles at rest."""
    from pipeline.osim.models.default_model import model_file_of
    from pipeline.osim.models.model import read_summary

    file, n = model_file_of(None), 8
    summary = read_summary(file)
    weight_n = sum(summary.body_mass_kg.values()) * 9.80665
    time_s, names = np.arange(n) / 100, tuple(coordinate.name for coordinate in summary.coordinates)

    def push(side: Side, z: float) -> FootWrench:
        force = np.tile([0.0, weight_n / 2, 0.0], (n, 1))
        return FootWrench(
            side=side,
            time_s=time_s,
            point_m=np.array([0.05, 0.0, z]),
            force_n=force,
            moment_nm=np.zeros((n, 3)),
            cop_m=np.tile([0.05, 0.0, z], (n, 1)),
            free_moment_nm=np.zeros(n),
            known=np.ones(n, dtype=bool),
            reason=np.full(n, ""),
        )

    n_muscles = len(summary.muscles)
    return SimpleNamespace(
        file=file,
        mass_kg=summary.body_mass_kg,
        weight_n=weight_n,
        motion=Coordinates(
            time_s=time_s,
            names=names,
            rotational=np.array([coordinate.rotational for coordinate in summary.coordinates]),
            values=np.zeros((n, len(names))),
        ),
        push=(push("right", 0.1), push("left", -0.1)),
        forces=MuscleForces(
            time_s=time_s,
            muscle_names=summary.muscles,
            activation=np.zeros((n, n_muscles)),
            force_n=np.zeros((n, n_muscles)),
            actuator_coordinates=(),
            actuator_force=np.zeros((n, 0)),
            converged=np.ones(n, dtype=bool),
            short_of=np.full(n, ""),
        ),
    )


@LAWS
@pytest.mark.parametrize("engine", sorted(ENGINES))
def test_in_quiet_standing_joints_carry_what_is_above_them(
    standing: SimpleNamespace, engine: str, mechanics: str
) -> None:
    solver = load_engine(engine)
    laid = solver.laid_muscles(standing.file, standing.motion, standing.forces, mechanics=mechanics)
    found = solver.joint_loads(
        standing.file,
        standing.motion,
        standing.push,
        laid,
        foot_bodies={"right": "calcn_r", "left": "calcn_l"},
        mechanics=mechanics,
    )
    assert found.joints == ("hip_r", "knee_r", "ankle_r", "hip_l", "knee_l", "ankle_l")
    beyond = {
        "hip": ("femur", "patella", "tibia", "talus", "calcn", "toes"),
        "knee": ("tibia", "talus", "calcn", "toes"),
        "ankle": ("talus", "calcn", "toes"),
    }
    for j, joint in enumerate(found.joints):
        name, _, side = joint.partition("_")
        below_n = 9.80665 * sum(standing.mass_kg[f"{body}_{side}"] for body in beyond[name])
        expected = np.tile([0.0, below_n - standing.weight_n / 2, 0.0], (8, 1))
        np.testing.assert_allclose(np.linalg.norm(found.in_distal_n[:, j], axis=1), -expected[:, 1], rtol=1e-5)
        if name == "hip":  # the pelvis stands upright: its axes are the ground's
            np.testing.assert_allclose(found.in_proximal_n[:, j], expected, rtol=1e-5, atol=1e-3)
