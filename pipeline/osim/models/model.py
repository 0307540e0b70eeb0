"""What a musculoskeletal model holds, and the models derived from it. Any .osim file.

Every OpenSim object here keeps a Python name for as long as it is used: one that is only an
argument is freed under OpenSim's feet, and the process dies without a word.
"""

import errno
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import opensim as osim

from pipeline.errors import TrialRejected
from pipeline.records import ModelMarker
from pipeline.session.recipe import StaticOptimizationSettings

# Coordinate::MotionType of OpenSim's API.
_ROTATIONAL, _TRANSLATIONAL = 1, 2

# Wide enough never to bind, finite because the optimizer of static optimization wants numbers.
WIDE_CONTROL = 1e4


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelCoordinate:
    """One coordinate as the model defines it.

    rotational: an angle in radians. stored_in_degrees: OpenSim's files turn it into degrees; the patella's
    coupled coordinate is an angle that they leave in radians. locked: held by the model, at its default or, where it
    is prescribed, at a function of time. coupled: a constraint ties it to others.
    residual: it moves the whole body against the ground, so no muscle can drive it.
    """

    name: str
    rotational: bool
    stored_in_degrees: bool
    locked: bool
    coupled: bool
    residual: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSummary:
    """A model's contents, in the model's own order. Masses in kg; `switched_off` are actuators that apply no force."""

    name: str
    coordinates: tuple[ModelCoordinate, ...]
    muscles: tuple[str, ...]
    markers: tuple[str, ...]
    body_mass_kg: dict[str, float]
    driven_coordinates: frozenset[str]
    switched_off: tuple[str, ...]


def load_model(model_file: Path) -> osim.Model:
    """An OpenSim model, initialised; TrialRejected("model", …) if the file can't be one."""
    with _rejecting(model_file):
        model = osim.Model(str(model_file))
        model.initSystem()
    return model


def load_stiff_model(model_file: Path) -> osim.Model:
    """`load_model`, every tendon stiff where its muscle's class has such a tendon: see `ignore_tendon_compliance`."""
    with _rejecting(model_file):
        model = osim.Model(str(model_file))
        ignore_tendon_compliance(model)
    return model


@contextmanager
def _rejecting(model_file: Path) -> Iterator[None]:
    if not model_file.is_file():
        raise TrialRejected("model", f"{model_file.name}: there is no such model file; pass an existing .osim file.")
    try:
        yield
    except RuntimeError as error:
        reason = " ".join(str(error).split())[:400]
        raise TrialRejected("model", f"{model_file.name} is not a model OpenSim can load: {reason}") from error


def summarise(model: osim.Model) -> ModelSummary:
    """List an initialised model's coordinates, muscles, markers and masses."""
    coordinates = model.getCoordinateSet()
    muscles = model.getMuscles()
    markers = model.getMarkerSet()
    bodies = model.getBodySet()
    state = model.getWorkingState()
    return ModelSummary(
        name=model.getName(),
        coordinates=tuple(_coordinate(coordinates.get(i), state) for i in range(coordinates.getSize())),
        muscles=tuple(muscles.get(i).getName() for i in range(muscles.getSize())),
        markers=tuple(markers.get(i).getName() for i in range(markers.getSize())),
        body_mass_kg={bodies.get(i).getName(): bodies.get(i).getMass() for i in range(bodies.getSize())},
        driven_coordinates=frozenset(actuator.get_coordinate() for actuator in coordinate_actuators(model)),
        switched_off=tuple(
            actuator.getName() for actuator in scalar_actuators(model) if not actuator.get_appliesForce()
        ),
    )


def read_summary(model_file: Path) -> ModelSummary:
    """`summarise` of a file; TrialRejected("model", …) if it can't be loaded."""
    model = load_model(model_file)
    return summarise(model)


def _coordinate(coordinate: osim.Coordinate, state: osim.State) -> ModelCoordinate:
    motion = coordinate.getMotionType()
    joint = coordinate.getJoint()
    return ModelCoordinate(
        name=coordinate.getName(),
        rotational=motion == _ROTATIONAL or (motion != _TRANSLATIONAL and _turns(joint, coordinate.getName())),
        stored_in_degrees=motion == _ROTATIONAL,
        locked=coordinate.getLocked(state) or coordinate.isPrescribed(state),
        coupled=coordinate.isDependent(state),
        residual="ground" in {f.findBaseFrame().getName() for f in (joint.getParentFrame(), joint.getChildFrame())},
    )


def _turns(joint: osim.Joint, name: str) -> bool:
    """Whether a coordinate that OpenSim calls "coupled" drives one of its joint's three rotations."""
    custom = osim.CustomJoint.safeDownCast(joint)
    if custom is None:
        return False
    transform = custom.getSpatialTransform()
    axes = (transform.get_rotation1(), transform.get_rotation2(), transform.get_rotation3())
    drivers = [axis.getCoordinateNames() for axis in axes]
    return any(names.findIndex(name) >= 0 for names in drivers)


def scalar_actuators(model: osim.Model) -> list[osim.ScalarActuator]:
    """Everything that a control drives: muscles, and actuators of one coordinate or along a path."""
    forces = model.getForceSet()
    actuators = (osim.ScalarActuator.safeDownCast(forces.get(i)) for i in range(forces.getSize()))
    return [actuator for actuator in actuators if actuator is not None]


def coordinate_actuators(model: osim.Model) -> list[osim.CoordinateActuator]:
    """The model's actuators that act on one coordinate: its own torque motors, reserves and residuals."""
    forces = model.getForceSet()
    actuators = (osim.CoordinateActuator.safeDownCast(forces.get(i)) for i in range(forces.getSize()))
    return [actuator for actuator in actuators if actuator is not None]


def replace_markers(model: osim.Model, markers: Sequence[ModelMarker]) -> None:
    """Give the model exactly these markers. TrialRejected("scaling", …) names a body that the model lacks."""
    bodies = model.getBodySet()
    missing = sorted({m.body for m in markers if not bodies.contains(m.body)})
    if missing:
        raise TrialRejected(
            "scaling",
            f"model {model.getName()} has no body {', '.join(missing)}, on which the profile puts markers; "
            "use a profile made for this model.",
        )
    model.updMarkerSet().clearAndDestroy()
    for marker in markers:
        added = osim.Marker()
        added.setName(marker.name)
        added.setParentFrameName(bodies.get(marker.body).getAbsolutePathString())
        added.set_location(osim.Vec3(*marker.location_m))
        added.set_fixed(marker.fixed)
        model.updMarkerSet().cloneAndAppend(added)
    model.finalizeConnections()
    model.initSystem()


def write_model(model: osim.Model, path: Path) -> None:
    """Print the model as an .osim file; OSError if OpenSim could not, or the disk is full."""
    if not model.printToXML(str(path)):
        raise OSError(f"OpenSim could not write {path}.")
    # It says nothing of a disk that filled up.
    if not path.read_bytes().rstrip().endswith(b"</OpenSimDocument>"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))


def add_reserves(model: osim.Model, settings: StaticOptimizationSettings) -> tuple[str, ...]:
    """Add the actuators that a model lacks (`missing_actuators`); returns their coordinates."""
    summary = summarise(model)
    missing = missing_actuators(summary, settings)
    residual = {coordinate.name for coordinate in summary.coordinates if coordinate.residual}
    for name, optimal in missing.items():
        actuator = osim.CoordinateActuator(name)
        actuator.setName(f"{'residual' if name in residual else 'reserve'}_{name}")
        actuator.setOptimalForce(optimal)
        actuator.setMinControl(-WIDE_CONTROL)
        actuator.setMaxControl(WIDE_CONTROL)
        model.updForceSet().cloneAndAppend(actuator)
    model.finalizeConnections()
    model.initSystem()
    return tuple(missing)


def missing_actuators(summary: ModelSummary, settings: StaticOptimizationSettings) -> dict[str, float]:
    """Every unlocked, uncoupled coordinate without an actuator, and the optimal force of the one it needs, N·m or N.

    Static optimization weighs a reserve by its optimal force: the larger, the cheaper. Residuals are those of
    the coordinates that move the whole body against the ground, which no muscle can drive. A reserve on a
    translation between two bodies takes `reserve_optimal_nm` in newtons.
    """
    missing = {}
    for coordinate in summary.coordinates:
        if coordinate.locked or coordinate.coupled or coordinate.name in summary.driven_coordinates:
            continue
        optimal = settings.reserve_optimal_nm
        if coordinate.residual:
            optimal = settings.residual_optimal_nm if coordinate.rotational else settings.residual_optimal_n
        missing[coordinate.name] = optimal
    return missing


def ignore_tendon_compliance(model: osim.Model) -> None:
    """Make every muscle's tendon stiff, so that no fibre equilibrium has to be found in mid-trial.

    Static optimization uses the fibre's force at the length a stiff tendon leaves it, whatever this says:
    no force changes, and "Unable to compute equilibrium" can't happen. Thelen's muscles stay as they are:
    OpenSim has no stiff tendon for them.
    """
    muscles = model.updMuscles()
    for i in range(muscles.getSize()):
        muscle = muscles.get(i)
        if osim.Thelen2003Muscle.safeDownCast(muscle) is None:
            muscle.set_ignore_tendon_compliance(True)
    model.initSystem()


def let_walk_anywhere(model: osim.Model) -> None:
    """Take the bounds off the coordinates that carry the body through the laboratory: an origin may lie far away.

    The model of Rajagopal et al. (2016) stops at 5 m, and inverse kinematics then bends the body to reach its markers.
    """
    coordinates = model.updCoordinateSet()
    for item in summarise(model).coordinates:
        if item.residual and not item.rotational:
            coordinates.get(item.name).setDefaultClamped(False)
    model.finalizeConnections()
    model.initSystem()


def marker_positions(model: osim.Model, values: np.ndarray, names: Sequence[str]) -> np.ndarray:
    """Ground positions (M, 3) of the named markers at one pose: values (Q,) in the model's coordinate order.

    The pose is taken as it is, without assembling constraints; locked coordinates are set too.
    """
    state = model.getWorkingState()
    set_pose(model, state, values)
    model.realizePosition(state)
    markers = model.getMarkerSet()
    return np.array([markers.get(name).getLocationInGround(state).to_numpy() for name in names]).reshape(-1, 3)


def move_markers(model: osim.Model, values: np.ndarray, measured_m: Mapping[str, np.ndarray]) -> None:
    """Move the model's markers, unless fixed, to where they were measured in this pose.

    measured_m: (3,) in the ground frame by name; a marker without a measurement stays.
    """
    state = model.getWorkingState()
    set_pose(model, state, values)
    model.realizePosition(state)
    ground = model.getGround()
    markers = model.updMarkerSet()
    for i in range(markers.getSize()):
        marker = markers.get(i)
        if marker.get_fixed() or marker.getName() not in measured_m:
            continue
        target = osim.Vec3(*(float(x) for x in measured_m[marker.getName()]))
        frame = marker.getParentFrame()
        marker.set_location(ground.findStationLocationInAnotherFrame(state, target, frame))
    model.initSystem()


def set_pose(model: osim.Model, state: osim.State, values: np.ndarray) -> None:
    """Write values (Q,), radians and metres in the model's coordinate order, into the state, unassembled."""
    coordinates = model.getCoordinateSet()
    for i, value in enumerate(values):
        coordinate = coordinates.get(i)
        locked = coordinate.getLocked(state)
        if locked:
            coordinate.setLocked(state, False)
        coordinate.setValue(state, float(value), False)
        if locked:
            coordinate.setLocked(state, True)
