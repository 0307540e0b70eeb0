"""What has just been read of a model against OpenSim's own answers at a few poses: a guard against misreading it.

Compared is what must agree whatever the mechanics: where bodies and markers lie, couplers, inertial forces as OpenSim
computes them, and of muscles whose path has no surface or a single cylinder, laid as OpenSim lays it, length, speed and
pull. Two surfaces, where OpenSim iterates, and spheres, which it takes the long way round, are left to tests.
Shapes: N poses, Q coordinates, U muscles.
"""

import numpy as np
import opensim as osim

from pipeline.mechanics.arrays import CYLINDER_IN_PLANE, Paths
from pipeline.mechanics.bodies.newton_euler import generalized_forces
from pipeline.mechanics.bodies.poses import body_places, follow_couplings
from pipeline.mechanics.muscles.paths import laid_paths, muscle_paths
from pipeline.osim.arrays.model_arrays import Skeleton
from pipeline.osim.arrays.unsupported import Unsupported
from pipeline.osim.asking.moments import all_forces, asked_moments
from pipeline.osim.asking.muscles import asked_pulls
from pipeline.osim.asking.poses import Poses

# Lengths in metres, speeds in m/s, pulls in N and N·m at about a newton in each muscle, forces over the largest.
_PLACE_TOLERANCE, _SPEED_TOLERANCE, _PULL_TOLERANCE, _FORCE_TOLERANCE = 1e-10, 1e-8, 1e-8, 1e-9
_N_POSES = 2


def require_same_skeleton(model: osim.Model, skeleton: Skeleton) -> None:
    """Unsupported names the first body, marker, coupler or coordinate whose answers aren't OpenSim's."""
    poses, n_coordinates = Poses(model), len(skeleton.coordinates)
    tied = _tied_poses(model, skeleton)
    random = np.random.default_rng(0)
    values = skeleton.default + random.uniform(-0.3, 0.3, (_N_POSES, n_coordinates))
    speeds, accelerations = random.uniform(-1, 1, (2, _N_POSES, n_coordinates))
    _require_bodies(poses, skeleton, values)
    _require_markers_and_couplers(poses, skeleton, tied)
    theirs = asked_moments(poses, values, speeds, accelerations, without=all_forces(model))
    nobody, nothing = np.zeros(0, dtype=np.int64), np.zeros((_N_POSES, 0, 6))
    ours = generalized_forces(skeleton.tree, values, speeds, accelerations, nobody, nothing, True)
    apart = np.abs(ours - theirs).max(axis=0) / np.abs(theirs).max(initial=1.0)
    if not apart.max(initial=0.0) <= _FORCE_TOLERANCE:
        name = skeleton.coordinates[int(apart.argmax())]
        raise Unsupported(f"coordinate {name}: its inertial forces differ from OpenSim's")


def require_same_muscles(model: osim.Model, skeleton: Skeleton, by_law: Paths, as_opensim: Paths) -> None:
    """Unsupported names the first muscle whose length or speed, or body or coordinate whose pull, isn't OpenSim's."""
    muscles = model.getMuscles()
    names = [muscles.get(i).getName() for i in range(muscles.getSize())]
    n_wraps = np.diff(as_opensim.first_wrap)
    around = as_opensim.surface_kind[as_opensim.wrap_surface]
    of_muscle = np.repeat(np.arange(len(names)), n_wraps)
    alike = n_wraps <= 1
    alike[of_muscle[around != CYLINDER_IN_PLANE]] = False
    random = np.random.default_rng(1)
    values = _tied_poses(model, skeleton)
    speeds = random.uniform(-1, 1, values.shape)
    tension_n = random.uniform(0.5, 1.5, (_N_POSES, len(names))) * alike
    theirs = asked_pulls(model, skeleton.bodies, values, speeds, tension_n)
    found, pulls = laid_paths(skeleton.tree, as_opensim, values, speeds, tension_n)
    straight_m = muscle_paths(skeleton.tree, by_law, values, speeds).length_m
    for what, unit, some, ours, their, tolerance in (
        ("path", "m", alike, found.length_m, theirs.length_m, _PLACE_TOLERANCE),
        ("path by the laws", "m", n_wraps == 0, straight_m, theirs.length_m, _PLACE_TOLERANCE),
        ("lengthening speed", "m/s", alike, found.lengthening_m_s, theirs.lengthening_m_s, _SPEED_TOLERANCE),
    ):
        apart = np.abs(ours - their).max(axis=0)[some]
        if not apart.max(initial=0.0) <= tolerance:
            name = np.array(names)[some][int(apart.argmax())]
            raise Unsupported(f"muscle {name}: its {what} is {apart.max():.1e} {unit} off OpenSim's")
    _require_pulls(skeleton, pulls.wrenches - theirs.wrenches, pulls.direct - theirs.direct)


def _require_pulls(skeleton: Skeleton, wrenches: np.ndarray, direct: np.ndarray) -> None:
    """Of differences between ours and OpenSim's."""
    of_bodies, of_coordinates = np.abs(wrenches).max(axis=(0, 2)), np.abs(direct).max(axis=0)
    for apart, names in ((of_bodies, skeleton.bodies), (of_coordinates, skeleton.coordinates)):
        if not apart.max(initial=0.0) <= _PULL_TOLERANCE:
            raise Unsupported(f"muscles' pull on {names[int(apart.argmax())]} differs from OpenSim's")


def _tied_poses(model: osim.Model, skeleton: Skeleton) -> np.ndarray:
    """Poses (N, Q) in range, coupled coordinates where our couplers have them, held ones where the model has them."""
    state, coordinates = model.getWorkingState(), model.getCoordinateSet()
    every = [coordinates.get(name) for name in skeleton.coordinates]
    ranges = np.array([(c.getRangeMin(), c.getRangeMax()) for c in every]).reshape(-1, 2).T
    shift = np.random.default_rng(2).uniform(-0.3, 0.3, (_N_POSES, len(every)))
    values = np.clip(skeleton.default + shift, *ranges)
    held = np.setdiff1d(np.arange(len(every)), [*skeleton.free, *skeleton.tree.dependent])
    values[:, held] = [every[i].getValue(state) for i in held]
    follow_couplings(skeleton.tree, values)
    return values


def _require_bodies(poses: Poses, skeleton: Skeleton, values: np.ndarray) -> None:
    rotation, origin_m = poses.transforms(values, skeleton.bodies[1:])
    our_rotation, our_origin_m = body_places(skeleton.tree, values)
    apart = np.abs(our_rotation[:, 1:] - rotation).max(axis=(0, 2, 3))
    apart = np.maximum(apart, np.abs(our_origin_m[:, 1:] - origin_m).max(axis=(0, 2)))
    if not apart.max(initial=0.0) <= _PLACE_TOLERANCE:
        body = skeleton.bodies[1 + int(apart.argmax())]
        raise Unsupported(f"body {body}: it lies {apart.max():.1e} from where OpenSim has it")


def _require_markers_and_couplers(poses: Poses, skeleton: Skeleton, values: np.ndarray) -> None:
    rotation, origin_m = body_places(skeleton.tree, values)
    markers = poses.model.getMarkerSet()
    theirs = [(markers.get(name), body, place_m, name) for name, (body, place_m) in skeleton.markers.items()]
    for t in poses.at(values):
        # Simbody's own account of how far constraints are from being met.
        errors = poses.state.getQErr().to_numpy()
        if not np.abs(errors).max(initial=0.0) <= _PLACE_TOLERANCE:
            names = ", ".join(skeleton.coordinates[i] for i in dict.fromkeys(skeleton.tree.dependent.tolist()))
            raise Unsupported(f"coupled coordinates {names}: {np.abs(errors).max():.1e} from where OpenSim has them")
        for marker, body, place_m, name in theirs:
            ours_m = rotation[t, body] @ place_m + origin_m[t, body]
            apart = np.abs(ours_m - marker.getLocationInGround(poses.state).to_numpy()).max()
            if not apart <= _PLACE_TOLERANCE:
                raise Unsupported(f"marker {name}: it lies {apart:.1e} m from where OpenSim has it")
