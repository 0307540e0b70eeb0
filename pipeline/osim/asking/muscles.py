"""OpenSim's muscles along a motion: the way of models whose paths or fibres arrays can't say.

Asking for one muscle takes as long as asking for all, since the bodies must be in place, so that such a model's muscles
are all asked. Shapes: T frames, Q coordinates, U muscles, B bodies of the arrays' tree.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import opensim as osim

from pipeline.errors import TrialRejected
from pipeline.osim.asking.poses import Poses

_STAGE = "static_optimization"
_FIBRE = "fiber_length"
_KNOWN_STATES = {"activation", _FIBRE, "fiber_velocity"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMuscles:
    """per_newton (T, U, Q): generalized force of one newton of tension, each coordinate moving by itself.

    length_m and lengthening_m_s (T, U): of the paths. full_n (T, U): tension at full activation, with the fibre's
    length and speed as a stiff tendon determines them, as OpenSim computes it.
    """

    per_newton: np.ndarray
    length_m: np.ndarray
    lengthening_m_s: np.ndarray
    full_n: np.ndarray


def asked_muscles(model: osim.Model, values: np.ndarray, speeds: np.ndarray) -> AskedMuscles:
    """All muscles along a motion (T, Q). TrialRejected("static_optimization", …) for paths that give no forces."""
    poses, muscles = Poses(model), _muscles(model)
    paths = point_paths(model)
    # By virtual work a path lengthens at minus its generalized force times the speeds, which takes a tenth of the time
    # of OpenSim's own sum over the path. With two wrapping objects OpenSim's speed differs (gaslat: up to 15 mm/s at
    # 0.1 m/s), and OpenSim's is used.
    simple = [path.getWrapSet().getSize() < 2 for path in paths]
    follow = [path.setLengtheningSpeed for path, plain in zip(paths, simple, strict=True) if plain]
    followers = np.flatnonzero(simple)
    sliding = [_slides(path) for path in paths]
    shape = (len(values), len(muscles))
    per_newton, (length_m, lengthening, full_n) = np.empty((*shape, len(poses.names))), np.empty((3, *shape))
    tree_speeds = poses.tree_order(speeds)
    for t in poses.moving(values, speeds):
        tree = _per_newton(poses, paths, sliding)
        for put, speed in zip(follow, (-(tree[followers] @ tree_speeds[t])).tolist(), strict=True):
            put(poses.state, speed)
        length_m[t] = [muscle.getLength(poses.state) for muscle in muscles]
        lengthening[t] = [muscle.getLengtheningSpeed(poses.state) for muscle in muscles]
        full_n[t] = [muscle.calcInextensibleTendonActiveFiberForce(poses.state, 1.0) for muscle in muscles]
        per_newton[t] = tree[:, poses.mobility]
    return AskedMuscles(per_newton=per_newton, length_m=length_m, lengthening_m_s=lengthening, full_n=full_n)


def asked_passive_tension(model: osim.Model, values: np.ndarray) -> np.ndarray:
    """Each muscle's passive force along its tendon, (T, U) newtons, at poses (T, Q), with stiff tendons.

    It is the passive force-length curve of the muscle's class. Damping, which Millard's and De Groote's muscles have to
    keep their integration well posed, is left out, as it is from the active force.
    TrialRejected("static_optimization", …) names muscles whose fibre length can't be set.
    """
    poses, muscles = Poses(model), _muscles(model)
    loose = [(muscle, _StiffTendon.of(muscle)) for muscle in muscles if _keeps_its_fibre(model, muscle)]
    strength_n = np.array([muscle.getMaxIsometricForce() for muscle in muscles])
    state, per_strength = poses.state, np.empty((len(values), len(muscles)))
    for t in poses.at(values):
        for muscle, tendon in loose:
            muscle.setStateVariableValue(state, _FIBRE, tendon.fibre_m(muscle.getLength(state)))
        per_strength[t] = [m.getPassiveForceMultiplier(state) * m.getCosPennationAngle(state) for m in muscles]
    return per_strength * strength_n


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedPulls:
    """Paths, length_m and lengthening_m_s (T, U), and what all muscles together do at their tensions.

    wrenches (T, B, 6): a moment about the ground's origin and a force, on bodies. direct (T, Q): on coordinates.
    """

    length_m: np.ndarray
    lengthening_m_s: np.ndarray
    wrenches: np.ndarray
    direct: np.ndarray


def asked_pulls(
    model: osim.Model, bodies: Sequence[str], values: np.ndarray, speeds: np.ndarray, tension_n: np.ndarray
) -> AskedPulls:
    """What muscles of tension (T, U) do to bodies along a motion (T, Q), the same as `mechanics/muscles/paths.py`.

    Speeds are by virtual work, for the reasons given in `asked_muscles`.
    TrialRejected("static_optimization", …) for paths that give no forces.
    """
    poses, muscles = Poses(model), _muscles(model)
    paths, frames = point_paths(model), [_frame(model, body) for body in bodies]
    index = [int(frame.getMobilizedBodyIndex()) for frame in frames]
    none = osim.SpatialVec(osim.Vec3(0), osim.Vec3(0))
    wrenches, direct = np.zeros((len(values), len(bodies), 6)), np.zeros(values.shape)
    length_m, lengthening = np.empty((2, len(values), len(muscles)))
    sliding, tree_speeds = [_slides(path) for path in paths], poses.tree_order(speeds)
    for t in poses.at(values):
        on_bodies, on_speeds = osim.VectorOfSpatialVec(poses.n_bodies, none), osim.Vector(poses.state.getNU(), 0.0)
        length_m[t] = [muscle.getLength(poses.state) for muscle in muscles]
        lengthening[t] = -(_per_newton(poses, paths, sliding) @ tree_speeds[t])
        for path, tension in zip(paths, tension_n[t].tolist(), strict=True):
            path.addInEquivalentForces(poses.state, tension, on_bodies, on_speeds)
        direct[t] = on_speeds.to_numpy()[poses.mobility]
        for b, (frame, place) in enumerate(zip(frames, index, strict=True)):
            given = on_bodies.get(place)
            moment, force = given.get(0).to_numpy().copy(), given.get(1).to_numpy().copy()
            at = frame.getPositionInGround(poses.state).to_numpy()
            wrenches[t, b] = np.r_[moment + np.cross(at, force), force]
    return AskedPulls(length_m=length_m, lengthening_m_s=lengthening, wrenches=wrenches, direct=direct)


def _frame(model: osim.Model, body: str) -> osim.PhysicalFrame:
    return model.getGround() if body == "ground" else model.getBodySet().get(body)


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


def _keeps_its_fibre(model: osim.Model, muscle: osim.Muscle) -> bool:
    """Whether the fibre's length is a state: in classes without a stiff tendon, such as Thelen's."""
    states = muscle.getStateVariableNames()
    names = {states.get(i).rsplit("/", 1)[-1] for i in range(states.getSize())}
    if not names <= _KNOWN_STATES:
        raise TrialRejected(
            _STAGE,
            f"model {model.getName()}: muscle {muscle.getName()}, a {muscle.getConcreteClassName()}, has states "
            f"({', '.join(sorted(names - _KNOWN_STATES))}) that passive fibre force may depend on in ways engine "
            "`exact` doesn't know. Set passive_fibre_force = false in the recipe.",
        )
    return _FIBRE in names


def _slides(path: osim.GeometryPath) -> bool:
    """Whether a point of the path moves within its body with a coordinate, which gives that coordinate a force."""
    points = path.getPathPointSet()
    return any(osim.MovingPathPoint.safeDownCast(points.get(i)) is not None for i in range(points.getSize()))


def _per_newton(poses: Poses, paths: list[osim.GeometryPath], sliding: list[bool]) -> np.ndarray:
    """Generalized force of a newton in each path at the state's pose, (U, Q) in Simbody's order.

    Tensions are added one after the other and their sums differenced: resetting the bodies' forces for each path would
    take longer than everything else.
    """
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


def _muscles(model: osim.Model) -> list[osim.Muscle]:
    muscles = model.getMuscles()
    return [muscles.get(i) for i in range(muscles.getSize())]


def point_paths(model: osim.Model) -> list[osim.GeometryPath]:
    """The paths of a model's muscles. TrialRejected("static_optimization", …) names one that is no path of points."""
    muscles = _muscles(model)
    paths = [osim.GeometryPath.safeDownCast(muscle.getPath()) for muscle in muscles]
    unknown = [muscle for muscle, path in zip(muscles, paths, strict=True) if path is None]
    if unknown:
        named = ", ".join(f"{muscle.getName()} (a {muscle.getPath().getConcreteClassName()})" for muscle in unknown)
        raise TrialRejected(
            _STAGE,
            f"model {model.getName()}: the paths of {named} tell lengths and moment arms, but not where they pull on "
            "bones: what joints carry, and the check that muscles balance the moments, can't be computed. Put "
            "GeometryPaths, paths of points, in their place.",
        )
    return paths
