"""Which feet's ground reactions load each coordinate and muscle of a model: told by its tree of bodies, not by names.

The moment of a joint carries every force on the bodies beyond it: of a hip that foot's, of the pelvis both feet's, of
the trunk and the arms none. Toes belong to their foot: the ground acts on both, and a model puts it on one body.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import opensim as osim

from pipeline.osim.models.shared_model import shared_model
from pipeline.records import Side
from warehouse.channels import LOADED_JOINTS

Feet = frozenset[Side]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Joint:
    name: str
    bodies: frozenset[str]
    coordinates: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class _LoadingFeet:
    """Of each coordinate's moment and each muscle's force, and of each loaded joint's contact force, by name."""

    of_forces: Mapping[str, Feet]
    of_joints: Mapping[str, Feet]


def loading_feet(model_file: Path, foot_bodies: Mapping[Side, str]) -> Mapping[str, Feet]:
    """The feet on whose ground reactions each coordinate's moment and each muscle's force depends, by name.

    Coordinates that a coupler ties share their moments: the patella's depends on what the knee's does. Muscles that
    cross one joint share its moment. ValueError for a foot's body that the model lacks.
    """
    return _asked_once(model_file, foot_bodies).of_forces


def feet_pressing(model_file: Path, foot_bodies: Mapping[Side, str]) -> Mapping[str, Feet]:
    """The feet on whose ground reactions the contact force at each of `LOADED_JOINTS` that the model has depends.

    They are those of the joint's own moment and of all muscles that cross it, and so press it together. ValueError for
    a foot's body that the model lacks.
    """
    return _asked_once(model_file, foot_bodies).of_joints


def _asked_once(model_file: Path, foot_bodies: Mapping[Side, str]) -> _LoadingFeet:
    shared, feet = shared_model(model_file), dict(foot_bodies)
    found: _LoadingFeet = shared.once(
        ("loading_feet", *sorted(feet.items())), lambda: _loading_feet(shared.summary.name, shared.model, feet)
    )
    return found


def _loading_feet(name: str, model: osim.Model, foot_bodies: Mapping[Side, str]) -> _LoadingFeet:
    joints = _joints(model)
    strangers = [body for body in foot_bodies.values() if not any(body in joint.bodies for joint in joints)]
    if strangers:
        raise ValueError(
            f"the model {name} has no body {', '.join(strangers)}, expected to carry a foot's ground "
            "reaction. Correct right_foot_body and left_foot_body in the recipe's [model]."
        )
    beyond = {joint: _cut_off(joints, {joint}) for joint in joints}
    foot = {side: _cut_off(joints, {j for j in joints if body in j.bodies}) for side, body in foot_bodies.items()}
    carried = {joint: frozenset(side for side in foot if foot[side] & beyond[joint]) for joint in joints}

    joint_of = {name: joint for joint in joints for name in joint.coordinates}
    moments = _spread(carried, [{joint_of[name] for name in pair} for pair in _coupled(model)])
    movable = {joint: beyond[joint] for joint in joint_of.values()}
    crossed = {name: _crossed(path, movable) for name, path in _muscle_paths(model)}
    forces = _spread(moments, crossed.values())
    return _LoadingFeet(
        of_forces={
            **{name: moments[joint] for name, joint in joint_of.items()},
            **{name: _union(forces, crossing) for name, crossing in crossed.items()},
        },
        of_joints={
            joint: _union(forces, {joint_of[name] for name in names})
            for joint, names in LOADED_JOINTS.items()
            if joint_of.keys() >= set(names)
        },
    )


def _joints(model: osim.Model) -> list[_Joint]:
    joints, listed = model.getJointSet(), []
    for index in range(joints.getSize()):
        joint = joints.get(index)
        frames = joint.getParentFrame(), joint.getChildFrame()
        names = tuple(joint.get_coordinates(i).getName() for i in range(joint.numCoordinates()))
        bodies = frozenset(frame.findBaseFrame().getName() for frame in frames)
        listed.append(_Joint(name=joint.getName(), bodies=bodies, coordinates=names))
    return listed


def _cut_off(joints: Iterable[_Joint], gone: set[_Joint]) -> set[str]:
    """The bodies that nothing would join to the ground without these joints, whichever way a joint was written."""
    left, held, size = [joint.bodies for joint in joints if joint not in gone], {"ground"}, 0
    while len(held) > size:
        size = len(held)
        held |= {body for bodies in left if bodies & held for body in bodies}
    return {body for joint in joints for body in joint.bodies} - held


def _coupled(model: osim.Model) -> list[tuple[str, str]]:
    """Each coordinate that an enforced coupler makes dependent, and one that drives it."""
    constraints, state = model.getConstraintSet(), model.getWorkingState()
    enforced = [constraints.get(i) for i in range(constraints.getSize()) if constraints.get(i).isEnforced(state)]
    couplers = [osim.CoordinateCouplerConstraint.safeDownCast(constraint) for constraint in enforced]
    pairs = []
    for coupler in filter(None, couplers):
        drivers = coupler.getIndependentCoordinateNames()
        pairs += [(coupler.getDependentCoordinateName(), drivers.get(i)) for i in range(drivers.getSize())]
    return pairs


def _muscle_paths(model: osim.Model) -> list[tuple[str, osim.AbstractGeometryPath]]:
    muscles = model.getMuscles()
    every = [muscles.get(i) for i in range(muscles.getSize())]
    return [(muscle.getName(), muscle.getPath()) for muscle in every]


def _crossed(path: osim.AbstractGeometryPath, beyond: Mapping[_Joint, set[str]]) -> set[_Joint]:
    """The joints between the bodies that a path touches; all, of a path that doesn't say what it touches."""
    points, function = osim.GeometryPath.safeDownCast(path), osim.FunctionBasedPath.safeDownCast(path)
    if points is not None:
        touched = _touched(points)
        return {joint for joint, outer in beyond.items() if touched & outer and touched - outer}
    if function is not None:
        names = {coordinate.rpartition("/")[2] for coordinate in function.getCoordinatePaths()}
        return {joint for joint in beyond if names & set(joint.coordinates)}
    return set(beyond)


def _touched(path: osim.GeometryPath) -> set[str]:
    """The bodies that carry a path's points, and the surfaces that it wraps around."""
    points, wraps = path.getPathPointSet(), path.getWrapSet()
    frames = [points.get(i).getParentFrame() for i in range(points.getSize())]
    frames += [wraps.get(i).getWrapObject().getFrame() for i in range(wraps.getSize())]
    return {frame.findBaseFrame().getName() for frame in frames}


def _spread(feet: Mapping[_Joint, Feet], groups: Iterable[set[_Joint]]) -> dict[_Joint, Feet]:
    """The same, but the joints of a group have the feet of all, and so on from group to group."""
    spread, before = dict(feet), None
    while spread != before:
        before = dict(spread)
        for group in groups:
            spread |= dict.fromkeys(group, _union(spread, group))
    return spread


def _union(feet: Mapping[_Joint, Feet], joints: Iterable[_Joint]) -> Feet:
    return frozenset(side for joint in joints for side in feet[joint])
