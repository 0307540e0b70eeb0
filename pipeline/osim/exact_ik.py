"""Inverse kinematics to its optimum: weighted least squares by Levenberg and Marquardt's method, many frames at once.

Each frame minimises Σ w |marker − measured|² + Σ w (coordinate − value)², the objective of OpenSim's own tool, over the
coordinates that are free: those held by the model keep their values, coupled ones follow their drivers, and clamped
ones stay in their range.

Every 16th frame is solved from the one before it, the first from several starts. What lies halfway between solved
frames starts on a spline through them, again and again until none is left: good starts, and frames solved together,
since a call of numpy costs more than its arithmetic. Shapes: T frames, M markers, Q coordinates, F free ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import opensim as osim
from scipy.interpolate import CubicSpline

from pipeline.errors import TrialRejected
from pipeline.osim.marker_descent import Optimum, near, solve
from pipeline.osim.marker_objective import Frames, Problem, expand
from pipeline.osim.mechanics import marker_stations
from pipeline.osim.shared_model import SharedModel
from pipeline.records import CoordinateTask, Markers

_STAGE = "inverse_kinematics"
# The first frames to be solved, a power of two apart; fewer than this many are no spline.
_KEY_EVERY, _SPLINE_KEYS = 16, 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """Coordinates (T, Q) of least error; marker_error_m (T, M), NaN where a marker was missing."""

    values: np.ndarray
    marker_error_m: np.ndarray


def fit_markers(
    shared: SharedModel, tracked: Markers, weights: Mapping[str, float], tasks: Sequence[CoordinateTask]
) -> Fit:
    """Poses of least weighted error, every frame converged to 1e-8 rad.

    A coordinate that no marker ever shows stays at its default; one that is out of sight for a while stays where its
    neighbouring frames have it. ValueError for a task of a coordinate that the model lacks. TrialRejected if a frame
    does not converge.
    """
    problem = _problem(shared, tracked, weights, tasks)
    seen = np.isfinite(tracked.positions_m).all(axis=2)
    frames = Frames(
        measured_m=np.where(seen[..., None], tracked.positions_m, 0.0),
        seen=seen,
        held=_held(shared, tracked.time_s),
    )
    optimum = _refine(problem, frames, _follow(problem, frames.of(np.arange(0, len(seen), _KEY_EVERY))))
    if not optimum.solved.all():
        late = tracked.time_s[~optimum.solved]
        raise TrialRejected(
            _STAGE,
            f"{len(late)} frames did not converge, the first at {late[0]:.3f} s: look for markers that jump or are "
            "exchanged.",
        )
    error_m = np.linalg.norm(optimum.error_m, axis=2)
    return Fit(values=expand(problem, frames, optimum.free), marker_error_m=np.where(seen, error_m, np.nan))


def _problem(
    shared: SharedModel, tracked: Markers, weights: Mapping[str, float], tasks: Sequence[CoordinateTask]
) -> Problem:
    stations = marker_stations(shared.model)
    chosen = [stations[label] for label in tracked.labels]
    bodies = tuple(sorted({station.body for station in chosen}))
    coordinates = [shared.model.getCoordinateSet().get(name) for name in shared.names]
    free = np.array(shared.free())
    clamped = [coordinates[i].getClamped(shared.poses.state) for i in free]
    ranges = [(coordinates[i].getRangeMin(), coordinates[i].getRangeMax()) for i in free]
    return Problem(
        shared=shared,
        bodies=bodies,
        body=np.array([bodies.index(station.body) for station in chosen]),
        local_m=np.array([station.location_m for station in chosen]),
        weight=np.array([weights[label] for label in tracked.labels]),
        tasks=_known_tasks(shared, tasks),
        free=free,
        low=np.array([low if on else -np.inf for on, (low, _) in zip(clamped, ranges, strict=True)]),
        high=np.array([high if on else np.inf for on, (_, high) in zip(clamped, ranges, strict=True)]),
    )


def _known_tasks(shared: SharedModel, tasks: Sequence[CoordinateTask]) -> tuple[tuple[int, float, float], ...]:
    strangers = [task.name for task in tasks if task.name not in shared.names]
    if strangers:
        raise ValueError(f"model {shared.summary.name} has no coordinate {', '.join(strangers)} to hold.")
    default = _defaults(shared)
    found = []
    for task in tasks:
        place = shared.names.index(task.name)
        found.append((place, task.weight, float(default[place]) if task.value is None else task.value))
    return tuple(found)


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


def _follow(problem: Problem, frames: Frames) -> Optimum:
    """Frames far apart: each starts from the one before it, the first from several."""
    found = _first(problem, frames.of(np.array([0])))
    every = [found]
    for t in range(1, len(frames.seen)):
        found = solve(problem, frames.of(np.array([t])), found.free)
        every.append(found)
    return Optimum(
        free=np.concatenate([one.free for one in every]),
        solved=np.concatenate([one.solved for one in every]),
        error_m=np.concatenate([one.error_m for one in every]),
    )


def _refine(problem: Problem, frames: Frames, keys: Optimum) -> Optimum:
    """All frames from every n-th: what lies halfway starts on a cubic spline through what is known, again and again."""
    n_frames, every = len(frames.seen), _KEY_EVERY
    whole = Optimum(
        free=np.empty((n_frames, len(problem.free))),
        solved=np.zeros(n_frames, dtype=bool),
        error_m=np.empty(frames.measured_m.shape),
    )
    known = np.arange(0, n_frames, every)
    whole.put(known, keys)
    while every > 1:
        every //= 2
        new = np.arange(every, n_frames, 2 * every)
        if len(new):
            whole.put(new, solve(problem, frames.of(new), _between(known, whole.free[known], new)))
        known = np.arange(0, n_frames, every)
    return whole


def _between(known: np.ndarray, poses: np.ndarray, new: np.ndarray) -> np.ndarray:
    """Where to start new frames: on a cubic spline through poses (T, F) of known ones, the nearest if they are few."""
    if len(known) < _SPLINE_KEYS:
        return poses[np.minimum(np.searchsorted(known, new), len(known) - 1)]
    # Beyond the last known frame a spline runs away.
    return CubicSpline(known, poses)(np.minimum(new, known[-1]))


def _first(problem: Problem, frame: Frames) -> Optimum:
    """The best pose of one frame, from the model's default; if it stays far from the markers, turned too."""
    default = frame.held[:, problem.free]
    found = solve(problem, frame, default)
    if near(found.error_m, frame.seen)[0]:
        return found
    starts = np.vstack([found.free, *_turned(problem, default)])
    every = frame.of(np.zeros(len(starts), dtype=int))
    found = solve(problem, every, starts)
    best = np.argmin((problem.weight * (found.error_m**2).sum(axis=2)).sum(axis=1))
    return found.of(np.array([best]))


def _turned(problem: Problem, default: np.ndarray) -> list[np.ndarray]:
    """The default pose, with the whole body turned by a quarter, a half and three quarters about each of its angles."""
    coordinates = problem.shared.summary.coordinates
    turns = [k for k, i in enumerate(problem.free) if coordinates[i].residual and coordinates[i].rotational]
    found = []
    for k in turns:
        for angle in (0.5 * np.pi, np.pi, -0.5 * np.pi):
            pose = default.copy()
            pose[:, k] = np.clip(pose[:, k] + angle, problem.low[k], problem.high[k])
            found.append(pose)
    return found
