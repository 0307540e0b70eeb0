"""Joint contact forces of a walk whose muscle forces are known, by either engine.

A joint carries whatever moves the segments beyond it beside gravity, the ground, and the muscles that cross it: muscles
press a joint together, which makes its contact force several times what the segments' motion takes (Steele et al. 2012,
J Biomech 45:2564). Actuators that stand for missing muscles turn a joint and press nothing.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import opensim as osim

from pipeline.mechanics.bodies.newton_euler import joint_forces
from pipeline.osim.arrays.model_arrays import Skeleton
from pipeline.osim.asking.moments import all_forces
from pipeline.osim.ground_wrenches import bodies_pushed, wrenches_about_origin
from pipeline.osim.laid_muscles import frames_among
from pipeline.osim.models.shared_model import SharedModel, shared_model
from pipeline.osim.motion import differentiated
from pipeline.records import Coordinates, FootWrench, JointLoads, Side
from pipeline.session.recipe import MechanicsLaw
from pipeline.solving.engine import LaidMuscles
from warehouse.channels import LOADED_JOINTS

# Forces that turn or move a joint by its coordinate, and pull on no body.
_ON_COORDINATES = {"CoordinateLimitForce", "ExpressionBasedCoordinateForce", "SpringGeneralizedForce"}


def joint_loads(
    model_file: Path,
    coordinates: Coordinates,
    wrenches: Sequence[FootWrench],
    laid: LaidMuscles,
    *,
    foot_bodies: Mapping[Side, str],
    mechanics: MechanicsLaw,
) -> JointLoads:
    """Contact forces at the joints of `warehouse.channels.LOADED_JOINTS` that the model has, at `laid.time_s`.

    `coordinates` may cover more frames. A joint that is none by itself in the model, its coordinates moving several
    bodies, is left out, and so are all joints of a model whose ligaments or bushings pull on bodies: their pull would
    be taken for contact. ValueError if a frame of the muscles is not among the coordinates'.
    """
    shared = shared_model(model_file)
    skeleton, frames = shared.skeleton, frames_among(coordinates.time_s, laid.time_s)
    distal = {} if _others_pull(shared) else _distal_bodies(skeleton)
    motion = differentiated(shared, coordinates, None, model_file.parent)
    given = laid.wrenches.copy()
    pushed = bodies_pushed(shared, wrenches, foot_bodies)
    for body, wrench in zip(pushed, wrenches_about_origin(wrenches, laid.time_s).swapaxes(0, 1), strict=True):
        given[:, body] += wrench
    in_distal, in_proximal = joint_forces(
        skeleton.tree,
        motion.values[frames],
        motion.speeds[frames],
        motion.accelerations[frames],
        given,
        np.array(list(distal.values()), dtype=np.int64),
        mechanics == "opensim",
    )
    return JointLoads(time_s=laid.time_s, joints=tuple(distal), in_distal_n=in_distal, in_proximal_n=in_proximal)


def _others_pull(shared: SharedModel) -> bool:
    """Whether forces act on bodies that are neither a muscle's nor an actuator's."""
    others = [force for force in all_forces(shared.model) if osim.ScalarActuator.safeDownCast(force) is None]
    return any(force.getConcreteClassName() not in _ON_COORDINATES for force in others)


def _distal_bodies(skeleton: Skeleton) -> dict[str, int]:
    """The body that each joint carries, by the joint's name."""
    tree, distal = skeleton.tree, {}
    for joint, names in LOADED_JOINTS.items():
        coordinates = [skeleton.coordinates.index(name) for name in names if name in skeleton.coordinates]
        moved = {int(body) for body in tree.moved[np.isin(tree.coordinate, coordinates)]}
        if len(coordinates) == len(names) and len(moved) == 1:
            distal[joint] = moved.pop()
    return distal
