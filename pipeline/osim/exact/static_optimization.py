"""Static optimization of a motion in process: muscles' geometry from OpenSim, activations of least effort from numpy.

Shapes: T frames, Q coordinates in the model's order, F free ones, U muscles, R actuators.
"""

from dataclasses import dataclass

import numpy as np
import opensim as osim

from pipeline.osim.exact.effort import Effort, least_effort
from pipeline.osim.exact.inverse_dynamics import Motion
from pipeline.osim.exact.muscles import control_bounds, muscle_geometry, passive_tension, strongest_n
from pipeline.osim.inputs import require_known_actuators
from pipeline.osim.models.model import WIDE_CONTROL, coordinate_actuators, missing_actuators, scalar_actuators
from pipeline.osim.models.shared_model import SharedModel
from pipeline.records import MuscleForces
from pipeline.session.recipe import StaticOptimizationSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuators:
    """What drives single coordinates: which (R,), its force at full control (R,), and its bounds (R,) each."""

    coordinates: tuple[str, ...]
    optimal: np.ndarray
    low: np.ndarray
    high: np.ndarray


def least_effort_forces(
    shared: SharedModel,
    motion: Motion,
    asked: np.ndarray,
    *,
    time_s: np.ndarray,
    settings: StaticOptimizationSettings,
) -> MuscleForces:
    """Muscle and actuator forces that make the generalized forces `asked` (T, Q) with the least effort.

    Passive fibres give their force without effort; activations make what is left.
    """
    actuators = actuators_of(shared, settings)
    geometry = muscle_geometry(shared, motion.values, motion.speeds)
    full_n = geometry.full_n if settings.use_muscle_physiology else np.tile(strongest_n(shared), (len(asked), 1))
    passive_n = np.zeros(full_n.shape)
    if settings.passive_fibre_force:
        passive_n = passive_tension(shared, motion.values)
        asked = asked - np.matmul(passive_n[:, None], geometry.per_newton)[:, 0]
    gain, target = _equations(shared, motion.values, geometry.per_newton * full_n[..., None], actuators, asked)
    low, high = control_bounds(shared)
    effort = least_effort(
        gain, target, np.r_[low, actuators.low], np.r_[high, actuators.high], settings.activation_exponent
    )
    return _muscle_forces(shared, time_s, effort, full_n, passive_n, actuators)


def actuators_of(shared: SharedModel, settings: StaticOptimizationSettings) -> Actuators:
    """The model's own, in its order, and the reserves and residuals that it lacks. They aren't added to the model."""
    own = coordinate_actuators(shared.model)
    _require_no_others(shared, own)
    added = missing_actuators(shared.summary, settings)
    wide = np.full(len(added), WIDE_CONTROL)
    return Actuators(
        coordinates=(*(actuator.get_coordinate() for actuator in own), *added),
        optimal=np.array([*(actuator.getOptimalForce() for actuator in own), *added.values()]),
        low=np.r_[[actuator.getMinControl() for actuator in own], -wide],
        high=np.r_[[actuator.getMaxControl() for actuator in own], wide],
    )


def _require_no_others(shared: SharedModel, own: list[osim.CoordinateActuator]) -> None:
    names = [actuator.getName() for actuator in scalar_actuators(shared.model)]
    require_known_actuators(names, {a.getName(): a.get_coordinate() for a in own}, shared.summary)


def _equations(
    shared: SharedModel, poses: np.ndarray, muscles: np.ndarray, actuators: Actuators, asked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gain (T, F, U + R) of every control on every free coordinate, and what is asked there, (T, F).

    Constraints do no work: what a coupled coordinate is asked and given is its drivers', times its slope.
    """
    n_frames, n_coordinates = asked.shape
    driving = np.zeros((len(actuators.coordinates), n_coordinates))
    driven = [shared.names.index(name) for name in actuators.coordinates]
    driving[np.arange(len(driven)), driven] = actuators.optimal
    gain = np.concatenate([muscles, np.broadcast_to(driving, (n_frames, *driving.shape))], axis=1)
    target = asked.copy()
    slopes = shared.couplers.slopes(poses)
    slopes.fold(gain)
    slopes.fold(target)
    free = shared.free()
    return np.ascontiguousarray(gain[..., free].transpose(0, 2, 1)), target[:, free]


def _muscle_forces(
    shared: SharedModel,
    time_s: np.ndarray,
    effort: Effort,
    full_n: np.ndarray,
    passive_n: np.ndarray,
    actuators: Actuators,
) -> MuscleForces:
    n_muscles = full_n.shape[1]
    activation, control = effort.control[:, :n_muscles], effort.control[:, n_muscles:]
    driven = tuple(dict.fromkeys(actuators.coordinates))
    actuator_force = np.zeros((len(time_s), len(driven)))
    for column, name in enumerate(actuators.coordinates):
        actuator_force[:, driven.index(name)] += control[:, column] * actuators.optimal[column]
    shortest = np.abs(effort.shortfall).argmax(axis=1)
    free_names = np.array([shared.names[i] for i in shared.free()])
    return MuscleForces(
        time_s=time_s,
        muscle_names=shared.summary.muscles,
        activation=activation,
        force_n=activation * full_n + passive_n,
        actuator_coordinates=driven,
        actuator_force=actuator_force,
        converged=effort.solved,
        short_of=np.where(effort.impossible, free_names[shortest], ""),
    )
