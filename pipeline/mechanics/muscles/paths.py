"""Muscle paths of a frame: their lengths, and what a newton of tension does to every coordinate.

A path runs straight from point to point and around the surfaces in its way (`wrapping.py`, `geodesics.py`). Its gradient
needs no derivative of a tangent point: a taut string's length changes as if these stuck to their surface. So a straight
piece pulls on the bodies at its two ends, a surface takes the difference of the pieces at its own, and virtual work
gives the generalized forces.
Shapes: T frames, U muscles, Q coordinates, B bodies, N places of one path.
"""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.arrays import CONDITIONAL, CYLINDER_IN_PLANE, MOVING, SPHERE, Functions, Paths, Tree
from pipeline.mechanics.bodies.forward import Pose, new_pose, place_bodies
from pipeline.mechanics.bodies.functions import evaluate
from pipeline.mechanics.compiled import kernel
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


class MusclePaths(NamedTuple):
    """Of every frame: length_m (T, U), per_newton (T, U, Q), lengthening_m_s (T, U).

    per_newton is the generalized force of a newton of tension, N or N·m, the moment arm where the coordinate is an
    angle: minus the length's slope by that coordinate alone, others held, coupled ones too.
    """

    length_m: np.ndarray
    per_newton: np.ndarray
    lengthening_m_s: np.ndarray


class PathRoom(NamedTuple):
    """Working space of `lay_paths`: the path being laid, and the frame's surfaces.

    place_m (N, 3) in the ground, body (N,), point (N,): its number, or -1 and -2 for tangent points of the first and
    second wrap; arc_m (N,): the way to the next place along a surface, -1 for a straight one. sense (2,) of the two
    wraps, bridge_m (2, 3) between them, system (4, 5). surface_rotation (S, 3, 3) and surface_origin_m (S, 3) in the
    ground. pull (B, 6): moment about the ground's origin and force on a body; carried (B, 6): on all that it carries.
    """

    place_m: np.ndarray
    body: np.ndarray
    point: np.ndarray
    arc_m: np.ndarray
    sense: np.ndarray
    bridge_m: np.ndarray
    system: np.ndarray
    surface_rotation: np.ndarray
    surface_origin_m: np.ndarray
    pull: np.ndarray
    carried: np.ndarray


@kernel
def new_path_room(tree: Tree, paths: Paths) -> PathRoom:
    """Room for the longest path and its tangent points."""
    longest = 0
    for muscle in range(paths.first_point.shape[0] - 1):
        longest = max(longest, paths.first_point[muscle + 1] - paths.first_point[muscle])
    n, n_surfaces, n_bodies = longest + 4, paths.surface_kind.shape[0], tree.parent.shape[0]
    return PathRoom(
        np.zeros((n, 3)),
        np.zeros(n, np.int64),
        np.zeros(n, np.int64),
        np.zeros(n),
        np.zeros(2),
        np.zeros((2, 3)),
        np.zeros((4, 5)),
        np.zeros((n_surfaces, 3, 3)),
        np.zeros((n_surfaces, 3)),
        np.zeros((n_bodies, 6)),
        np.zeros((n_bodies, 6)),
    )


@kernel
def muscle_paths(tree: Tree, paths: Paths, values: np.ndarray, speeds: np.ndarray) -> MusclePaths:
    """All paths of all frames, from coordinates' values and speeds (T, Q), coupled ones included.

    NaN in a coordinate that moves a muscle's bodies makes that muscle NaN.
    """
    n_frames, n_coordinates = values.shape
    n_muscles = paths.first_point.shape[0] - 1
    length_m = np.zeros((n_frames, n_muscles))
    per_newton = np.zeros((n_frames, n_muscles, n_coordinates))
    lengthening_m_s = np.zeros((n_frames, n_muscles))
    pose, room = new_pose(tree), new_path_room(tree, paths)
    for frame in range(n_frames):
        place_bodies(tree, values[frame], pose)
        lay_paths(tree, paths, values[frame], pose, room, length_m[frame], per_newton[frame])
        for muscle in range(n_muscles):
            for k in range(n_coordinates):
                if per_newton[frame, muscle, k] != 0.0:
                    lengthening_m_s[frame, muscle] -= per_newton[frame, muscle, k] * speeds[frame, k]
    return MusclePaths(length_m, per_newton, lengthening_m_s)


@kernel
def lay_paths(
    tree: Tree,
    paths: Paths,
    values: np.ndarray,
    pose: Pose,
    room: PathRoom,
    length_m: np.ndarray,
    per_newton: np.ndarray,
) -> None:
    """Write a frame's lengths (U,) and generalized forces of a newton (U, Q), bodies having been placed in `pose`."""
    _place_surfaces(paths, pose, room)
    for muscle in range(paths.first_point.shape[0] - 1):
        count = _place_points(tree.functions, paths, values, pose, muscle, room)
        first_wrap, n_wraps = paths.first_wrap[muscle], paths.first_wrap[muscle + 1] - paths.first_wrap[muscle]
        if n_wraps == 1:
            count, _ = _go_round(paths, room, first_wrap, 0, count)
        elif n_wraps == 2:
            count = _go_round_both(paths, room, first_wrap, count)
        per_newton[muscle] = 0.0
        length_m[muscle] = _pull_on_bodies(tree.functions, paths, values, pose, muscle, count, room, per_newton[muscle])
        _pull_on_coordinates(tree, paths, pose, muscle, room, per_newton[muscle])


@kernel
def _place_surfaces(paths: Paths, pose: Pose, room: PathRoom) -> None:
    """Put all surfaces where their bodies have them."""
    for surface in range(paths.surface_kind.shape[0]):
        body = paths.surface_body[surface]
        onto, rotation, placed = pose.rotation[body], paths.surface_rotation[surface], room.surface_rotation[surface]
        at, origin = paths.surface_origin_m[surface], room.surface_origin_m[surface]
        for i in range(3):
            for j in range(3):
                placed[i, j] = onto[i, 0] * rotation[0, j] + onto[i, 1] * rotation[1, j] + onto[i, 2] * rotation[2, j]
            origin[i] = pose.origin_m[body, i] + onto[i, 0] * at[0] + onto[i, 1] * at[1] + onto[i, 2] * at[2]


@kernel
def _place_points(
    functions: Functions, paths: Paths, values: np.ndarray, pose: Pose, muscle: int, room: PathRoom
) -> int:
    """Put a muscle's points that belong to the path into the room; their number."""
    count = 0
    for point in range(paths.first_point[muscle], paths.first_point[muscle + 1]):
        kind, at = paths.point_kind[point], paths.point_m[point]
        x, y, z = at[0], at[1], at[2]
        if kind == CONDITIONAL:
            value = values[paths.point_coordinate[point, 0]]
            if value < paths.point_low[point] or value > paths.point_high[point]:
                continue
        elif kind == MOVING:
            for k in range(3):
                moved, _, _ = _slide(functions, paths, values, point, k)
                rotation = paths.point_rotation[point]
                x, y, z = x + rotation[0, k] * moved, y + rotation[1, k] * moved, z + rotation[2, k] * moved
        body = paths.point_body[point]
        onto, origin = pose.rotation[body], pose.origin_m[body]
        for i in range(3):
            room.place_m[count, i] = origin[i] + onto[i, 0] * x + onto[i, 1] * y + onto[i, 2] * z
        room.body[count], room.point[count], room.arc_m[count] = body, point, _STRAIGHT
        count += 1
    return count


@kernel
def _slide(functions: Functions, paths: Paths, values: np.ndarray, point: int, k: int) -> tuple[float, float, int]:
    """A moving point's place along its k-th direction, the slope of that by a coordinate, and the coordinate, or -1."""
    function, coordinate = paths.point_function[point, k], paths.point_coordinate[point, k]
    if function < 0:
        return 0.0, 0.0, -1
    if coordinate < 0:
        return evaluate(functions, function, 0.0)[0], 0.0, -1
    value, low, high = values[coordinate], paths.point_low[point], paths.point_high[point]
    if not (value < low or value > high):
        moved, slope, _ = evaluate(functions, function, value)
        return moved + 0.0 * value, slope, coordinate
    return evaluate(functions, function, low if value < low else high)[0], 0.0, coordinate


@kernel
def _go_round(paths: Paths, room: PathRoom, wrap: int, which: int, count: int) -> tuple[int, int]:
    """Lay the path around one wrap's surface, if it meets it: the places then, and what its last segment said.

    The first segment that must wrap does; without one, that which wrapping lengthens least, of those that may.
    """
    first, last = -1, -1
    for k in range(count):
        point = room.point[k]
        if point >= paths.wrap_from[wrap] and point <= paths.wrap_to[wrap]:
            last = k
            if first < 0:
                first = k
    best, least, outcome = -1, np.inf, CLEAR
    chosen = no_detour(CLEAR)
    if first < 0:
        return count, outcome
    for k in range(first, last):
        if room.arc_m[k] >= 0.0:
            continue
        detour, longer = _try_segment(paths, room, wrap, k)
        outcome = detour.outcome
        if outcome == NEEDED or (outcome == POSSIBLE and longer < least):
            best, least, chosen = k, longer, detour
        if outcome == NEEDED:
            break
    if best >= 0:
        room.sense[which] = chosen.sense
        _put_in(room, best, count, -1 - which, paths.surface_body[paths.wrap_surface[wrap]], chosen)
        _place_detour(room, paths.wrap_surface[wrap], best, chosen)
        count += 2
    return count, outcome


@kernel
def _try_segment(paths: Paths, room: PathRoom, wrap: int, k: int) -> tuple[Detour, float]:
    """The way around a wrap's surface from the k-th place to the next, and how much longer it is than the straight."""
    surface = paths.wrap_surface[wrap]
    turn, origin = room.surface_rotation[surface], room.surface_origin_m[surface]
    px, py, pz = _into(turn, origin, room.place_m[k])
    qx, qy, qz = _into(turn, origin, room.place_m[k + 1])
    axis, sign = paths.surface_axis[surface], paths.surface_sign[surface]
    radius, length = paths.surface_size[surface, 0], paths.surface_size[surface, 1]
    kind = paths.surface_kind[surface]
    if kind == SPHERE:
        detour = around_sphere(px, py, pz, qx, qy, qz, radius, axis, sign)
    else:
        in_plane = kind == CYLINDER_IN_PLANE
        detour = around_cylinder(px, py, pz, qx, qy, qz, radius, 0.5 * length, axis, sign, in_plane)
    if detour.outcome == CLEAR or detour.outcome == INSIDE:
        return detour, 0.0
    touch = np.sqrt((detour.x1 - px) ** 2 + (detour.y1 - py) ** 2 + (detour.z1 - pz) ** 2)
    leave = np.sqrt((detour.x2 - qx) ** 2 + (detour.y2 - qy) ** 2 + (detour.z2 - qz) ** 2)
    straight = np.sqrt((qx - px) ** 2 + (qy - py) ** 2 + (qz - pz) ** 2)
    return detour, touch + detour.arc_m + leave - straight


@kernel
def _into(turn: np.ndarray, origin: np.ndarray, place: np.ndarray) -> tuple[float, float, float]:
    """A place of the ground (3,) in a surface's frame."""
    x, y, z = place[0] - origin[0], place[1] - origin[1], place[2] - origin[2]
    return (
        turn[0, 0] * x + turn[1, 0] * y + turn[2, 0] * z,
        turn[0, 1] * x + turn[1, 1] * y + turn[2, 1] * z,
        turn[0, 2] * x + turn[1, 2] * y + turn[2, 2] * z,
    )


@kernel
def _put_in(room: PathRoom, k: int, count: int, mark: int, body: int, detour: Detour) -> None:
    """Make room for a detour's two places after the k-th."""
    for old in range(count - 1, k, -1):
        _move(room, old, old + 2)
    for new in (k + 1, k + 2):
        room.body[new], room.point[new], room.arc_m[new] = body, mark, _STRAIGHT
    room.arc_m[k] = _STRAIGHT
    room.arc_m[k + 1] = detour.arc_m


@kernel
def _place_detour(room: PathRoom, surface: int, k: int, detour: Detour) -> None:
    """Write a detour's tangent points, into the ground, after the k-th place."""
    turn, origin = room.surface_rotation[surface], room.surface_origin_m[surface]
    for i in range(3):
        room.place_m[k + 1, i] = origin[i] + turn[i, 0] * detour.x1 + turn[i, 1] * detour.y1 + turn[i, 2] * detour.z1
        room.place_m[k + 2, i] = origin[i] + turn[i, 0] * detour.x2 + turn[i, 1] * detour.y2 + turn[i, 2] * detour.z2


@kernel
def _take_out(room: PathRoom, which: int, count: int) -> int:
    """Take a wrap's two tangent points out of the path, if it has them; the places left."""
    k = _place_of(room, which, count)
    if k < 0:
        return count
    for old in range(k + 2, count):
        _move(room, old, old - 2)
    return count - 2


@kernel
def _place_of(room: PathRoom, which: int, count: int) -> int:
    """The first tangent point's place of a wrap, -1 for none."""
    for k in range(count):
        if room.point[k] == -1 - which:
            return k
    return -1


@kernel
def _move(room: PathRoom, old: int, new: int) -> None:
    """Write a place to where another was."""
    for i in range(3):
        room.place_m[new, i] = room.place_m[old, i]
    room.body[new], room.point[new], room.arc_m[new] = room.body[old], room.point[old], room.arc_m[old]


@kernel
def _go_round_both(paths: Paths, room: PathRoom, first_wrap: int, count: int) -> int:
    """Lay the path around two wraps' surfaces; the places then. A path that finds no end is NaN.

    The wraps take turns, each between the tangent points that the other has just been given, until neither changes which
    segment it wraps and in what sense. Then the geodesic around both is solved for at once, and has to pass another
    round unchanged. Where the first wrap finds nothing to do and the second has an end inside it, they change places
    after the first round, as in OpenSim.
    """
    swapped, solved, before = False, False, -1
    room.bridge_m[:] = np.inf
    for turn in range(_ROUNDS):
        count, outcome1 = _go_round_again(paths, room, first_wrap, 1 if swapped else 0, count)
        count, outcome2 = _go_round_again(paths, room, first_wrap, 0 if swapped else 1, count)
        if turn == 0 and outcome1 == CLEAR and outcome2 == INSIDE:
            swapped = True
            count = _take_out(room, 0, count)
            continue
        one, other = _place_of(room, 0, count), _place_of(room, 1, count)
        now = ((one + 1) * count + other + 1) * 4 + (2 if room.sense[0] > 0 else 0) + (1 if room.sense[1] > 0 else 0)
        same, before = now == before, now
        if not same:
            solved = False
            continue
        if one < 0 or other < 0 or abs(one - other) != 2:
            return count
        bridge = min(one, other) + 1
        moved = _bridge_moved(room, bridge)
        if moved < _STILL_M and (solved or moved == 0.0):
            return count
        solved = _solve_both(paths, room, first_wrap, 0 if one < other else 1, bridge)
        _keep_bridge(room, bridge)
    room.place_m[0, 0] = np.nan
    return count


@kernel
def _go_round_again(paths: Paths, room: PathRoom, first_wrap: int, which: int, count: int) -> tuple[int, int]:
    """Lay a path's first (0) or second (1) wrap afresh."""
    return _go_round(paths, room, first_wrap + which, which, _take_out(room, which, count))


@kernel
def _bridge_moved(room: PathRoom, bridge: int) -> float:
    """How far the straight piece between two surfaces has moved since it was kept, metres."""
    moved = 0.0
    for k in range(2):
        for i in range(3):
            moved = max(moved, abs(room.place_m[bridge + k, i] - room.bridge_m[k, i]))
    return moved


@kernel
def _keep_bridge(room: PathRoom, bridge: int) -> None:
    """Remember where the straight piece between two surfaces is."""
    for k in range(2):
        for i in range(3):
            room.bridge_m[k, i] = room.place_m[bridge + k, i]


@kernel
def _solve_both(paths: Paths, room: PathRoom, first_wrap: int, nearer: int, bridge: int) -> bool:
    """Move the bridge, from its first place on, onto the geodesic around both; `nearer` is the path's first surface."""
    one, other = paths.wrap_surface[first_wrap + nearer], paths.wrap_surface[first_wrap + 1 - nearer]
    return bridge_cylinders(
        room.place_m[bridge - 2],
        room.place_m[bridge + 3],
        (room.surface_rotation[one], room.surface_rotation[other]),
        (room.surface_origin_m[one], room.surface_origin_m[other]),
        (paths.surface_size[one, 0], paths.surface_size[other, 0]),
        (room.sense[nearer], room.sense[1 - nearer]),
        room.place_m[bridge],
        room.place_m[bridge + 1],
        room.system,
    )


@kernel
def _pull_on_bodies(
    functions: Functions,
    paths: Paths,
    values: np.ndarray,
    pose: Pose,
    muscle: int,
    count: int,
    room: PathRoom,
    per_newton: np.ndarray,
) -> float:
    """Write what a newton does to a muscle's bodies into the room; add what it does by moving points; the length."""
    for k in range(paths.first_touched[muscle], paths.first_touched[muscle + 1]):
        room.pull[paths.touched[k]] = 0.0
    length_m = 0.0
    for k in range(count - 1):
        if room.arc_m[k] >= 0.0:
            length_m += room.arc_m[k]
            continue
        p, q = room.place_m[k], room.place_m[k + 1]
        dx, dy, dz = q[0] - p[0], q[1] - p[1], q[2] - p[2]
        distance = np.sqrt(dx * dx + dy * dy + dz * dz)
        length_m += distance
        dx, dy, dz = dx / distance, dy / distance, dz / distance
        _slide_under(functions, paths, values, pose, room.point[k], dx, dy, dz, per_newton)
        _slide_under(functions, paths, values, pose, room.point[k + 1], -dx, -dy, -dz, per_newton)
        if room.body[k] == room.body[k + 1]:
            continue
        mx, my, mz = p[1] * dz - p[2] * dy, p[2] * dx - p[0] * dz, p[0] * dy - p[1] * dx
        near, far = room.pull[room.body[k]], room.pull[room.body[k + 1]]
        near[0], near[1], near[2] = near[0] + mx, near[1] + my, near[2] + mz
        near[3], near[4], near[5] = near[3] + dx, near[4] + dy, near[5] + dz
        far[0], far[1], far[2] = far[0] - mx, far[1] - my, far[2] - mz
        far[3], far[4], far[5] = far[3] - dx, far[4] - dy, far[5] - dz
    return length_m


@kernel
def _slide_under(
    functions: Functions,
    paths: Paths,
    values: np.ndarray,
    pose: Pose,
    point: int,
    fx: float,
    fy: float,
    fz: float,
    per_newton: np.ndarray,
) -> None:
    """Add a force's work on a point that moves in its body to its coordinates (Q,); others do none."""
    if point < 0 or paths.point_kind[point] != MOVING:
        return
    onto, rotation = pose.rotation[paths.point_body[point]], paths.point_rotation[point]
    fx, fy, fz = (
        onto[0, 0] * fx + onto[1, 0] * fy + onto[2, 0] * fz,
        onto[0, 1] * fx + onto[1, 1] * fy + onto[2, 1] * fz,
        onto[0, 2] * fx + onto[1, 2] * fy + onto[2, 2] * fz,
    )
    for k in range(3):
        _, slope, coordinate = _slide(functions, paths, values, point, k)
        if coordinate >= 0:
            along = rotation[0, k] * fx + rotation[1, k] * fy + rotation[2, k] * fz
            per_newton[coordinate] += slope * along


@kernel
def _pull_on_coordinates(
    tree: Tree, paths: Paths, pose: Pose, muscle: int, room: PathRoom, per_newton: np.ndarray
) -> None:
    """Add the virtual work of a muscle's pull on its bodies to the coordinates (Q,) that move some but not all of them."""
    first, last = paths.first_touched[muscle], paths.first_touched[muscle + 1]
    root = paths.touched[first]
    for k in range(first + 1, last):
        body = paths.touched[k]
        while body != root:
            if body > root:
                body = tree.parent[body]
            else:
                root = tree.parent[root]
    for k in range(first, last):
        body = paths.touched[k]
        while body != root:
            room.carried[body] = 0.0
            body = tree.parent[body]
    for k in range(first, last):
        pull, body = room.pull[paths.touched[k]], paths.touched[k]
        while body != root:
            for i in range(6):
                room.carried[body, i] += pull[i]
            body = tree.parent[body]
    for k in range(paths.first_crossed[muscle], paths.first_crossed[muscle + 1]):
        axis = paths.crossed[k]
        screw, carried = pose.screw[axis], room.carried[tree.moved[axis]]
        work = 0.0
        for i in range(6):
            work += screw[i] * carried[i]
        per_newton[tree.coordinate[axis]] += pose.slope[axis] * work
