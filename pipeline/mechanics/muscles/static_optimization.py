"""A motion's equations of static optimization in one pass over its frames: paths, fibres, what muscles give and must.

Shapes: T frames, Q coordinates, U muscles, F equations, E entries of the gain as in `blocks.py`.
"""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.arrays import Fibres, Paths, Tree, reals
from pipeline.mechanics.bodies.forward import Pose, new_pose, place_bodies
from pipeline.mechanics.bodies.poses import coupling_slopes
from pipeline.mechanics.compiled import kernel
from pipeline.mechanics.muscles.equations import Equations, write_equations
from pipeline.mechanics.muscles.fibres import fibre_tension
from pipeline.mechanics.muscles.paths import PathRoom, lay_paths, new_path_room


class MuscleLaw(NamedTuple):
    """What muscles are taken to do: physiology: force-length-velocity, else their strength at any length and speed.

    passive: stretched fibres give force without activation. as_opensim: active force as OpenSim computes it.
    """

    physiology: bool
    passive: bool
    as_opensim: bool


class FrameEquations(NamedTuple):
    """Of every frame: entry (T, E) and target (T, F) of its equations, full_n and passive_n (T, U) tensions."""

    entry: np.ndarray
    target: np.ndarray
    full_n: np.ndarray
    passive_n: np.ndarray


class _Room(NamedTuple):
    """Working space: per_newton (U, Q), length_m (U,), row and left (Q,)."""

    per_newton: np.ndarray
    length_m: np.ndarray
    row: np.ndarray
    left: np.ndarray


def frame_equations(
    tree: Tree,
    paths: Paths,
    fibres: Fibres,
    equations: Equations,
    values: np.ndarray,
    speeds: np.ndarray,
    asked: np.ndarray,
    law: MuscleLaw,
) -> FrameEquations:
    """The equations of a motion, values and speeds (T, Q), that asks for generalized forces `asked` (T, Q).

    What passive fibres give is taken off what is asked.
    """
    n_frames, n_coordinates, n_muscles = *values.shape, len(fibres.strength_n)
    found = FrameEquations(
        entry=np.empty((n_frames, equations.blocks.first_entry[-1])),
        target=np.empty((n_frames, len(equations.free))),
        full_n=np.empty((n_frames, n_muscles)),
        passive_n=np.zeros((n_frames, n_muscles)),
    )
    room = _Room(
        per_newton=np.zeros((n_muscles, n_coordinates)),
        length_m=np.zeros(n_muscles),
        row=np.zeros(n_coordinates),
        left=np.zeros(n_coordinates),
    )
    _frame_equations(
        tree,
        paths,
        fibres,
        equations,
        reals(values),
        reals(speeds),
        reals(asked),
        coupling_slopes(tree, values),
        law,
        new_pose(tree),
        new_path_room(tree, paths),
        room,
        found,
    )
    return found


@kernel
def _frame_equations(
    tree: Tree,
    paths: Paths,
    fibres: Fibres,
    equations: Equations,
    values: np.ndarray,
    speeds: np.ndarray,
    asked: np.ndarray,
    slopes: np.ndarray,
    law: MuscleLaw,
    pose: Pose,
    path_room: PathRoom,
    room: _Room,
    found: FrameEquations,
) -> None:
    n_muscles, n_coordinates = room.per_newton.shape
    full_n, passive_n, left = found.full_n, found.passive_n, room.left
    for t in range(values.shape[0]):
        place_bodies(tree, values[t], pose)
        lay_paths(tree, paths, values[t], pose, path_room, room.length_m, room.per_newton)
        for c in range(n_coordinates):
            left[c] = asked[t, c]
        for muscle in range(n_muscles):
            lengthening = 0.0
            for c in range(n_coordinates):
                lengthening -= room.per_newton[muscle, c] * speeds[t, c]
            full, passive = fibre_tension(fibres, muscle, room.length_m[muscle], lengthening, law.as_opensim)
            full_n[t, muscle] = full if law.physiology else fibres.strength_n[muscle]
            if law.passive:
                passive_n[t, muscle] = passive
                for c in range(n_coordinates):
                    left[c] -= passive * room.per_newton[muscle, c]
        write_equations(
            equations, room.per_newton, full_n[t], slopes[t], left, found.entry[t], found.target[t], room.row
        )
