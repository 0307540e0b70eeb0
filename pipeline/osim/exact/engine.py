"""Engine `exact`: a model's mechanics in compiled code, and solves to their optimum.

OpenSim reads the model; frames are computed by `pipeline/mechanics/`. The same questions and records as engine `tools`,
without its files: a directory only receives OpenSim's log. What the recipe says about when an iteration may stop
(`accuracy`, `convergence_criterion`, `max_iterations`) concerns the tools; here every frame is solved to its optimum,
or not at all. Shapes: T frames, F free coordinates, U muscles, R actuators.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from pipeline.osim.balance import muscle_balance
from pipeline.osim.exact.inverse_dynamics import moments_of
from pipeline.osim.exact.inverse_kinematics import fit_markers
from pipeline.osim.exact.static_optimization import least_effort_forces
from pipeline.osim.inputs import require_cover, require_motion, tracked_markers
from pipeline.osim.joint_loads import joint_loads
from pipeline.osim.laid_muscles import laid_muscles, muscle_source
from pipeline.osim.log import tool_log
from pipeline.osim.models.loading_feet import feet_pressing, loading_feet
from pipeline.osim.models.shared_model import SharedModel, shared_model
from pipeline.osim.motion import differentiated
from pipeline.records import (
    Coordinates,
    CoordinateTask,
    FootWrench,
    GeneralizedForces,
    KinematicsResult,
    Markers,
    MuscleForces,
    Side,
)
from pipeline.session.recipe import InverseKinematicsSettings, MechanicsLaw, StaticOptimizationSettings

__all__ = [
    "feet_pressing",
    "inverse_dynamics",
    "inverse_kinematics",
    "joint_loads",
    "laid_muscles",
    "loading_feet",
    "muscle_balance",
    "muscle_source",
    "static_optimization",
]

_IK, _ID, _SO = "inverse_kinematics", "inverse_dynamics", "static_optimization"


def inverse_kinematics(
    model_file: Path,
    markers: Markers,
    *,
    marker_weights: Mapping[str, float],
    coordinate_tasks: Sequence[CoordinateTask] = (),
    settings: InverseKinematicsSettings,  # noqa: ARG001 - says when `tools` may stop
    directory: Path,
) -> KinematicsResult:
    """Pose the model at every frame so that its markers lie nearest the measured ones (least squares).

    Tracked are the markers with a positive weight that model and measurement both have; a NaN position is
    left out of its frame. Every frame is converged to about 1e-8 rad, whatever the settings allow the tool.
    Raises TrialRejected("inverse_kinematics", …) when a frame has fewer than three tracked markers.
    """
    with tool_log(directory, _IK):
        shared = shared_model(model_file)
        tracked = tracked_markers(markers, marker_weights, shared.summary)
        fit = fit_markers(shared, tracked, marker_weights, coordinate_tasks)
    coordinates = Coordinates(
        time_s=tracked.time_s, names=shared.names, rotational=_rotational(shared), values=fit.values
    )
    return KinematicsResult(coordinates=coordinates, marker_names=tracked.labels, marker_error_m=fit.marker_error_m)


def inverse_dynamics(
    model_file: Path,
    coordinates: Coordinates,
    wrenches: Sequence[FootWrench],
    *,
    foot_bodies: Mapping[Side, str],
    mechanics: MechanicsLaw,
    lowpass_hz: float | None = None,
    directory: Path,
) -> GeneralizedForces:
    """Net generalized forces, (T, Q) in the model's coordinate order, that the motion and the ground ask for.

    `lowpass_hz` is OpenSim's own zero-lag filter of the coordinates; None differentiates them as they are.
    The coordinates of the body against the ground are residuals. Raises TrialRejected("inverse_dynamics", …).
    """
    with tool_log(directory, _ID):
        shared = shared_model(model_file)
        require_motion(coordinates, shared.summary)
        require_cover(wrenches, coordinates.time_s)
        motion = differentiated(shared, coordinates, lowpass_hz, directory)
        values = moments_of(shared, motion, wrenches, foot_bodies, coordinates.time_s, mechanics)
    return GeneralizedForces(
        time_s=coordinates.time_s, names=shared.names, rotational=_rotational(shared), values=values
    )


def static_optimization(
    model_file: Path,
    coordinates: Coordinates,
    wrenches: Sequence[FootWrench],
    *,
    foot_bodies: Mapping[Side, str],
    mechanics: MechanicsLaw,
    lowpass_hz: float | None = None,
    settings: StaticOptimizationSettings,
    directory: Path,
) -> MuscleForces:
    """Muscle forces that make the measured motion with the least sum of activations to the exponent.

    Reserve and residual actuators are added wherever a free coordinate has no actuator. Force is the tendon's:
    active force at the length a stiff tendon leaves the fibre, times activation; with passive fibre force, what the
    fibre's passive force gives along the tendon is added, and activations need to make only the rest. Every frame is
    at its optimum, and balanced to 1e-8; one that no admissible activations can balance has `converged` False and
    says which coordinate falls shortest; one whose optimum was not reached has only that. ValueError for an exponent
    below 2.
    Raises TrialRejected("static_optimization", …) for actuators that act on no single coordinate.
    """
    with tool_log(directory, _SO):
        shared = shared_model(model_file)
        require_motion(coordinates, shared.summary)
        require_cover(wrenches, coordinates.time_s)
        motion = differentiated(shared, coordinates, lowpass_hz, directory)
        asked = moments_of(shared, motion, wrenches, foot_bodies, coordinates.time_s, mechanics)
        return least_effort_forces(
            shared, motion, asked, time_s=coordinates.time_s, settings=settings, mechanics=mechanics
        )


def _rotational(shared: SharedModel) -> np.ndarray:
    return np.array([coordinate.rotational for coordinate in shared.summary.coordinates])
