from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.records import Coordinates, CoordinateTask, FootWrench, Markers

pytestmark = pytest.mark.osim
tools = pytest.importorskip("pipeline.osim.tools")

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


def track(model: Path, markers: Markers, directory: Path, **changes: object) -> tools.KinematicsResult:
    weights = dict.fromkeys(markers.labels, 1.0)
    settings = {"marker_weights": weights, "accuracy": 1e-9, "directory": directory} | changes
    return tools.inverse_kinematics(model, markers, **settings)


class TestInverseKinematics:
    def test_gives_back_the_angles_that_made_the_markers(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        found = track(pendulum, rotated(pendulum_kit.markers, angle_rad), tmp_path)
        np.testing.assert_allclose(found.coordinates.column("swing"), angle_rad, atol=1e-7)
        np.testing.assert_allclose(found.coordinates.column("pointer_angle"), 0.5 * angle_rad, atol=1e-7)
        assert found.marker_error_m.max() < 1e-6

    def test_a_missing_marker_is_left_out_not_read_as_zero(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        markers = rotated(pendulum_kit.markers, angle_rad)
        markers.positions_m[10:20, 1] = np.nan
        found = track(pendulum, markers, tmp_path)
        np.testing.assert_allclose(found.coordinates.column("swing"), angle_rad, atol=1e-7)
        column = found.marker_names.index(markers.labels[1])
        assert np.array_equal(np.isnan(found.marker_error_m[:, column]), (np.arange(40) >= 10) & (np.arange(40) < 20))
        assert np.isfinite(np.delete(found.marker_error_m, column, axis=1)).all()

    def test_the_error_is_the_distance_left(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        # Out of the pendulum's plane no angle can follow.
        markers = rotated(pendulum_kit.markers, angle_rad)
        markers.positions_m[:, 2, 2] += 0.03
        found = track(pendulum, markers, tmp_path)
        np.testing.assert_allclose(found.marker_error_m[:, 2], 0.03, atol=1e-6)

    def test_a_coordinate_task_pulls(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        held = CoordinateTask(name="swing", weight=1e6, value=0.1)
        found = track(pendulum, rotated(pendulum_kit.markers, angle_rad), tmp_path, coordinate_tasks=[held])
        np.testing.assert_allclose(found.coordinates.column("swing"), 0.1, atol=1e-4)

    def test_markers_without_weight_or_measurement_are_not_tracked(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        markers = rotated({**pendulum_kit.markers, "stranger": (9.0, 9.0, 9.0)}, angle_rad)
        weights = {"tip": 1.0, "front": 1.0, "back": 2.0, "side": 0.0, "stranger": 1.0, "absent": 1.0}
        found = track(pendulum, markers, tmp_path, marker_weights=weights)
        assert found.marker_names == ("tip", "front", "back")

    def test_frames_that_show_too_little_are_refused(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        markers = rotated(pendulum_kit.markers, angle_rad)
        markers.positions_m[7:9, :2] = np.nan
        with pytest.raises(TrialRejected, match=r"2 frames have fewer than 3 tracked markers, the first at 0\.070 s"):
            track(pendulum, markers, tmp_path)

    def test_a_profile_for_another_recording_is_refused(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, angle_rad: np.ndarray, tmp_path: Path
    ) -> None:
        markers = rotated({"other": (0.0, 0.0, 0.0), "tip": (0.0, 0.0, 0.0)}, angle_rad)
        with pytest.raises(TrialRejected, match=r"only 1 markers \(tip\)"):
            track(pendulum, markers, tmp_path)


def moments(
    model: Path,
    coordinates: Coordinates,
    wrenches: list[FootWrench],
    directory: Path,
    lowpass_hz: float | None = None,
) -> np.ndarray:
    found = tools.inverse_dynamics(
        model, coordinates, wrenches, foot_bodies=FEET, lowpass_hz=lowpass_hz, directory=directory
    )
    assert found.names == ("swing", "pointer_angle")
    return found.column("swing")


class TestInverseDynamics:
    def test_a_held_pendulum_asks_for_its_weights_moment(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        found = moments(pendulum, pendulum_kit.swing(np.full(20, 0.4)), [], tmp_path)
        expected = pendulum_kit.weight_n * pendulum_kit.length_m * np.sin(0.4)
        np.testing.assert_allclose(found, expected, rtol=1e-7)

    def test_a_swinging_one_for_its_inertia_too(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        time_s = np.arange(100) / 100
        angle = 0.3 * np.sin(5 * time_s)
        found = moments(pendulum, pendulum_kit.swing(angle), [], tmp_path)
        expected = pendulum_kit.mass_kg * pendulum_kit.length_m**2 * -25 * angle
        expected += pendulum_kit.weight_n * pendulum_kit.length_m * np.sin(angle)
        np.testing.assert_allclose(found[10:-10], expected[10:-10], atol=1e-4)

    def test_a_wrench_about_any_point_acts_where_it_was_measured(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        held = pendulum_kit.swing(np.full(20, 0.4))
        force, at = (3.0, 20.0, -4.0), (0.15, -0.45, 0.1)
        found = moments(pendulum, held, [pendulum_kit.push(held.time_s, force, at)], tmp_path)
        helped = at[0] * force[1] - at[1] * force[0]  # its moment about the pin's axis
        expected = pendulum_kit.weight_n * pendulum_kit.length_m * np.sin(0.4) - helped
        np.testing.assert_allclose(found, expected, rtol=1e-7)

    def test_forces_may_be_sampled_more_densely(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        held = pendulum_kit.swing(np.full(20, 0.4))
        dense_s = np.linspace(-0.1, 0.4, 1001)
        force, at = (3.0, 20.0, -4.0), (0.15, -0.45, 0.1)
        dense = moments(pendulum, held, [pendulum_kit.push(dense_s, force, at)], tmp_path / "dense")
        same = moments(pendulum, held, [pendulum_kit.push(held.time_s, force, at)], tmp_path / "same")
        np.testing.assert_allclose(dense, same, rtol=1e-9)

    def test_the_tools_filter_takes_out_what_lies_above_it(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        noisy = pendulum_kit.swing(0.4 + 0.01 * np.sin(2 * np.pi * 30 * np.arange(100) / 100))
        expected = pendulum_kit.weight_n * pendulum_kit.length_m * np.sin(0.4)
        assert np.abs(moments(pendulum, noisy, [], tmp_path) - expected).max() > 100
        filtered = moments(pendulum, noisy, [], tmp_path, lowpass_hz=6.0)
        np.testing.assert_allclose(filtered[20:-20], expected, rtol=0.02)

    def test_uncovered_or_broken_input_is_the_callers_fault(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        held = pendulum_kit.swing(np.full(20, 0.4))
        short = pendulum_kit.push(held.time_s[:-3], (0, 1, 0), (0, 0, 0))
        with pytest.raises(ValueError, match="the force would be guessed"):
            moments(pendulum, held, [short], tmp_path)
        held.values[3, 0] = np.nan
        with pytest.raises(ValueError, match="swing hold NaN"):
            moments(pendulum, held, [], tmp_path)

    def test_what_the_tool_says_is_the_reason(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        held = pendulum_kit.swing(np.full(20, 0.4))
        push = pendulum_kit.push(held.time_s, (0, 1, 0), (0, 0, 0))
        with pytest.raises(TrialRejected, match=r"inverse_dynamics: .*Could not find body 'nobody'"):
            tools.inverse_dynamics(
                pendulum, held, [push], foot_bodies={"right": "nobody"}, lowpass_hz=None, directory=tmp_path
            )


class TestStaticOptimization:
    def solve(self, model: Path, coordinates: Coordinates, directory: Path, **changes: object) -> tools.MuscleForces:
        settings = EFFORT | {"convergence_criterion": 1e-8} | changes
        return tools.static_optimization(
            model, coordinates, [], foot_bodies=FEET, lowpass_hz=None, directory=directory, **settings
        )

    def test_the_muscle_that_can_hold_the_weight_does(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        angle = 0.4
        found = self.solve(pendulum, pendulum_kit.swing(np.full(12, angle)), tmp_path)
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

    def test_frames_the_optimizer_gave_up_on_say_so(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
    ) -> None:
        found = self.solve(pendulum, pendulum_kit.swing(np.full(12, 0.4)), tmp_path, max_iterations=2)
        assert not found.converged.any()

    def test_stiff_tendons_change_no_force(
        self, pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        moving = pendulum_kit.swing(0.3 * np.sin(np.arange(30) / 6))
        stiff = self.solve(pendulum, moving, tmp_path / "stiff")
        monkeypatch.setattr(tools, "ignore_tendon_compliance", lambda model: None)
        elastic = self.solve(pendulum, moving, tmp_path / "elastic")
        np.testing.assert_allclose(stiff.force_n, elastic.force_n, atol=1e-6)


def test_nothing_lands_in_the_working_directory(
    pendulum: Path, pendulum_kit: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty = tmp_path / "here"
    empty.mkdir()
    monkeypatch.chdir(empty)
    held = pendulum_kit.swing(np.full(8, 0.2))
    moments(pendulum, held, [], tmp_path / "id")
    with pytest.raises(TrialRejected):
        tools.inverse_dynamics(
            pendulum,
            held,
            [pendulum_kit.push(held.time_s, (0, 1, 0), (0, 0, 0))],
            foot_bodies={"right": "nobody"},
            lowpass_hz=None,
            directory=tmp_path / "failed",
        )
    assert Path.cwd() == empty
    assert not list(empty.iterdir())
    assert "InverseDynamicsTool" in (tmp_path / "id" / "opensim.log").read_text()
    assert "nobody" in (tmp_path / "failed" / "opensim.log").read_text()
    assert "nobody" not in (tmp_path / "id" / "opensim.log").read_text()
