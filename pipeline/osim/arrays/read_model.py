"""Everything of a model that its poses and moments follow from, read once and compared with OpenSim's own answers."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import opensim as osim

from pipeline.mechanics.arrays import Paths
from pipeline.osim.arrays.fibres import read_fibres
from pipeline.osim.arrays.functions import FunctionTable
from pipeline.osim.arrays.model_arrays import MuscleArrays, Skeleton
from pipeline.osim.arrays.paths import read_paths
from pipeline.osim.arrays.same_answers import require_same_muscles, require_same_skeleton
from pipeline.osim.arrays.tree import coordinate_names, read_tree
from pipeline.osim.arrays.unsupported import Unsupported

Part = TypeVar("Part")


def read_muscles(model: osim.Model, skeleton: Skeleton, table: FunctionTable) -> MuscleArrays:
    """The muscles of the same model; functions go into `table`. TrialRejected("model", …) for impossible fibres.

    Paths that arrays can't say, or that differ from OpenSim's where they should not, are asked of OpenSim: by either
    mechanics, since those of one are held against those of the other.
    """
    asked: list[str] = []

    def unless_unsupported(read: Callable[[], Part]) -> Part | None:
        try:
            return read()
        except Unsupported as found:
            asked.append(str(found))
            return None

    def paths(as_opensim: bool) -> Paths:
        return read_paths(model, skeleton.bodies, skeleton.coordinates, table, skeleton.tree, as_opensim=as_opensim)

    def both_paths() -> tuple[Paths, Paths]:
        by_law, as_opensim = paths(False), paths(True)
        whole = replace(skeleton, tree=skeleton.tree._replace(functions=table.arrays()))
        require_same_muscles(model, whole, by_law, as_opensim)
        return by_law, as_opensim

    by_law, as_opensim = unless_unsupported(both_paths) or (None, None)
    return MuscleArrays(
        paths=by_law,
        opensim_paths=as_opensim,
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
    require_same_skeleton(model, skeleton)
    return skeleton


def _markers(model: osim.Model, bodies: Sequence[str]) -> dict[str, tuple[int, np.ndarray]]:
    markers, places = model.getMarkerSet(), {}
    for i in range(markers.getSize()):
        marker = markers.get(i)
        frame = marker.getParentFrame()
        at = frame.findTransformInBaseFrame().shiftFrameStationToBase(marker.get_location())
        places[marker.getName()] = (bodies.index(frame.findBaseFrame().getName()), at.to_numpy().copy())
    return places
