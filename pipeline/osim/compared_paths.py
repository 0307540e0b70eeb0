"""Muscle paths of one motion, ours beside OpenSim's, and those that OpenSim states shorter than they are.

OpenSim 4.6 lays a path over several surfaces by iteration, and keeps the tangent points' places in the ground that the
first iteration gave them. It adds up the length, and pulls on bones, from these. Such a path is shorter than the way
through its own points, and turns the whole body, as no muscle can.
Shapes: T frames, U muscles, Q coordinates.
"""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import opensim as osim

from pipeline.mechanics.muscles.paths import muscle_paths
from pipeline.osim.asking.muscles import asked_muscles, point_paths
from pipeline.osim.asking.poses import Poses
from pipeline.osim.models.model import load_model, write_model
from pipeline.osim.models.shared_model import shared_model
from pipeline.records import Coordinates

# Where OpenSim's iteration ends well, its path is within this of the shortest one.
_ITERATED_M = 1e-6


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ComparedPaths:
    """Lengths (T, U), metres: ours, as OpenSim states them, and through the points at which its iteration ended.

    arms_apart_m (T, U): the largest difference between our moment arm of a coordinate and OpenSim's.
    """

    muscle_names: tuple[str, ...]
    length_m: np.ndarray
    stated_m: np.ndarray
    through_points_m: np.ndarray
    arms_apart_m: np.ndarray

    @property
    def cut_short(self) -> np.ndarray:
        """Where OpenSim states another length than its own points have, (T, U)."""
        different: np.ndarray = np.abs(self.stated_m - self.through_points_m) > _ITERATED_M
        return different

    @property
    def muscles_cut_short(self) -> tuple[str, ...]:
        """The muscles for which it does so in any frame."""
        return tuple(np.array(self.muscle_names)[self.cut_short.any(axis=0)].tolist())

    def warnings(self) -> tuple[str, ...]:
        """One sentence if there are such muscles."""
        if not self.muscles_cut_short:
            return ()
        frames, n_frames = self.cut_short.any(axis=1).sum(), len(self.cut_short)
        most_mm = 1e3 * np.abs(self.stated_m - self.through_points_m).max()
        return (
            f"OpenSim states paths shorter than they are ({', '.join(self.muscles_cut_short)}: {frames} of {n_frames} "
            f"frames, up to {most_mm:.1f} mm): these were compared through their points, and static optimization with "
            "their first surface only; see docs/engines.md",
        )


def compared_paths(model_file: Path, coordinates: Coordinates) -> ComparedPaths | None:
    """All muscles' paths; None where engine `exact` has none of its own and asks OpenSim."""
    shared = shared_model(model_file)
    paths = shared.muscles.paths_by("opensim")
    if paths is None:
        return None
    values = coordinates.values[:, [coordinates.names.index(name) for name in shared.names]]
    still = np.zeros(values.shape)
    ours, asked = muscle_paths(shared.skeleton.tree, paths, values, still), asked_muscles(shared.model, values, still)
    return ComparedPaths(
        muscle_names=shared.summary.muscles,
        length_m=ours.length_m,
        stated_m=asked.length_m,
        through_points_m=_through_points(shared.model, values, asked.length_m),
        arms_apart_m=np.abs(ours.per_newton - asked.per_newton).max(axis=2),
    )


def _through_points(model: osim.Model, values: np.ndarray, stated_m: np.ndarray) -> np.ndarray:
    """`stated_m` (T, U), measured instead where a path has more than one surface."""
    poses, paths = Poses(model), point_paths(model)
    iterated = [(u, path) for u, path in enumerate(paths) if path.getWrapSet().getSize() > 1]
    through = stated_m.copy()
    for t in poses.at(values) if iterated else ():
        through[t, [u for u, _ in iterated]] = [length_through_points(path, poses.state) for _, path in iterated]
    return through


def length_through_points(path: osim.GeometryPath, state: osim.State) -> float:
    """A path's length, metres, from where its points lie in their bodies, with the arcs between tangent points."""
    points = path.getCurrentPath(state)
    every = [points.get(k) for k in range(points.getSize())]
    places = [
        point.getParentFrame().findStationLocationInGround(state, point.getLocation(state)).to_numpy().copy()
        for point in every
    ]
    length = 0.0
    for k in range(len(every) - 1):
        surfaces = [point.getWrapObject() for point in every[k : k + 2]]
        if all(surfaces) and surfaces[0].getName() == surfaces[1].getName():
            length += osim.PathWrapPoint.safeDownCast(every[k + 1]).getWrapLength(state)
        else:
            length += float(np.linalg.norm(places[k + 1] - places[k]))
    return length


def with_one_surface(model_file: Path, muscles: Collection[str], file: Path) -> Path:
    """Write the same model to `file`, these muscles' paths around the first of their surfaces only."""
    model = load_model(model_file)
    for muscle in muscles:
        wraps = osim.GeometryPath.safeDownCast(model.getMuscles().get(muscle).getPath()).updWrapSet()
        switched_on = [wraps.get(k).getWrapObject().get_active() for k in range(wraps.getSize())]
        for k in reversed(range(wraps.getSize())):
            if k != switched_on.index(True):
                wraps.remove(k)
    write_model(model, file)
    return file
