"""One geodesic around two cylinders in a row, solved for where it leaves the first and meets the second.

Between them the path is a straight bridge. It touches both cylinders, and on each it has the slope of the helix that
leads to the path's own end there: four equations in two angles and two heights, solved by Newton's method.
"""

import numpy as np

from pipeline.mechanics.compiled import inner

_STEPS = 30
# A step this small, in radians and radii, ends the search: what is left is rounding.
_ENOUGH = 1e-13


@inner
def bridge_cylinders(
    before: np.ndarray,
    after: np.ndarray,
    rotations: tuple[np.ndarray, np.ndarray],
    origins: tuple[np.ndarray, np.ndarray],
    radii: tuple[float, float],
    senses: tuple[float, float],
    leave: np.ndarray,
    meet: np.ndarray,
    system: np.ndarray,
) -> bool:
    """Move `leave` on the first cylinder and `meet` on the second (3,) onto the geodesic from `before` to `after` (3,).

    All points in the ground, metres; `leave` and `meet` are the start, and are moved only where True is returned, that
    is where Newton's method ended. rotations (3, 3), origins (3,), radii and senses of both cylinders; system (4, 5) is
    working space.
    """
    turn1, turn2 = rotations
    line1, from1, z_before = _end_on(before, turn1, origins[0], radii[0], senses[0])
    line2, from2, z_after = _end_on(after, turn2, origins[1], radii[1], -senses[1])
    angle1, z1 = _angle_on(leave, turn1, origins[0])
    angle2, z2 = _angle_on(meet, turn2, origins[1])
    # Angles grow along the path: from its tangent point to `leave`, from `meet` to the other tangent point.
    arc1, arc2 = _arc(senses[0] * (angle1 - from1)), _arc(senses[1] * (from2 - angle2))
    for _ in range(_STEPS):
        angle1, angle2 = from1 + senses[0] * arc1, from2 - senses[1] * arc2
        _fill(
            turn1,
            turn2,
            origins,
            radii,
            senses,
            angle1,
            angle2,
            z1,
            z2,
            line1 + radii[0] * arc1,
            line2 + radii[1] * arc2,
            z_before,
            z_after,
            system,
        )
        if not _solve(system):
            return False
        arc1 -= senses[0] * system[0, 4]
        z1 -= system[1, 4]
        arc2 += senses[1] * system[2, 4]
        z2 -= system[3, 4]
        step = abs(system[0, 4]) + abs(system[2, 4]) + abs(system[1, 4]) / radii[0] + abs(system[3, 4]) / radii[1]
        if not step < 10.0:
            return False
        if step < _ENOUGH:
            _put_on(leave, turn1, origins[0], radii[0], from1 + senses[0] * arc1, z1)
            _put_on(meet, turn2, origins[1], radii[1], from2 - senses[1] * arc2, z2)
            return True
    return False


@inner
def _end_on(
    point: np.ndarray, turn: np.ndarray, origin: np.ndarray, radius: float, sense: float
) -> tuple[float, float, float]:
    """Of a path's end: the length seen along the axis to its tangent point, that point's angle, the end's height."""
    x, y, z = _local(point, turn, origin)
    line = np.sqrt(x * x + y * y - radius * radius)
    return line, np.arctan2(y, x) + sense * np.arctan2(line, radius), z


@inner
def _angle_on(point: np.ndarray, turn: np.ndarray, origin: np.ndarray) -> tuple[float, float]:
    """Angle and height of a point, about and along a cylinder's axis."""
    x, y, z = _local(point, turn, origin)
    return np.arctan2(y, x), z


@inner
def _local(point: np.ndarray, turn: np.ndarray, origin: np.ndarray) -> tuple[float, float, float]:
    """A point of the ground (3,) in a surface's frame."""
    x, y, z = point[0] - origin[0], point[1] - origin[1], point[2] - origin[2]
    return (
        turn[0, 0] * x + turn[1, 0] * y + turn[2, 0] * z,
        turn[0, 1] * x + turn[1, 1] * y + turn[2, 1] * z,
        turn[0, 2] * x + turn[1, 2] * y + turn[2, 2] * z,
    )


@inner
def _arc(angle: float) -> float:
    """An angle as the arc that it is, at least 0 but for rounding, and less than a full turn."""
    turns = angle - 2.0 * np.pi * np.floor(angle / (2.0 * np.pi))
    return turns - 2.0 * np.pi if turns > 2.0 * np.pi - 1e-6 else turns


@inner
def _put_on(
    point: np.ndarray, turn: np.ndarray, origin: np.ndarray, radius: float, angle: float, height: float
) -> None:
    """Write a point of a cylinder (3,), in the ground."""
    x, y = radius * np.cos(angle), radius * np.sin(angle)
    for i in range(3):
        point[i] = origin[i] + turn[i, 0] * x + turn[i, 1] * y + turn[i, 2] * height


@inner
def _fill(
    turn1: np.ndarray,
    turn2: np.ndarray,
    origins: tuple[np.ndarray, np.ndarray],
    radii: tuple[float, float],
    senses: tuple[float, float],
    angle1: float,
    angle2: float,
    z1: float,
    z2: float,
    flat1: float,
    flat2: float,
    z_before: float,
    z_after: float,
    system: np.ndarray,
) -> None:
    """The four equations (4, 5), their residuals last, in the order of unknowns angle1, z1, angle2, z2.

    With the bridge d, a cylinder's outward normal n, its tangent t along the path and its axis e: d·n = 0 on either,
    and d·e / d·t is the helix's slope, rise / flat, where `flat` is the path's length from its end seen along the axis.
    """
    n1, n2 = (np.cos(angle1), np.sin(angle1)), (np.cos(angle2), np.sin(angle2))
    d_n1 = d_n2 = d_t1 = d_t2 = d_e1 = d_e2 = 0.0
    t1_n2 = t1_t2 = t1_e2 = e1_n2 = e1_t2 = e1_e2 = t2_n1 = e2_n1 = t2_e1 = e2_t1 = 0.0
    for i in range(3):
        normal1, normal2 = turn1[i, 0] * n1[0] + turn1[i, 1] * n1[1], turn2[i, 0] * n2[0] + turn2[i, 1] * n2[1]
        tangent1 = senses[0] * (turn1[i, 1] * n1[0] - turn1[i, 0] * n1[1])
        tangent2 = senses[1] * (turn2[i, 1] * n2[0] - turn2[i, 0] * n2[1])
        axis1, axis2 = turn1[i, 2], turn2[i, 2]
        d = origins[1][i] + radii[1] * normal2 + z2 * axis2 - origins[0][i] - radii[0] * normal1 - z1 * axis1
        d_n1, d_t1, d_e1 = d_n1 + d * normal1, d_t1 + d * tangent1, d_e1 + d * axis1
        d_n2, d_t2, d_e2 = d_n2 + d * normal2, d_t2 + d * tangent2, d_e2 + d * axis2
        t1_n2, t1_t2, t1_e2 = t1_n2 + tangent1 * normal2, t1_t2 + tangent1 * tangent2, t1_e2 + tangent1 * axis2
        e1_n2, e1_t2, e1_e2 = e1_n2 + axis1 * normal2, e1_t2 + axis1 * tangent2, e1_e2 + axis1 * axis2
        t2_n1, e2_n1 = t2_n1 + tangent2 * normal1, e2_n1 + axis2 * normal1
        t2_e1, e2_t1 = t2_e1 + tangent2 * axis1, e2_t1 + axis2 * tangent1
    r1, r2 = senses[0] * radii[0], senses[1] * radii[1]
    rise1, rise2 = z1 - z_before, z_after - z2
    _row(system, 0, senses[0] * d_t1, 0.0, r2 * t2_n1, e2_n1, d_n1)
    _row(system, 1, -r1 * t1_n2, -e1_n2, senses[1] * d_t2, 0.0, d_n2)
    _row(
        system,
        2,
        d_e1 * r1 + rise1 * senses[0] * (radii[0] + d_n1),
        -flat1 - d_t1,
        r2 * (t2_e1 * flat1 - rise1 * t1_t2),
        e1_e2 * flat1 - rise1 * e2_t1,
        d_e1 * flat1 - rise1 * d_t1,
    )
    _row(
        system,
        3,
        r1 * (rise2 * t1_t2 - t1_e2 * flat2),
        rise2 * e1_t2 - e1_e2 * flat2,
        -d_e2 * r2 - rise2 * senses[1] * (radii[1] - d_n2),
        flat2 + d_t2,
        d_e2 * flat2 - rise2 * d_t2,
    )


@inner
def _row(system: np.ndarray, row: int, a: float, b: float, c: float, d: float, residual: float) -> None:
    """Write one equation."""
    system[row, 0], system[row, 1], system[row, 2], system[row, 3] = a, b, c, d
    system[row, 4] = residual


@inner
def _solve(system: np.ndarray) -> bool:
    """Solve (4, 5) in place by elimination with pivots; the solution is the last column. False if singular or NaN."""
    for column in range(4):
        pivot = column
        for row in range(column + 1, 4):
            if abs(system[row, column]) > abs(system[pivot, column]):
                pivot = row
        if not abs(system[pivot, column]) > 1e-300:
            return False
        for k in range(column, 5):
            system[column, k], system[pivot, k] = system[pivot, k], system[column, k]
        for row in range(column + 1, 4):
            factor = system[row, column] / system[column, column]
            for k in range(column + 1, 5):
                system[row, k] -= factor * system[column, k]
    for row in range(3, -1, -1):
        for k in range(row + 1, 4):
            system[row, 4] -= system[row, k] * system[k, 4]
        system[row, 4] /= system[row, row]
    return True
