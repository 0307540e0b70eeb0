"""Joint contact forces of a walk whose muscle forces are known, by either engine."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipeline.records import Coordinates, FootWrench, JointLoads, MuscleForces, Side
from pipeline.session.recipe import MechanicsLaw


def joint_loads(
    model_file: Path,
    coordinates: Coordinates,
    wrenches: Sequence[FootWrench],
    forces: MuscleForces,
    *,
    foot_bodies: Mapping[Side, str],
    mechanics: MechanicsLaw,
) -> JointLoads:
    """Contact forces at the joints of `warehouse.channels.LOADED_JOINTS` that the model has, at `forces.time_s`."""
    raise NotImplementedError
