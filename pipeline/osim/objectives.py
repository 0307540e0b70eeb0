"""What inverse kinematics and static optimization minimise, of anybody's answer: how good it is, frame by frame.

Whole objectives: of kinematics the held coordinates' terms too, of muscles the reserves' and residuals'.
Shapes: T frames, R actuated coordinates.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.osim.exact.inverse_kinematics import known_tasks
from pipeline.osim.exact.static_optimization import actuators_of
from pipeline.osim.models.shared_model import shared_model
from pipeline.records import CoordinateTask, KinematicsResult, MuscleForces
from pipeline.session.recipe import StaticOptimizationSettings


def marker_objective(
    model_file: Path, kinematics: KinematicsResult, weights: Mapping[str, float], tasks: Sequence[CoordinateTask]
) -> np.ndarray:
    """Σ w |marker − measured|² + Σ w (coordinate − value)², (T,); a missing marker adds nothing."""
    weight = np.array([weights[name] for name in kinematics.marker_names])
    objective: np.ndarray = np.nansum(weight * kinematics.marker_error_m**2, axis=1)
    shared = shared_model(model_file)
    for coordinate, task_weight, value in known_tasks(shared, tasks):
        objective += task_weight * (kinematics.coordinates.column(shared.names[coordinate]) - value) ** 2
    return objective


def muscle_effort(model_file: Path, forces: MuscleForces, settings: StaticOptimizationSettings) -> np.ndarray:
    """Σ |control|^exponent over muscles, reserves, residuals and the model's own actuators, (T,)."""
    actuators, exponent = actuators_of(shared_model(model_file), settings), settings.activation_exponent
    driven = np.array(actuators.coordinates)
    strength = np.array(
        [_joint_strength(actuators.optimal[driven == n], exponent) for n in forces.actuator_coordinates]
    )
    controls = np.hstack([forces.activation, forces.actuator_force / strength])
    effort: np.ndarray = (np.abs(controls) ** exponent).sum(axis=1)
    return effort


def _joint_strength(optimal: np.ndarray, exponent: float) -> float:
    """The strength of one actuator that costs what several on one coordinate cost together, at their best."""
    # Hölder's inequality: the least Σ c^p for Σ o c = F is (F / ‖o‖_q)^p with 1/p + 1/q = 1.
    return float(np.linalg.norm(optimal, ord=exponent / (exponent - 1)))
