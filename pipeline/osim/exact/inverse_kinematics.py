"""Inverse kinematics to its optimum: what the model and the profile say, put to `pipeline/mechanics/markers/`.

Each frame minimises Σ w |marker − measured|² + Σ w (coordinate − value)², the objective of OpenSim's own tool, over the
coordinates that are free: those held by the model keep their values, coupled ones follow their drivers, and clamped
ones stay in their range.

Shapes: T frames, M markers, Q coordinates.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import opensim as osim

from pipeline.mechanics.markers.fit import CoordinateRoles, MarkerFit, fit_poses, tracking_problem
from pipeline.mechanics.markers.objective import TrackingProblem
from pipeline.osim.models.shared_model import SharedModel
from pipeline.records import CoordinateTask, Markers


def fit_markers(
    shared: SharedModel, tracked: Markers, weights: Mapping[str, float], tasks: Sequence[CoordinateTask]
) -> MarkerFit:
    """Poses of least weighted error, every frame converged to about 1e-8 rad.

    A coordinate that no marker ever shows stays at its default; one that is out of sight for a while follows from the
    frames that show it, and keeps the nearest one's value at an end of the walk. ValueError for a task of a coordinate
    that the model lacks. TrialRejected if a frame does not converge.
    """
    problem = marker_problem(shared, tracked.labels, weights, tasks)
    return fit_poses(problem, tracked.time_s, tracked.positions_m, held_poses(shared, tracked.time_s))


def marker_problem(
    shared: SharedModel, labels: Sequence[str], weights: Mapping[str, float], tasks: Sequence[CoordinateTask]
) -> TrackingProblem:
    """What is the same in every frame: the model, its markers of these names, and what is held to a value."""
    skeleton, coordinates = shared.skeleton, shared.summary.coordinates
    return tracking_problem(
        skeleton.tree,
        skeleton.marker_places(labels),
        np.array([weights[label] for label in labels], dtype=float),
        CoordinateRoles(
            locked=np.array([coordinate.locked for coordinate in coordinates]),
            low=skeleton.low,
            high=skeleton.high,
            residual=np.array([coordinate.residual for coordinate in coordinates]),
            rotational=np.array([coordinate.rotational for coordinate in coordinates]),
        ),
        known_tasks(shared, tasks),
    )


def known_tasks(shared: SharedModel, tasks: Sequence[CoordinateTask]) -> tuple[tuple[int, float, float], ...]:
    """Each task's coordinate, weight and value, the model's default where it has none. ValueError for strangers."""
    strangers = [task.name for task in tasks if task.name not in shared.names]
    if strangers:
        raise ValueError(f"model {shared.summary.name} has no coordinate {', '.join(strangers)} to hold.")
    default, known = shared.skeleton.default, []
    for task in tasks:
        place = shared.names.index(task.name)
        known.append((place, task.weight, float(default[place]) if task.value is None else task.value))
    return tuple(known)


def held_poses(shared: SharedModel, time_s: np.ndarray) -> np.ndarray:
    """Poses (T, Q) at the model's defaults, prescribed coordinates where their functions have them."""
    poses = np.tile(shared.skeleton.default, (len(time_s), 1))
    coordinates, state = shared.model.getCoordinateSet(), shared.model.getWorkingState()
    for i, name in enumerate(shared.names):
        coordinate = coordinates.get(name)
        if coordinate.isPrescribed(state):
            function = coordinate.getPrescribedFunction()
            poses[:, i] = [function.calcValue(osim.Vector(1, float(t))) for t in time_s]
    return poses
