"""Everything of a model that its poses and moments follow from, read once and compared with OpenSim's own answers."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import opensim as osim

from pipeline.mechanics.arrays import Fibres, MarkerPlaces, Paths, Tree
from pipeline.mechanics.bodies.newton_euler import generalized_forces
from pipeline.mechanics.bodies.poses import body_places
from pipeline.osim.arrays.fibres import read_fibres
from pipeline.osim.arrays.functions import FunctionTable
from pipeline.osim.arrays.paths import read_paths
from pipeline.osim.arrays.tree import coordinate_names, read_tree
from pipeline.osim.arrays.unsupported import Unsupported
from pipeline.osim.asking.moments import all_forces, asked_moments
from pipeline.osim.asking.poses import Poses
from pipeline.session.recipe import MechanicsLaw

Part = TypeVar("Part")
# How far the arrays' answers may lie from OpenSim's, at a few poses: lengths in metres, forces over the largest.
_PLACE_TOLERANCE, _FORCE_TOLERANCE = 1e-10, 1e-9
_CHECKED_POSES = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Skeleton:
    """A model without its muscles, as arrays.

    bodies: in the tree's order. coordinates: in the model's. markers: the body's number and the place (3,) there.
    free (F,): the coordinates that neither the model holds nor a coupler ties. low and high (Q,): ranges of clamped
    coordinates, infinite for others. default (Q,).
    """

    bodies: tuple[str, ...]
    coordinates: tuple[str, ...]
    tree: Tree
    markers: dict[str, tuple[int, np.ndarray]]
    free: np.ndarray
    low: np.ndarray
    high: np.ndarray
    default: np.ndarray

    def marker_places(self, names: Sequence[str]) -> MarkerPlaces:
        """The markers of these names, in this order."""
        chosen = [self.markers[name] for name in names]
        return MarkerPlaces(
            body=np.array([body for body, _ in chosen], dtype=np.int64),
            place_m=np.array([place for _, place in chosen]).reshape(-1, 3),
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MuscleArrays:
    """A model's muscles as arrays; None where arrays can't say them and OpenSim is asked, `asked` says why.

    paths: their geodesics. opensim_paths: as OpenSim lays them where that is something else than a geodesic.
    """

    paths: Paths | None
    opensim_paths: Paths | None
    fibres: Fibres | None
    asked: tuple[str, ...]

    def paths_by(self, mechanics: MechanicsLaw) -> Paths | None:
        """The paths that the recipe's mechanics takes, None if OpenSim is asked for this model's muscles."""
        if self.fibres is None:
            return None
        return self.opensim_paths if mechanics == "opensim" else self.paths


NO_MUSCLES = MuscleArrays(paths=None, opensim_paths=None, fibres=None, asked=())


def read_muscles(model: osim.Model, skeleton: Skeleton, table: FunctionTable) -> MuscleArrays:
    """The muscles of the same model; functions go into `table`. TrialRejected("model", …) for impossible fibres."""
    asked: list[str] = []

    def unless_unsupported(read: Callable[[], Part]) -> Part | None:
        try:
            return read()
        except Unsupported as found:
            asked.append(str(found))
            return None

    def paths(as_opensim: bool) -> Paths:
        return read_paths(model, skeleton.bodies, skeleton.coordinates, table, skeleton.tree, as_opensim=as_opensim)

    return MuscleArrays(
        paths=unless_unsupported(lambda: paths(False)),
        opensim_paths=unless_unsupported(lambda: paths(True)),
        fibres=unless_unsupported(lambda: read_fibres(model)),
        asked=tuple(dict.fromkeys(asked)),
    )


def read_skeleton(model: osim.Model, table: FunctionTable) -> Skeleton:
    """An initialised model's bodies, joints, coordinates and markers; functions go into `table`.

    Unsupported names what arrays can't say, or where they give other answers than OpenSim. TrialRejected("model", …)
    for what can't be a model.
    """
    tree, bodies = read_tree(model, table)
    names, state = coordinate_names(model), model.getWorkingState()
    every = [model.getCoordinateSet().get(name) for name in names]
    held = np.array([c.getLocked(state) or c.isPrescribed(state) for c in every], dtype=bool)
    clamped = np.array([c.getClamped(state) for c in every], dtype=bool)
    dependent = np.isin(np.arange(len(names)), tree.dependent)
    skeleton = Skeleton(
        bodies=bodies,
        coordinates=names,
        tree=tree,
        markers=_markers(model, bodies),
        free=np.flatnonzero(~held & ~dependent),
        low=np.where(clamped, [c.getRangeMin() for c in every], -np.inf),
        high=np.where(clamped, [c.getRangeMax() for c in every], np.inf),
        default=np.array([c.getDefaultValue() for c in every]),
    )
    _require_same_answers(model, skeleton)
    return skeleton


def _markers(model: osim.Model, bodies: Sequence[str]) -> dict[str, tuple[int, np.ndarray]]:
    markers, places = model.getMarkerSet(), {}
    for i in range(markers.getSize()):
        marker = markers.get(i)
        frame = marker.getParentFrame()
        at = frame.findTransformInBaseFrame().shiftFrameStationToBase(marker.get_location())
        places[marker.getName()] = (bodies.index(frame.findBaseFrame().getName()), at.to_numpy().copy())
    return places


def _require_same_answers(model: osim.Model, skeleton: Skeleton) -> None:
    """Unsupported unless bodies lie where OpenSim has them and take the same forces: a guard against misreading."""
    poses, n_coordinates = Poses(model), len(skeleton.coordinates)
    random = np.random.default_rng(0)
    values = skeleton.default + random.uniform(-0.3, 0.3, (_CHECKED_POSES, n_coordinates))
    speeds, accelerations = random.uniform(-1, 1, (2, _CHECKED_POSES, n_coordinates))
    rotation, origin_m = poses.transforms(values, skeleton.bodies[1:])
    our_rotation, our_origin_m = body_places(skeleton.tree, values)
    apart = np.abs(our_rotation[:, 1:] - rotation).max(axis=(0, 2, 3))
    apart = np.maximum(apart, np.abs(our_origin_m[:, 1:] - origin_m).max(axis=(0, 2)))
    if not apart.max(initial=0.0) <= _PLACE_TOLERANCE:
        body = skeleton.bodies[1 + int(apart.argmax())]
        raise Unsupported(f"body {body}: it lies {apart.max():.1e} from where OpenSim has it")
    theirs = asked_moments(poses, values, speeds, accelerations, without=all_forces(model))
    nobody, nothing = np.zeros(0, dtype=np.int64), np.zeros((_CHECKED_POSES, 0, 6))
    ours = generalized_forces(skeleton.tree, values, speeds, accelerations, nobody, nothing, True)
    apart = np.abs(ours - theirs).max(axis=0) / np.abs(theirs).max(initial=1.0)
    if not apart.max(initial=0.0) <= _FORCE_TOLERANCE:
        name = skeleton.coordinates[int(apart.argmax())]
        raise Unsupported(f"coordinate {name}: its inertial forces differ from OpenSim's")
