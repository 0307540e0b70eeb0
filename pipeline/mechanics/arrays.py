"""A musculoskeletal model as arrays: all that its mechanics need, read once. Plain numpy, so that anybody may hold one.

Every array is C-contiguous; reals are float64, whole numbers int64, truths bool. Lengths in metres, angles in radians.
Shapes: B bodies (the ground first, parents before their children), A axes, Q coordinates, C couplings, F functions,
M markers, U muscles, P path points, W wraps, S surfaces.

An axis is one step of a joint: a translation along a direction, or a rotation about it, by a function of one
coordinate. A body's joint is its axes one after the other, from the joint's frame on the parent to that on the body.
"""

from typing import NamedTuple

import numpy as np


class Functions(NamedTuple):
    """Piecewise polynomials of one variable, up to the fifth degree, by their number.

    first (F + 1,): where a function's pieces begin. start (N,) and coefficients (N, 6): a piece is Σ c_k (x − start)^k
    from its start to the next piece's. low and high (F,): beyond them a function goes on as the line that it ends on
    (−inf and inf for one that never ends).
    """

    first: np.ndarray
    start: np.ndarray
    coefficients: np.ndarray
    low: np.ndarray
    high: np.ndarray


class Tree(NamedTuple):
    """Bodies, the joints that carry them, and the coordinates that move the joints.

    parent (B,), the ground its own. joint_rotation (B, 3, 3), joint_origin_m (B, 3): the joint's frame on the parent.
    body_rotation (B, 3, 3) and body_origin_m (B, 3): the body's frame in the frame that the axes lead to.
    first_axis (B + 1,): a body's axes. turns (A,): rotation, else translation. coordinate (A,): -1 for none, where the
    function is a constant. function (A,), direction (A, 3) unit vector, moved (A,): the body that an axis moves first.
    first_carrier (B + 1,), carrier: the axes that move a body, from the root on, body after body.
    omitted (B, 2): the second and third rotation of a body's joint where Simbody omits how the one turns the axis of
    the other (`bodies/newton_euler.py`), -1 where it omits nothing.
    mass_kg (B,), centre_m (B, 3) in the body's frame, inertia_kg_m2 (B, 3, 3) about its centre, gravity_m_s2 (3,).
    dependent, driver, coupling (C,): a coupled coordinate is the sum over its couplings of a function of a driver, in
    an order in which every driver is known before it is needed.
    """

    parent: np.ndarray
    joint_rotation: np.ndarray
    joint_origin_m: np.ndarray
    body_rotation: np.ndarray
    body_origin_m: np.ndarray
    first_axis: np.ndarray
    turns: np.ndarray
    coordinate: np.ndarray
    function: np.ndarray
    direction: np.ndarray
    moved: np.ndarray
    first_carrier: np.ndarray
    carrier: np.ndarray
    omitted: np.ndarray
    mass_kg: np.ndarray
    centre_m: np.ndarray
    inertia_kg_m2: np.ndarray
    gravity_m_s2: np.ndarray
    dependent: np.ndarray
    driver: np.ndarray
    coupling: np.ndarray
    functions: Functions


class MarkerPlaces(NamedTuple):
    """Points fixed to bodies: body (M,), its number, and place_m (M, 3) in the body's frame."""

    body: np.ndarray
    place_m: np.ndarray


# What a path point is.
FIXED, CONDITIONAL, MOVING = 0, 1, 2
# What a muscle wraps around. The last is a cylinder with paths laid as OpenSim lays them around a single one: in a
# plane, close to the shortest way but not along it.
CYLINDER, SPHERE, CYLINDER_IN_PLANE = 0, 1, 2


class Paths(NamedTuple):
    """Muscle paths: points fixed to bodies, points that come and go or slide, and surfaces wrapped around.

    first_point (U + 1,): a muscle's points in their order. point_kind (P,), point_body (P,), point_m (P, 3): a fixed or
    conditional point in its body's frame. A moving one lies at point_m + point_rotation (3, 3) @ f, where f are its
    functions (P, 3) of its coordinates (P, 3), both -1 for a component of zero; beyond point_low and point_high (P,) of
    its coordinates it stays where it is. A conditional point belongs to the path while the first of its coordinates
    lies within point_low and point_high.
    first_wrap (U + 1,): a muscle's wraps in their order. wrap_surface (W,); wrap_from and wrap_to (W,): the first and
    last point between which it may wrap, numbered as in `point_kind`.
    surface_kind, surface_body (S,), surface_rotation (S, 3, 3) and surface_origin_m (S, 3): its frame in its body's;
    surface_size (S, 2): a cylinder's radius and length along z, a sphere's radius. surface_axis and surface_sign (S,):
    the half of the surface that a path may touch, that where this coordinate has this sign; sign 0 for all of it.
    first_touched (U + 1,), touched: the bodies with a muscle's points and surfaces, muscle after muscle.
    first_crossed (U + 1,), crossed: the axes that move some of those bodies but not all; others have no moment arm.
    """

    first_point: np.ndarray
    point_kind: np.ndarray
    point_body: np.ndarray
    point_m: np.ndarray
    point_rotation: np.ndarray
    point_function: np.ndarray
    point_coordinate: np.ndarray
    point_low: np.ndarray
    point_high: np.ndarray
    first_wrap: np.ndarray
    wrap_surface: np.ndarray
    wrap_from: np.ndarray
    wrap_to: np.ndarray
    surface_kind: np.ndarray
    surface_body: np.ndarray
    surface_rotation: np.ndarray
    surface_origin_m: np.ndarray
    surface_size: np.ndarray
    surface_axis: np.ndarray
    surface_sign: np.ndarray
    first_touched: np.ndarray
    touched: np.ndarray
    first_crossed: np.ndarray
    crossed: np.ndarray


class FibreCurves(NamedTuple):
    """Functions of hundreds of pieces, and how to find a piece without searching.

    Bins of equal width, per_unit (F,) to a unit, go from a function's first piece to the beginning of its last.
    first_bin (F + 1,): a function's bins, piece: the piece in which each begins.
    """

    functions: Functions
    per_unit: np.ndarray
    first_bin: np.ndarray
    piece: np.ndarray


# Where OpenSim's force at full activation is not its muscle's law: nowhere; the pennation angle is that of a fibre as
# many metres long as it is optimal lengths; there is no pennation angle; the fibre lengthens as fast as the path. With
# the last two a slack path may pull.
NO_SLIP, NORMALISED_PENNATION, NO_PENNATION, PATH_SPEED = 0, 1, 2, 3


class Fibres(NamedTuple):
    """What muscles' fibres can do, with tendons of fixed length: all (U,).

    strength_n: maximum isometric force. optimal_m: optimal fibre length. tendon_m: slack length. thickness_m: optimal
    fibre length times the sine of the pennation there. fastest_per_s: maximum contraction velocity, optimal fibre
    lengths a second. shortest_m: a fibre no longer than this gives no force, nor does one that is shorter along the
    tendon than shortest_along_m. slip: what OpenSim does otherwise, one of the four above.
    active, velocity, passive: the numbers of its curves of normalised length, velocity and length, in `curves`.
    """

    strength_n: np.ndarray
    optimal_m: np.ndarray
    tendon_m: np.ndarray
    thickness_m: np.ndarray
    fastest_per_s: np.ndarray
    shortest_m: np.ndarray
    shortest_along_m: np.ndarray
    slip: np.ndarray
    active: np.ndarray
    velocity: np.ndarray
    passive: np.ndarray
    curves: FibreCurves


def reals(values: np.ndarray) -> np.ndarray:
    """Values as kernels take them: another type or order would be compiled for anew."""
    return np.ascontiguousarray(values, dtype=np.float64)
