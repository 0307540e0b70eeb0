from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.records import CoordinateTask, KinematicsResult, MuscleForces
from tests.pipeline.osim.settings import effort_settings

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
objectives = pytest.importorskip("pipeline.osim.objectives")


def test_held_coordinates_count_and_missing_markers_do_not(pendulum: Path, pendulum_kit: SimpleNamespace) -> None:
    found = KinematicsResult(
        coordinates=pendulum_kit.swing(np.array([0.1, 0.2])),
        marker_names=("tip", "front"),
        marker_error_m=np.array([[0.3, 0.1], [np.nan, 0.2]]),
    )
    tasks = [CoordinateTask(name="swing", weight=5.0, value=0.4), CoordinateTask(name="swing", weight=1.0, value=None)]
    objective = objectives.marker_objective(pendulum, found, {"tip": 2.0, "front": 1.0}, tasks)
    markers = np.array([2 * 0.09 + 0.01, 0.04])
    held = 5 * np.array([0.3, 0.2]) ** 2 + np.array([0.1, 0.2]) ** 2  # the default is zero
    np.testing.assert_allclose(objective, markers + held, rtol=1e-12)


def forces(actuator_force: float) -> MuscleForces:
    return MuscleForces(
        time_s=np.zeros(1),
        muscle_names=("front", "back"),
        activation=np.array([[0.1, 0.2]]),
        force_n=np.array([[100.0, 200.0]]),
        actuator_coordinates=("swing",),
        actuator_force=np.array([[actuator_force]]),
        converged=np.ones(1, dtype=bool),
        short_of=np.full(1, ""),
    )


def test_residuals_cost_what_their_strength_says(pendulum: Path) -> None:
    settings = effort_settings(
        activation_exponent=3, reserve_optimal_nm=1.0, residual_optimal_n=1.0, residual_optimal_nm=10.0
    )
    effort = objectives.muscle_effort(pendulum, forces(-3.0), settings)
    np.testing.assert_allclose(effort, [0.1**3 + 0.2**3 + 0.3**3], rtol=1e-12)


@pytest.mark.parametrize("exponent", [2, 3])
def test_actuators_on_one_coordinate_cost_what_their_best_division_costs(
    pendulum: Path, tmp_path: Path, exponent: int
) -> None:
    model = osim.Model(str(pendulum))
    for name, strength in (("weak", 10.0), ("strong", 30.0)):
        actuator = osim.CoordinateActuator("swing")
        actuator.setName(name)
        actuator.setOptimalForce(strength)
        model.addForce(actuator)
    model.finalizeConnections()
    file = tmp_path / "two.osim"
    model.printToXML(str(file))
    settings = effort_settings(
        activation_exponent=exponent, reserve_optimal_nm=1.0, residual_optimal_n=1.0, residual_optimal_nm=1.0
    )
    effort = objectives.muscle_effort(file, forces(8.0), settings)
    share = np.linspace(-1, 1, 400_001)  # what the weak one's control may be, the other making the rest
    both = np.abs(share) ** exponent + np.abs((8 - 10 * share) / 30) ** exponent
    np.testing.assert_allclose(effort, 0.1**exponent + 0.2**exponent + both.min(), rtol=1e-9)
