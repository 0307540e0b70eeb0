"""Everything that Python calls of the mechanics, called once on the tiny model: what `warm_up.py` has compiled.

A kernel is compiled for the types of its arguments, and those of the tiny model are those of any model that
`pipeline/osim/arrays/` reads.
"""

from collections.abc import Callable

import numpy as np

from pipeline.mechanics.bodies.inertia import mass_centre, mass_matrices
from pipeline.mechanics.bodies.newton_euler import generalized_forces, joint_forces, virtual_work
from pipeline.mechanics.bodies.poses import (
    body_jacobians,
    body_places,
    coupling_slopes,
    follow_couplings,
    point_jacobians,
)
from pipeline.mechanics.markers.fit import CoordinateRoles, fit_poses, tracking_problem
from pipeline.mechanics.muscles.effort import least_effort_in_blocks
from pipeline.mechanics.muscles.equations import equations_of
from pipeline.mechanics.muscles.fibres import fibre_tensions
from pipeline.mechanics.muscles.paths import muscle_paths
from pipeline.mechanics.muscles.pulls import muscle_pulls
from pipeline.mechanics.muscles.static_optimization import MuscleLaw, frame_equations
from pipeline.mechanics.tiny_model import THIGH, tiny_fibres, tiny_markers, tiny_paths, tiny_tree, tiny_values

# What compiling all of them takes on a core of today.
COMPILING_S = 70


def bodies() -> None:
    """Call what moves bodies."""
    tree, values = tiny_tree(), tiny_values()[None]
    still, distal = np.zeros(values.shape), np.array([THIGH], dtype=np.int64)
    nobody, nothing = np.zeros(0, dtype=np.int64), np.zeros((1, 0, 6))
    wrenches = np.zeros((1, len(tree.parent), 6))
    body_places(tree, values)
    body_jacobians(tree, values, distal)
    point_jacobians(tree, values, tiny_markers())
    coupling_slopes(tree, values)
    follow_couplings(tree, values)
    mass_centre(tree, values)
    mass_matrices(tree, values)
    generalized_forces(tree, values, still, still, nobody, nothing, False)
    virtual_work(tree, values, wrenches)
    joint_forces(tree, values, still, still, wrenches, distal, False)


def markers() -> None:
    """Call what finds poses, with a marker that one frame hides."""
    tree, values = tiny_tree(), np.tile(tiny_values(), (3, 1))
    never, always = np.zeros(values.shape[1], dtype=bool), np.ones(values.shape[1], dtype=bool)
    roles = CoordinateRoles(locked=never, low=values[0] - 1, high=values[0] + 1, residual=never, rotational=always)
    places = tiny_markers()
    rotation, origin_m = body_places(tree, values)
    at = rotation[:, places.body] @ places.place_m[:, :, None]
    measured_m = at[..., 0] + origin_m[:, places.body]
    measured_m[1, 0] = np.nan
    problem = tracking_problem(tree, places, np.ones(len(places.body)), roles, [(0, 1.0, values[0, 0])])
    fit_poses(problem, np.arange(3) / 100, measured_m, values)


def muscles() -> None:
    """Call what lays paths and shares efforts, with a demand that is too much in one frame."""
    tree, paths, fibres, values = tiny_tree(), tiny_paths(), tiny_fibres(), np.tile(tiny_values(), (2, 1))
    still, tension_n = np.zeros(values.shape), np.ones((2, 1))
    equations = equations_of(tree, paths, [0, 1], [0, 1], [10.0, 1.0], values.shape[1])
    asked = np.array([[1.0, 1.0, 0.0], [1e6, 1e6, 0.0]])
    law = MuscleLaw(True, False, False)
    muscle_paths(tree, paths, values, still)
    muscle_pulls(tree, paths, values, tension_n)
    fibre_tensions(fibres, tension_n, tension_n, False)
    frames = frame_equations(tree, paths, fibres, equations, values, still, asked, law)
    low, high = np.array([0.0, -1.0, -1.0]), np.ones(3)
    least_effort_in_blocks(equations.blocks, frames.entry, frames.target, low, high, 2.0)


ENTRIES: tuple[Callable[[], None], ...] = (bodies, markers, muscles)
