"""The shortest way from point to point around one cylinder or sphere, and whether a path takes it.

All in the surface's own frame: a cylinder's axis is z through the origin, a sphere's centre is the origin. Unrolled, a
cylinder's surface is a plane and the way around it a straight line, so the tangent points follow in closed form: over
the path's course seen along the axis (line, arc, line), z grows evenly.

When a path wraps, and on which side, is OpenSim's rule (`WrapCylinder`, `WrapSphere`). A surface may be touched all
over, or on the half where one coordinate has one sign, its open half. A path must wrap where its straight line cuts the
surface, and may wrap where an end lies outside the open half and the line passes on the closed side.
"""

from typing import NamedTuple

import numpy as np

from pipeline.mechanics.compiled import inner

# Does a path wrap? No; it may, if no other of its segments must or is lengthened less; it must; no, an end lies within.
CLEAR, POSSIBLE, NEEDED, INSIDE = 0, 1, 2, 3

# Arcs that rounding makes this much less than nothing are nothing, not a full turn.
_ROUNDING_RAD = 1e-12


class Detour(NamedTuple):
    """A way around a surface: whether it is taken, its sense, and the tangent points where it arrives and leaves.

    sense is 1 for a right-handed turn about z, else -1. arc_m is the length between the tangent points.
    """

    outcome: int
    sense: float
    x1: float
    y1: float
    z1: float
    x2: float
    y2: float
    z2: float
    arc_m: float


@inner
def no_detour(outcome: int) -> Detour:
    """A straight line, and why."""
    return Detour(outcome, 0.0, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, 0.0)


@inner
def around_cylinder(
    px: float,
    py: float,
    pz: float,
    qx: float,
    qy: float,
    qz: float,
    radius: float,
    half_length: float,
    axis: int,
    sign: int,
    in_plane: bool,
) -> Detour:
    """The way from p to q around a cylinder that is open where coordinate `axis` has this sign, 0 for all over."""
    p_from_axis, q_from_axis = np.sqrt(px * px + py * py), np.sqrt(qx * qx + qy * qy)
    if p_from_axis < radius or q_from_axis < radius:
        return no_detour(INSIDE)
    outcome = _meets_cylinder(px, py, qx, qy, radius, axis, sign)
    if outcome == CLEAR:
        return no_detour(CLEAR)
    # Tangent points lie at an angle from p, seen from the axis, whose cosine and sine are these.
    p_tangent, q_tangent = np.sqrt(p_from_axis**2 - radius**2), np.sqrt(q_from_axis**2 - radius**2)
    p_cosine, p_sine = (radius / p_from_axis) ** 2, radius * p_tangent / p_from_axis**2
    q_cosine, q_sine = (radius / q_from_axis) ** 2, radius * q_tangent / q_from_axis**2
    if sign == 0:
        sense, farther = 1.0 if px * qy - py * qx > 0.0 else -1.0, False
    else:
        sense, farther = _open_side(px, py, qx, qy, p_cosine, p_sine, q_cosine, q_sine, axis, sign)
    x1, y1 = p_cosine * px - sense * p_sine * py, p_cosine * py + sense * p_sine * px
    x2, y2 = q_cosine * qx + sense * q_sine * qy, q_cosine * qy - sense * q_sine * qx
    angle = sense * np.arctan2(x1 * y2 - y1 * x2, x1 * x2 + y1 * y2)
    if angle < 0.0:
        angle = 0.0 if sign == 0 or angle > -_ROUNDING_RAD else angle + 2.0 * np.pi
    if in_plane:
        z1, z2 = _slide_into_plane(px, py, pz, qx, qy, qz, x1, y1, x2, y2, radius, farther)
    else:
        slope = (qz - pz) / (p_tangent + radius * angle + q_tangent)
        z1, z2 = pz + slope * p_tangent, qz - slope * q_tangent
    if abs(z1) > half_length and abs(z2) > half_length:
        return no_detour(CLEAR)
    arc_m = np.sqrt((radius * angle) ** 2 + (z2 - z1) ** 2)
    return Detour(outcome, sense, x1, y1, z1, x2, y2, z2, arc_m)


@inner
def _is_open(value: float, sign: int) -> bool:
    """Whether a coordinate lies in the open half."""
    return (value >= 0.0) == (sign > 0)


@inner
def _meets_cylinder(px: float, py: float, qx: float, qy: float, radius: float, axis: int, sign: int) -> int:
    """CLEAR, POSSIBLE or NEEDED, from the straight line seen along the axis."""
    dx, dy = qx - px, qy - py
    squared = dx * dx + dy * dy
    part = -(px * dx + py * dy) / squared if squared > 0.0 else 0.0
    near_x, near_y = px + part * dx, py + part * dy
    cuts = near_x * near_x + near_y * near_y < radius * radius and 0.0 < part < 1.0
    if sign == 0:
        return NEEDED if cuts else CLEAR
    p_open = _is_open(px if axis == 0 else py, sign)
    q_open = _is_open(qx if axis == 0 else qy, sign)
    if not (p_open or q_open):
        return POSSIBLE
    if cuts:
        return NEEDED
    if p_open != q_open and not _is_open(near_x if axis == 0 else near_y, sign):
        return POSSIBLE
    return CLEAR


@inner
def _open_side(
    px: float,
    py: float,
    qx: float,
    qy: float,
    p_cosine: float,
    p_sine: float,
    q_cosine: float,
    q_sine: float,
    axis: int,
    sign: int,
) -> tuple[float, bool]:
    """The sense around the open half, and whether its tangent points lie farther apart than those of the other sense.

    The first tangent point in the open half decides; where both are or neither is, the second; where none is, the wider
    pair.
    """
    right_x1, right_y1 = p_cosine * px - p_sine * py, p_cosine * py + p_sine * px
    left_x1, left_y1 = p_cosine * px + p_sine * py, p_cosine * py - p_sine * px
    right_x2, right_y2 = q_cosine * qx + q_sine * qy, q_cosine * qy - q_sine * qx
    left_x2, left_y2 = q_cosine * qx - q_sine * qy, q_cosine * qy + q_sine * qx
    right_is_wider = right_x1 * right_x2 + right_y1 * right_y2 < left_x1 * left_x2 + left_y1 * left_y2
    right1 = _is_open(right_x1 if axis == 0 else right_y1, sign)
    left1 = _is_open(left_x1 if axis == 0 else left_y1, sign)
    right2 = _is_open(right_x2 if axis == 0 else right_y2, sign)
    left2 = _is_open(left_x2 if axis == 0 else left_y2, sign)
    if right1 != left1:
        right = right1
    elif left2:
        right = False
    elif right1 or right2:
        right = True
    else:
        return (1.0 if right_is_wider else -1.0), True
    return (1.0, right_is_wider) if right else (-1.0, not right_is_wider)


@inner
def _slide_into_plane(
    px: float,
    py: float,
    pz: float,
    qx: float,
    qy: float,
    qz: float,
    x1: float,
    y1: float,
    x2: float,
    y2: float,
    radius: float,
    farther: bool,
) -> tuple[float, float]:
    """Where along the axis OpenSim puts the tangent points: in the plane through p, q and an apex on the surface.

    The apex lies level with the point of the line p-q that divides it as p's and q's distances from the axis, on that
    point's side of the axis, or across. A tangent point stays level with its end where the plane would put it beyond
    the other end, or meets its line nowhere.
    """
    p_from_axis, q_from_axis = np.sqrt(px * px + py * py), np.sqrt(qx * qx + qy * qy)
    part = p_from_axis / (p_from_axis + q_from_axis)
    middle_x, middle_y, apex_z = px + part * (qx - px), py + part * (qy - py), pz + part * (qz - pz)
    outward = (-radius if farther else radius) / np.sqrt(middle_x * middle_x + middle_y * middle_y)
    apex_x, apex_y = outward * middle_x, outward * middle_y
    ax, ay, az = px - apex_x, py - apex_y, pz - apex_z
    bx, by, bz = qx - apex_x, qy - apex_y, qz - apex_z
    nx, ny, nz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    z1, z2 = pz, qz
    if abs(nz) >= 5e-7 * np.sqrt(nx * nx + ny * ny + nz * nz):
        slid1 = pz - (nx * (x1 - px) + ny * (y1 - py)) / nz
        slid2 = qz - (nx * (x2 - qx) + ny * (y2 - qy)) / nz
        if abs(slid1 - qz) < abs(pz - qz):
            z1 = slid1
        if abs(slid2 - pz) < abs(pz - qz):
            z2 = slid2
    return z1, z2


@inner
def around_sphere(
    px: float,
    py: float,
    pz: float,
    qx: float,
    qy: float,
    qz: float,
    radius: float,
    axis: int,
    sign: int,
) -> Detour:
    """The way from p to q around a sphere that is open where coordinate `axis` has this sign, 0 for all over.

    A path takes the great circle of the plane through p, q and the centre, the short way or, to stay on the open side,
    the long way. A line through the centre itself fixes no plane: its tangent points are NaN.
    """
    p_far, q_far = np.sqrt(px * px + py * py + pz * pz), np.sqrt(qx * qx + qy * qy + qz * qz)
    if p_far < radius or q_far < radius:
        return no_detour(INSIDE)
    if not _cuts_sphere(px, py, pz, qx, qy, qz, radius):
        return no_detour(CLEAR)
    # Angles in that plane, seen from the centre: p's is 0, q's is `between`.
    along_x, along_y, along_z = px / p_far, py / p_far, pz / p_far
    level = along_x * qx + along_y * qy + along_z * qz
    up_x, up_y, up_z = qx - level * along_x, qy - level * along_y, qz - level * along_z
    height = np.sqrt(up_x * up_x + up_y * up_y + up_z * up_z)
    up_x, up_y, up_z = up_x / height, up_y / height, up_z / height
    between = np.arctan2(height, level)
    p_angle, q_angle = np.arccos(min(radius / p_far, 1.0)), np.arccos(min(radius / q_far, 1.0))
    p_open = _is_open(px if axis == 0 else py if axis == 1 else pz, sign)
    q_open = _is_open(qx if axis == 0 else qy if axis == 1 else qz, sign)
    outcome = NEEDED if sign != 0 and (p_open or q_open) else POSSIBLE
    sense = 1.0
    if sign != 0 and not (p_open and q_open):
        # The long way, unless its two straight lines together lead to the closed side.
        p_line = radius * np.cos(p_angle) - p_far, -radius * np.sin(p_angle)
        q_line = (
            radius * np.cos(between + q_angle) - q_far * np.cos(between),
            radius * np.sin(between + q_angle) - q_far * np.sin(between),
        )
        along, up = p_line[0] + q_line[0], p_line[1] + q_line[1]
        leads = (
            along * along_x + up * up_x
            if axis == 0
            else along * along_y + up * up_y
            if axis == 1
            else along * along_z + up * up_z
        )
        sense = 1.0 if leads * sign < 0.0 else -1.0
    first, last = sense * p_angle, between - sense * q_angle
    angle = max(sense * (last - first), 0.0) if sense > 0.0 else 2.0 * np.pi - (last - first)
    c1, s1, c2, s2 = radius * np.cos(first), radius * np.sin(first), radius * np.cos(last), radius * np.sin(last)
    return Detour(
        outcome,
        sense,
        c1 * along_x + s1 * up_x,
        c1 * along_y + s1 * up_y,
        c1 * along_z + s1 * up_z,
        c2 * along_x + s2 * up_x,
        c2 * along_y + s2 * up_y,
        c2 * along_z + s2 * up_z,
        radius * angle,
    )


@inner
def _cuts_sphere(px: float, py: float, pz: float, qx: float, qy: float, qz: float, radius: float) -> bool:
    """Whether the line from p to q, both outside, passes through the sphere."""
    dx, dy, dz = qx - px, qy - py, qz - pz
    squared = dx * dx + dy * dy + dz * dz
    if not squared > 0.0:
        return False
    part = -(px * dx + py * dy + pz * dz) / squared
    x, y, z = px + part * dx, py + part * dy, pz + part * dz
    return 0.0 < part < 1.0 and x * x + y * y + z * z <= radius * radius
