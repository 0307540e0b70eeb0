"""Inverse kinematics to its optimum: weighted least squares by Newton's method.

Each frame minimises Σ w |marker − measured|² + Σ w (coordinate − value)², the objective of OpenSim's own tool, over the
coordinates that are free: those held by the model keep their values, coupled ones follow their drivers, and clamped
ones stay in their range.

Shapes: T frames, M markers, Q coordinates, F free ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.mechanics.arrays import MarkerPlaces, Tree, reals
from pipeline.mechanics.bodies.poses import follow_couplings
from pipeline.mechanics.markers.gaps import bridge_gaps
from pipeline.mechanics.markers.objective import TrackedFrames, TrackingProblem
from pipeline.mechanics.markers.starts import solve_frames

_STAGE = "inverse_kinematics"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoordinateRoles:
    """What each coordinate may do, (Q,) each.

    locked: held by the model. low and high: its range where it is clamped, −inf and inf where not. residual: it moves
    the whole body against the ground. rotational: it is an angle.
    """

    locked: np.ndarray
    low: np.ndarray
    high: np.ndarray
    residual: np.ndarray
    rotational: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerFit:
    """Coordinates (T, Q) of least error; marker_error_m (T, M), NaN where a marker was missing."""

    values: np.ndarray
    marker_error_m: np.ndarray


def tracking_problem(
    tree: Tree,
    markers: MarkerPlaces,
    weight: np.ndarray,
    roles: CoordinateRoles,
    tasks: Sequence[tuple[int, float, float]] = (),
) -> TrackingProblem:
    """The problem of tracked markers and their weight (M,); each of `tasks` is a coordinate, its weight and its value.

    ValueError for weights that are negative or no numbers, and for ranges that end before they begin.
    """
    task_weight = np.array([weight for _, weight, _ in tasks], dtype=float)
    task_value = np.array([value for _, _, value in tasks], dtype=float)
    for weights in (weight, task_weight):
        if not (np.isfinite(weights) & (weights >= 0)).all():
            raise ValueError("weights of markers and coordinates must be finite and not negative.")
    if not np.isfinite(task_value).all():
        raise ValueError("coordinates are held to values that are no numbers.")
    if not (roles.low <= roles.high).all():
        raise ValueError("coordinates have ranges that end before they begin.")
    free = _leaves_first(tree, np.setdiff1d(np.flatnonzero(~roles.locked), tree.dependent))
    return TrackingProblem(
        tree=tree,
        markers=markers,
        weight=np.ascontiguousarray(weight, dtype=float),
        task_coordinate=np.array([coordinate for coordinate, _, _ in tasks], dtype=np.int64),
        task_weight=task_weight,
        task_value=task_value,
        free=free,
        low=roles.low[free],
        high=roles.high[free],
        residual=roles.residual[free],
        rotational=roles.rotational[free],
    )


def _leaves_first(tree: Tree, free: np.ndarray) -> np.ndarray:
    """Coordinates in an order in which each comes before those that carry it, limb after limb: half the arithmetic."""
    children: list[list[int]] = [[] for _ in tree.parent]
    for body in range(1, len(tree.parent)):
        children[tree.parent[body]].append(body)
    waiting, order = [0], []
    while waiting:
        body = waiting.pop()
        order += tree.coordinate[tree.first_axis[body] : tree.first_axis[body + 1]].tolist()
        waiting += children[body]
    rank = {coordinate: place for place, coordinate in enumerate(order)}
    return np.array(sorted(free.tolist(), key=lambda coordinate: -rank.get(coordinate, -1)), dtype=np.int64)


def fit_poses(problem: TrackingProblem, time_s: np.ndarray, positions_m: np.ndarray, held: np.ndarray) -> MarkerFit:
    """Poses of least weighted error, every frame converged to about 1e-8 rad.

    positions_m (T, M, 3), NaN where a marker is out of sight; held (T, Q): default poses, and held coordinates where
    they are held. A coordinate that no marker ever shows stays at its default; one that is out of sight for a while
    follows from the frames that show it, and keeps the nearest one's value at an end of the walk. ValueError if held
    poses are no numbers, or shapes differ. TrialRejected if a frame does not converge.
    """
    _check_shapes(problem, time_s, positions_m, held)
    seen = np.isfinite(positions_m).all(axis=2)
    frames = TrackedFrames(
        measured_m=np.ascontiguousarray(np.where(seen[..., None], positions_m, 0.0)),
        seen=np.ascontiguousarray(seen),
        held=reals(held),
    )
    optimum = solve_frames(problem, frames, time_s)
    if not optimum.solved.all():
        late = time_s[~optimum.solved]
        raise TrialRejected(
            _STAGE,
            f"{len(late)} frames did not converge, the first at {late[0]:.3f} s: look for markers that jump or are "
            "exchanged.",
        )
    error_m = np.linalg.norm(optimum.error_m, axis=2)
    values = frames.held.copy()
    values[:, problem.free] = bridge_gaps(problem, frames, time_s, optimum.free)
    follow_couplings(problem.tree, values)
    return MarkerFit(values=values, marker_error_m=np.where(seen, error_m, np.nan))


def _check_shapes(problem: TrackingProblem, time_s: np.ndarray, positions_m: np.ndarray, held: np.ndarray) -> None:
    if not len(time_s):
        raise ValueError("there are no frames.")
    expected = (len(time_s), len(problem.weight), 3)
    if positions_m.shape != expected:
        raise ValueError(f"marker positions have shape {positions_m.shape}, expected {expected}.")
    if held.ndim != 2 or len(held) != len(time_s) or held.shape[1] <= problem.free.max(initial=-1):
        raise ValueError(f"held poses have shape {held.shape}, expected {len(time_s)} frames of all coordinates.")
    if not np.isfinite(held).all():
        raise ValueError("held poses have coordinates that are no numbers.")
