"""Which feet's ground reactions load each coordinate and muscle of a model: told by its tree of bodies, not by names.

The moment of a joint carries every force on the bodies beyond it: of a hip that foot's, of the pelvis both feet's, of
the trunk and the arms none. A muscle depends on the joints that lie between the bodies it is attached to.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

import opensim as osim

from pipeline.osim.models.shared_model import shared_model
from pipeline.records import Side


def feet_behind(model_file: Path, foot_bodies: Mapping[Side, str]) -> Mapping[str, frozenset[Side]]:
    """The feet on whose ground reactions each coordinate's moment and each muscle's force depends, by name."""
    model = shared_model(model_file).model
    joints = list(_joints(model))
    beyond = {child: _beyond(child, joints) for _, child, _ in joints}
    feet = {child: frozenset(side for side, body in foot_bodies.items() if body in beyond[child]) for child in beyond}
    loaded = {name: feet[child] for _, child, names in joints for name in names}
    for muscle, bodies in _attachments(model):
        crossed = (child for child, outer in beyond.items() if bodies & outer and bodies - outer)
        loaded[muscle] = frozenset[Side]().union(*(feet[child] for child in crossed))
    return loaded


def _joints(model: osim.Model) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    """Each joint's parent body, child body and coordinates."""
    joints = model.getJointSet()
    for index in range(joints.getSize()):
        joint = joints.get(index)
        names = tuple(joint.get_coordinates(i).getName() for i in range(joint.numCoordinates()))
        parent, child = (frame.findBaseFrame().getName() for frame in (joint.getParentFrame(), joint.getChildFrame()))
        yield parent, child, names


def _beyond(child: str, joints: list[tuple[str, str, tuple[str, ...]]]) -> set[str]:
    """A body and all that hang on it."""
    bodies, size = {child}, 0
    while len(bodies) > size:
        size = len(bodies)
        bodies |= {outer for inner, outer, _ in joints if inner in bodies}
    return bodies


def _attachments(model: osim.Model) -> Iterator[tuple[str, set[str]]]:
    """Each muscle and the bodies that its path touches."""
    muscles = model.getMuscles()
    for index in range(muscles.getSize()):
        muscle = muscles.get(index)
        path = osim.GeometryPath.safeDownCast(muscle.getPath())
        points = path.getPathPointSet() if path is not None else None
        bodies = {points.get(i).getBodyName() for i in range(points.getSize())} if points is not None else set()
        yield muscle.getName(), bodies
