"""The equations of static optimization: what every control gives to every free coordinate, and what is asked there.

Constraints do no work: what a coupled coordinate is asked and given is its drivers', times its slope.
Shapes: T frames, Q coordinates, F free ones, U muscles, R actuators, C couplings; N = U + R controls, muscles first.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipeline.mechanics.arrays import MOVING, Paths, Tree, reals
from pipeline.mechanics.compiled import inner, kernel
from pipeline.mechanics.muscles.blocks import Blocks, find_blocks


class Equations(NamedTuple):
    """What the equations of a model's every frame have in common.

    blocks: which equations controls tie together. free (F,): the coordinates that move by themselves, an equation each.
    dependent, driver (C,): couplings as in `Tree`. actuated, optimal (R,): the coordinate that an actuator drives, and
    its force at full control, newtons or newton metres. n_muscles: U.
    """

    blocks: Blocks
    free: np.ndarray
    dependent: np.ndarray
    driver: np.ndarray
    actuated: np.ndarray
    optimal: np.ndarray
    n_muscles: int


def equations_of(
    tree: Tree, paths: Paths, free: Sequence[int], actuated: Sequence[int], optimal: Sequence[float], n_coordinates: int
) -> Equations:
    """The equations of a model with these free coordinates and these actuators, in the order of their numbers."""
    return equations_of_any(tree, moved_coordinates(tree, paths, n_coordinates), free, actuated, optimal)


def equations_of_any(
    tree: Tree, moved: np.ndarray, free: Sequence[int], actuated: Sequence[int], optimal: Sequence[float]
) -> Equations:
    """The same, of muscles whose lengths these coordinates may change: `moved` (U, Q)."""
    n_coordinates = moved.shape[1]
    driven = np.zeros((len(actuated), n_coordinates), dtype=bool)
    driven[np.arange(len(actuated)), np.asarray(actuated, dtype=np.int64)] = True
    given = np.concatenate([moved, driven])
    for dependent, driver in zip(tree.dependent[::-1], tree.driver[::-1], strict=True):
        given[:, driver] |= given[:, dependent]
    return Equations(
        blocks=find_blocks(given[:, list(free)].T),
        free=np.array(free, dtype=np.int64),
        dependent=tree.dependent,
        driver=tree.driver,
        actuated=np.array(actuated, dtype=np.int64),
        optimal=np.array(optimal, dtype=np.float64),
        n_muscles=len(moved),
    )


def moved_coordinates(tree: Tree, paths: Paths, n_coordinates: int) -> np.ndarray:
    """Which coordinates may change a muscle's length, moving by themselves, (U, Q)."""
    n_muscles = len(paths.first_point) - 1
    moved = np.zeros((n_muscles, n_coordinates), dtype=bool)
    for muscle in range(n_muscles):
        axes = paths.crossed[paths.first_crossed[muscle] : paths.first_crossed[muscle + 1]]
        points = slice(paths.first_point[muscle], paths.first_point[muscle + 1])
        sliding = paths.point_coordinate[points][paths.point_kind[points] == MOVING]
        coordinates = np.concatenate([tree.coordinate[axes], sliding.ravel()])
        moved[muscle, coordinates[coordinates >= 0]] = True
    return moved


def write_equations(
    equations: Equations, per_newton: np.ndarray, full_n: np.ndarray, slope: np.ndarray, asked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Every frame's gain, in the entries of its blocks (T, E), and its target (T, F).

    per_newton (T, U, Q): generalized force of a newton in each muscle, each coordinate moving by itself. full_n (T, U):
    a muscle's tension at full activation. slope (T, C): how a dependent coordinate changes with its driver. asked
    (T, Q): generalized forces.
    """
    entry = np.empty((len(asked), equations.blocks.first_entry[-1]))
    target = np.empty((len(asked), len(equations.free)))
    row = np.empty(asked.shape[1])
    _write_frames(equations, reals(per_newton), reals(full_n), reals(slope), reals(asked), entry, target, row)
    return entry, target


@kernel
def _write_frames(
    equations: Equations,
    per_newton: np.ndarray,
    full_n: np.ndarray,
    slope: np.ndarray,
    asked: np.ndarray,
    entry: np.ndarray,
    target: np.ndarray,
    row: np.ndarray,
) -> None:
    for t in range(asked.shape[0]):
        _write_frame(equations, per_newton[t], full_n[t], slope[t], asked[t], entry[t], target[t], row)


@inner
def _write_frame(
    equations: Equations,
    per_newton: np.ndarray,
    full_n: np.ndarray,
    slope: np.ndarray,
    asked: np.ndarray,
    entry: np.ndarray,
    target: np.ndarray,
    row: np.ndarray,
) -> None:
    """The same of one frame; row (Q,) is working space."""
    blocks, n_coordinates = equations.blocks, row.shape[0]
    for i in range(n_coordinates):
        row[i] = asked[i]
    _fold(equations, slope, row)
    for i in range(equations.free.shape[0]):
        target[i] = row[equations.free[i]]
    for block in range(blocks.first_control.shape[0] - 1):
        first, end = blocks.first_control[block], blocks.first_control[block + 1]
        begin, last = blocks.first_equation[block], blocks.first_equation[block + 1]
        for k in range(first if begin < last else end, end):
            control = blocks.control[k]
            for i in range(n_coordinates):
                row[i] = per_newton[control, i] * full_n[control] if control < equations.n_muscles else 0.0
            if control >= equations.n_muscles:
                row[equations.actuated[control - equations.n_muscles]] = equations.optimal[
                    control - equations.n_muscles
                ]
            _fold(equations, slope, row)
            for i in range(begin, last):
                place = blocks.first_entry[block] + (i - begin) * (end - first) + k - first
                entry[place] = row[equations.free[blocks.equation[i]]]


@inner
def _fold(equations: Equations, slope: np.ndarray, row: np.ndarray) -> None:
    """Add each dependent coordinate's share of a row (Q,) of generalized forces to its drivers, in place.

    A coordinate may be driven and drive another: it takes the other's share before it passes on its own.
    """
    for c in range(equations.dependent.shape[0] - 1, -1, -1):
        row[equations.driver[c]] += row[equations.dependent[c]] * slope[c]


def gain_and_target(
    equations: Equations, per_newton: np.ndarray, full_n: np.ndarray, slope: np.ndarray, asked: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Gain (T, F, N) of every control on every free coordinate, and what is asked there, (T, F); the readable twin.

    per_newton (T, U, Q), full_n (T, U), slope (T, C) and asked (T, Q), as `write_equations` takes them.
    """
    driving = np.zeros((len(equations.actuated), asked.shape[1]))
    driving[np.arange(len(driving)), equations.actuated] = equations.optimal
    muscles = per_newton * full_n[..., None]
    given = np.concatenate([muscles, np.broadcast_to(driving, (len(asked), *driving.shape))], axis=1)
    target = asked.copy()
    for c in reversed(range(len(equations.dependent))):
        dependent, driver = equations.dependent[c], equations.driver[c]
        given[..., driver] += given[..., dependent] * slope[:, c, None]
        target[:, driver] += target[:, dependent] * slope[:, c]
    return np.ascontiguousarray(given[..., equations.free].transpose(0, 2, 1)), target[:, equations.free]
