"""Muscle paths of a frame: their lengths, and what a newton of tension does to every coordinate.

A path runs straight from point to point and around the surfaces in its way (`wrapping.py`, `geodesics.py`). Its
gradient needs no derivative of a tangent point: a taut string's length changes as if these stuck to their surface. So a
straight piece pulls on the bodies at its two ends, a surface takes the difference of the pieces at its own, and virtual
work gives the generalized forces.
Shapes: T frames, U muscles, Q coordinates, B bodies, P path points, W wraps, S surfaces, N = P + 2 W places.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from pipeline.mechanics.arrays import CONDITIONAL, CYLINDER_IN_PLANE, MOVING, SPHERE, Functions, Paths, Tree, reals
from pipeline.mechanics.bodies.forward import Pose, new_pose, place_bodies
from pipeline.mechanics.bodies.functions import evaluate_at
from pipeline.mechanics.compiled import inner, kernel
from pipeline.mechanics.muscles.geodesics import bridge_cylinders
from pipeline.mechanics.muscles.wrapping import (
    CLEAR,
    INSIDE,
    NEEDED,
    POSSIBLE,
    Detour,
    around_cylinder,
    around_sphere,
    no_detour,
)

_STRAIGHT = -1.0
# Turns that two surfaces take at finding each other's tangent points; the paths of public models need three.
_ROUNDS = 60
# A geodesic around two surfaces is found when another round of turns moves its bridge by less, metres.
_STILL_M = 1e-11

# Handing an array to a function costs a count of its users, so what is called muscle by muscle takes few of them.


class MusclePaths(NamedTuple):
    """Of every frame: length_m (T, U), per_newton (T, U, Q), lengthening_m_s (T, U).

    per_newton is the generalized force of a newton of tension, N or N·m, the moment arm where the coordinate is an
    angle: minus the length's slope by that coordinate alone, others held, coupled ones too.
    """

    length_m: np.ndarray
    per_newton: np.ndarray
    lengthening_m_s: np.ndarray


class Pulls(NamedTuple):
    """What all muscles together do in every frame: wrenches (T, B, 6) on bodies, and direct (T, Q) to coordinates.

    A wrench is a moment about the ground's origin and a force. Only points that slide in their bodies act on a
    coordinate directly.
    """

    wrenches: np.ndarray
    direct: np.ndarray


class PlacedSurfaces(NamedTuple):
    """A frame's surfaces in the ground, rotation (S, 3, 3) and origin_m (S, 3), and what they are, as in `Paths`."""

    rotation: np.ndarray
    origin_m: np.ndarray
    kind: np.ndarray
    size: np.ndarray
    axis: np.ndarray
    sign: np.ndarray


class Course(NamedTuple):
    """The places that paths run through, from a muscle's first on, in their order.

    place_m (N, 3) in the ground. holder (N,): which of `Paths.touched` holds it. point (N,): its number, or -1 and -2
    for tangent points of a muscle's first and second wrap. arc_m (N,): the way to the next place along a surface, -1
    for a straight one.
    """

    place_m: np.ndarray
    holder: np.ndarray
    point: np.ndarray
    arc_m: np.ndarray


class PathRoom(NamedTuple):
    """Working space of a frame.

    n_places (U,): places of a muscle's path. sense (2,) of a muscle's two wraps, bridge_m (2, 3) between them, system
    (4, 5). point_holder (P,) and wrap_holder (W,): which of `Paths.touched` holds it. root (U,): the last body that
    carries all that a muscle touches. pull (.., 6): moment about the ground's origin and force on what a muscle
    touches. carried (B, 6): the same on all that a body carries.
    """

    course: Course
    surfaces: PlacedSurfaces
    n_places: np.ndarray
    sense: np.ndarray
    bridge_m: np.ndarray
    system: np.ndarray
    point_holder: np.ndarray
    wrap_holder: np.ndarray
    root: np.ndarray
    pull: np.ndarray
    carried: np.ndarray


def new_path_room(tree: Tree, paths: Paths) -> PathRoom:
    """Room for the paths of a model. Not compiled: allocating takes numba long to compile."""
    n_muscles, n_points, n_wraps = len(paths.first_point) - 1, len(paths.point_kind), len(paths.wrap_surface)
    n_places, n_surfaces = n_points + 2 * n_wraps, len(paths.surface_kind)
    ends = np.arange(n_muscles)
    muscle_of_point = np.repeat(ends, np.diff(paths.first_point))
    muscle_of_wrap = np.repeat(ends, np.diff(paths.first_wrap))
    touched = [paths.touched[paths.first_touched[u] : paths.first_touched[u + 1]].tolist() for u in range(n_muscles)]
    held_points = zip(muscle_of_point.tolist(), paths.point_body.tolist(), strict=True)
    held_wraps = zip(muscle_of_wrap.tolist(), paths.surface_body[paths.wrap_surface].tolist(), strict=True)
    first = paths.first_touched.tolist()
    return PathRoom(
        course=Course(
            place_m=np.zeros((n_places, 3)),
            holder=np.zeros(n_places, np.int64),
            point=np.zeros(n_places, np.int64),
            arc_m=np.zeros(n_places),
        ),
        surfaces=PlacedSurfaces(
            rotation=np.zeros((n_surfaces, 3, 3)),
            origin_m=np.zeros((n_surfaces, 3)),
            kind=paths.surface_kind,
            size=paths.surface_size,
            axis=paths.surface_axis,
            sign=paths.surface_sign,
        ),
        n_places=np.zeros(n_muscles, np.int64),
        sense=np.zeros(2),
        bridge_m=np.zeros((2, 3)),
        system=np.zeros((4, 5)),
        point_holder=np.array([first[u] + touched[u].index(body) for u, body in held_points], dtype=np.int64),
        wrap_holder=np.array([first[u] + touched[u].index(body) for u, body in held_wraps], dtype=np.int64),
        root=np.array([_common_carrier(tree.parent.tolist(), bodies) for bodies in touched], dtype=np.int64),
        pull=np.zeros((len(paths.touched), 6)),
        carried=np.zeros((len(tree.parent), 6)),
    )


def _common_carrier(parent: Sequence[int], bodies: Sequence[int]) -> int:
    """The last body from the root on that carries, or is, each of some; parents come before their children."""
    reached = set(bodies)
    while len(reached) > 1:
        last = max(reached)
        reached = (reached - {last}) | {parent[last]}
    return reached.pop()


def muscle_paths(tree: Tree, paths: Paths, values: np.ndarray, speeds: np.ndarray) -> MusclePaths:
    """All paths of all frames, from coordinates' values and speeds (T, Q), coupled ones included.

    NaN in a coordinate that moves a muscle's bodies makes that muscle NaN.
    """
    return laid_paths(tree, paths, values, speeds, np.zeros((0, len(paths.first_point) - 1)))[0]


def laid_paths(
    tree: Tree, paths: Paths, values: np.ndarray, speeds: np.ndarray, tension_n: np.ndarray
) -> tuple[MusclePaths, Pulls]:
    """The same, and what all muscles together do at their tensions (T, U); nothing where these are of no frame."""
    n_frames, n_coordinates = values.shape
    n_muscles = len(paths.first_point) - 1
    found = MusclePaths(
        length_m=np.zeros((n_frames, n_muscles)),
        per_newton=np.zeros((n_frames, n_muscles, n_coordinates)),
        lengthening_m_s=np.zeros((n_frames, n_muscles)),
    )
    pulls = Pulls(
        wrenches=np.zeros((len(tension_n), len(tree.parent), 6)), direct=np.zeros((len(tension_n), n_coordinates))
    )
    rooms = new_pose(tree), new_path_room(tree, paths)
    _lay_frames(tree, paths, reals(values), reals(speeds), reals(tension_n), *rooms, found, pulls)
    return found, pulls


@kernel
def _lay_frames(
    tree: Tree,
    paths: Paths,
    values: np.ndarray,
    speeds: np.ndarray,
    tension_n: np.ndarray,
    pose: Pose,
    room: PathRoom,
    found: MusclePaths,
    pulls: Pulls,
) -> None:
    length_m, per_newton, lengthening_m_s = found.length_m, found.per_newton, found.lengthening_m_s
    for frame in range(values.shape[0]):
        place_bodies(tree, values[frame], pose)
        _place_surfaces(paths, pose, room.surfaces)
        _place_points(tree.functions, paths, values[frame], pose, room)
        _go_round_all(paths, room)
        _pull_on_bodies(paths, room, length_m[frame])
        _pull_on_moving_points(tree.functions, paths, values[frame], pose, room, per_newton[frame])
        if tension_n.shape[0] > 0:
            _add_pulls(paths, room, tension_n[frame], per_newton[frame], pulls.wrenches[frame], pulls.direct[frame])
        _pull_on_coordinates(tree, paths, pose, room, per_newton[frame])
        for muscle in range(length_m.shape[1]):
            # A coordinate that doesn't move the muscle may be NaN.
            for k in range(values.shape[1]):
                if per_newton[frame, muscle, k] != 0.0:
                    lengthening_m_s[frame, muscle] -= per_newton[frame, muscle, k] * speeds[frame, k]


@inner
def _add_pulls(
    paths: Paths,
    room: PathRoom,
    tension_n: np.ndarray,
    sliding: np.ndarray,
    wrenches: np.ndarray,
    direct: np.ndarray,
) -> None:
    """Add what muscles do at these tensions (U,) to bodies (B, 6), and by sliding points (U, Q) to coordinates (Q,)."""
    for muscle in range(tension_n.shape[0]):
        for c in range(direct.shape[0]):
            direct[c] += tension_n[muscle] * sliding[muscle, c]
        for k in range(paths.first_touched[muscle], paths.first_touched[muscle + 1]):
            for i in range(6):
                wrenches[paths.touched[k], i] += tension_n[muscle] * room.pull[k, i]


@inner
def _place_surfaces(paths: Paths, pose: Pose, surfaces: PlacedSurfaces) -> None:
    """Put all surfaces where their bodies have them."""
    onto, rotation, placed = pose.rotation, paths.surface_rotation, surfaces.rotation
    for s in range(paths.surface_body.shape[0]):
        b = paths.surface_body[s]
        x, y, z = paths.surface_origin_m[s, 0], paths.surface_origin_m[s, 1], paths.surface_origin_m[s, 2]
        for i in range(3):
            u, v, w = onto[b, i, 0], onto[b, i, 1], onto[b, i, 2]
            surfaces.origin_m[s, i] = pose.origin_m[b, i] + u * x + v * y + w * z
            for j in range(3):
                placed[s, i, j] = u * rotation[s, 0, j] + v * rotation[s, 1, j] + w * rotation[s, 2, j]


@inner
def _place_points(functions: Functions, paths: Paths, values: np.ndarray, pose: Pose, room: PathRoom) -> None:
    """Begin all courses with the points that belong to them."""
    course, onto, origin_m = room.course, pose.rotation, pose.origin_m
    for muscle in range(paths.first_point.shape[0] - 1):
        first = k = paths.first_point[muscle] + 2 * paths.first_wrap[muscle]
        for point in range(paths.first_point[muscle], paths.first_point[muscle + 1]):
            x, y, z = paths.point_m[point, 0], paths.point_m[point, 1], paths.point_m[point, 2]
            if paths.point_kind[point] == CONDITIONAL:
                value = values[paths.point_coordinate[point, 0]]
                if value < paths.point_low[point] or value > paths.point_high[point]:
                    continue
            elif paths.point_kind[point] == MOVING:
                x, y, z = _moved(functions, paths, values, point)
            b = paths.point_body[point]
            for i in range(3):
                course.place_m[k, i] = origin_m[b, i] + onto[b, i, 0] * x + onto[b, i, 1] * y + onto[b, i, 2] * z
            course.holder[k], course.point[k], course.arc_m[k] = room.point_holder[point], point, _STRAIGHT
            k += 1
        room.n_places[muscle] = k - first


@inner
def _moved(functions: Functions, paths: Paths, values: np.ndarray, point: int) -> tuple[float, float, float]:
    """Where a moving point is in its body's frame."""
    x, y, z = paths.point_m[point, 0], paths.point_m[point, 1], paths.point_m[point, 2]
    for k in range(3):
        along, _ = _slide(functions, paths, values, point, k)
        x += paths.point_rotation[point, 0, k] * along
        y += paths.point_rotation[point, 1, k] * along
        z += paths.point_rotation[point, 2, k] * along
    return x, y, z


@inner
def _slide(functions: Functions, paths: Paths, values: np.ndarray, point: int, k: int) -> tuple[float, float]:
    """How far a moving point has moved along its k-th direction, and the slope of that by its coordinate."""
    function, coordinate = paths.point_function[point, k], paths.point_coordinate[point, k]
    if function < 0:
        return 0.0, 0.0
    value = values[coordinate] if coordinate >= 0 else 0.0
    low, high = paths.point_low[point], paths.point_high[point]
    held = coordinate < 0 or value < low or value > high
    moved, slope, _ = evaluate_at(functions, function, min(max(value, low), high) if coordinate >= 0 else value)
    # NaN stays NaN.
    return moved + 0.0 * value, 0.0 if held else slope


@inner
def _go_round_all(paths: Paths, room: PathRoom) -> None:
    """Lay all courses around the surfaces that they wrap."""
    for muscle in range(room.n_places.shape[0]):
        wrap, n_wraps = paths.first_wrap[muscle], paths.first_wrap[muscle + 1] - paths.first_wrap[muscle]
        if n_wraps == 0:
            continue
        first = paths.first_point[muscle] + 2 * wrap
        end = first + room.n_places[muscle]
        if n_wraps == 1:
            surface, holder = paths.wrap_surface[wrap], room.wrap_holder[wrap]
            low, high = paths.wrap_from[wrap], paths.wrap_to[wrap]
            end, _, _ = _go_round(room.course, room.surfaces, surface, holder, low, high, -1, first, end)
        else:
            end = _go_round_both(paths, room, wrap, first, end)
        room.n_places[muscle] = end - first


@inner
def _go_round(
    course: Course,
    surfaces: PlacedSurfaces,
    surface: int,
    holder: int,
    low: int,
    high: int,
    mark: int,
    first: int,
    end: int,
) -> tuple[int, int, float]:
    """Lay a course, places from `first` to before `end`, around a surface between its points `low` and `high`.

    Returns the new end, what the last segment said, and the sense. The first segment that must wrap does; without one,
    that which wrapping lengthens least, of those that may.
    """
    start, stop = -1, -1
    for k in range(first, end):
        if low <= course.point[k] <= high:
            stop = k
            start = k if start < 0 else start
    best, least, outcome, chosen = -1, np.inf, CLEAR, no_detour(CLEAR)
    if start < 0:
        return end, outcome, 0.0
    for k in range(start, stop):
        if course.arc_m[k] >= 0.0:
            continue
        detour, longer = _try_segment(course.place_m, surfaces, surface, k)
        outcome = detour.outcome
        if outcome == NEEDED or (outcome == POSSIBLE and longer < least):
            best, least, chosen = k, longer, detour
        if outcome == NEEDED:
            break
    if best >= 0:
        _put_in(course, surfaces.rotation, surfaces.origin_m, surface, holder, mark, best, end, chosen)
        end += 2
    return end, outcome, chosen.sense


@inner
def _try_segment(place_m: np.ndarray, surfaces: PlacedSurfaces, surface: int, k: int) -> tuple[Detour, float]:
    """The way around a surface from the k-th place to the next, and how much longer it is than the straight."""
    px, py, pz = _into(surfaces.rotation, surfaces.origin_m, surface, place_m, k)
    qx, qy, qz = _into(surfaces.rotation, surfaces.origin_m, surface, place_m, k + 1)
    axis, sign = surfaces.axis[surface], surfaces.sign[surface]
    radius, half_length = surfaces.size[surface, 0], 0.5 * surfaces.size[surface, 1]
    if surfaces.kind[surface] == SPHERE:
        detour = around_sphere(px, py, pz, qx, qy, qz, radius, axis, sign)
    else:
        in_plane = surfaces.kind[surface] == CYLINDER_IN_PLANE
        detour = around_cylinder(px, py, pz, qx, qy, qz, radius, half_length, axis, sign, in_plane)
    if detour.outcome != POSSIBLE:
        return detour, 0.0
    touch = np.sqrt((detour.x1 - px) ** 2 + (detour.y1 - py) ** 2 + (detour.z1 - pz) ** 2)
    leave = np.sqrt((detour.x2 - qx) ** 2 + (detour.y2 - qy) ** 2 + (detour.z2 - qz) ** 2)
    straight = np.sqrt((qx - px) ** 2 + (qy - py) ** 2 + (qz - pz) ** 2)
    return detour, touch + detour.arc_m + leave - straight


@inner
def _into(
    rotation: np.ndarray, origin_m: np.ndarray, surface: int, place_m: np.ndarray, k: int
) -> tuple[float, float, float]:
    """The k-th place in a surface's frame."""
    x, y, z = (
        place_m[k, 0] - origin_m[surface, 0],
        place_m[k, 1] - origin_m[surface, 1],
        place_m[k, 2] - origin_m[surface, 2],
    )
    return (
        rotation[surface, 0, 0] * x + rotation[surface, 1, 0] * y + rotation[surface, 2, 0] * z,
        rotation[surface, 0, 1] * x + rotation[surface, 1, 1] * y + rotation[surface, 2, 1] * z,
        rotation[surface, 0, 2] * x + rotation[surface, 1, 2] * y + rotation[surface, 2, 2] * z,
    )


@inner
def _put_in(
    course: Course,
    rotation: np.ndarray,
    origin_m: np.ndarray,
    surface: int,
    holder: int,
    mark: int,
    k: int,
    end: int,
    detour: Detour,
) -> None:
    """Put a detour's tangent points into a course after the k-th place."""
    for old in range(end - 1, k, -1):
        _move(course, old, old + 2)
    for i in range(3):
        u, v, w = rotation[surface, i, 0], rotation[surface, i, 1], rotation[surface, i, 2]
        course.place_m[k + 1, i] = origin_m[surface, i] + u * detour.x1 + v * detour.y1 + w * detour.z1
        course.place_m[k + 2, i] = origin_m[surface, i] + u * detour.x2 + v * detour.y2 + w * detour.z2
    course.holder[k + 1], course.point[k + 1], course.arc_m[k + 1] = holder, mark, detour.arc_m
    course.holder[k + 2], course.point[k + 2], course.arc_m[k + 2] = holder, mark, _STRAIGHT


@inner
def _take_out(course: Course, mark: int, first: int, end: int) -> int:
    """Take a wrap's two tangent points out of a course, if it has them; the new end."""
    k = _place_of(course.point, mark, first, end)
    if k < 0:
        return end
    for old in range(k + 2, end):
        _move(course, old, old - 2)
    return end - 2


@inner
def _place_of(point: np.ndarray, mark: int, first: int, end: int) -> int:
    """The place of the first of a wrap's tangent points, -1 for none."""
    for k in range(first, end):
        if point[k] == mark:
            return k
    return -1


@inner
def _move(course: Course, old: int, new: int) -> None:
    """Write a place to where another was."""
    for i in range(3):
        course.place_m[new, i] = course.place_m[old, i]
    course.holder[new], course.point[new], course.arc_m[new] = course.holder[old], course.point[old], course.arc_m[old]


@inner
def _go_round_both(paths: Paths, room: PathRoom, wrap: int, first: int, end: int) -> int:
    """Lay a course around two wraps' surfaces, `wrap` and the next; the new end. One that can't be found is NaN.

    The wraps take turns, each between the tangent points that the other has just been given, until neither changes
    which segment it wraps and in what sense. Then the geodesic around both is solved for at once, and has to pass
    another round unchanged. Where the first wrap finds nothing to do and the second has an end inside it, they change
    places after the first round, as in OpenSim.
    """
    swapped, solved, before = 0, False, -1
    room.bridge_m[:] = np.inf
    course, surfaces, wrapped, holder = room.course, room.surfaces, paths.wrap_surface, room.wrap_holder
    low, high = paths.wrap_from, paths.wrap_to
    for turn in range(_ROUNDS):
        outcomes = CLEAR, CLEAR
        for which in (swapped, 1 - swapped):
            w, mark = wrap + which, -1 - which
            end = _take_out(course, mark, first, end)
            end, outcome, room.sense[which] = _go_round(
                course, surfaces, wrapped[w], holder[w], low[w], high[w], mark, first, end
            )
            outcomes = outcomes[1], outcome
        if turn == 0 and outcomes == (CLEAR, INSIDE):
            swapped = 1
            end = _take_out(course, -1, first, end)
            continue
        one, other = _place_of(course.point, -1, first, end), _place_of(course.point, -2, first, end)
        now = _layout(one - first + 1, other - first + 1, room.sense)
        same, before, solved = now == before, now, solved and now == before
        if not same:
            continue
        if one < 0 or other < 0 or abs(one - other) != 2:
            return end
        moved = _keep_bridge(course.place_m, min(one, other) + 1, room.bridge_m)
        if moved == 0.0 or (solved and moved < _STILL_M):
            return end
        solved = _solve_both(paths, room, wrap, 0 if one < other else 1, min(one, other) + 1)
        _keep_bridge(course.place_m, min(one, other) + 1, room.bridge_m)
    course.place_m[first, 0] = np.nan
    return end


@inner
def _layout(one: int, other: int, sense: np.ndarray) -> int:
    """A number that says which segments two wraps are on, and in what sense."""
    return (max(one, 0) * 4096 + max(other, 0)) * 4 + (2 if sense[0] > 0 else 0) + (1 if sense[1] > 0 else 0)


@inner
def _keep_bridge(place_m: np.ndarray, bridge: int, kept_m: np.ndarray) -> float:
    """Remember where the straight piece between two surfaces is (2, 3); how far it has moved, metres."""
    moved = 0.0
    for k in range(2):
        for i in range(3):
            moved = max(moved, abs(place_m[bridge + k, i] - kept_m[k, i]))
            kept_m[k, i] = place_m[bridge + k, i]
    return moved


@inner
def _solve_both(paths: Paths, room: PathRoom, wrap: int, nearer: int, bridge: int) -> bool:
    """Move the bridge, from its first place on, onto the geodesic around both; `nearer` is the path's first surface."""
    one, other = paths.wrap_surface[wrap + nearer], paths.wrap_surface[wrap + 1 - nearer]
    place_m, surfaces = room.course.place_m, room.surfaces
    return bridge_cylinders(
        place_m[bridge - 2],
        place_m[bridge + 3],
        (surfaces.rotation[one], surfaces.rotation[other]),
        (surfaces.origin_m[one], surfaces.origin_m[other]),
        (surfaces.size[one, 0], surfaces.size[other, 0]),
        (room.sense[nearer], room.sense[1 - nearer]),
        place_m[bridge],
        place_m[bridge + 1],
        room.system,
    )


@inner
def _pull_on_bodies(paths: Paths, room: PathRoom, length_m: np.ndarray) -> None:
    """Write all lengths (U,), and what a newton along each path does to what it touches."""
    place_m, holder, arc_m, pull = room.course.place_m, room.course.holder, room.course.arc_m, room.pull
    pull[:] = 0.0
    for muscle in range(length_m.shape[0]):
        first = paths.first_point[muscle] + 2 * paths.first_wrap[muscle]
        length = 0.0
        for k in range(first, first + room.n_places[muscle] - 1):
            if arc_m[k] >= 0.0:
                length += arc_m[k]
                continue
            x, y, z = place_m[k, 0], place_m[k, 1], place_m[k, 2]
            dx, dy, dz = place_m[k + 1, 0] - x, place_m[k + 1, 1] - y, place_m[k + 1, 2] - z
            distance = np.sqrt(dx * dx + dy * dy + dz * dz)
            length += distance
            near, far = holder[k], holder[k + 1]
            if near != far:
                dx, dy, dz = dx / distance, dy / distance, dz / distance
                _add(pull, near, y * dz - z * dy, z * dx - x * dz, x * dy - y * dx, dx, dy, dz)
                _add(pull, far, z * dy - y * dz, x * dz - z * dx, y * dx - x * dy, -dx, -dy, -dz)
        length_m[muscle] = length


@inner
def _add(pull: np.ndarray, k: int, mx: float, my: float, mz: float, fx: float, fy: float, fz: float) -> None:
    """Add a moment and a force to those on a body."""
    pull[k, 0] += mx
    pull[k, 1] += my
    pull[k, 2] += mz
    pull[k, 3] += fx
    pull[k, 4] += fy
    pull[k, 5] += fz


@inner
def _pull_on_coordinates(tree: Tree, paths: Paths, pose: Pose, room: PathRoom, per_newton: np.ndarray) -> None:
    """Add the pulls' virtual work to the coordinates (U, Q) that move some, but not all, of what a muscle touches."""
    parent, moved, carried, screw = tree.parent, tree.moved, room.carried, pose.screw
    for muscle in range(room.root.shape[0]):
        root, first, last = room.root[muscle], paths.first_touched[muscle], paths.first_touched[muscle + 1]
        for k in range(first, last):
            body = paths.touched[k]
            while body != root:
                for i in range(6):
                    carried[body, i] = 0.0
                body = parent[body]
        for k in range(first, last):
            body = paths.touched[k]
            while body != root:
                for i in range(6):
                    carried[body, i] += room.pull[k, i]
                body = parent[body]
        for k in range(paths.first_crossed[muscle], paths.first_crossed[muscle + 1]):
            axis = paths.crossed[k]
            body, work = moved[axis], 0.0
            for i in range(6):
                work += screw[axis, i] * carried[body, i]
            per_newton[muscle, tree.coordinate[axis]] += pose.slope[axis] * work


@inner
def _pull_on_moving_points(
    functions: Functions, paths: Paths, values: np.ndarray, pose: Pose, room: PathRoom, per_newton: np.ndarray
) -> None:
    """Add the work of the pieces before and after each point that moves in its body to its coordinates (U, Q)."""
    point, place_m = room.course.point, room.course.place_m
    for muscle in range(room.n_places.shape[0]):
        first = paths.first_point[muscle] + 2 * paths.first_wrap[muscle]
        end = first + room.n_places[muscle]
        for k in range(first, end):
            if point[k] < 0 or paths.point_kind[point[k]] != MOVING:
                continue
            for other in (k - 1, k + 1):
                if first <= other < end:
                    _pull_on_moving_point(
                        functions, paths, values, pose, place_m, k, other, point[k], per_newton[muscle]
                    )


@inner
def _pull_on_moving_point(
    functions: Functions,
    paths: Paths,
    values: np.ndarray,
    pose: Pose,
    place_m: np.ndarray,
    k: int,
    other: int,
    point: int,
    per_newton: np.ndarray,
) -> None:
    """Add a newton's work on the moving point at the k-th place, towards another place, to its coordinates (Q,)."""
    onto, rotation = pose.rotation[paths.point_body[point]], paths.point_rotation[point]
    x, y, z = place_m[other, 0] - place_m[k, 0], place_m[other, 1] - place_m[k, 1], place_m[other, 2] - place_m[k, 2]
    distance = np.sqrt(x * x + y * y + z * z)
    for direction in range(3):
        coordinate = paths.point_coordinate[point, direction]
        if coordinate < 0:
            continue
        _, slope = _slide(functions, paths, values, point, direction)
        for j in range(3):
            along = (onto[0, j] * x + onto[1, j] * y + onto[2, j] * z) / distance
            per_newton[coordinate] += slope * along * rotation[j, direction]
