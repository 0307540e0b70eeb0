"""A check of static optimization's answer: the muscles must make the moments that the motion asks for.

Static optimization finds forces by moment arms. Here each muscle pulls on its bodies along its path, and the pulls are
summed from body to body. What it checks: that the optimizer met what was asked, moment arms against pulls along the
same paths, the order of muscles and actuators, and that forces, moments and motion belong together.

What it can't: whatever both sides share. Those are paths as they are laid, where bodies are, the couplers' slopes, the
moments that are asked, and what a muscle's activation makes of its strength, length and speed: a force that is wrong
for its activation balances all the same. Tests hold these against laws, OpenSim and the tools.
"""

from pathlib import Path

from pipeline.mechanics.bodies.newton_euler import virtual_work
from pipeline.mechanics.bodies.poses import coupling_slopes, fold
from pipeline.osim.models.shared_model import shared_model
from pipeline.records import Coordinates, GeneralizedForces, MuscleForces
from pipeline.solving.engine import LaidMuscles


def muscle_balance(
    model_file: Path, coordinates: Coordinates, moments: GeneralizedForces, forces: MuscleForces, laid: LaidMuscles
) -> GeneralizedForces:
    """What muscles and actuators give, less what inverse dynamics asks: (T, F), N·m or N.

    F are the unlocked, uncoupled coordinates; a coupled one (the patella's) is folded into its drivers with
    the slope of its coupler, since the constraint passes its share on. `coordinates` are those that inverse
    dynamics used: filtered, if it filtered them. `laid` are the muscles of the engine that found the forces.
    ValueError if the records don't share their frames. Zero everywhere means balance.
    """
    for record in (moments, forces, laid):
        if len(record.time_s) != len(coordinates.time_s):
            raise ValueError(f"{type(record).__name__} has {len(record.time_s)} frames, not {len(coordinates.time_s)}.")
    shared = shared_model(model_file)
    names = shared.names
    if moments.names != names:
        raise ValueError(f"the moments are of other coordinates ({moments.names}) than the model's ({names}).")
    poses = coordinates.values[:, [coordinates.names.index(name) for name in names]]
    surplus = virtual_work(shared.skeleton.tree, poses, laid.wrenches) + laid.direct - moments.values
    for column, name in enumerate(forces.actuator_coordinates):
        surplus[:, names.index(name)] += forces.actuator_force[:, column]
    tree, free = shared.skeleton.tree, shared.skeleton.free
    fold(tree, coupling_slopes(tree, poses), surplus)
    return GeneralizedForces(
        time_s=moments.time_s,
        names=tuple(names[i] for i in free),
        rotational=moments.rotational[free],
        values=surplus[:, free],
    )
