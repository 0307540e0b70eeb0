"""Inverse dynamics of a motion, by Newton and Euler's laws. Shapes: T frames, Q coordinates in the model's order."""

from collections.abc import Mapping, Sequence

import numpy as np
import opensim as osim

from pipeline.mechanics.bodies.newton_euler import generalized_forces
from pipeline.osim.asking.moments import all_forces, asked_moments
from pipeline.osim.asking.poses import Poses
from pipeline.osim.ground_wrenches import bodies_pushed, wrenches_about_origin
from pipeline.osim.models.shared_model import SharedModel
from pipeline.osim.motion import Motion
from pipeline.records import FootWrench, Side
from pipeline.session.recipe import MechanicsLaw


def moments_of(
    shared: SharedModel,
    motion: Motion,
    wrenches: Sequence[FootWrench],
    foot_bodies: Mapping[Side, str],
    time_s: np.ndarray,
    mechanics: MechanicsLaw,
) -> np.ndarray:
    """Net generalized forces (T, Q) that the motion asks for beside gravity, the ground and the model's passive forces.

    Muscles and actuators give none here. TrialRejected("inverse_dynamics", …) if the model lacks a foot's body.
    """
    skeleton = shared.skeleton
    moments = generalized_forces(
        skeleton.tree,
        motion.values,
        motion.speeds,
        motion.accelerations,
        bodies_pushed(shared, wrenches, foot_bodies),
        wrenches_about_origin(wrenches, time_s),
        mechanics == "opensim",
    )
    return moments + _passive(shared, motion)


def _passive(shared: SharedModel, motion: Motion) -> np.ndarray | float:
    """What the model's own springs, ligaments and limits give less, (T, Q): OpenSim is asked, if it has any."""
    every = all_forces(shared.model)
    driven = [force for force in every if osim.ScalarActuator.safeDownCast(force) is not None]
    if len(driven) == len(every):
        return 0.0
    poses, moved = Poses(shared.model), (motion.values, motion.speeds, motion.accelerations)
    return asked_moments(poses, *moved, without=driven) - asked_moments(poses, *moved, without=every)
