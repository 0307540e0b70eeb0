"""A check of static optimization's answer: the muscles must make the moments that the motion asks for.

OpenSim's optimizer reports acceleration errors, and a frame it gave up on is written like any other. Here
the muscles' moments come from their paths: per frame, the generalized force of all tensions at once is
Jᵀ·F, J being the system Jacobian that maps the bodies' spatial forces to coordinates. No moment arm needed.

What it checks: the optimizer, force-length-velocity times activation, the order of muscles and actuators, and that the
motion of static optimization was that of inverse dynamics. What it shares with engine `exact`, and takes on trust: the
paths as OpenSim lays them, where bodies are, the couplers' slopes, and the moments it is given. Tests hold these
against OpenSim's own moment arms and against the tools.
"""

from pathlib import Path

import numpy as np
import opensim as osim

from pipeline.osim.models.shared_model import SharedModel, shared_model
from pipeline.records import Coordinates, GeneralizedForces, MuscleForces


def muscle_balance(
    model_file: Path, coordinates: Coordinates, moments: GeneralizedForces, forces: MuscleForces
) -> GeneralizedForces:
    """What muscles and actuators give, less what inverse dynamics asks: (T, F), N·m or N.

    F are the unlocked, uncoupled coordinates; a coupled one (the patella's) is folded into its drivers with
    the slope of its coupler, since the constraint passes its share on. `coordinates` are those that inverse
    dynamics used: filtered, if it filtered them. ValueError if the records don't share their frames. Zero
    everywhere means balance.
    """
    for record in (moments, forces):
        if len(record.time_s) != len(coordinates.time_s):
            raise ValueError(f"{type(record).__name__} has {len(record.time_s)} frames, not {len(coordinates.time_s)}.")
    shared = shared_model(model_file)
    names = shared.names
    if moments.names != names:
        raise ValueError(f"the moments are of other coordinates ({moments.names}) than the model's ({names}).")
    poses = coordinates.values[:, [coordinates.names.index(name) for name in names]]
    surplus = muscle_moments(shared, poses, forces) - moments.values
    for column, name in enumerate(forces.actuator_coordinates):
        surplus[:, names.index(name)] += forces.actuator_force[:, column]
    shared.couplers.slopes(poses).fold(surplus)
    free = shared.free()
    return GeneralizedForces(
        time_s=moments.time_s,
        names=tuple(names[i] for i in free),
        rotational=moments.rotational[free],
        values=surplus[:, free],
    )


def muscle_moments(shared: SharedModel, values: np.ndarray, forces: MuscleForces) -> np.ndarray:
    """Generalized force of all muscles together, (T, Q), at poses (T, Q) in the model's coordinate order."""
    poses = shared.poses
    paths = _paths(shared.model, forces.muscle_names)
    n_speeds = poses.state.getNU()
    none = osim.SpatialVec(osim.Vec3(0), osim.Vec3(0))
    through_bodies = osim.Vector(n_speeds, 0.0)
    moments = np.zeros(values.shape)
    for frame in poses.at(values):
        body_forces, direct = osim.VectorOfSpatialVec(poses.n_bodies, none), osim.Vector(n_speeds, 0.0)
        for path, tension_n in zip(paths, forces.force_n[frame].tolist(), strict=True):
            path.addInEquivalentForces(poses.state, tension_n, body_forces, direct)
        poses.matter.multiplyBySystemJacobianTranspose(poses.state, body_forces, through_bodies)
        moments[frame] = (through_bodies.to_numpy() + direct.to_numpy())[poses.mobility]
    return moments


def _paths(model: osim.Model, muscle_names: tuple[str, ...]) -> list[osim.GeometryPath]:
    muscles = model.getMuscles()
    paths = [osim.GeometryPath.safeDownCast(muscles.get(name).getPath()) for name in muscle_names]
    unknown = [name for name, path in zip(muscle_names, paths, strict=True) if path is None]
    if unknown:
        raise ValueError(f"the paths of {', '.join(unknown)} are not GeometryPaths; their balance can't be checked.")
    return paths
