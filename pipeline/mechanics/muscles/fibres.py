"""The force of muscle fibres of a given length and speed, beside tendons of fixed length.

A fibre's thickness doesn't change with its length, so it lies at a pennation angle α whose cosine is its length along the
tendon over its length, and a path that lengthens at v lengthens it at v cos α. At activation a its force along the tendon is

    strength · (a · active(length) · velocity(speed) + passive(length)) · cos α

(Millard et al. 2013, J Biomech Eng 135:021005; Thelen 2003, J Biomech Eng 125:70; De Groote et al. 2016, Ann Biomed Eng
44:2922: they differ in their curves). A path shorter than its tendon is slack.
"""

import numpy as np

from pipeline.mechanics.arrays import NO_PENNATION, NORMALISED_PENNATION, PATH_SPEED, Fibres
from pipeline.mechanics.bodies.functions import evaluate
from pipeline.mechanics.compiled import kernel


@kernel
def fibre_tension(
    fibres: Fibres, muscle: int, path_m: float, lengthening_m_s: float, as_opensim: bool
) -> tuple[float, float]:
    """Tension at full activation less the passive, and the passive alone, newtons: of a path of this length and speed.

    Neither is negative: no fibre pushes. NaN where length or speed isn't finite. With `as_opensim` the first is what
    OpenSim's static optimization takes instead (`calcInextensibleTendonActiveFiberForce`), the slips of a muscle's class
    and negative values included; the second stays.
    """
    if not (np.isfinite(path_m) and np.isfinite(lengthening_m_s)):
        return np.nan, np.nan
    strength_n, optimal_m = fibres.strength_n[muscle], fibres.optimal_m[muscle]
    slip = fibres.slip[muscle] if as_opensim else 0
    along_m, thickness_m = path_m - fibres.tendon_m[muscle], fibres.thickness_m[muscle]
    fibre_m = np.sqrt(along_m * along_m + thickness_m * thickness_m)
    usable = fibre_m > fibres.shortest_m[muscle] and along_m >= fibres.shortest_along_m[muscle]
    if not (usable or slip == NO_PENNATION):
        return 0.0, 0.0
    length, cosine = fibre_m / optimal_m, along_m / fibre_m
    speed_m_s = lengthening_m_s if slip == PATH_SPEED else lengthening_m_s * cosine
    active = evaluate(fibres.curves, fibres.active[muscle], length)[0]
    velocity = evaluate(fibres.curves, fibres.velocity[muscle], speed_m_s / (optimal_m * fibres.fastest_per_s[muscle]))[0]
    passive_n = 0.0
    if usable:
        passive_n = not_below_zero(strength_n * evaluate(fibres.curves, fibres.passive[muscle], length)[0] * cosine)
    if slip == NO_PENNATION:
        cosine = 1.0
    elif slip == NORMALISED_PENNATION:
        sine = thickness_m / length
        cosine = np.sqrt(1.0 - sine * sine)
    full_n = strength_n * active * velocity * cosine
    return full_n if as_opensim else not_below_zero(full_n), passive_n


@kernel
def fibre_tensions(
    fibres: Fibres,
    path_m: np.ndarray,
    lengthening_m_s: np.ndarray,
    as_opensim: bool,
    full_n: np.ndarray,
    passive_n: np.ndarray,
) -> None:
    """Write `fibre_tension` of all muscles in one frame: path_m and lengthening_m_s (U,) to full_n and passive_n (U,)."""
    for muscle in range(fibres.strength_n.shape[0]):
        full_n[muscle], passive_n[muscle] = fibre_tension(
            fibres, muscle, path_m[muscle], lengthening_m_s[muscle], as_opensim
        )


@kernel
def not_below_zero(value: float) -> float:
    """The value, or zero if it is negative; NaN stays."""
    return 0.0 if value < 0.0 else value
