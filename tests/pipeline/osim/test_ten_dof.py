"""Any model: both engines on a planar walker with Thelen's muscles and sliding knees."""

from pathlib import Path

import numpy as np
import pytest

from pipeline.osim.engines import load_engine
from pipeline.records import Coordinates, FootWrench, Markers
from tests.pipeline.osim.settings import effort_settings, ik_settings

pytestmark = pytest.mark.osim
pytest.importorskip("opensim")

FEET = {"right": "foot_r"}
WEIGHT_N = 700.0


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.pipeline.osim.ten_dof import build_ten_dof

    return build_ten_dof(tmp_path_factory.mktemp("ten_dof") / "ten_dof.osim")


def motion(names: tuple[str, ...]) -> Coordinates:
    """Forty frames of one leg under the body while the other swings."""
    t = np.arange(40) / 100
    columns = {
        "pelvis_tilt": 0.05 * np.sin(6 * t),
        "pelvis_tx": 1.2 * t,
        "pelvis_ty": 0.93 + 0.01 * np.cos(12 * t),
        "lumbar_extension": -0.1 + 0.03 * np.sin(6 * t),
        "hip_flexion_r": 0.4 - 1.2 * t,
        "knee_angle_r": -0.15 - 0.1 * np.sin(8 * t),
        "ankle_angle_r": -0.05 + 0.4 * t,
        "hip_flexion_l": -0.3 + 1.6 * t,
        "knee_angle_l": -0.9 + 0.3 * np.cos(7 * t),
        "ankle_angle_l": 0.1 * np.cos(5 * t),
    }
    return Coordinates(
        time_s=t,
        names=names,
        rotational=np.array([name not in ("pelvis_tx", "pelvis_ty") for name in names]),
        values=np.column_stack([columns[name] for name in names]),
    )


def standing(time_s: np.ndarray) -> FootWrench:
    """The ground carries a body's weight through a place that travels along the right foot."""
    n = len(time_s)
    point = np.column_stack([0.28 + 0.3 * time_s, np.zeros(n), np.full(n, 0.08)])
    force = np.tile([-20.0, WEIGHT_N, 0.0], (n, 1))
    return FootWrench(
        side="right",
        time_s=time_s,
        point_m=np.zeros(3),
        force_n=force,
        moment_nm=np.cross(point, force),
        cop_m=point,
        free_moment_nm=np.zeros(n),
        known=np.ones(n, dtype=bool),
        reason=np.full(n, ""),
    )


@pytest.fixture(scope="module")
def walked(walker: Path) -> tuple[Coordinates, Markers]:
    """The motion, and where it takes the markers."""
    from pipeline.osim.models.mechanics import Mechanics

    mechanics = Mechanics(walker)
    made = motion(mechanics.names)
    stations = mechanics.marker_stations()
    positions = mechanics.positions_m(made.values, list(stations.values()))
    return made, Markers(time_s=made.time_s, rate_hz=100.0, labels=tuple(stations), positions_m=positions)


def test_it_has_ten_degrees_of_freedom_and_eighteen_muscles(walker: Path) -> None:
    from pipeline.osim.models.shared_model import shared_model

    shared = shared_model(walker)
    assert len(shared.skeleton.free) == len(shared.names) == 10
    assert len(shared.summary.muscles) == 18


def test_kinematics_of_noisy_markers_agree(walker: Path, walked: tuple[Coordinates, Markers], tmp_path: Path) -> None:
    made, markers = walked
    noise = np.random.default_rng(0).normal(scale=0.005, size=markers.positions_m.shape)
    noisy = Markers(
        time_s=markers.time_s, rate_hz=100.0, labels=markers.labels, positions_m=markers.positions_m + noise
    )
    found = {}
    for engine, asked in (("clean", markers), ("exact", noisy), ("tools", noisy)):
        found[engine] = load_engine("exact" if engine == "clean" else engine).inverse_kinematics(
            walker,
            asked,
            marker_weights=dict.fromkeys(markers.labels, 1.0),
            settings=ik_settings(1e-9),
            directory=tmp_path / engine,
        )
    np.testing.assert_allclose(found["clean"].coordinates.values, made.values, atol=1e-8)
    ours, theirs = found["exact"], found["tools"]
    np.testing.assert_allclose(ours.coordinates.values, theirs.coordinates.values, atol=1e-5)
    cost, their_cost = ((one.marker_error_m**2).sum(axis=1) for one in (ours, theirs))
    assert (cost <= their_cost * (1 + 1e-6)).all()


def test_moments_and_muscles_agree(walker: Path, walked: tuple[Coordinates, Markers], tmp_path: Path) -> None:
    from tests.parity.tool_effort import controls, optimal_forces
    from tests.pipeline.osim.laid import balance_by

    made, push = walked[0], [standing(walked[0].time_s)]
    some, moments, forces = made.cut(slice(16, 24)), {}, {}
    for engine in ("exact", "tools"):
        moments[engine] = load_engine(engine).inverse_dynamics(
            walker, some, push, foot_bodies=FEET, mechanics="opensim", directory=tmp_path / engine
        )
        forces[engine] = load_engine(engine).static_optimization(
            walker,
            some,
            push,
            foot_bodies=FEET,
            mechanics="opensim",
            settings=effort_settings(
                activation_exponent=2,
                use_muscle_physiology=True,
                reserve_optimal_nm=10.0,
                residual_optimal_n=10.0,
                residual_optimal_nm=10.0,
                convergence_criterion=1e-8,
                max_iterations=300,
            ),
            directory=tmp_path / engine,
        )
    ours, theirs = forces["exact"], forces["tools"]
    assert np.abs(moments["exact"].values - moments["tools"].values).max() <= 1e-3
    assert ours.converged.all()
    assert np.abs(balance_by(walker, some, moments["exact"], ours, "opensim").values).max() <= 1e-8
    assert np.sqrt(((ours.force_n - theirs.force_n) ** 2).mean()) <= 0.1
    optimal = optimal_forces(theirs, 10.0, 10.0)
    effort, their_effort = ((controls(one, optimal) ** 2).sum(axis=1) for one in (ours, theirs))
    assert (effort <= their_effort * (1 + 1e-3)).all()  # what the tool's slack in its equations saves it
    assert (ours.activation > 0.05).any(), "muscles have work to do"
