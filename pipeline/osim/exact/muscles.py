"""A model's muscles along a motion: their force at full activation, and the generalized force of one newton.

All geometry and the force-length-velocity curves are OpenSim's. Shapes: T frames, Q coordinates, U muscles.
"""

import math
from dataclasses import dataclass

import numpy as np
import opensim as osim

from pipeline.errors import TrialRejected
from pipeline.osim.models.shared_model import SharedModel

_FIBRE = "fiber_length"
_KNOWN_STATES = {"activation", _FIBRE, "fiber_velocity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class MuscleGeometry:
    """per_newton (T, U, Q): generalized force of one newton of tension, each coordinate moving by itself.

    full_n (T, U): tension at full activation, with the fibre's length and speed as a stiff tendon determines them.
    """

    per_newton: np.ndarray
    full_n: np.ndarray


def muscle_geometry(shared: SharedModel, values: np.ndarray, speeds: np.ndarray) -> MuscleGeometry:
    """The geometry of all muscles along a motion (T, Q).

    TrialRejected("static_optimization", …) names muscles whose paths give no forces.
    """
    muscles = _muscles(shared)
    paths = _paths(shared, muscles)
    # By virtual work a path lengthens at minus its generalized force times the speeds, which takes a tenth of the time
    # of OpenSim's own sum over the path. With two wrapping objects OpenSim's speed differs (gaslat: up to 15 mm/s at
    # 0.1 m/s), and OpenSim's is used.
    simple = [path.getWrapSet().getSize() < 2 for path in paths]
    follow = [path.setLengtheningSpeed for path, plain in zip(paths, simple, strict=True) if plain]
    followers = np.flatnonzero(simple)
    sliding = [_slides(path) for path in paths]
    full = [muscle.calcInextensibleTendonActiveFiberForce for muscle in muscles]
    per_newton = np.empty((len(values), len(muscles), len(shared.names)))
    full_n = np.empty((len(values), len(muscles)))
    poses = shared.poses
    tree_speeds = poses.tree_order(speeds)
    for t in poses.moving(values, speeds):
        tree = _per_newton(shared, paths, sliding)
        lengthening = -(tree[followers] @ tree_speeds[t])
        for put, speed in zip(follow, lengthening.tolist(), strict=True):
            put(poses.state, speed)
        full_n[t] = [force(poses.state, 1.0) for force in full]
        per_newton[t] = tree[:, poses.mobility]
    return MuscleGeometry(per_newton=per_newton, full_n=full_n)


def passive_tension(shared: SharedModel, values: np.ndarray) -> np.ndarray:
    """Each muscle's passive force along its tendon, (T, U) newtons, at poses (T, Q), with stiff tendons.

    It is the passive force-length curve of the muscle's class. Damping, which Millard's and De Groote's muscles have to
    keep their integration well posed, is left out, as it is from the active force.
    TrialRejected("static_optimization", …) names muscles whose fibre length can't be set.
    """
    muscles = _muscles(shared)
    loose = [(muscle, _StiffTendon.of(muscle)) for muscle in muscles if _keeps_its_fibre(shared, muscle)]
    strength_n = np.array([muscle.getMaxIsometricForce() for muscle in muscles])
    state, per_strength = shared.poses.state, np.empty((len(values), len(muscles)))
    for t in shared.poses.at(values):
        for muscle, tendon in loose:
            muscle.setStateVariableValue(state, _FIBRE, tendon.fibre_m(muscle.getLength(state)))
        per_strength[t] = [m.getPassiveForceMultiplier(state) * m.getCosPennationAngle(state) for m in muscles]
    return per_strength * strength_n


@dataclass(frozen=True, slots=True, kw_only=True)
class _StiffTendon:
    """A tendon at its slack length, beside a pennate fibre of constant thickness (Millard et al. 2013, section 2)."""

    length_m: float
    thickness_m: float

    @classmethod
    def of(cls, muscle: osim.Muscle) -> "_StiffTendon":
        thickness = muscle.getOptimalFiberLength() * math.sin(muscle.getPennationAngleAtOptimalFiberLength())
        return cls(length_m=muscle.getTendonSlackLength(), thickness_m=thickness)

    def fibre_m(self, path_m: float) -> float:
        return math.hypot(max(path_m - self.length_m, 0.0), self.thickness_m)


def _keeps_its_fibre(shared: SharedModel, muscle: osim.Muscle) -> bool:
    """Whether the fibre's length is a state: in classes without a stiff tendon, such as Thelen's."""
    states = muscle.getStateVariableNames()
    names = {states.get(i).rsplit("/", 1)[-1] for i in range(states.getSize())}
    if not names <= _KNOWN_STATES:
        raise TrialRejected(
            "static_optimization",
            f"model {shared.summary.name}: muscle {muscle.getName()}, a {muscle.getConcreteClassName()}, has states "
            f"({', '.join(sorted(names - _KNOWN_STATES))}) that passive fibre force may depend on in ways engine "
            "`exact` doesn't know. Set passive_fibre_force = false in the recipe.",
        )
    return _FIBRE in names


def strongest_n(shared: SharedModel) -> np.ndarray:
    """Each muscle's maximum isometric force, (U,): its tension at full activation without muscle physiology."""
    return np.array([muscle.getMaxIsometricForce() for muscle in _muscles(shared)])


def control_bounds(shared: SharedModel) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest control of each muscle, (U,) each, as the model has them."""
    muscles = _muscles(shared)
    return np.array([m.getMinControl() for m in muscles]), np.array([m.getMaxControl() for m in muscles])


def _slides(path: osim.GeometryPath) -> bool:
    """Whether a point of the path moves within its body with a coordinate, which gives that coordinate a force."""
    points = path.getPathPointSet()
    return any(osim.MovingPathPoint.safeDownCast(points.get(i)) is not None for i in range(points.getSize()))


def _per_newton(shared: SharedModel, paths: list[osim.GeometryPath], sliding: list[bool]) -> np.ndarray:
    """Generalized force of a newton in each path at the state's pose, (U, Q) in Simbody's order.

    Tensions are added one after the other and their sums differenced: resetting the bodies' forces for each path would
    take longer than everything else.
    """
    poses = shared.poses
    n_speeds = poses.state.getNU()
    on_bodies = osim.VectorOfSpatialVec(poses.n_bodies, osim.SpatialVec(osim.Vec3(0), osim.Vec3(0)))
    direct, through = osim.Vector(n_speeds, 0.0), osim.Vector(n_speeds, 0.0)
    sums = np.zeros((len(paths) + 1, n_speeds))
    at_coordinates = np.zeros(n_speeds)
    for j, (path, slides) in enumerate(zip(paths, sliding, strict=True), start=1):
        path.addInEquivalentForces(poses.state, 1.0, on_bodies, direct)
        poses.matter.multiplyBySystemJacobianTranspose(poses.state, on_bodies, through)
        sums[j] = through.to_numpy()
        if slides:
            at_coordinates = direct.to_numpy()
        sums[j] += at_coordinates
    return np.diff(sums, axis=0)


def _muscles(shared: SharedModel) -> list[osim.Muscle]:
    muscles = shared.model.getMuscles()
    return [muscles.get(i) for i in range(muscles.getSize())]


def _paths(shared: SharedModel, muscles: list[osim.Muscle]) -> list[osim.GeometryPath]:
    paths = [osim.GeometryPath.safeDownCast(muscle.getPath()) for muscle in muscles]
    unknown = [muscle.getName() for muscle, path in zip(muscles, paths, strict=True) if path is None]
    if unknown:
        raise TrialRejected(
            "static_optimization",
            f"model {shared.summary.name}: the paths of {', '.join(unknown)} are not GeometryPaths, and engine `exact` "
            "can't ask others for their forces. Name engine `tools` in the recipe.",
        )
    return paths
