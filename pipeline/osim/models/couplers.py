"""Coordinates tied to others by a model's couplers, such as the patella's angle to the knee's.

A dependent coordinate follows its drivers: q_d = scale · f(q_1, …). By virtual work a generalized force on it is one
on each driver, times the slope ∂q_d/∂q_k; a Jacobian's column folds into its drivers' in the same way.
Shapes: T frames, Q coordinates in the model's order.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import opensim as osim

from pipeline.errors import TrialRejected


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coupler:
    dependent: int
    drivers: tuple[int, ...]
    function: osim.Function
    scale: float
    line: tuple[float, float] | None  # slope and intercept of a line over one driver, which needs no call a frame

    def values(self, poses: np.ndarray) -> np.ndarray:
        """The dependent coordinate, (T,), at poses (T, Q)."""
        if self.line is not None:
            return self.scale * (self.line[0] * poses[:, self.drivers[0]] + self.line[1])
        return self.scale * np.array([self.function.calcValue(self._at(pose)) for pose in poses])

    def slope(self, poses: np.ndarray, driver: int) -> np.ndarray:
        """How it changes with its driver of this position, (T,)."""
        if self.line is not None:
            return np.full(len(poses), self.scale * self.line[0])
        order = osim.StdVectorInt()
        order.append(driver)
        return self.scale * np.array([self.function.calcDerivative(order, self._at(pose)) for pose in poses])

    def _at(self, pose: np.ndarray) -> osim.Vector:
        return osim.Vector.createFromMat(np.ascontiguousarray(pose[list(self.drivers)]))


def _line(function: osim.Function) -> tuple[float, float] | None:
    linear = osim.LinearFunction.safeDownCast(function)
    if linear is None:
        return None
    coefficients = linear.getCoefficients()
    # With several drivers there is a slope for each, and OpenSim is asked.
    if coefficients.size() != 2:
        return None
    return float(coefficients.get(0)), float(coefficients.get(1))


@dataclass(frozen=True, slots=True, kw_only=True)
class Slopes:
    """∂(dependent)/∂(driver) along a motion: `slope` (T,) for each pair, in the order in which they are folded."""

    pairs: tuple[tuple[int, int, np.ndarray], ...]

    def fold(self, values: np.ndarray) -> None:
        """Add each dependent's share of `values` (T, …, Q), forces or Jacobian columns, to its drivers; in place."""
        for dependent, driver, slope in self.pairs:
            values[..., driver] += values[..., dependent] * slope.reshape(-1, *[1] * (values.ndim - 2))


class Couplers:
    """A model's enforced couplers. TrialRejected("model", …) if other constraints tie coordinates too."""

    def __init__(self, model: osim.Model, names: Sequence[str]) -> None:
        self._model = model  # its functions die with it
        place = {name: i for i, name in enumerate(names)}
        self._couplers = _drivers_first([_coupler(item, place) for item in _enforced(model)])
        self.dependent = frozenset(coupler.dependent for coupler in self._couplers)

    def follow(self, poses: np.ndarray) -> None:
        """Put every dependent coordinate of poses (T, Q) where its drivers have it; in place."""
        for coupler in self._couplers:
            poses[:, coupler.dependent] = coupler.values(poses)

    def slopes(self, poses: np.ndarray) -> Slopes:
        """How dependents change with their drivers at poses (T, Q)."""
        # A coordinate may be driven and drive another: it takes the other's share before it passes on its own.
        pairs = [
            (coupler.dependent, driver, coupler.slope(poses, i))
            for coupler in reversed(self._couplers)
            for i, driver in enumerate(coupler.drivers)
        ]
        return Slopes(pairs=tuple(pairs))


def _enforced(model: osim.Model) -> list[osim.CoordinateCouplerConstraint]:
    constraints, state = model.getConstraintSet(), model.getWorkingState()
    every = [constraints.get(i) for i in range(constraints.getSize())]
    enforced = [constraint for constraint in every if constraint.isEnforced(state)]
    strangers = [c.getName() for c in enforced if osim.CoordinateCouplerConstraint.safeDownCast(c) is None]
    if strangers:
        raise TrialRejected(
            "model",
            f"model {model.getName()} is constrained by {', '.join(strangers)}; engine `exact` knows coordinate "
            "couplers only. Name engine `tools` in the recipe, or take the constraints out of the model.",
        )
    return [osim.CoordinateCouplerConstraint.safeDownCast(constraint) for constraint in enforced]


def _coupler(constraint: osim.CoordinateCouplerConstraint, place: dict[str, int]) -> _Coupler:
    names = constraint.getIndependentCoordinateNames()
    function = constraint.getFunction()
    return _Coupler(
        dependent=place[constraint.getDependentCoordinateName()],
        drivers=tuple(place[names.get(i)] for i in range(names.getSize())),
        function=function,
        line=_line(function),
        scale=float(osim.PropertyHelper.getValueDouble(constraint.getPropertyByName("scale_factor"))),
    )


def _drivers_first(couplers: list[_Coupler]) -> list[_Coupler]:
    """Couplers in an order in which each one's drivers are known before it."""
    waiting, ordered = list(couplers), []
    while waiting:
        unknown = {coupler.dependent for coupler in waiting}
        ready = [coupler for coupler in waiting if not unknown & set(coupler.drivers)]
        if not ready:
            raise TrialRejected("model", "the model's couplers drive each other in a circle; correct them.")
        ordered += ready
        waiting = [coupler for coupler in waiting if coupler not in ready]
    return ordered
