"""A model's joints as steps along axes, in the order in which the tree of bodies passes through them."""

from dataclasses import dataclass, replace

import numpy as np
import opensim as osim

from pipeline.osim.arrays.unsupported import Unsupported

GROUND = "ground"
_X, _Y, _Z = np.eye(3)
# SpatialTransform's axes in the order in which they act: the translations, along the axes of the joint's frame on the
# parent, and then the rotations, each about an axis that the ones before it have turned.
_IN_ORDER = (3, 4, 5, 0, 1, 2)
_N_ROTATIONS = 3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JointAxis:
    """One step of a joint, by a function of a coordinate.

    `coordinate` is "" where the function is a constant; `function` is None where it is the coordinate itself. `scale`
    multiplies it: -1 for a joint that the tree passes through backwards.
    """

    turns: bool
    coordinate: str
    function: osim.Function | None
    direction: np.ndarray
    scale: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Branch:
    """A joint as the tree passes through it, from the body nearer the ground to the one that it carries.

    `omitted` are the axes whose product Simbody omits (`Tree.omitted`), by their place in `axes`. `outer` is the
    joint's frame on that parent, and `inner` the body's frame in the one that the axes lead to: rotations (3, 3) and
    origins (3,).
    """

    joint: str
    parent: str
    body: str
    axes: tuple[JointAxis, ...]
    omitted: tuple[int, int] | None
    outer: tuple[np.ndarray, np.ndarray]
    inner: tuple[np.ndarray, np.ndarray]


def read_branches(model: osim.Model) -> list[Branch]:
    """Every joint, parents before their children. Unsupported for loops, and for joints that axes can't say."""
    joints = model.getJointSet()
    waiting = [joints.get(i) for i in range(joints.getSize())]
    reached, branches = {GROUND}, []
    while waiting:
        joint = next((j for j in waiting if _bodies(j)[0] in reached), None) or next(
            (j for j in waiting if _bodies(j)[1] in reached), None
        )
        if joint is None:
            raise Unsupported(f"joint {waiting[0].getName()}: nothing joins its bodies to the ground")
        waiting.remove(joint)
        branch = _branch(joint, backwards=_bodies(joint)[0] not in reached)
        if branch.body in reached:
            raise Unsupported(f"joint {joint.getName()}: it closes a loop of bodies")
        reached.add(branch.body)
        branches.append(branch)
    return branches


def frame_on_body(frame: osim.Frame) -> tuple[np.ndarray, np.ndarray]:
    """A frame's rotation (3, 3) and origin (3,) in the body that it belongs to."""
    return rotation_and_origin(frame.findTransformInBaseFrame())


def rotation_and_origin(transform: osim.Transform) -> tuple[np.ndarray, np.ndarray]:
    """The same of a transform."""
    matrix = transform.R().asMat33()
    return np.array([[matrix.get(i, j) for j in range(3)] for i in range(3)]), transform.p().to_numpy().copy()


def _bodies(joint: osim.Joint) -> tuple[str, str]:
    frames = joint.getParentFrame(), joint.getChildFrame()
    return frames[0].findBaseFrame().getName(), frames[1].findBaseFrame().getName()


def _branch(joint: osim.Joint, *, backwards: bool) -> Branch:
    parent, child = _bodies(joint)
    axes, outer, moving = _axes(joint), frame_on_body(joint.getParentFrame()), frame_on_body(joint.getChildFrame())
    if backwards:
        # The way back through a joint takes its steps in the opposite order and sense.
        axes = tuple(replace(axis, scale=-axis.scale) for axis in reversed(axes))
        parent, child, outer, moving = child, parent, moving, outer
    rotation, origin = moving
    return Branch(
        joint=joint.getName(),
        parent=parent,
        body=child,
        axes=axes,
        omitted=None if backwards else _omitted(joint, axes),
        outer=outer,
        inner=(np.ascontiguousarray(rotation.T), -rotation.T @ origin),
    )


def _axes(joint: osim.Joint) -> tuple[JointAxis, ...]:
    kind = joint.getConcreteClassName()
    names = [joint.get_coordinates(i).getName() for i in range(joint.numCoordinates())]
    simple = {
        "WeldJoint": (),
        "PinJoint": ((True, 0, _Z),),
        "SliderJoint": ((False, 0, _X),),
        "UniversalJoint": ((True, 0, _X), (True, 1, _Y)),
        "GimbalJoint": ((True, 0, _X), (True, 1, _Y), (True, 2, _Z)),
        # Its translations come first: they are along the axes of the parent's frame.
        "PlanarJoint": ((False, 1, _X), (False, 2, _Y), (True, 0, _Z)),
    }
    if kind == "CustomJoint":
        return _custom_axes(osim.CustomJoint.safeDownCast(joint))
    if kind not in simple:
        raise Unsupported(f"joint {joint.getName()}: a {kind} turns otherwise than one coordinate after the other")
    return tuple(
        JointAxis(turns=turns, coordinate=names[place], function=None, direction=direction)
        for turns, place, direction in simple[kind]
    )


def _omitted(joint: osim.Joint, axes: tuple[JointAxis, ...]) -> tuple[int, int] | None:
    """The second and third rotation of a CustomJoint whose third is driven by the joint's first coordinate."""
    if joint.getConcreteClassName() != "CustomJoint":
        return None
    transform = osim.CustomJoint.safeDownCast(joint).getSpatialTransform()
    drivers = [transform.getTransformAxis(place).getCoordinateNames().size() for place in range(_N_ROTATIONS)]
    turning = [i for i, axis in enumerate(axes) if axis.turns and axis.coordinate]
    if not (drivers[1] and drivers[2]) or axes[turning[-1]].coordinate != joint.get_coordinates(0).getName():
        return None
    return turning[-2], turning[-1]


def _custom_axes(joint: osim.CustomJoint) -> tuple[JointAxis, ...]:
    transform, axes = joint.getSpatialTransform(), []
    for place in _IN_ORDER:
        axis = transform.getTransformAxis(place)
        drivers, direction = axis.getCoordinateNames(), axis.getAxis().to_numpy().copy()
        if drivers.size() > 1:
            raise Unsupported(f"joint {joint.getName()}: an axis that {drivers.size()} coordinates drive")
        if place < _N_ROTATIONS:
            direction /= np.linalg.norm(direction)
        name = axis.get_coordinates(0) if drivers.size() else ""
        if not name and axis.getFunction().calcValue(osim.Vector(1, 0.0)) == 0.0:
            continue
        axes.append(
            JointAxis(turns=place < _N_ROTATIONS, coordinate=name, function=axis.getFunction(), direction=direction)
        )
    return tuple(axes)
