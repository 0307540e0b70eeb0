"""OpenSim's functions of one variable as piecewise polynomials.

Constants, lines, polynomials up to the fifth degree and cubic splines become exactly what they are. Any other function
of one variable is sampled (`sampled.py`), if that is exact to 1e-12.
"""

from collections.abc import Sequence

import numpy as np
import opensim as osim

from pipeline.mechanics.arrays import Functions
from pipeline.osim.arrays.sampled import SmoothFunction, quintic_pieces
from pipeline.osim.arrays.unsupported import Unsupported

_TERMS = 6
_FOREVER = (-np.inf, np.inf)
# How far functions are sampled, in radians or metres: no coordinate goes further.
_SAMPLED_TO = 10.0


class FunctionTable:
    """Functions gathered one after the other; each `add…` returns its function's number."""

    def __init__(self) -> None:
        self._first = [0]
        self._start: list[float] = []
        self._coefficients: list[list[float]] = []
        self._ends: list[tuple[float, float]] = []

    def add(
        self, start: Sequence[float] | np.ndarray, coefficients: np.ndarray, ends: tuple[float, float] = _FOREVER
    ) -> int:
        """Pieces Σ c_k (x − start)^k, start (N,) and coefficients (N, up to 6); a line beyond `ends`."""
        self._start += [float(x) for x in start]
        for row in coefficients:
            self._coefficients.append([*map(float, row), *[0.0] * (_TERMS - len(row))])
        self._first.append(len(self._start))
        self._ends.append(ends)
        return len(self._ends) - 1

    def add_line(self, slope: float, intercept: float = 0.0) -> int:
        """The line slope · x + intercept; with slope 0, a constant."""
        return self.add([0.0], np.array([[intercept, slope]]))

    def add_function(self, function: osim.Function, part: str, scale: float = 1.0) -> int:
        """`scale` times an OpenSim function; Unsupported names `part` where pieces can't say it."""
        kind = function.getConcreteClassName()
        if kind == "MultiplierFunction":
            outer = osim.MultiplierFunction.safeDownCast(function)
            return self.add_function(outer.getFunction(), part, scale * outer.getScale())
        if kind == "Constant":
            return self.add_line(0.0, scale * function.calcValue(osim.Vector(1, 0.0)))
        if kind == "LinearFunction":
            return self._add_linear(osim.LinearFunction.safeDownCast(function), part, scale)
        if kind == "PolynomialFunction":
            return self._add_polynomial(osim.PolynomialFunction.safeDownCast(function), part, scale)
        if kind == "SimmSpline":
            return self._add_cubic_spline(osim.SimmSpline.safeDownCast(function), scale)
        return self._add_sampled(function, part, scale)

    def arrays(self) -> Functions:
        """All functions gathered so far."""
        low, high = np.array(self._ends or np.zeros((0, 2)), dtype=float).T
        return Functions(
            first=np.array(self._first, dtype=np.int64),
            start=np.array(self._start),
            coefficients=np.array(self._coefficients).reshape(-1, _TERMS),
            low=np.ascontiguousarray(low),
            high=np.ascontiguousarray(high),
        )

    def _add_linear(self, line: osim.LinearFunction, part: str, scale: float) -> int:
        coefficients = line.getCoefficients()
        if coefficients.size() != 2:
            raise Unsupported(f"{part}: a line over {coefficients.size() - 1} coordinates")
        return self.add_line(scale * coefficients.get(0), scale * coefficients.get(1))

    def _add_polynomial(self, polynomial: osim.PolynomialFunction, part: str, scale: float) -> int:
        highest_first = polynomial.getCoefficients()
        n_terms = highest_first.size()
        if n_terms > _TERMS:
            raise Unsupported(f"{part}: a polynomial of degree {n_terms - 1}, where {_TERMS - 1} is the highest")
        return self.add([0.0], np.array([[scale * highest_first.get(n_terms - 1 - k) for k in range(n_terms)]]))

    def _add_cubic_spline(self, spline: osim.SimmSpline, scale: float) -> int:
        """Pieces from the spline's own values and slopes at its knots."""
        x = np.array([spline.getX(i) for i in range(spline.getSize())])
        order = osim.StdVectorInt()
        order.append(0)
        at = [osim.Vector(1, float(each)) for each in x]
        y = scale * np.array([spline.calcValue(each) for each in at])
        d = scale * np.array([spline.calcDerivative(order, each) for each in at])
        return self.add(x[:-1].tolist(), hermite_cubics(x, y, d), (x[0], x[-1]))

    def _add_sampled(self, function: osim.Function, part: str, scale: float) -> int:
        """Pieces of another function of one variable, those of straight lines and constants without sampling."""
        kind = function.getConcreteClassName()
        if _n_arguments(function) != 1:
            raise Unsupported(f"{part}: a {kind} of other than one variable")
        if kind == "PiecewiseLinearFunction":
            x, y = _points(osim.PiecewiseLinearFunction.safeDownCast(function))
            return self.add(x[:-1].tolist(), scale * np.column_stack([y[:-1], np.diff(y) / np.diff(x)]), (x[0], x[-1]))
        if kind == "PiecewiseConstantFunction":
            x, y = _points(osim.PiecewiseConstantFunction.safeDownCast(function))
            return self.add(x.tolist(), scale * y[:, None], (x[0], x[-1]))
        knots = [-_SAMPLED_TO, *_corners(function, kind), _SAMPLED_TO]
        smooth = _smooth(function, scale)
        try:
            pieces = quintic_pieces(smooth, knots, f"{part}: a {kind}")
        except Unsupported:  # its slopes may jump at its knots, where no single slope is true
            pieces = quintic_pieces(SmoothFunction(value=smooth.value), knots, f"{part}: a {kind}")
        return self.add(pieces[0].tolist(), pieces[1], (min(knots), max(knots)))


def _n_arguments(function: osim.Function) -> int | None:
    try:
        return int(function.getArgumentSize())
    except RuntimeError:  # some classes can't say before they are complete
        return None


def _points(function: osim.PiecewiseLinearFunction | osim.PiecewiseConstantFunction) -> tuple[np.ndarray, np.ndarray]:
    n = function.getSize()
    return np.array([function.getX(i) for i in range(n)]), np.array([function.getY(i) for i in range(n)])


def _corners(function: osim.Function, kind: str) -> list[float]:
    """Where a function's derivatives may jump."""
    if kind == "GCVSpline":
        spline = osim.GCVSpline.safeDownCast(function)
        return [spline.getX(i) for i in range(spline.getSize())]
    if kind == "StepFunction":
        step = osim.StepFunction.safeDownCast(function)
        return [step.getStartTime(), step.getEndTime()]
    return []


def _smooth(function: osim.Function, scale: float) -> SmoothFunction:
    """`scale` times an OpenSim function, with the derivatives that it tells."""
    orders = [osim.StdVectorInt(), osim.StdVectorInt()]
    for order, terms in zip(orders, (1, 2), strict=True):
        for _ in range(terms):
            order.append(0)

    def derivative(order: osim.StdVectorInt, x: np.ndarray) -> np.ndarray:
        return scale * np.array([function.calcDerivative(order, osim.Vector(1, each)) for each in x.tolist()])

    return SmoothFunction(
        value=lambda x: scale * np.array([function.calcValue(osim.Vector(1, each)) for each in x.tolist()]),
        slope=lambda x: derivative(orders[0], x),
        curvature=lambda x: derivative(orders[1], x),
    )


def hermite_cubics(x: np.ndarray, y: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """Coefficients (N − 1, 4) of the cubics between knots x (N,) with these values and slopes there."""
    step = np.diff(x)
    mean = np.diff(y) / step
    second = (3 * mean - 2 * slope[:-1] - slope[1:]) / step
    third = (slope[:-1] + slope[1:] - 2 * mean) / step**2
    return np.column_stack([y[:-1], slope[:-1], second, third])
