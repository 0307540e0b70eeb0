"""A motion's equations of static optimization: paths, fibres, what muscles give and must.

Shapes: T frames, Q coordinates, U muscles, F equations, E entries of the gain as in `blocks.py`.
"""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.arrays import Fibres, Paths, Tree
from pipeline.mechanics.bodies.poses import coupling_slopes
from pipeline.mechanics.muscles.equations import Equations, write_equations
from pipeline.mechanics.muscles.fibres import fibre_tensions
from pipeline.mechanics.muscles.paths import muscle_paths


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
    muscles = muscle_paths(tree, paths, values, speeds)
    full_n, passive_n = fibre_tensions(fibres, muscles.length_m, muscles.lengthening_m_s, law.as_opensim)
    if not law.physiology:
        full_n = np.tile(fibres.strength_n, (len(values), 1))
    if law.passive:
        asked = asked - (passive_n[:, None] @ muscles.per_newton)[:, 0]
    else:
        passive_n = np.zeros(full_n.shape)
    entry, target = write_equations(equations, muscles.per_newton, full_n, coupling_slopes(tree, values), asked)
    return FrameEquations(entry=entry, target=target, full_n=full_n, passive_n=passive_n)
