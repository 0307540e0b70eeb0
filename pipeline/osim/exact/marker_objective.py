"""The objective of inverse kinematics and its derivatives, at many poses at once.

The objective is OpenSim's own: Σ w |marker − measured|² + Σ w (coordinate − value)², over the free coordinates.
Shapes: T frames, M markers, B bodies, Q coordinates, F free ones.
"""

from dataclasses import dataclass, fields

import numpy as np

from pipeline.osim.models.shared_model import SharedModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is the same in every frame.

    `body` (M,) is each marker's index in `bodies`, and `local_m` (M, 3) its place there. `low` and `high` (F,) are the
    bounds of the free coordinates, infinite where there are none.
    """

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
class MarkerFrames:
    """Measured positions (T, M, 3), zero where not `seen` (T, M); `held` (T, Q) are the poses of held coordinates."""

    measured_m: np.ndarray
    seen: np.ndarray
    held: np.ndarray

    def of(self, frames: np.ndarray) -> "MarkerFrames":
        """Some of the frames, by their numbers or a mask."""
        return MarkerFrames(measured_m=self.measured_m[frames], seen=self.seen[frames], held=self.held[frames])


@dataclass(slots=True, kw_only=True)
class LocalModel:
    """The objective's quadratic model around poses.

    `cost` (T,) is its value and `descent` (T, F) half its negative gradient. Half its Hessian is `curvature` less
    `bending`, (T, F, F) each: the Gauss-Newton part, never negative, and what the errors add along curved paths.
    `error_m` (T, M, 3) are measured less modelled positions, zero where not seen.
    """

    cost: np.ndarray
    descent: np.ndarray
    curvature: np.ndarray
    bending: np.ndarray
    error_m: np.ndarray

    def take(self, mine: np.ndarray, other: "LocalModel") -> None:
        """Copy the frames of a mask from another, in place."""
        for name in _PARTS:
            getattr(self, name)[mine] = getattr(other, name)[mine]

    def of(self, frames: np.ndarray) -> "LocalModel":
        """Some of the frames, by their numbers or a mask."""
        return LocalModel(**{name: getattr(self, name)[frames] for name in _PARTS})


_PARTS = tuple(field.name for field in fields(LocalModel))


def expand(problem: Problem, frames: MarkerFrames, free: np.ndarray) -> np.ndarray:
    """All coordinates (T, Q) from the free ones: held ones keep their pose, coupled ones follow their drivers."""
    values = frames.held.copy()
    values[:, problem.free] = free
    problem.shared.couplers.follow(values)
    return values


def local_model(problem: Problem, frames: MarkerFrames, free: np.ndarray) -> LocalModel:
    """The objective and its derivatives at poses (T, F).

    The markers of one body move together. Their errors add up to one wrench and their weights to one 6 × 6 matrix,
    like a spatial inertia (Featherstone 2008, eq. 2.63), so that the Jacobian is needed for bodies only.
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
    model = LocalModel(
        cost=(pull * error).sum(axis=(1, 2)),
        descent=np.matmul(wrench.reshape(len(free), 1, n_rows), flat)[:, 0],
        curvature=np.matmul(flat.transpose(0, 2, 1), weighted),
        bending=_bending(problem, jacobian, turn, wrench[..., 3:]),
        error_m=error,
    )
    _add_tasks(problem, values, model)
    return model


def _bending(problem: Problem, jacobian: np.ndarray, turn: np.ndarray, force: np.ndarray) -> np.ndarray:
    """Σ w error · ∂²(marker)/∂q_i∂q_j, (T, F, F), for joints along a chain.

    The coordinate nearer the root, i, turns all that the farther one, j, moves: ∂²p/∂q_i∂q_j = ω_i × ∂p/∂q_j. The
    curvature of a joint's own functions (a knee that slides as it turns) is left out: at worst that costs a step.
    """
    turning, moving = jacobian[..., :3, :], jacobian[..., 3:, :]
    lever = np.matmul(turn, turning) - np.matmul(_cross_matrix(force), moving)
    shape = (len(jacobian), -1, jacobian.shape[-1])
    bending = np.matmul(turning.reshape(shape).transpose(0, 2, 1), lever.reshape(shape))
    rank = problem.shared.poses.mobility[problem.free]
    return np.where(rank[:, None] <= rank, bending, bending.transpose(0, 2, 1))


def _per_body(
    problem: Problem, arm: np.ndarray, weight: np.ndarray, pull: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Sums over each body's markers, about its origin: wrench (T, B, 6), weights (T, B, 6, 6), Σ w (r eᵀ − r·e).

    The last, (T, B, 3, 3), is how the wrench's moment changes as the body turns.
    """
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
    product = np.empty(a.shape)
    product[..., 0] = a[..., 1] * b[..., 2] - a[..., 2] * b[..., 1]
    product[..., 1] = a[..., 2] * b[..., 0] - a[..., 0] * b[..., 2]
    product[..., 2] = a[..., 0] * b[..., 1] - a[..., 1] * b[..., 0]
    return product


def _cross_matrix(a: np.ndarray) -> np.ndarray:
    """[a]×, (…, 3, 3): the matrix for which [a]× b is a × b."""
    lower = np.zeros((*a.shape, 3))
    lower[..., 2, 1], lower[..., 0, 2], lower[..., 1, 0] = a[..., 0], a[..., 1], a[..., 2]
    return lower - lower.swapaxes(-1, -2)


def task_row(problem: Problem, values: np.ndarray, coordinate: int) -> np.ndarray:
    """Derivative of a task's coordinate with respect to the free ones, (T, F), at poses (T, Q).

    A coupled coordinate depends on what drives it.
    """
    row = np.zeros((len(values), len(problem.shared.names)))
    row[:, coordinate] = 1.0
    problem.shared.couplers.slopes(values).fold(row)
    free: np.ndarray = row[:, problem.free]
    return free


def _add_tasks(problem: Problem, values: np.ndarray, model: LocalModel) -> None:
    """Add the terms of the tasks, in place."""
    for coordinate, weight, value in problem.tasks:
        row = task_row(problem, values, coordinate)
        error = value - values[:, coordinate]
        model.cost += weight * error**2
        model.descent += weight * error[:, None] * row
        model.curvature += weight * row[:, :, None] * row[:, None, :]
