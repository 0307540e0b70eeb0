import inspect
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.osim.engines import ENGINES, load_engine
from pipeline.records import Coordinates, CoordinateTask, FootWrench, KinematicsResult, Markers, MuscleForces
from pipeline.solving.engine import Engine
from tests.pipeline.osim.settings import effort_settings, ik_settings

FEET = {"right": "bob", "left": "bob"}
EFFORT = {
    "activation_exponent": 2,
    "use_muscle_physiology": True,
    "reserve_optimal_nm": 1.0,
    "residual_optimal_n": 1.0,
    "residual_optimal_nm": 1e-3,
    "max_iterations": 200,
}


def rotated(points_m: dict[str, tuple[float, float, float]], angle_rad: np.ndarray) -> Markers:
    """Where points of the bob are at each swing angle: turned about z."""
    cos, sin = np.cos(angle_rad), np.sin(angle_rad)
    x, y, z = np.array(list(points_m.values())).T
    positions = np.stack(
        [
            np.outer(cos, x) - np.outer(sin, y),
            np.outer(sin, x) + np.outer(cos, y),
            np.outer(np.ones_like(cos), z),
        ],
        2,
    )
    time_s = np.arange(len(angle_rad)) / 100
    return Markers(time_s=time_s, rate_hz=100.0, labels=tuple(points_m), positions_m=positions)


@pytest.fixture
def angle_rad() -> np.ndarray:
    return 0.4 * np.sin(np.arange(40) / 8)


def track(engine: Engine, model: Path, markers: Markers, directory: Path, **changes: object) -> KinematicsResult:
    weights = dict.fromkeys(markers.labels, 1.0)
    settings = {"marker_weights": weights, "settings": ik_settings(1e-9), "directory": directory} | changes
    return engine.inverse_kinematics(model, markers, **settings)


@pytest.fixture(params=sorted(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    return load_engine(request.param)


def test_an_unknown_engine_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'magic' is unknown.*tools"):
        load_engine("magic")


@pytest.mark.osim
@pytest.mark.parametrize("name", sorted(ENGINES))
def test_every_engine_has_the_same_interface(name: str) -> None:
    engine = load_engine(name)
    for solve in (
        "inverse_kinematics",
        "inverse_dynamics",
        "static_optimization",
        "laid_muscles",
        "muscle_balance",
        "joint_loads",
        "muscle_source",
        "loading_feet",
        "feet_pressing",
    ):
        wanted = list(inspect.signature(getattr(Engine, solve)).parameters.values())[1:]
        assert list(inspect.signature(getattr(engine, solve)).parameters.values()) == wanted


def test_naming_the_engines_does_not_load_opensim() -> None:
    code = "import sys, pipeline.osim.engines, pipeline.osim.version; sys.exit('opensim' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.osim
class TestInverseKinematics:
    def test_gives_back_the_angles_that_made_the_markers(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        found = track(engine, pendulum, rotated(pendulum_kit.markers, angle_rad), tmp_path)
        np.testing.assert_allclose(found.coordinates.column("swing"), angle_rad, atol=1e-7)
        np.testing.assert_allclose(found.coordinates.column("pointer_angle"), 0.5 * angle_rad, atol=1e-7)
        assert found.marker_error_m.max() < 1e-6

    def test_a_missing_marker_is_left_out_not_read_as_zero(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        markers = rotated(pendulum_kit.markers, angle_rad)
        markers.positions_m[10:20, 1] = np.nan
        found = track(engine, pendulum, markers, tmp_path)
        np.testing.assert_allclose(found.coordinates.column("swing"), angle_rad, atol=1e-7)
        column = found.marker_names.index(markers.labels[1])
        assert np.array_equal(np.isnan(found.marker_error_m[:, column]), (np.arange(40) >= 10) & (np.arange(40) < 20))
        assert np.isfinite(np.delete(found.marker_error_m, column, axis=1)).all()

    def test_the_error_is_the_distance_left(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        # Out of the pendulum's plane no angle can follow.
        markers = rotated(pendulum_kit.markers, angle_rad)
        markers.positions_m[:, 2, 2] += 0.03
        found = track(engine, pendulum, markers, tmp_path)
        np.testing.assert_allclose(found.marker_error_m[:, 2], 0.03, atol=1e-6)

    def test_a_coordinate_task_pulls(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        held = CoordinateTask(name="swing", weight=1e6, value=0.1)
        found = track(engine, pendulum, rotated(pendulum_kit.markers, angle_rad), tmp_path, coordinate_tasks=[held])
        np.testing.assert_allclose(found.coordinates.column("swing"), 0.1, atol=1e-4)

    def test_markers_without_weight_or_measurement_are_not_tracked(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        markers = rotated({**pendulum_kit.markers, "stranger": (9.0, 9.0, 9.0)}, angle_rad)
        weights = {"tip": 1.0, "front": 1.0, "back": 2.0, "side": 0.0, "stranger": 1.0, "absent": 1.0}
        found = track(engine, pendulum, markers, tmp_path, marker_weights=weights)
        assert found.marker_names == ("tip", "front", "back")

    def test_frames_that_show_too_little_are_refused(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        markers = rotated(pendulum_kit.markers, angle_rad)
        markers.positions_m[7:9, :2] = np.nan
        with pytest.raises(TrialRejected, match=r"2 frames have fewer than 3 tracked markers, the first at 0\.070 s"):
            track(engine, pendulum, markers, tmp_path)

    def test_a_profile_for_another_recording_is_refused(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        markers = rotated({"other": (0.0, 0.0, 0.0), "tip": (0.0, 0.0, 0.0)}, angle_rad)
        with pytest.raises(TrialRejected, match=r"only 1 markers \(tip\)"):
            track(engine, pendulum, markers, tmp_path)


def moments(
    engine: Engine,
    model: Path,
    coordinates: Coordinates,
    wrenches: list[FootWrench],
    directory: Path,
    lowpass_hz: float | None = None,
) -> np.ndarray:
    found = engine.inverse_dynamics(
        model,
        coordinates,
        wrenches,
        foot_bodies=FEET,
        mechanics="corrected",
        lowpass_hz=lowpass_hz,
        directory=directory,
    )
    assert found.names == ("swing", "pointer_angle")
    return found.column("swing")


@pytest.mark.osim
class TestInverseDynamics:
    def test_a_held_pendulum_asks_for_its_weights_moment(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        found = moments(engine, pendulum, pendulum_kit.swing(np.full(20, 0.4)), [], tmp_path)
        expected = pendulum_kit.weight_n * pendulum_kit.length_m * np.sin(0.4)
        np.testing.assert_allclose(found, expected, rtol=1e-7)

    def test_a_swinging_one_for_its_inertia_too(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        time_s = np.arange(100) / 100
        angle = 0.3 * np.sin(5 * time_s)
        found = moments(engine, pendulum, pendulum_kit.swing(angle), [], tmp_path)
        expected = pendulum_kit.mass_kg * pendulum_kit.length_m**2 * -25 * angle
        expected += pendulum_kit.weight_n * pendulum_kit.length_m * np.sin(angle)
        np.testing.assert_allclose(found[10:-10], expected[10:-10], atol=1e-4)

    def test_a_wrench_about_any_point_acts_where_it_was_measured(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        held = pendulum_kit.swing(np.full(20, 0.4))
        force, at = (3.0, 20.0, -4.0), (0.15, -0.45, 0.1)
        found = moments(engine, pendulum, held, [pendulum_kit.push(held.time_s, force, at)], tmp_path)
        helped = at[0] * force[1] - at[1] * force[0]  # its moment about the pin's axis
        expected = pendulum_kit.weight_n * pendulum_kit.length_m * np.sin(0.4) - helped
        np.testing.assert_allclose(found, expected, rtol=1e-7)

    def test_forces_may_be_sampled_more_densely(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        held = pendulum_kit.swing(np.full(20, 0.4))
        dense_s = np.linspace(-0.1, 0.4, 1001)
        force, at = (3.0, 20.0, -4.0), (0.15, -0.45, 0.1)
        dense = moments(engine, pendulum, held, [pendulum_kit.push(dense_s, force, at)], tmp_path / "dense")
        same = moments(engine, pendulum, held, [pendulum_kit.push(held.time_s, force, at)], tmp_path / "same")
        np.testing.assert_allclose(dense, same, rtol=1e-9)

    def test_the_tools_filter_takes_out_what_lies_above_it(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        noisy = pendulum_kit.swing(0.4 + 0.01 * np.sin(2 * np.pi * 30 * np.arange(100) / 100))
        expected = pendulum_kit.weight_n * pendulum_kit.length_m * np.sin(0.4)
        assert np.abs(moments(engine, pendulum, noisy, [], tmp_path) - expected).max() > 100
        filtered = moments(engine, pendulum, noisy, [], tmp_path, lowpass_hz=6.0)
        np.testing.assert_allclose(filtered[20:-20], expected, rtol=0.02)

    def test_uncovered_or_broken_input_is_the_callers_fault(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        held = pendulum_kit.swing(np.full(20, 0.4))
        short = pendulum_kit.push(held.time_s[:-3], (0, 1, 0), (0, 0, 0))
        with pytest.raises(ValueError, match="the force would be guessed"):
            moments(engine, pendulum, held, [short], tmp_path)
        held.values[3, 0] = np.nan
        with pytest.raises(ValueError, match="swing hold NaN"):
            moments(engine, pendulum, held, [], tmp_path)


@pytest.mark.osim
class TestStaticOptimization:
    def solve(
        self, engine: Engine, model: Path, coordinates: Coordinates, directory: Path, **changes: object
    ) -> MuscleForces:
        settings = effort_settings(**EFFORT | {"convergence_criterion": 1e-8} | changes)
        return engine.static_optimization(
            model, coordinates, [], foot_bodies=FEET, mechanics="corrected", settings=settings, directory=directory
        )

    def test_a_muscle_that_is_switched_off_is_refused_by_name(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        text = pendulum.read_text()
        assert text.count('<Millard2012EquilibriumMuscle name="back">') == 1
        head, tail = text.split('<Millard2012EquilibriumMuscle name="back">')
        off = "<appliesForce>false</appliesForce>"
        tail = tail.replace("<appliesForce>true</appliesForce>", off, 1) if "appliesForce" in tail else off + tail
        model = tmp_path / "off.osim"
        model.write_text(f'{head}<Millard2012EquilibriumMuscle name="back">{tail}')

        with pytest.raises(TrialRejected, match=r"apply no force \(appliesForce false\): back"):
            self.solve(engine, model, pendulum_kit.swing(np.full(12, 0.4)), tmp_path / "so")

    def test_the_muscle_that_can_hold_the_weight_does(
        self, engine: Engine, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        angle = 0.4
        found = self.solve(engine, pendulum, pendulum_kit.swing(np.full(12, angle)), tmp_path)
        assert found.converged.all()
        assert found.muscle_names == ("front", "back")
        np.testing.assert_allclose(found.activation[:, 1], 0.01, atol=1e-4)  # the other rests at its smallest control
        x, y, _ = pendulum_kit.insertion_m
        insertion = np.array([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle), 0])
        arms = []
        for origin in pendulum_kit.muscles.values():
            pull = (np.array(origin) - insertion) / np.linalg.norm(np.array(origin) - insertion)
            arms.append(np.cross(insertion, pull)[2])
        made = found.force_n @ arms + found.actuator_force[:, 0]
        np.testing.assert_allclose(made, pendulum_kit.weight_n * pendulum_kit.length_m * np.sin(angle), rtol=1e-6)
        assert np.abs(found.actuator_force).max() < 0.01


CURVE = (0.6, -0.8, 0.2)  # pointer = 0.6 swing² - 0.8 swing + 0.2: no line, and nowhere of slope one here


@pytest.mark.osim
class TestCurvedCoupler:
    """The pointer made heavy and tied to the swing by a parabola: its weight is the swing's, times the slope there."""

    @pytest.fixture
    def bent(self, pendulum: Path, tmp_path: Path) -> Path:
        osim = pytest.importorskip("opensim")
        model = osim.Model(str(pendulum))
        pointer = model.updBodySet().get("pointer")
        pointer.setMass(3.0)
        pointer.setMassCenter(osim.Vec3(0, -0.2, 0))
        coupler = osim.CoordinateCouplerConstraint.safeDownCast(model.updConstraintSet().get(0))
        function = osim.PolynomialFunction(osim.Vector.createFromMat(np.array(CURVE)))
        coupler.setFunction(function)
        model.finalizeConnections()
        file = tmp_path / "bent.osim"
        model.printToXML(str(file))
        return file

    @staticmethod
    def held(angle: float) -> Coordinates:
        values = np.tile([angle, np.polyval(CURVE, angle)], (8, 1))
        return Coordinates(
            time_s=np.arange(8) / 100,
            names=("swing", "pointer_angle"),
            rotational=np.array([True, True]),
            values=values,
        )

    def test_kinematics_follow_the_curve(
        self, engine: Engine, bent: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        angle = 0.3 + 0.2 * np.sin(np.arange(10) / 5)
        found = track(engine, bent, rotated(pendulum_kit.markers, angle), tmp_path)
        np.testing.assert_allclose(found.coordinates.column("swing"), angle, atol=1e-7)
        np.testing.assert_allclose(found.coordinates.column("pointer_angle"), np.polyval(CURVE, angle), atol=1e-6)

    @pytest.mark.parametrize("angle", [-0.3, 0.9])
    def test_muscles_carry_what_hangs_on_the_coupled_coordinate(
        self, engine: Engine, bent: Path, pendulum_kit: SimpleNamespace, angle: float, tmp_path: Path
    ) -> None:
        found = engine.static_optimization(
            bent,
            self.held(angle),
            [],
            foot_bodies=FEET,
            mechanics="corrected",
            settings=effort_settings(**EFFORT | {"convergence_criterion": 1e-8, "residual_optimal_nm": 10.0}),
            directory=tmp_path,
        )
        x, y, _ = pendulum_kit.insertion_m
        at = np.array([x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle), 0])
        pulls = [np.array(origin) - at for origin in pendulum_kit.muscles.values()]
        arms = [np.cross(at, pull)[2] / np.linalg.norm(pull) for pull in pulls]
        made = found.force_n @ arms + found.actuator_force[:, found.actuator_coordinates.index("swing")]
        # The slope of both weights' height over the swing.
        tilt, slope = angle + np.polyval(CURVE, angle), np.polyval(np.polyder(CURVE), angle)
        g = pendulum_kit.weight_n / pendulum_kit.mass_kg
        hung = (pendulum_kit.mass_kg + 3.0) * pendulum_kit.length_m * np.sin(angle)
        expected = g * (hung + 3.0 * 0.2 * np.sin(tilt) * (1 + slope))
        np.testing.assert_allclose(made, expected, rtol=1e-5)
