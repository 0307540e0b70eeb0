"""Inverse dynamics of a frame by the recursive Newton-Euler algorithm (Featherstone 2008, section 5.3).

Velocities and accelerations go out from the ground, body by body; forces come back in. Motion is a screw, six numbers
as in `forward.py`; a wrench is a moment about the ground's origin and a force, six numbers, so that wrenches of bodies
add up. All in the ground frame.
Shapes: T frames, B bodies, A axes, Q coordinates, N accelerations, W external wrenches.
"""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.arrays import Tree, reals
from pipeline.mechanics.bodies.forward import Pose, new_pose, place_bodies
from pipeline.mechanics.bodies.poses import body_places
from pipeline.mechanics.compiled import inner, kernel


class BodyMotion(NamedTuple):
    """How a frame's bodies move, and what moves them so: (B, 6) each.

    `acceleration` includes gravity's opposite: the ground is taken to rise at g. `wrench` is what a body needs beside
    what it is given, and after `gather`, what its joint transmits to it.
    """

    velocity: np.ndarray
    acceleration: np.ndarray
    wrench: np.ndarray


def new_motion(tree: Tree, *, gravity: bool = True) -> BodyMotion:
    """Room for a frame's motion, the ground accelerated against gravity."""
    n_bodies = len(tree.parent)
    motion = BodyMotion(np.zeros((n_bodies, 6)), np.zeros((n_bodies, 6)), np.zeros((n_bodies, 6)))
    if gravity:
        motion.acceleration[0, 3:] = -tree.gravity_m_s2
    return motion


class Needed(NamedTuple):
    """What motions need: forces (T, N, Q), and transmitted (T, B, 6), what each body's joint gives it in the last."""

    forces: np.ndarray
    transmitted: np.ndarray


def generalized_forces(
    tree: Tree,
    values: np.ndarray,
    speeds: np.ndarray,
    accelerations: np.ndarray,
    pushed: np.ndarray,
    external: np.ndarray,
    as_opensim: bool,
) -> np.ndarray:
    """The generalized forces, (T, Q) N·m and N, that a motion (T, Q) each needs beside gravity and external wrenches.

    `external` (T, W, 6) acts on bodies `pushed` (W,). Coupled coordinates are taken as given. `as_opensim` leaves out
    what Simbody leaves out of a joint's velocity terms: see `_move_body`. NaN in a frame gives NaN in that frame.
    """
    given = np.zeros((len(values), len(tree.parent), 6))
    for w, body in enumerate(pushed):
        given[:, body] += external[:, w]
    return needed(tree, values, speeds, accelerations[:, None], given, as_opensim=as_opensim).forces[:, 0]


def virtual_work(tree: Tree, values: np.ndarray, wrenches: np.ndarray) -> np.ndarray:
    """The generalized forces (T, Q) of wrenches (T, B, 6) on all bodies at poses (T, Q)."""
    still = np.zeros(values.shape)
    return -needed(tree, values, still, still[:, None], wrenches, gravity=False).forces[:, 0]


def joint_forces(
    tree: Tree,
    values: np.ndarray,
    speeds: np.ndarray,
    accelerations: np.ndarray,
    wrenches: np.ndarray,
    distal: np.ndarray,
    as_opensim: bool,
) -> tuple[np.ndarray, np.ndarray]:
    """The forces that the joints of bodies `distal` (J,) transmit to them: (T, J, 3) N in their axes, and the parents'.

    Of a motion (T, Q) each under wrenches (T, B, 6) on all bodies, the ground's and the muscles'. Whatever moves a body
    beside these and gravity comes through its joint, what actuators give too.
    """
    found = needed(tree, values, speeds, accelerations[:, None], wrenches, as_opensim=as_opensim)
    force_n, (rotation, _) = found.transmitted[:, distal, None, 3:], body_places(tree, values)
    in_distal, in_parent = force_n @ rotation[:, distal], force_n @ rotation[:, tree.parent[distal]]
    return in_distal[:, :, 0], in_parent[:, :, 0]


def needed(
    tree: Tree,
    values: np.ndarray,
    speeds: np.ndarray,
    accelerations: np.ndarray,
    given: np.ndarray | None = None,
    *,
    gravity: bool = True,
    as_opensim: bool = False,
) -> Needed:
    """What accelerations (T, N, Q) need at values and speeds (T, Q), beside wrenches given to all bodies (T, B, 6)."""
    wrenches = (len(values), len(tree.parent), 6)
    found = Needed(forces=np.empty(accelerations.shape), transmitted=np.empty(wrenches))
    _find_needed(
        tree,
        reals(values),
        reals(speeds),
        reals(accelerations),
        np.zeros(wrenches) if given is None else reals(given),
        as_opensim,
        new_pose(tree),
        new_motion(tree, gravity=gravity),
        found,
    )
    return found


@kernel
def _find_needed(
    tree: Tree,
    values: np.ndarray,
    speeds: np.ndarray,
    accelerations: np.ndarray,
    given: np.ndarray,
    as_opensim: bool,
    pose: Pose,
    motion: BodyMotion,
    found: Needed,
) -> None:
    for t in range(values.shape[0]):
        place_bodies(tree, values[t], pose)
        for n in range(accelerations.shape[1]):
            move_bodies(tree, pose, speeds[t], accelerations[t, n], as_opensim, motion)
            for body in range(tree.parent.shape[0]):
                for i in range(6):
                    motion.wrench[body, i] -= given[t, body, i]
            gather(tree, motion)
            project(tree, pose, motion, found.forces[t, n])
        for body in range(tree.parent.shape[0]):
            for i in range(6):
                found.transmitted[t, body, i] = motion.wrench[body, i]


@inner
def move_bodies(
    tree: Tree, pose: Pose, speeds: np.ndarray, accelerations: np.ndarray, as_opensim: bool, motion: BodyMotion
) -> None:
    """Move all bodies at these speeds and accelerations (Q,), and find the wrench that each needs for it."""
    for i in range(6):
        motion.wrench[0, i] = 0.0
    for body in range(1, tree.parent.shape[0]):
        _move_body(tree, pose, body, speeds, accelerations, as_opensim, motion)
        _need(tree, pose, body, motion)


@inner
def gather(tree: Tree, motion: BodyMotion) -> None:
    """Add each body's wrench to its parent's, from the outermost in: then each is what its joint transmits to it."""
    for body in range(tree.parent.shape[0] - 1, 0, -1):
        for i in range(6):
            motion.wrench[tree.parent[body], i] += motion.wrench[body, i]


@inner
def project(tree: Tree, pose: Pose, motion: BodyMotion, forces: np.ndarray) -> None:
    """Write the generalized forces (Q,) of the wrenches that joints transmit, each coordinate moving by itself."""
    for c in range(forces.shape[0]):
        forces[c] = 0.0
    for axis in range(tree.turns.shape[0]):
        coordinate = tree.coordinate[axis]
        if coordinate >= 0:
            along = 0.0
            for i in range(6):
                along += pose.screw[axis, i] * motion.wrench[tree.moved[axis], i]
            forces[coordinate] += pose.slope[axis] * along


@inner
def _move_body(
    tree: Tree,
    pose: Pose,
    body: int,
    speeds: np.ndarray,
    accelerations: np.ndarray,
    as_opensim: bool,
    motion: BodyMotion,
) -> None:
    """A body's velocity and acceleration: its parent's, and those of its joint's axes, each carried by those before it.

    Where a joint's first coordinate drives its third rotation (a knee), Simbody's function-based mobilizer omits how
    the second rotation turns the axis of the third, which breaks the balance of power and Lagrange's equations.
    `as_opensim` omits it too (`Tree.omitted`).
    """
    velocity, acceleration, parent = motion.velocity[body], motion.acceleration[body], tree.parent[body]
    for i in range(6):
        velocity[i], acceleration[i] = motion.velocity[parent, i], motion.acceleration[parent, i]
    for axis in range(tree.first_axis[body], tree.first_axis[body + 1]):
        c = tree.coordinate[axis]
        if c < 0:
            continue
        rate = pose.slope[axis] * speeds[c]
        change = pose.slope[axis] * accelerations[c] + pose.bend[axis] * speeds[c] * speeds[c]
        add_screw(pose.screw[axis], rate, change, velocity, acceleration)
    if as_opensim:
        _omit(tree, pose, body, speeds, acceleration)


@inner
def add_screw(screw: np.ndarray, rate: float, change: float, velocity: np.ndarray, acceleration: np.ndarray) -> None:
    """Add an axis's motion at this rate and change of rate to a body's velocity and acceleration, (6,) each, in place.

    The body's velocity before it carries the axis along: the cross product of screws.
    """
    s0, s1, s2, s3, s4, s5 = screw[0], screw[1], screw[2], screw[3], screw[4], screw[5]
    v0, v1, v2, v3, v4, v5 = velocity[0], velocity[1], velocity[2], velocity[3], velocity[4], velocity[5]
    acceleration[0] += change * s0 + rate * (v1 * s2 - v2 * s1)
    acceleration[1] += change * s1 + rate * (v2 * s0 - v0 * s2)
    acceleration[2] += change * s2 + rate * (v0 * s1 - v1 * s0)
    acceleration[3] += change * s3 + rate * (v1 * s5 - v2 * s4 + v4 * s2 - v5 * s1)
    acceleration[4] += change * s4 + rate * (v2 * s3 - v0 * s5 + v5 * s0 - v3 * s2)
    acceleration[5] += change * s5 + rate * (v0 * s4 - v1 * s3 + v3 * s1 - v4 * s0)
    for i in range(6):
        velocity[i] += rate * screw[i]


@inner
def _omit(tree: Tree, pose: Pose, body: int, speeds: np.ndarray, acceleration: np.ndarray) -> None:
    """Take the turning of a joint's third rotation's axis by its second off a body's acceleration, in place."""
    second, third = tree.omitted[body, 0], tree.omitted[body, 1]
    if second < 0:
        return
    a, b = pose.screw[second], pose.screw[third]
    rate = pose.slope[second] * speeds[tree.coordinate[second]] * pose.slope[third] * speeds[tree.coordinate[third]]
    acceleration[0] -= rate * (a[1] * b[2] - a[2] * b[1])
    acceleration[1] -= rate * (a[2] * b[0] - a[0] * b[2])
    acceleration[2] -= rate * (a[0] * b[1] - a[1] * b[0])
    acceleration[3] -= rate * (a[1] * b[5] - a[2] * b[4] + a[4] * b[2] - a[5] * b[1])
    acceleration[4] -= rate * (a[2] * b[3] - a[0] * b[5] + a[5] * b[0] - a[3] * b[2])
    acceleration[5] -= rate * (a[0] * b[4] - a[1] * b[3] + a[3] * b[1] - a[4] * b[0])


@inner
def _need(tree: Tree, pose: Pose, body: int, motion: BodyMotion) -> None:
    """The wrench that a body needs to move so, by Newton's and Euler's laws about its centre of mass."""
    rotation, local, v, a = pose.rotation[body], tree.centre_m[body], motion.velocity[body], motion.acceleration[body]
    x = pose.origin_m[body, 0] + rotation[0, 0] * local[0] + rotation[0, 1] * local[1] + rotation[0, 2] * local[2]
    y = pose.origin_m[body, 1] + rotation[1, 0] * local[0] + rotation[1, 1] * local[1] + rotation[1, 2] * local[2]
    z = pose.origin_m[body, 2] + rotation[2, 0] * local[0] + rotation[2, 1] * local[1] + rotation[2, 2] * local[2]
    # The centre's velocity, and its acceleration from that of the point at the ground's origin.
    u0, u1, u2 = v[3] + v[1] * z - v[2] * y, v[4] + v[2] * x - v[0] * z, v[5] + v[0] * y - v[1] * x
    mass = tree.mass_kg[body]
    f0 = mass * (a[3] + a[1] * z - a[2] * y + v[1] * u2 - v[2] * u1)
    f1 = mass * (a[4] + a[2] * x - a[0] * z + v[2] * u0 - v[0] * u2)
    f2 = mass * (a[5] + a[0] * y - a[1] * x + v[0] * u1 - v[1] * u0)
    # Euler's equation in the body's own frame, whose inertia is constant.
    inertia, moment = tree.inertia_kg_m2[body], motion.wrench[body]
    w0 = rotation[0, 0] * v[0] + rotation[1, 0] * v[1] + rotation[2, 0] * v[2]
    w1 = rotation[0, 1] * v[0] + rotation[1, 1] * v[1] + rotation[2, 1] * v[2]
    w2 = rotation[0, 2] * v[0] + rotation[1, 2] * v[1] + rotation[2, 2] * v[2]
    d0 = rotation[0, 0] * a[0] + rotation[1, 0] * a[1] + rotation[2, 0] * a[2]
    d1 = rotation[0, 1] * a[0] + rotation[1, 1] * a[1] + rotation[2, 1] * a[2]
    d2 = rotation[0, 2] * a[0] + rotation[1, 2] * a[1] + rotation[2, 2] * a[2]
    h0 = inertia[0, 0] * w0 + inertia[0, 1] * w1 + inertia[0, 2] * w2
    h1 = inertia[1, 0] * w0 + inertia[1, 1] * w1 + inertia[1, 2] * w2
    h2 = inertia[2, 0] * w0 + inertia[2, 1] * w1 + inertia[2, 2] * w2
    m0 = inertia[0, 0] * d0 + inertia[0, 1] * d1 + inertia[0, 2] * d2 + w1 * h2 - w2 * h1
    m1 = inertia[1, 0] * d0 + inertia[1, 1] * d1 + inertia[1, 2] * d2 + w2 * h0 - w0 * h2
    m2 = inertia[2, 0] * d0 + inertia[2, 1] * d1 + inertia[2, 2] * d2 + w0 * h1 - w1 * h0
    moment[0] = rotation[0, 0] * m0 + rotation[0, 1] * m1 + rotation[0, 2] * m2 + y * f2 - z * f1
    moment[1] = rotation[1, 0] * m0 + rotation[1, 1] * m1 + rotation[1, 2] * m2 + z * f0 - x * f2
    moment[2] = rotation[2, 0] * m0 + rotation[2, 1] * m1 + rotation[2, 2] * m2 + x * f1 - y * f0
    moment[3], moment[4], moment[5] = f0, f1, f2
