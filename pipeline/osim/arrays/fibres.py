"""A model's muscles read into `Fibres`: their parameters, and their curves once for all muscles that share them.

Beyond the range in which it is read a curve goes on as a line. Millard's curves do so themselves. Thelen's and De
Groote's are read for fibres up to five optimal lengths, which no fibre survives; De Groote's up to a hundred times the
fastest speed.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import opensim as osim

from pipeline.errors import TrialRejected
from pipeline.mechanics.arrays import (
    NO_PENNATION,
    NO_SLIP,
    NORMALISED_PENNATION,
    PATH_SPEED,
    FibreCurves,
    Fibres,
    Functions,
)
from pipeline.osim.arrays.functions import FunctionTable
from pipeline.osim.arrays.sampled import SmoothFunction, quintic_pieces
from pipeline.osim.arrays.unsupported import Unsupported

_LONGEST = 5.0
_FASTEST = 100.0
# A fibre of a metre is a mistake of units; the human body's longest, of sartorius, is half as long.
_LONGEST_OPTIMAL_M = 1.0
# What the curves may be where fibres work: normalised lengths or speeds, and the least and the largest value there.
_PLAUSIBLE = {
    "active force-length": (np.linspace(0.5, 1.5, 21), -0.05, 1.5),
    "force-velocity": (np.linspace(-1.0, 1.0, 21), -0.05, 3.0),
    "passive force-length": (np.linspace(0.5, 1.5, 21), -0.05, 10.0),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fibre:
    """What a muscle's class says: the numbers of its curves, and the other fields of `Fibres`."""

    active: int
    velocity: int
    passive: int
    slip: int = NO_SLIP
    shortest_m: float = 0.0
    shortest_along_m: float = 0.0


class _CurveTable:
    """Curves gathered so far, each read once."""

    def __init__(self) -> None:
        self.table = FunctionTable()
        self._known: dict[tuple[object, ...], int] = {}

    def number(self, key: tuple[object, ...], read: Callable[[FunctionTable], int]) -> int:
        """The number of the curve with this key, the kind and all parameters of it."""
        if key not in self._known:
            self._known[key] = read(self.table)
        return self._known[key]


def read_fibres(model: osim.Model) -> Fibres:
    """The fibres of an initialised model's muscles, in the model's order.

    Load the model with `load_stiff_model`: beside a tendon that stretches OpenSim raises the lowest values of an
    undamped Millard muscle's curves.

    Unsupported names a muscle of another class. TrialRejected("model", …) names a muscle with an impossible parameter
    or curve, and its value.
    """
    muscles = model.getMuscles()
    every = [muscles.get(i) for i in range(muscles.getSize())]
    curves = _CurveTable()
    fibres = [_read(muscle, curves) for muscle in every]
    optimal = [muscle.getOptimalFiberLength() for muscle in every]
    pennation = [muscle.getPennationAngleAtOptimalFiberLength() for muscle in every]
    arrays = Fibres(
        strength_n=_reals([muscle.getMaxIsometricForce() for muscle in every]),
        optimal_m=_reals(optimal),
        tendon_m=_reals([muscle.getTendonSlackLength() for muscle in every]),
        thickness_m=_reals([length * math.sin(angle) for length, angle in zip(optimal, pennation, strict=True)]),
        fastest_per_s=_reals([muscle.getMaxContractionVelocity() for muscle in every]),
        shortest_m=_reals([fibre.shortest_m for fibre in fibres]),
        shortest_along_m=_reals([fibre.shortest_along_m for fibre in fibres]),
        slip=_whole([fibre.slip for fibre in fibres]),
        active=_whole([fibre.active for fibre in fibres]),
        velocity=_whole([fibre.velocity for fibre in fibres]),
        passive=_whole([fibre.passive for fibre in fibres]),
        curves=_with_bins(curves.table.arrays()),
    )
    _check_curves(arrays, [muscle.getName() for muscle in every])
    return arrays


def _with_bins(functions: Functions) -> FibreCurves:
    """Functions and bins half as wide as their pieces are on average."""
    first, per_unit, pieces = [0], [], []
    for before, after in zip(functions.first[:-1].tolist(), functions.first[1:].tolist(), strict=True):
        start = functions.start[before:after]
        span = start[-1] - start[0]
        n_bins = 2 * len(start) if span > 0 else 1
        edges = np.linspace(start[0], start[-1], n_bins + 1)[:-1]
        pieces.append(before + np.searchsorted(start, edges, side="right") - 1)
        per_unit.append(n_bins / span if span > 0 else 0.0)
        first.append(first[-1] + n_bins)
    return FibreCurves(
        functions=functions,
        per_unit=_reals(per_unit),
        first_bin=_whole(first),
        piece=np.concatenate([*pieces, []]).astype(np.int64),
    )


def _reals(values: list[float]) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def _whole(values: list[int]) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def _read(muscle: osim.Muscle, curves: _CurveTable) -> _Fibre:
    kind, name = muscle.getConcreteClassName(), muscle.getName()
    if kind not in _CLASSES:
        raise Unsupported(f"muscle {name}: a {kind}")
    _check_parameters(muscle, name)
    read = _CLASSES[kind]
    return read(getattr(osim, kind).safeDownCast(muscle), curves)


def _check_parameters(muscle: osim.Muscle, name: str) -> None:
    strength_n, optimal_m = muscle.getMaxIsometricForce(), muscle.getOptimalFiberLength()
    tendon_m, fastest = muscle.getTendonSlackLength(), muscle.getMaxContractionVelocity()
    pennation_rad = muscle.getPennationAngleAtOptimalFiberLength()
    for good, what, value, expected in (
        (0 < strength_n < math.inf, "maximum isometric force", f"{strength_n:g} N", "a positive number"),
        (0 < optimal_m <= _LONGEST_OPTIMAL_M, "optimal fibre length", f"{optimal_m:g} m", "0-1 m, zero excluded"),
        (0 <= tendon_m < math.inf, "tendon slack length", f"{tendon_m:g} m", "zero or a positive number"),
        (0 <= pennation_rad < math.pi / 2, "pennation angle", f"{pennation_rad:g} rad", "zero or less than π/2"),
        (0 < fastest < math.inf, "maximum contraction velocity", f"{fastest:g} per second", "a positive number"),
    ):
        if not good:
            raise TrialRejected(
                "model", f"muscle {name}: its {what} is {value}, expected {expected}. Correct the model."
            )


def _check_curves(fibres: Fibres, names: list[str]) -> None:
    """TrialRejected names the first muscle with a curve that no fibre has."""
    for what, numbers in zip(_PLAUSIBLE, (fibres.active, fibres.velocity, fibres.passive), strict=True):
        at, least, largest = _PLAUSIBLE[what]
        for number in np.unique(numbers).tolist():
            values = _values(fibres.curves.functions, number, at)
            name = names[int(np.argmax(numbers == number))]
            if not (np.isfinite(values).all() and values.min() >= least and values.max() <= largest):
                raise TrialRejected(
                    "model",
                    f"muscle {name}: its {what} curve goes from {values.min():g} to {values.max():g} between "
                    f"{at[0]:g} and {at[-1]:g}, expected {least:g} to {largest:g}. Correct the model.",
                )


def _values(functions: Functions, number: int, x: np.ndarray) -> np.ndarray:
    """A function's values at x (N,), which for this purpose may lie at its ends where they lie beyond."""
    first, after = functions.first[number], functions.first[number + 1]
    within = np.clip(x, functions.low[number], functions.high[number])
    piece = np.maximum(first + np.searchsorted(functions.start[first:after], within, side="right") - 1, first)
    powers = (within - functions.start[piece])[:, None] ** np.arange(functions.coefficients.shape[1])
    return (functions.coefficients[piece] * powers).sum(axis=1)


def _millard_equilibrium(muscle: osim.Millard2012EquilibriumMuscle, curves: _CurveTable) -> _Fibre:
    active, velocity, passive = _millard_curves(muscle, curves)
    return _Fibre(
        active=active,
        velocity=velocity,
        passive=passive,
        slip=NORMALISED_PENNATION,
        shortest_m=muscle.getMinimumFiberLength(),
        shortest_along_m=muscle.getPennationModel().getMinimumFiberLengthAlongTendon(),
    )


def _millard_acceleration(muscle: osim.Millard2012AccelerationMuscle, curves: _CurveTable) -> _Fibre:
    active, velocity, passive = _millard_curves(muscle, curves)
    pennation = muscle.getPennationModel()
    return _Fibre(
        active=active,
        velocity=velocity,
        passive=passive,
        shortest_m=pennation.getMinimumFiberLength(),
        shortest_along_m=pennation.getMinimumFiberLengthAlongTendon(),
    )


def _millard_curves(
    muscle: osim.Millard2012EquilibriumMuscle | osim.Millard2012AccelerationMuscle, curves: _CurveTable
) -> tuple[int, int, int]:
    """Quintic Bezier curves, which meet with equal curvature: cutting finds those corners that aren't named here."""
    active = muscle.getActiveForceLengthCurve()
    velocity = muscle.getForceVelocityCurve()
    passive = muscle.getFiberForceLengthCurve()
    lengths = (
        active.getMinActiveFiberLength(),
        active.getTransitionFiberLength(),
        active.getMaxActiveFiberLength(),
        active.getShallowAscendingSlope(),
        active.getMinValue(),
    )
    shape = (
        velocity.getConcentricSlopeAtVmax(),
        velocity.getConcentricSlopeNearVmax(),
        velocity.getIsometricSlope(),
        velocity.getEccentricSlopeAtVmax(),
        velocity.getEccentricSlopeNearVmax(),
        velocity.getMaxEccentricVelocityForceMultiplier(),
        velocity.getConcentricCurviness(),
        velocity.getEccentricCurviness(),
    )
    stretch = (
        passive.getStrainAtZeroForce(),
        passive.getStrainAtOneNormForce(),
        passive.getStiffnessAtLowForceInUse(),
        passive.getStiffnessAtOneNormForceInUse(),
        passive.getCurvinessInUse(),
    )
    name = muscle.getName()
    return (
        curves.number(("active", *lengths), lambda table: _add_bezier(table, active, [lengths[1], 1.0], name)),
        curves.number(("velocity", *shape), lambda table: _add_bezier(table, velocity, [-0.9, 0.0, 0.9], name)),
        curves.number(("passive", *stretch), lambda table: _add_bezier(table, passive, [], name)),
    )


def _add_bezier(
    table: FunctionTable,
    curve: osim.ActiveForceLengthCurve | osim.ForceVelocityCurve | osim.FiberForceLengthCurve,
    corners: list[float],
    name: str,
) -> int:
    low, high = curve.getCurveDomain().get(0), curve.getCurveDomain().get(1)
    smooth = SmoothFunction(
        value=lambda x: np.array([curve.calcValue(each) for each in x.tolist()]),
        slope=lambda x: np.array([curve.calcDerivative(each, 1) for each in x.tolist()]),
        curvature=lambda x: np.array([curve.calcDerivative(each, 2) for each in x.tolist()]),
    )
    within = [corner for corner in corners if low < corner < high]
    return _add_pieces(table, smooth, [low, *within, high], f"muscle {name}: its {curve.getConcreteClassName()}")


def _add_pieces(
    table: FunctionTable, smooth: SmoothFunction, knots: list[float], part: str, unit: float | None = None
) -> int:
    start, coefficients = quintic_pieces(smooth, knots, part, unit)
    return table.add(start.tolist(), coefficients, (min(knots), max(knots)))


def _thelen(muscle: osim.Thelen2003Muscle, curves: _CurveTable) -> _Fibre:
    """Thelen's curves written out: OpenSim finds his force-velocity curve by iteration, and doesn't tell the others.

    At full activation it is a hyperbola up to the threshold, and a line beyond; there is no force above the fastest
    shortening.
    """
    name = muscle.getName()
    width, strain, growth = muscle.get_KshapeActive(), muscle.get_FmaxMuscleStrain(), muscle.get_KshapePassive()
    bend, longest, threshold = muscle.get_Af(), muscle.get_Flen(), muscle.get_fv_linear_extrap_threshold()
    for good, what, value in (
        (0 < width < math.inf, "KshapeActive", width),
        (0 < strain < math.inf, "FmaxMuscleStrain", strain),
        (0 < growth < math.inf, "KshapePassive", growth),
        (0 < bend < math.inf, "Af", bend),
        (1 < longest < math.inf, "Flen", longest),
        (1 < threshold * longest < longest, "fv_linear_extrap_threshold", threshold),
    ):
        if not good:
            raise TrialRejected("model", f"muscle {name}: its {what} is {value:g}, which Thelen's curves don't allow.")

    def active(length: np.ndarray) -> np.ndarray:
        return np.exp(-((length - 1) ** 2) / width)

    def passive(length: np.ndarray) -> np.ndarray:
        return np.where(length > 1, np.expm1(growth * (length - 1) / strain) / math.expm1(growth), 0.0)

    stiff = (2 + 2 / bend) / (longest - 1)
    high = threshold * longest
    fastest = (high - 1) / (stiff * (longest - high))
    steep = stiff * (longest - high) ** 2 / (longest - 1)

    def velocity(speed: np.ndarray) -> np.ndarray:
        shorten, lengthen = np.clip(speed, -1, 0), np.clip(speed, 0, fastest)
        shortening = (1 + shorten) / (1 - shorten / bend)
        lengthening = (1 + stiff * longest * lengthen) / (1 + stiff * lengthen) + steep * np.maximum(speed - fastest, 0)
        return np.where(speed < 0, shortening, lengthening)

    pennation, part = muscle.getPennationModel(), f"muscle {name}: Thelen's curve"
    return _Fibre(
        active=curves.number(
            ("Thelen's active", width),
            lambda table: _add_pieces(table, SmoothFunction(value=active), [0.0, 1.0, _LONGEST], part),
        ),
        velocity=curves.number(
            ("Thelen's velocity", bend, longest, threshold),
            lambda table: _add_pieces(
                table, SmoothFunction(value=velocity), [-2.0, -1.0, 0.0, fastest, fastest + 1], part
            ),
        ),
        passive=curves.number(
            ("Thelen's passive", strain, growth),
            lambda table: _add_pieces(table, SmoothFunction(value=passive), [0.0, 1.0, _LONGEST], part, unit=1.0),
        ),
        shortest_m=muscle.getMinimumFiberLength(),
        shortest_along_m=pennation.getMinimumFiberLengthAlongTendon(),
    )


def _de_groote(muscle: osim.DeGrooteFregly2016Muscle, curves: _CurveTable) -> _Fibre:
    width, strain = muscle.get_active_force_width_scale(), muscle.get_passive_fiber_strain_at_one_norm_force()
    loose, part = muscle.get_ignore_passive_fiber_force(), f"muscle {muscle.getName()}: De Groote's curve"

    def sampled(curve: Callable[[float], float]) -> SmoothFunction:
        return SmoothFunction(value=lambda x: np.array([curve(each) for each in x.tolist()]))

    return _Fibre(
        active=curves.number(
            ("De Groote's active", width),
            lambda table: _add_pieces(
                table, sampled(muscle.calcActiveForceLengthMultiplier), [0.0, 1.0, _LONGEST], part
            ),
        ),
        velocity=curves.number(
            ("De Groote's velocity",),
            lambda table: _add_pieces(
                table, SmoothFunction(value=_de_groote_velocity), [-_FASTEST, -1.0, 0.0, 1.0, _FASTEST], part
            ),
        ),
        passive=curves.number(
            ("De Groote's passive", strain, loose),
            lambda table: _add_pieces(
                table, sampled(muscle.calcPassiveForceMultiplier), [0.0, 1.0, _LONGEST], part, unit=1.0
            ),
        ),
        slip=NO_PENNATION,
    )


def _de_groote_velocity(speed: np.ndarray) -> np.ndarray:
    """The published curve, its factor and offset such that it is 0 at -1 and 1 at rest, as in OpenSim's class.

    OpenSim writes the inverse hyperbolic sine as a logarithm, and loses digits at high speeds.
    """
    steep, shift = -8.149, -0.374
    factor = 1 / (math.asinh(shift) - math.asinh(shift - steep))
    return 1 + factor * (np.arcsinh(steep * speed + shift) - math.asinh(shift))


def _rigid_tendon(muscle: osim.RigidTendonMuscle, curves: _CurveTable) -> _Fibre:
    name = muscle.getName()

    def number(function: osim.Function, what: str) -> int:
        return curves.number(
            (function.dump(),), lambda table: table.add_function(function, f"muscle {name}: its {what} curve")
        )

    return _Fibre(
        active=number(muscle.get_active_force_length_curve(), "active force-length"),
        velocity=number(muscle.get_force_velocity_curve(), "force-velocity"),
        passive=number(muscle.get_passive_force_length_curve(), "passive force-length"),
        slip=PATH_SPEED,
    )


_CLASSES: dict[str, Callable[..., _Fibre]] = {
    "Millard2012EquilibriumMuscle": _millard_equilibrium,
    "Millard2012AccelerationMuscle": _millard_acceleration,
    "Thelen2003Muscle": _thelen,
    "DeGrooteFregly2016Muscle": _de_groote,
    "RigidTendonMuscle": _rigid_tendon,
}
