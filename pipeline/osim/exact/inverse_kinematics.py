"""Inverse kinematics to its optimum: weighted least squares by Levenberg and Marquardt's method, many frames at once.

Each frame minimises Σ w |marker − measured|² + Σ w (coordinate − value)², the objective of OpenSim's own tool, over the
coordinates that are free: those held by the model keep their values, coupled ones follow their drivers, and clamped
ones stay in their range.

Shapes: T frames, M markers, Q coordinates, F free ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import opensim as osim

from pipeline.errors import TrialRejected
from pipeline.osim.exact.marker_gaps import carry_over
from pipeline.osim.exact.marker_objective import MarkerFrames, Problem, expand
from pipeline.osim.exact.marker_starts import solve_walk
from pipeline.osim.models.mechanics import marker_stations
from pipeline.osim.models.shared_model import SharedModel
from pipeline.records import CoordinateTask, Markers

_STAGE = "inverse_kinematics"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Coordinates (T, Q) of least error; marker_error_m (T, M), NaN where a marker was missing."""

    values: np.ndarray
    marker_error_m: np.ndarray


def fit_markers(
    shared: SharedModel, tracked: Markers, weights: Mapping[str, float], tasks: Sequence[CoordinateTask]
) -> Fit:
    """Poses of least weighted error, every frame converged to about 1e-8 rad.

    A coordinate that no marker ever shows stays at its default; one that is out of sight for a while follows from the
    frames that show it, and keeps the nearest one's value at an end of the walk. ValueError for a task of a coordinate
    that the model lacks. TrialRejected if a frame does not converge.
    """
    problem = _problem(shared, tracked, weights, tasks)
    seen = np.isfinite(tracked.positions_m).all(axis=2)
    frames = MarkerFrames(
        measured_m=np.where(seen[..., None], tracked.positions_m, 0.0),
        seen=seen,
        held=_held(shared, tracked.time_s),
    )
    optimum = solve_walk(problem, frames, tracked.time_s)
    if not optimum.solved.all():
        late = tracked.time_s[~optimum.solved]
        raise TrialRejected(
            _STAGE,
            f"{len(late)} frames did not converge, the first at {late[0]:.3f} s: look for markers that jump or are "
            "exchanged.",
        )
    error_m = np.linalg.norm(optimum.error_m, axis=2)
    free = carry_over(problem, frames, tracked.time_s, optimum.free)
    return Fit(values=expand(problem, frames, free), marker_error_m=np.where(seen, error_m, np.nan))


def _problem(
    shared: SharedModel, tracked: Markers, weights: Mapping[str, float], tasks: Sequence[CoordinateTask]
) -> Problem:
    stations = marker_stations(shared.model)
    chosen = [stations[label] for label in tracked.labels]
    bodies = tuple(sorted({station.body for station in chosen}))
    coordinates = [shared.model.getCoordinateSet().get(name) for name in shared.names]
    free = np.array(shared.free(), dtype=int)
    clamped = [coordinates[i].getClamped(shared.poses.state) for i in free]
    ranges = [(coordinates[i].getRangeMin(), coordinates[i].getRangeMax()) for i in free]
    return Problem(
        shared=shared,
        bodies=bodies,
        body=np.array([bodies.index(station.body) for station in chosen]),
        local_m=np.array([station.location_m for station in chosen]),
        weight=np.array([weights[label] for label in tracked.labels]),
        tasks=known_tasks(shared, tasks),
        free=free,
        low=np.array([low if on else -np.inf for on, (low, _) in zip(clamped, ranges, strict=True)]),
        high=np.array([high if on else np.inf for on, (_, high) in zip(clamped, ranges, strict=True)]),
    )


def known_tasks(shared: SharedModel, tasks: Sequence[CoordinateTask]) -> tuple[tuple[int, float, float], ...]:
    """Each task's coordinate, weight and value, the model's default where it has none. ValueError for strangers."""
    strangers = [task.name for task in tasks if task.name not in shared.names]
    if strangers:
        raise ValueError(f"model {shared.summary.name} has no coordinate {', '.join(strangers)} to hold.")
    default = _defaults(shared)
    known = []
    for task in tasks:
        place = shared.names.index(task.name)
        known.append((place, task.weight, float(default[place]) if task.value is None else task.value))
    return tuple(known)


def _defaults(shared: SharedModel) -> np.ndarray:
    coordinates = shared.model.getCoordinateSet()
    return np.array([coordinates.get(name).getDefaultValue() for name in shared.names])


def _held(shared: SharedModel, time_s: np.ndarray) -> np.ndarray:
    """Poses (T, Q) at the model's defaults, prescribed coordinates where their functions have them."""
    poses = np.tile(_defaults(shared), (len(time_s), 1))
    coordinates = shared.model.getCoordinateSet()
    for i, name in enumerate(shared.names):
        coordinate = coordinates.get(name)
        if coordinate.isPrescribed(shared.poses.state):
            function = coordinate.getPrescribedFunction()
            poses[:, i] = [function.calcValue(osim.Vector(1, float(t))) for t in time_s]
    return poses
