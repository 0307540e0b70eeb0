"""An independent check of static optimization: the muscles must make the moments that the motion asks for.

OpenSim's optimizer reports acceleration errors, and a frame it gave up on is written like any other. Here
the muscles' moments come from their paths: per frame, the generalized force of all tensions at once is
Jᵀ·F, J being the system Jacobian that maps the bodies' spatial forces to coordinates. No moment arm needed.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import opensim as osim

from pipeline.osim.model import load_model, set_pose, summarise
from pipeline.records import Coordinates, GeneralizedForces, MuscleForces


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coupler:
    dependent: str
    drivers: tuple[str, ...]
    function: osim.Function


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
    model = load_model(model_file)
    summary = summarise(model)
    names = tuple(c.name for c in summary.coordinates)
    if moments.names != names:
        raise ValueError(f"the moments are of other coordinates ({moments.names}) than the model's ({names}).")
    poses = coordinates.values[:, [coordinates.names.index(name) for name in names]]
    surplus = muscle_moments(model, poses, forces) - moments.values
    for column, name in enumerate(forces.actuator_coordinates):
        surplus[:, names.index(name)] += forces.actuator_force[:, column]
    _fold_couplers(model, names, poses, surplus)
    free = [i for i, c in enumerate(summary.coordinates) if not c.locked and not c.coupled]
    return GeneralizedForces(
        time_s=moments.time_s,
        names=tuple(names[i] for i in free),
        rotational=moments.rotational[free],
        values=surplus[:, free],
    )


def muscle_moments(model: osim.Model, poses: np.ndarray, forces: MuscleForces) -> np.ndarray:
    """Generalized force of all muscles together, (T, Q), at poses (T, Q) in the model's coordinate order."""
    state = model.getWorkingState()
    matter = model.getMatterSubsystem()
    column = _mobilities(model, state)
    paths = _paths(model, forces.muscle_names)
    n_bodies, n_speeds = _n_bodies(matter, state), state.getNU()
    none = osim.SpatialVec(osim.Vec3(0), osim.Vec3(0))
    moments = np.zeros(poses.shape)
    for frame, pose in enumerate(poses):
        set_pose(model, state, pose)
        model.realizePosition(state)
        body_forces, direct = osim.VectorOfSpatialVec(n_bodies, none), osim.Vector(n_speeds, 0.0)
        for path, tension_n in zip(paths, forces.force_n[frame], strict=True):
            path.addInEquivalentForces(state, float(tension_n), body_forces, direct)
        through_bodies = osim.Vector(n_speeds, 0.0)
        matter.multiplyBySystemJacobianTranspose(state, body_forces, through_bodies)
        moments[frame] = (through_bodies.to_numpy() + direct.to_numpy())[column]
    return moments


def _n_bodies(matter: osim.SimbodyMatterSubsystem, state: osim.State) -> int:
    """How many bodies Simbody moves, the ground and any it added to cut loops included: six rows each."""
    jacobian = osim.Matrix()
    matter.calcSystemJacobian(state, jacobian)
    return int(jacobian.nrow()) // 6


def _mobilities(model: osim.Model, state: osim.State) -> list[int]:
    """Which of Simbody's speeds is each coordinate's own: its order is the tree's, not the model's."""
    found = []
    coordinates = model.getCoordinateSet()
    for i in range(coordinates.getSize()):
        state.setU(osim.Vector(state.getNU(), 0.0))
        coordinate = coordinates.get(i)
        coordinate.setSpeedValue(state, 1.0)
        found.append(int(np.argmax(np.abs(state.getU().to_numpy()))))
    state.setU(osim.Vector(state.getNU(), 0.0))
    return found


def _paths(model: osim.Model, muscle_names: tuple[str, ...]) -> list[osim.GeometryPath]:
    muscles = model.getMuscles()
    paths = [osim.GeometryPath.safeDownCast(muscles.get(name).getPath()) for name in muscle_names]
    unknown = [name for name, path in zip(muscle_names, paths, strict=True) if path is None]
    if unknown:
        raise ValueError(f"the paths of {', '.join(unknown)} are not GeometryPaths; their balance can't be checked.")
    return paths


def _couplers(model: osim.Model) -> list[_Coupler]:
    constraints = model.getConstraintSet()
    found = []
    for i in range(constraints.getSize()):
        coupler = osim.CoordinateCouplerConstraint.safeDownCast(constraints.get(i))
        if coupler is not None:
            names = coupler.getIndependentCoordinateNames()
            drivers = tuple(names.get(j) for j in range(names.getSize()))
            found.append(
                _Coupler(
                    dependent=coupler.getDependentCoordinateName(),
                    drivers=drivers,
                    function=coupler.getFunction(),
                )
            )
    return found


def _fold_couplers(model: osim.Model, names: tuple[str, ...], poses: np.ndarray, surplus: np.ndarray) -> None:
    """Add each dependent coordinate's surplus to its drivers, times the coupler's slope; in place."""
    place: Mapping[str, int] = {name: i for i, name in enumerate(names)}
    for coupler in _couplers(model):
        for component, driver in enumerate(coupler.drivers):
            order = osim.StdVectorInt()
            order.append(component)
            for frame, pose in enumerate(poses):
                at = osim.Vector(len(coupler.drivers), 0.0)
                for i, name in enumerate(coupler.drivers):
                    at.set(i, float(pose[place[name]]))
                slope = coupler.function.calcDerivative(order, at)
                surplus[frame, place[driver]] += slope * surplus[frame, place[coupler.dependent]]
