"""The objective of inverse kinematics, one frame at a time, with its exact first and second derivatives.

The objective is OpenSim's own: Σ w |marker − measured|² + Σ w (coordinate − value)², over the free coordinates.
Markers' weights, moments and pulls are summed over each body and then over all that it carries, as in the
composite-rigid-body algorithm (Featherstone 2008, chapter 6), so that a pair of axes costs one product of screws.
Shapes: T frames, M markers, K tasks, B bodies, A axes, Q coordinates, F free ones.
"""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.arrays import MarkerPlaces, Tree
from pipeline.mechanics.bodies.forward import Pose, new_pose, place_bodies
from pipeline.mechanics.bodies.functions import evaluate_at
from pipeline.mechanics.bodies.poses import follow_drivers
from pipeline.mechanics.compiled import inner


class TrackingProblem(NamedTuple):
    """What is the same in every frame.

    markers: where the tracked ones are on the model; weight (M,). task_coordinate, task_weight, task_value (K,): which
    coordinates are drawn to a value. free (F,): the coordinates to find; low and high (F,): their bounds, infinite
    where there are none. residual and rotational (F,): whether each moves the whole body against the ground, and
    whether it is an angle.
    """

    tree: Tree
    markers: MarkerPlaces
    weight: np.ndarray
    task_coordinate: np.ndarray
    task_weight: np.ndarray
    task_value: np.ndarray
    free: np.ndarray
    low: np.ndarray
    high: np.ndarray
    residual: np.ndarray
    rotational: np.ndarray


class TrackedFrames(NamedTuple):
    """Measured positions (T, M, 3), zero where not `seen` (T, M); `held` (T, Q) are the poses of held coordinates."""

    measured_m: np.ndarray
    seen: np.ndarray
    held: np.ndarray


class MarkerRoom(NamedTuple):
    """Room for the objective of one frame and its derivatives, written anew at each pose.

    centre_m (3,): what moments are about, amid the markers. error_m (M, 3): measured less modelled, zero where unseen.
    sums (B, 22): of all markers that a body carries. screw (A, 6): an axis's, its velocity at the centre; work (A,):
    what the errors do along it.
    row (Q,): a coordinate's row R below, the free ones first and then the coupled ones; -1 for held ones.
    descent (R,): half the negative gradient. hessian (R, R): half the Hessian, and gauss (R, R) its Gauss-Newton part,
    which is never negative; only upper triangles are kept. Of the free coordinates, rows 0 to F − 1, they are complete.
    """

    pose: Pose
    values: np.ndarray
    centre_m: np.ndarray
    error_m: np.ndarray
    sums: np.ndarray
    screw: np.ndarray
    work: np.ndarray
    row: np.ndarray
    descent: np.ndarray
    hessian: np.ndarray
    gauss: np.ndarray


# Columns of sums: Σ w; Σ w p; Σ w p pᵀ as xx, yy, zz, xy, xz, yz; Σ w e; Σ w p eᵀ, row by row. p is a marker's place
# from the centre, e its error.
_MASS, _FIRST, _SECOND, _PULL, _SPREAD, _N_SUMS = 0, 1, 4, 10, 13, 22


def new_marker_room(problem: TrackingProblem, n_coordinates: int) -> MarkerRoom:
    """Room for one frame's objective over so many coordinates. Not compiled: allocating takes numba long to compile."""
    tree, n_free = problem.tree, len(problem.free)
    row = np.full(n_coordinates, -1, dtype=np.int64)
    row[problem.free] = np.arange(n_free)
    coupled = [c for c in dict.fromkeys(tree.dependent.tolist()) if row[c] < 0]
    row[coupled] = n_free + np.arange(len(coupled))
    n_rows, n_axes = n_free + len(coupled), len(tree.turns)
    return MarkerRoom(
        pose=new_pose(tree),
        values=np.zeros(n_coordinates),
        centre_m=np.zeros(3),
        error_m=np.zeros((len(problem.weight), 3)),
        sums=np.zeros((len(tree.parent), _N_SUMS)),
        screw=np.zeros((n_axes, 6)),
        work=np.zeros(n_axes),
        row=row,
        descent=np.zeros(n_rows),
        hessian=np.zeros((n_rows, n_rows)),
        gauss=np.zeros((n_rows, n_rows)),
    )


@inner
def weigh(problem: TrackingProblem, frames: TrackedFrames, t: int, free: np.ndarray, room: MarkerRoom) -> float:
    """The objective of frame t at a pose (F,). The room then holds the pose, the markers' errors and their sums."""
    values = room.values
    for i in range(values.shape[0]):
        values[i] = frames.held[t, i]
    for k in range(problem.free.shape[0]):
        values[problem.free[k]] = free[k]
    follow_drivers(problem.tree, values)
    place_bodies(problem.tree, values, room.pose)
    _find_centre(frames.measured_m[t], frames.seen[t], room.centre_m)
    cost = _sum_over_bodies(problem, frames.measured_m[t], frames.seen[t], room)
    _sum_over_carried(problem.tree.parent, room.sums)
    for k in range(problem.task_coordinate.shape[0]):
        error = problem.task_value[k] - values[problem.task_coordinate[k]]
        cost += problem.task_weight[k] * error * error
    return cost


@inner
def _find_centre(measured: np.ndarray, seen: np.ndarray, centre: np.ndarray) -> None:
    """The mean of a frame's markers (M, 3), zero if there are none: near enough for moments not to cancel."""
    x, y, z, count = 0.0, 0.0, 0.0, 0
    for m in range(seen.shape[0]):
        if seen[m]:
            x, y, z, count = x + measured[m, 0], y + measured[m, 1], z + measured[m, 2], count + 1
    count = max(count, 1)
    centre[0], centre[1], centre[2] = x / count, y / count, z / count


@inner
def _sum_over_bodies(problem: TrackingProblem, measured: np.ndarray, seen: np.ndarray, room: MarkerRoom) -> float:
    """Errors, each body's own sums, and the markers' share of the objective."""
    room.sums[:] = 0.0
    room.error_m[:] = 0.0
    cost = 0.0
    for m in range(seen.shape[0]):
        if not seen[m]:
            continue
        body, w = problem.markers.body[m], problem.weight[m]
        at, turn, origin = problem.markers.place_m[m], room.pose.rotation[body], room.pose.origin_m[body]
        x = origin[0] - room.centre_m[0] + turn[0, 0] * at[0] + turn[0, 1] * at[1] + turn[0, 2] * at[2]
        y = origin[1] - room.centre_m[1] + turn[1, 0] * at[0] + turn[1, 1] * at[1] + turn[1, 2] * at[2]
        z = origin[2] - room.centre_m[2] + turn[2, 0] * at[0] + turn[2, 1] * at[1] + turn[2, 2] * at[2]
        a = measured[m, 0] - room.centre_m[0] - x
        b = measured[m, 1] - room.centre_m[1] - y
        c = measured[m, 2] - room.centre_m[2] - z
        room.error_m[m, 0], room.error_m[m, 1], room.error_m[m, 2] = a, b, c
        cost += w * (a * a + b * b + c * c)
        _add_marker(room.sums[body], w, (x, y, z), (w * a, w * b, w * c))
    return cost


@inner
def _add_marker(
    sums: np.ndarray, w: float, place: tuple[float, float, float], pull: tuple[float, float, float]
) -> None:
    """Add one marker to its body's sums (22,)."""
    x, y, z = place
    sums[_MASS] += w
    sums[_FIRST] += w * x
    sums[_FIRST + 1] += w * y
    sums[_FIRST + 2] += w * z
    sums[_SECOND] += w * x * x
    sums[_SECOND + 1] += w * y * y
    sums[_SECOND + 2] += w * z * z
    sums[_SECOND + 3] += w * x * y
    sums[_SECOND + 4] += w * x * z
    sums[_SECOND + 5] += w * y * z
    for j in range(3):
        sums[_PULL + j] += pull[j]
        sums[_SPREAD + j] += x * pull[j]
        sums[_SPREAD + 3 + j] += y * pull[j]
        sums[_SPREAD + 6 + j] += z * pull[j]


@inner
def _sum_over_carried(parent: np.ndarray, sums: np.ndarray) -> None:
    """Add what every body carries to its own sums (B, 22)."""
    for body in range(parent.shape[0] - 1, 0, -1):
        if sums[body, _MASS] > 0.0:
            onto, mine = sums[parent[body]], sums[body]
            for i in range(_N_SUMS):
                onto[i] += mine[i]


@inner
def find_descent(problem: TrackingProblem, room: MarkerRoom) -> None:
    """The room's descent at the pose last weighed."""
    tree, row, descent = problem.tree, room.row, room.descent
    descent[:] = 0.0
    for axis in range(tree.turns.shape[0]):
        coordinate, body = tree.coordinate[axis], tree.moved[axis]
        if coordinate >= 0 and row[coordinate] >= 0 and room.sums[body, _MASS] > 0.0:
            _shift_screw(room.pose.screw[axis], room.centre_m, room.screw[axis])
            room.work[axis] = _work(room.screw[axis], room.sums[body])
            descent[row[coordinate]] += room.pose.slope[axis] * room.work[axis]
    for k in range(problem.task_coordinate.shape[0]):
        coordinate = problem.task_coordinate[k]
        if row[coordinate] >= 0:
            descent[row[coordinate]] += problem.task_weight[k] * (problem.task_value[k] - room.values[coordinate])
    for c in range(tree.dependent.shape[0] - 1, -1, -1):
        i, driver = row[tree.dependent[c]], row[tree.driver[c]]
        if driver >= 0:
            descent[driver] += (
                evaluate_at(tree.functions, tree.coupling[c], room.values[tree.driver[c]])[1] * descent[i]
            )


@inner
def find_curvature(problem: TrackingProblem, room: MarkerRoom) -> None:
    """The room's hessian and gauss, where `find_descent` was last."""
    tree, row, hessian, gauss = problem.tree, room.row, room.hessian, room.gauss
    hessian[:] = 0.0
    gauss[:] = 0.0
    for axis in range(tree.turns.shape[0]):
        coordinate, body = tree.coordinate[axis], tree.moved[axis]
        if coordinate >= 0 and row[coordinate] >= 0 and room.sums[body, _MASS] > 0.0:
            chain = tree.carrier[tree.first_carrier[body] : tree.first_carrier[body + 1]]
            hessian[row[coordinate], row[coordinate]] -= room.pose.bend[axis] * room.work[axis]
            if room.pose.slope[axis] != 0.0:
                _add_pairs(axis, chain, tree.coordinate, room.sums[body], room)
    for k in range(problem.task_coordinate.shape[0]):
        i = row[problem.task_coordinate[k]]
        if i >= 0:
            hessian[i, i] += problem.task_weight[k]
            gauss[i, i] += problem.task_weight[k]
    for c in range(tree.dependent.shape[0] - 1, -1, -1):
        i, driver = row[tree.dependent[c]], row[tree.driver[c]]
        if driver >= 0:
            _, slope, bend = evaluate_at(tree.functions, tree.coupling[c], room.values[tree.driver[c]])
            _fold(i, driver, slope, hessian)
            _fold(i, driver, slope, gauss)
            hessian[driver, driver] -= bend * room.descent[i]


@inner
def _shift_screw(screw: np.ndarray, at: np.ndarray, shifted: np.ndarray) -> None:
    """A screw (6,) with the velocity of the point `at` (3,) in place of the ground's origin's."""
    u, v, w = screw[0], screw[1], screw[2]
    shifted[0], shifted[1], shifted[2] = u, v, w
    shifted[3] = screw[3] + v * at[2] - w * at[1]
    shifted[4] = screw[4] + w * at[0] - u * at[2]
    shifted[5] = screw[5] + u * at[1] - v * at[0]


@inner
def _work(screw: np.ndarray, s: np.ndarray) -> float:
    """What the pulls do along a screw (6,): their moment times its turning, and their force times its moving."""
    return (
        screw[0] * (s[_SPREAD + 5] - s[_SPREAD + 7])
        + screw[1] * (s[_SPREAD + 6] - s[_SPREAD + 2])
        + screw[2] * (s[_SPREAD + 1] - s[_SPREAD + 3])
        + screw[3] * s[_PULL]
        + screw[4] * s[_PULL + 1]
        + screw[5] * s[_PULL + 2]
    )


@inner
def _momentum(screw: np.ndarray, s: np.ndarray) -> tuple[float, float, float]:
    """Σ w v of the weights, as masses that move along a screw (6,)."""
    u, v, w, x, y, z = screw[0], screw[1], screw[2], screw[3], screw[4], screw[5]
    return (
        s[_MASS] * x + v * s[_FIRST + 2] - w * s[_FIRST + 1],
        s[_MASS] * y + w * s[_FIRST] - u * s[_FIRST + 2],
        s[_MASS] * z + u * s[_FIRST + 1] - v * s[_FIRST],
    )


@inner
def _moment(screw: np.ndarray, s: np.ndarray) -> tuple[float, float, float]:
    """Σ p × w v, the moment of that momentum."""
    u, v, w, x, y, z = screw[0], screw[1], screw[2], screw[3], screw[4], screw[5]
    xx, yy, zz = s[_SECOND], s[_SECOND + 1], s[_SECOND + 2]
    xy, xz, yz = s[_SECOND + 3], s[_SECOND + 4], s[_SECOND + 5]
    return (
        (yy + zz) * u - xy * v - xz * w + s[_FIRST + 1] * z - s[_FIRST + 2] * y,
        (xx + zz) * v - xy * u - yz * w + s[_FIRST + 2] * x - s[_FIRST] * z,
        (xx + yy) * w - xz * u - yz * v + s[_FIRST] * y - s[_FIRST + 1] * x,
    )


@inner
def _change_of_moment(screw: np.ndarray, s: np.ndarray) -> tuple[float, float, float]:
    """Σ v × w e as markers move along a screw (6,): its velocity × Σ w e, and (Σ w p eᵀ − its trace) ω."""
    u, v, w, x, y, z = screw[0], screw[1], screw[2], screw[3], screw[4], screw[5]
    fx, fy, fz = s[_PULL], s[_PULL + 1], s[_PULL + 2]
    xx, yy, zz = s[_SPREAD], s[_SPREAD + 4], s[_SPREAD + 8]
    return (
        y * fz - z * fy - (yy + zz) * u + s[_SPREAD + 1] * v + s[_SPREAD + 2] * w,
        z * fx - x * fz + s[_SPREAD + 3] * u - (xx + zz) * v + s[_SPREAD + 5] * w,
        x * fy - y * fx + s[_SPREAD + 6] * u + s[_SPREAD + 7] * v - (xx + yy) * w,
    )


@inner
def _add_pairs(axis: int, chain: np.ndarray, coordinates: np.ndarray, sums: np.ndarray, room: MarkerRoom) -> None:
    """Add what an axis does together with itself and those before it in its chain, which begins at the root.

    ∂²p/∂x_i∂x_k = ω_i × ∂p/∂x_k for a marker p, where axis i is nearer the root than k, or the same. sums (22,) are of
    the markers that the axis moves.
    """
    row, slope, hessian, gauss, screws = room.row, room.pose.slope, room.hessian, room.gauss, room.screw
    mine, screw = row[coordinates[axis]], screws[axis]
    px, py, pz = _momentum(screw, sums)
    hx, hy, hz = _moment(screw, sums)
    bx, by, bz = _change_of_moment(screw, sums)
    for other in chain:
        coordinate = coordinates[other]
        if coordinate >= 0 and row[coordinate] >= 0:
            nearer, i, rate = screws[other], row[coordinate], slope[axis] * slope[other]
            u, v, w = nearer[0], nearer[1], nearer[2]
            moved = u * hx + v * hy + w * hz + nearer[3] * px + nearer[4] * py + nearer[5] * pz
            if i == mine and other != axis:
                rate *= 2.0
            upper, lower = min(i, mine), max(i, mine)
            gauss[upper, lower] += rate * moved
            hessian[upper, lower] += rate * (moved - (u * bx + v * by + w * bz))
        if other == axis:
            break


@inner
def _fold(dependent: int, driver: int, slope: float, matrix: np.ndarray) -> None:
    """Pass a coupled coordinate's row and column of a matrix (R, R), upper triangle, on to its driver's."""
    both, itself = matrix[min(dependent, driver), max(dependent, driver)], matrix[dependent, dependent]
    for i in range(matrix.shape[0]):
        if i != driver and i != dependent:
            matrix[min(i, driver), max(i, driver)] += slope * matrix[min(i, dependent), max(i, dependent)]
    matrix[driver, driver] += 2 * slope * both + slope * slope * itself
    matrix[min(dependent, driver), max(dependent, driver)] += slope * itself
