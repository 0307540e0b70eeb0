"""Static optimization of a motion: the equations of muscles and actuators, and the controls of least effort.

Shapes: T frames, Q coordinates in the model's order, F free ones, U muscles, R actuators.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.mechanics.arrays import Fibres, Paths
from pipeline.mechanics.bodies.poses import coupling_slopes
from pipeline.mechanics.muscles.blocks import entry_places
from pipeline.mechanics.muscles.effort import LeastEffort, least_effort_in_blocks
from pipeline.mechanics.muscles.equations import Equations, equations_of_any, gain_and_target, moved_coordinates
from pipeline.mechanics.muscles.fibres import fibre_tensions
from pipeline.mechanics.muscles.static_optimization import FrameEquations, MuscleLaw, frame_equations
from pipeline.osim.asking.muscles import asked_muscles, asked_passive_tension, point_paths
from pipeline.osim.inputs import require_known_actuators
from pipeline.osim.models.model import WIDE_CONTROL, coordinate_actuators, missing_actuators, scalar_actuators
from pipeline.osim.models.shared_model import SharedModel
from pipeline.osim.motion import Motion
from pipeline.records import MuscleForces
from pipeline.session.recipe import MechanicsLaw, StaticOptimizationSettings

# So many frames are solved at a time: a long walk's equations would take more memory than its results.
_BLOCK_FRAMES = 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Actuators:
    """What drives single coordinates: which (R,), its force at full control (R,), and its bounds (R,) each."""

    coordinates: tuple[str, ...]
    optimal: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class _Problem:
    """What is the same in every frame. `paths` or `fibres` is None where OpenSim is asked. low and high: (U + R,)."""

    paths: Paths | None
    fibres: Fibres | None
    actuators: Actuators
    low: np.ndarray
    high: np.ndarray
    equations: Equations
    law: MuscleLaw


def least_effort_forces(
    shared: SharedModel,
    motion: Motion,
    asked: np.ndarray,
    *,
    time_s: np.ndarray,
    settings: StaticOptimizationSettings,
    mechanics: MechanicsLaw,
) -> MuscleForces:
    """Muscle and actuator forces that make the generalized forces `asked` (T, Q) with the least effort.

    Passive fibres give their force without effort; activations make what is left.
    """
    problem = shared.once(("effort", settings, mechanics), lambda: _problem(shared, settings, mechanics))
    parts = []
    for first in range(0, len(time_s), _BLOCK_FRAMES):
        block = slice(first, first + _BLOCK_FRAMES)
        frames = _frame_equations(shared, problem, motion.values[block], motion.speeds[block], asked[block])
        _require_forces(shared, frames, time_s[block])
        effort = least_effort_in_blocks(
            problem.equations.blocks,
            frames.entry,
            frames.target,
            problem.low,
            problem.high,
            settings.activation_exponent,
        )
        parts.append(_muscle_forces(shared, time_s[block], effort, frames, problem.actuators))
    return _joined(parts)


def actuators_of(shared: SharedModel, settings: StaticOptimizationSettings) -> Actuators:
    """The model's own, in its order, and the reserves and residuals that it lacks. They aren't added to the model."""
    own = coordinate_actuators(shared.model)
    names = [actuator.getName() for actuator in scalar_actuators(shared.model)]
    require_known_actuators(names, {a.getName(): a.get_coordinate() for a in own}, shared.summary)
    added = missing_actuators(shared.summary, settings)
    wide = np.full(len(added), WIDE_CONTROL)
    return Actuators(
        coordinates=(*(actuator.get_coordinate() for actuator in own), *added),
        optimal=np.array([*(actuator.getOptimalForce() for actuator in own), *added.values()]),
        low=np.r_[[actuator.getMinControl() for actuator in own], -wide],
        high=np.r_[[actuator.getMaxControl() for actuator in own], wide],
    )


def control_bounds(shared: SharedModel) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest control of each muscle, (U,) each, as the model has them."""
    muscles = shared.model.getMuscles()
    every = [muscles.get(i) for i in range(muscles.getSize())]
    return np.array([m.getMinControl() for m in every]), np.array([m.getMaxControl() for m in every])


def _problem(shared: SharedModel, settings: StaticOptimizationSettings, mechanics: MechanicsLaw) -> _Problem:
    skeleton, muscles = shared.skeleton, shared.muscles
    actuators, (weakest, strongest) = actuators_of(shared, settings), control_bounds(shared)
    paths, fibres = muscles.paths_by(mechanics), muscles.fibres
    if paths is None or fibres is None:
        point_paths(shared.model)
        moved = np.ones((len(shared.summary.muscles), len(shared.names)), dtype=bool)
    else:
        moved = moved_coordinates(skeleton.tree, paths, len(shared.names))
    driven = [shared.names.index(name) for name in actuators.coordinates]
    return _Problem(
        paths=paths,
        fibres=fibres,
        actuators=actuators,
        low=np.r_[weakest, actuators.low],
        high=np.r_[strongest, actuators.high],
        equations=equations_of_any(skeleton.tree, moved, skeleton.free.tolist(), driven, actuators.optimal.tolist()),
        law=MuscleLaw(settings.use_muscle_physiology, settings.passive_fibre_force, mechanics == "opensim"),
    )


def _frame_equations(
    shared: SharedModel, problem: _Problem, values: np.ndarray, speeds: np.ndarray, asked: np.ndarray
) -> FrameEquations:
    tree, paths, fibres = shared.skeleton.tree, problem.paths, problem.fibres
    if paths is not None and fibres is not None:
        return frame_equations(tree, paths, fibres, problem.equations, values, speeds, asked, problem.law)
    return _asked_equations(shared, problem, values, speeds, asked)


def _asked_equations(
    shared: SharedModel, problem: _Problem, values: np.ndarray, speeds: np.ndarray, asked: np.ndarray
) -> FrameEquations:
    """The equations of a model whose muscles OpenSim is asked for: fibres stay ours where arrays can say them."""
    fibres, law = problem.fibres, problem.law
    muscles = asked_muscles(shared.model, values, speeds)
    full_n, passive_n = muscles.full_n, np.zeros(muscles.full_n.shape)
    if fibres is not None:
        full_n, stretched_n = fibre_tensions(fibres, muscles.length_m, muscles.lengthening_m_s, law.as_opensim)
        passive_n = stretched_n if law.passive else passive_n
    elif law.passive:
        passive_n = asked_passive_tension(shared.model, values)
    if not law.physiology:
        every = shared.model.getMuscles()
        full_n = np.tile([every.get(i).getMaxIsometricForce() for i in range(every.getSize())], (len(values), 1))
    left = asked - np.matmul(passive_n[:, None], muscles.per_newton)[:, 0]
    slopes = coupling_slopes(shared.skeleton.tree, values)
    gain, target = gain_and_target(problem.equations, muscles.per_newton, full_n, slopes, left)
    equation, control = entry_places(problem.equations.blocks)
    return FrameEquations(
        entry=np.ascontiguousarray(gain[:, equation, control]), target=target, full_n=full_n, passive_n=passive_n
    )


def _require_forces(shared: SharedModel, frames: FrameEquations, time_s: np.ndarray) -> None:
    """TrialRejected for a muscle whose path or fibre gives no number, with the first time."""
    sound = np.isfinite(frames.full_n) & np.isfinite(frames.passive_n)
    if not sound.all():
        t, muscle = np.argwhere(~sound)[0]
        raise TrialRejected(
            "static_optimization",
            f"muscle {shared.summary.muscles[muscle]} of model {shared.summary.name} has no path, or no force, at "
            f"{time_s[t]:.3f} s: one of its points meets another, or no way leads around its surfaces.",
        )


def _muscle_forces(
    shared: SharedModel, time_s: np.ndarray, effort: LeastEffort, frames: FrameEquations, actuators: Actuators
) -> MuscleForces:
    n_muscles = frames.full_n.shape[1]
    activation, control = effort.control[:, :n_muscles], effort.control[:, n_muscles:]
    driven = tuple(dict.fromkeys(actuators.coordinates))
    actuator_force = np.zeros((len(time_s), len(driven)))
    for column, name in enumerate(actuators.coordinates):
        actuator_force[:, driven.index(name)] += control[:, column] * actuators.optimal[column]
    shortest = np.abs(effort.shortfall).argmax(axis=1)
    free_names = np.array([shared.names[i] for i in shared.skeleton.free])
    return MuscleForces(
        time_s=time_s,
        muscle_names=shared.summary.muscles,
        activation=activation,
        force_n=activation * frames.full_n + frames.passive_n,
        actuator_coordinates=driven,
        actuator_force=actuator_force,
        converged=effort.solved,
        short_of=np.where(effort.impossible, free_names[shortest], ""),
    )


def _joined(parts: Sequence[MuscleForces]) -> MuscleForces:
    """The same muscles' forces over one stretch of frames after the other."""
    return replace(
        parts[0],
        time_s=np.concatenate([part.time_s for part in parts]),
        activation=np.concatenate([part.activation for part in parts]),
        force_n=np.concatenate([part.force_n for part in parts]),
        actuator_force=np.concatenate([part.actuator_force for part in parts]),
        converged=np.concatenate([part.converged for part in parts]),
        short_of=np.concatenate([part.short_of for part in parts]),
    )
