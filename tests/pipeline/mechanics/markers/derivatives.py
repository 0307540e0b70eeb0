"""The objective and its derivatives at one pose, as arrays."""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.compiled import kernel
from pipeline.mechanics.markers.objective import (
    MarkerRoom,
    TrackedFrames,
    TrackingProblem,
    find_curvature,
    find_descent,
    new_marker_room,
    weigh,
)


class Derivatives(NamedTuple):
    """descent (F,) is half the negative gradient, hessian and gauss (F, F) are halves too."""

    cost: float
    descent: np.ndarray
    hessian: np.ndarray
    gauss: np.ndarray


def derivatives(problem: TrackingProblem, frames: TrackedFrames, t: int, free: np.ndarray) -> Derivatives:
    room, n_free = new_marker_room(problem, frames.held.shape[1]), len(problem.free)
    cost = _derive(problem, frames, t, np.ascontiguousarray(free), room)
    free_rows = np.s_[:n_free, :n_free]
    return Derivatives(cost, room.descent[:n_free], whole(room.hessian[free_rows]), whole(room.gauss[free_rows]))


def whole(upper: np.ndarray) -> np.ndarray:
    return np.triu(upper) + np.triu(upper, 1).T


@kernel
def _derive(problem: TrackingProblem, frames: TrackedFrames, t: int, free: np.ndarray, room: MarkerRoom) -> float:
    cost = weigh(problem, frames, t, free, room)
    find_descent(problem, room)
    find_curvature(problem, room)
    return cost
