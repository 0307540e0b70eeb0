"""What inverse kinematics minimises, with its derivatives, at many poses at once.

Σ w |marker − measured|² + Σ w (coordinate − value)², over the free coordinates: the objective of OpenSim's own tool.
Shapes: T frames, M markers, B bodies, Q coordinates, F free ones.
"""

from dataclasses import dataclass, fields

import numpy as np

from pipeline.osim.models.shared_model import SharedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What doesn't change from frame to frame. `bodies` carry the markers: `body` (M,) says which, `local_m` where."""

    shared: SharedModel
    bodies: tuple[str, ...]
    body: np.ndarray
    local_m: np.ndarray
    weight: np.ndarray
    tasks: tuple[tuple[int, float, float], ...]  # coordinate, weight, value
    free: np.ndarray
    low: np.ndarray
    high: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class Frames:
    """Measured positions (T, M, 3), zero where not `seen` (T, M), and the poses (T, Q) that held coordinates keep."""

    measured_m: np.ndarray
    seen: np.ndarray
    held: np.ndarray

    def of(self, frames: np.ndarray) -> "Frames":
        """Some of the frames, by their numbers or a mask."""
        return Frames(measured_m=self.measured_m[frames], seen=self.seen[frames], held=self.held[frames])


@dataclass(slots=True, kw_only=True)
class Around:
    """The objective around poses: its value (T,), half its descent (T, F), half its second derivative (T, F, F).

    That is `curvature`, Gauss's part and always positive, less `bending`, what the errors do along bent paths.
    error_m (T, M, 3) are the measured less the modelled positions, zero where not seen.
    """

    cost: np.ndarray
    descent: np.ndarray
    curvature: np.ndarray
    bending: np.ndarray
    error_m: np.ndarray

    def take(self, mine: np.ndarray, other: "Around") -> None:
        """Take the frames of a mask from another, in place."""
        for name in _PARTS:
            getattr(self, name)[mine] = getattr(other, name)[mine]

    def of(self, frames: np.ndarray) -> "Around":
        """Some of the frames, by their numbers or a mask."""
        return Around(**{name: getattr(self, name)[frames] for name in _PARTS})


_PARTS = tuple(field.name for field in fields(Around))


def expand(problem: Problem, frames: Frames, free: np.ndarray) -> np.ndarray:
    """All coordinates (T, Q) of the free ones: the held where they are held, the coupled where their drivers are."""
    values = frames.held.copy()
    values[:, problem.free] = free
    problem.shared.couplers.follow(values)
    return values


def evaluate(problem: Problem, frames: Frames, free: np.ndarray) -> Around:
    """The objective at poses (T, F), with its derivatives.

    Markers on one body move as one: their errors make one wrench, their weights one 6 × 6 matrix like a spatial
    inertia (Featherstone 2008, eq. 2.63), and only these meet the Jacobian.
    """
    values = expand(problem, frames, free)
    motion = problem.shared.poses.kinematics(values, problem.bodies)
    arm = np.matmul(motion.rotation[:, problem.body], problem.local_m[:, :, None])[..., 0]
    weight = (problem.weight * frames.seen)[..., None]
    error = np.where(frames.seen[..., None], frames.measured_m - arm - motion.origin_m[:, problem.body], 0.0)
    pull = weight * error
    wrench, inertia, turn = _per_body(problem, arm, weight, pull)
    jacobian = motion.jacobian
    problem.shared.couplers.slopes(values).fold(jacobian)
    jacobian = jacobian[..., problem.free]
    n_rows = 6 * len(problem.bodies)
    flat = jacobian.reshape(len(free), n_rows, -1)
    weighted = np.matmul(inertia, jacobian).reshape(flat.shape)
    found = Around(
        cost=(pull * error).sum(axis=(1, 2)),
        descent=np.matmul(wrench.reshape(len(free), 1, n_rows), flat)[:, 0],
        curvature=np.matmul(flat.transpose(0, 2, 1), weighted),
        bending=_bending(problem, jacobian, turn, wrench[..., 3:]),
        error_m=error,
    )
    _add_tasks(problem, values, found)
    return found


def _bending(problem: Problem, jacobian: np.ndarray, turn: np.ndarray, force: np.ndarray) -> np.ndarray:
    """Σ w error · ∂²(marker)/∂q_i∂q_j, (T, F, F), of joints whose axes follow each other along the chain.

    The coordinate nearer the root, i, turns all that the farther one, j, moves: ∂²p/∂q_i∂q_j = ω_i × ∂p/∂q_j. What a
    joint's own functions bend (a knee that slides as it turns) is left out: it only costs a step now and then.
    """
    turning, moving = jacobian[..., :3, :], jacobian[..., 3:, :]
    lever = np.matmul(turn, turning) - np.matmul(_cross_matrix(force), moving)
    shape = (len(jacobian), -1, jacobian.shape[-1])
    found = np.matmul(turning.reshape(shape).transpose(0, 2, 1), lever.reshape(shape))
    rank = problem.shared.poses.mobility[problem.free]
    return np.where(rank[:, None] <= rank, found, found.transpose(0, 2, 1))


def _per_body(
    problem: Problem, arm: np.ndarray, weight: np.ndarray, pull: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of every body's markers, about its origin: wrench (T, B, 6), 6 × 6 weight, and Σ (r eᵀ − r·e) w (T, B, 3, 3)."""
    of_body = (problem.body == np.arange(len(problem.bodies))[:, None]).astype(float)  # (B, M)
    moment = weight * arm
    outer = (arm[..., :, None] * np.concatenate([moment, pull], axis=2)[..., None, :]).reshape(*arm.shape[:2], 18)
    sums = np.matmul(of_body, np.concatenate([weight, moment, _cross(arm, pull), pull, outer], axis=2))
    mass, first, wrench = sums[..., 0], sums[..., 1:4], sums[..., 4:10]
    products = sums[..., 10:].reshape(*sums.shape[:2], 3, 6)
    second, turn = products[..., :3], products[..., 3:]
    inertia = np.zeros((*sums.shape[:2], 6, 6))
    eye = np.eye(3)
    inertia[..., :3, :3] = np.trace(second, axis1=2, axis2=3)[..., None, None] * eye - second
    inertia[..., 3:, 3:] = mass[..., None, None] * eye
    inertia[..., :3, 3:] = _cross_matrix(first)
    inertia[..., 3:, :3] = -inertia[..., :3, 3:]
    return wrench, inertia, turn - np.trace(turn, axis1=2, axis2=3)[..., None, None] * eye


def _cross(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    found = np.empty(a.shape)
    found[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    found[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    found[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return found


def _cross_matrix(a: np.ndarray) -> np.ndarray:
    """[a]×, (…, 3, 3): what makes a × b of b."""
    found = np.zeros((*a.shape, 3))
    found[..., 2, 1], found[..., 0, 2], found[..., 1, 0] = a[..., 0], a[..., 1], a[..., 2]
    return found - found.swapaxes(-1, -2)


def task_row(problem: Problem, values: np.ndarray, coordinate: int) -> np.ndarray:
    """How a held coordinate changes with the free ones, (T, F): itself, or what drives it, at poses (T, Q)."""
    row = np.zeros((len(values), len(problem.shared.names)))
    row[:, coordinate] = 1.0
    problem.shared.couplers.slopes(values).fold(row)
    free: np.ndarray = row[:, problem.free]
    return free


def _add_tasks(problem: Problem, values: np.ndarray, model: Around) -> None:
    """Add the held coordinates' terms, in place; a coupled one pulls at what drives it."""
    for coordinate, weight, value in problem.tasks:
        row = task_row(problem, values, coordinate)
        error = value - values[:, coordinate]
        model.cost += weight * error**2
        model.descent += weight * error[:, None] * row
        model.curvature += weight * row[:, :, None] * row[:, None, :]
