"""The force of muscle fibres of a given length and speed, beside tendons of fixed length.

A fibre's thickness doesn't change with its length, so it lies at a pennation angle α whose cosine is its length along
the tendon over its length, and a path that lengthens at v lengthens it at v cos α. At activation a its force along the
tendon is

    strength · (a · active(length) · velocity(speed) + passive(length)) · cos α

(Millard et al. 2013, J Biomech Eng 135:021005; Thelen 2003, J Biomech Eng 125:70; De Groote et al. 2016, Ann Biomed Eng
44:2922: they differ in their curves). A path shorter than its tendon is slack.
"""

import numpy as np

from pipeline.mechanics.arrays import (
    NO_PENNATION,
    NO_SLIP,
    NORMALISED_PENNATION,
    PATH_SPEED,
    FibreCurves,
    Fibres,
    reals,
)
from pipeline.mechanics.compiled import inlined, inner, kernel


@inlined
def fibre_tension(
    fibres: Fibres, muscle: int, path_m: float, lengthening_m_s: float, as_opensim: bool
) -> tuple[float, float]:
    """A muscle's active tension at full activation and its passive tension, newtons, by its path's length and speed.

    Neither is negative: no fibre pushes. Both are NaN where length or speed isn't finite. With `as_opensim` the first
    is what OpenSim's static optimization takes (`calcInextensibleTendonActiveFiberForce`), the slips of a muscle's
    class and negative values included; the second stays.
    """
    # All arrays are read before anything branches: numba counts references to an array anew in every branch.
    strength_n, optimal_m, thickness_m = fibres.strength_n[muscle], fibres.optimal_m[muscle], fibres.thickness_m[muscle]
    tendon_m, fastest_m_s = fibres.tendon_m[muscle], fibres.fastest_per_s[muscle] * fibres.optimal_m[muscle]
    shortest_m, shortest_along_m = fibres.shortest_m[muscle], fibres.shortest_along_m[muscle]
    slip = fibres.slip[muscle] if as_opensim else NO_SLIP
    along_m = path_m - tendon_m
    fibre_m, cosine = _fibre(max(along_m, 0.0) if slip == PATH_SPEED else along_m, thickness_m)
    speed_m_s = lengthening_m_s * (1.0 if slip == PATH_SPEED else cosine)
    active = curve_value(fibres.curves, fibres.active[muscle], fibre_m / optimal_m)
    velocity = curve_value(fibres.curves, fibres.velocity[muscle], speed_m_s / fastest_m_s)
    passive = curve_value(fibres.curves, fibres.passive[muscle], fibre_m / optimal_m)
    usable = fibre_m > shortest_m and along_m >= shortest_along_m
    full_n = strength_n * active * velocity * _cosine_in_force(slip, cosine, thickness_m, fibre_m / optimal_m)
    passive_n = strength_n * passive * cosine
    finite = np.isfinite(path_m + lengthening_m_s)
    return _where_possible(full_n, passive_n, finite, usable, slip, as_opensim)


@inner
def _fibre(along_m: float, thickness_m: float) -> tuple[float, float]:
    """A fibre's length and the cosine of its pennation angle; 0 for the cosine of a fibre without length."""
    fibre_m = np.sqrt(along_m * along_m + thickness_m * thickness_m)
    return fibre_m, along_m / fibre_m if fibre_m != 0.0 else 0.0


@inner
def _cosine_in_force(slip: int, cosine: float, thickness_m: float, length: float) -> float:
    """The cosine by which a fibre's full force is multiplied."""
    if slip == NO_PENNATION or (slip == PATH_SPEED and thickness_m == 0.0):
        return 1.0
    if slip == NORMALISED_PENNATION:
        sine = thickness_m / length if length != 0.0 else 0.0
        return float(np.sqrt(1.0 - sine * sine))
    return cosine


@inner
def _where_possible(
    full_n: float, passive_n: float, finite: bool, usable: bool, slip: int, as_opensim: bool
) -> tuple[float, float]:
    """Tensions as they are, or zero of a fibre that is too short or would push; NaN of what isn't finite."""
    if not finite or np.isnan(full_n) or np.isnan(passive_n):
        return np.nan, np.nan
    passive_n = max(passive_n, 0.0) if usable else 0.0
    if as_opensim:
        return full_n if usable or slip in (NO_PENNATION, PATH_SPEED) else 0.0, passive_n
    return max(full_n, 0.0) if usable else 0.0, passive_n


def fibre_tensions(
    fibres: Fibres, path_m: np.ndarray, lengthening_m_s: np.ndarray, as_opensim: bool
) -> tuple[np.ndarray, np.ndarray]:
    """`fibre_tension` of all muscles along a motion: (T, U) each in, full and passive tensions (T, U) out."""
    full_n, passive_n = np.empty((2, *path_m.shape))
    _fibre_tensions(fibres, reals(path_m), reals(lengthening_m_s), as_opensim, full_n, passive_n)
    return full_n, passive_n


@kernel
def _fibre_tensions(
    fibres: Fibres,
    path_m: np.ndarray,
    lengthening_m_s: np.ndarray,
    as_opensim: bool,
    full_n: np.ndarray,
    passive_n: np.ndarray,
) -> None:
    for t in range(path_m.shape[0]):
        for muscle in range(fibres.strength_n.shape[0]):
            full_n[t, muscle], passive_n[t, muscle] = fibre_tension(
                fibres, muscle, path_m[t, muscle], lengthening_m_s[t, muscle], as_opensim
            )


@inner
def curve_value(curves: FibreCurves, number: int, x: float) -> float:
    """A curve's value at x, beyond its ends that of the line that it ends on; NaN where x isn't finite."""
    start, k = curves.functions.start, curves.functions.coefficients
    piece, last = curves.functions.first[number], curves.functions.first[number + 1] - 1
    within = min(max(x if np.isfinite(x) else 0.0, curves.functions.low[number]), curves.functions.high[number])
    bin_ = curves.first_bin[number] + int((within - start[piece]) * curves.per_unit[number])
    piece = curves.piece[min(max(bin_, curves.first_bin[number]), curves.first_bin[number + 1] - 1)]
    while piece < last and within >= start[piece + 1]:
        piece += 1
    h = within - start[piece]
    c1, c2, c3, c4, c5 = k[piece, 1], k[piece, 2], k[piece, 3], k[piece, 4], k[piece, 5]
    value = k[piece, 0] + h * (c1 + h * (c2 + h * (c3 + h * (c4 + h * c5))))
    if within == x:
        return value
    return value + (x - within) * (c1 + h * (2 * c2 + h * (3 * c3 + h * (4 * c4 + h * 5 * c5))))
