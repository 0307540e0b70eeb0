"""The least effort for just what OpenSim's optimizer made: its own slack in the equations counts for neither side."""

from pathlib import Path

import numpy as np

from pipeline.records import Coordinates, MuscleForces

RESIDUALS = {"pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz"}


def controls(found: MuscleForces, optimal: np.ndarray) -> np.ndarray:
    """Activations, and actuators' controls, (T, U + R)."""
    return np.hstack([found.activation, found.actuator_force / optimal])


def optimal_forces(found: MuscleForces, reserve: float, residual: float) -> np.ndarray:
    """What each added actuator gives at full control, (R,)."""
    return np.array([residual if name in RESIDUALS else reserve for name in found.actuator_coordinates])


def least_for_the_same(
    model: Path, motion: Coordinates, theirs: MuscleForces, exponent: float, optimal: np.ndarray
) -> np.ndarray:
    """Controls (T, U + R) of least effort that make what the tool's controls make, by its own muscles' strengths."""
    from pipeline.mechanics.bodies.poses import coupling_slopes
    from pipeline.mechanics.muscles.effort import least_effort_controls
    from pipeline.mechanics.muscles.equations import equations_of, gain_and_target
    from pipeline.osim.asking.muscles import asked_muscles
    from pipeline.osim.exact.static_optimization import control_bounds
    from pipeline.osim.models.shared_model import shared_model

    shared = shared_model(model)
    poses = motion.values[:, [motion.names.index(name) for name in shared.names]]
    tree, paths, free = shared.skeleton.tree, shared.muscles.opensim_paths, shared.skeleton.free.tolist()
    driven = [shared.names.index(name) for name in theirs.actuator_coordinates]
    equations = equations_of(tree, paths, free, driven, optimal.tolist(), len(shared.names))
    per_newton = asked_muscles(shared.model, poses, np.zeros(poses.shape)).per_newton
    strength_n = theirs.force_n / theirs.activation
    gain, _ = gain_and_target(equations, per_newton, strength_n, coupling_slopes(tree, poses), np.zeros(poses.shape))
    made = np.einsum("tfn,tn->tf", gain, controls(theirs, optimal))
    low, high = control_bounds(shared)
    wide = np.full(len(optimal), 1e4)
    # The tool lets activations lie below their bounds by as much as it rounds.
    slack = np.minimum(theirs.activation.min(axis=0), low)
    found = least_effort_controls(gain, made, np.r_[slack, -wide], np.r_[high, wide], exponent)
    assert found.solved.all()
    return found.control
