"""The objective and its derivatives at one pose, as arrays."""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.compiled import kernel
from pipeline.mechanics.markers.objective import (
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
    cost, descent, hessian, gauss = _derivatives(problem, frames, t, np.ascontiguousarray(free))
    return Derivatives(cost, descent, whole(hessian), whole(gauss))


def whole(upper: np.ndarray) -> np.ndarray:
    return np.triu(upper) + np.triu(upper, 1).T


@kernel
def _derivatives(
    problem: TrackingProblem, frames: TrackedFrames, t: int, free: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray, np.ndarray]:
    n_free = problem.free.shape[0]
    room = new_marker_room(problem, frames.held.shape[1])
    cost = weigh(problem, frames, t, free, room)
    find_descent(problem, room)
    find_curvature(problem, room)
    return (
        cost,
        room.descent[:n_free].copy(),
        room.hessian[:n_free, :n_free].copy(),
        room.gauss[:n_free, :n_free].copy(),
    )
