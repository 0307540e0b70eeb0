"""A model's bodies, joints and couplers, read into a `Tree`."""

import math
from collections.abc import Sequence

import numpy as np
import opensim as osim

from pipeline.errors import TrialRejected
from pipeline.mechanics.arrays import Tree
from pipeline.osim.arrays.functions import FunctionTable
from pipeline.osim.arrays.joints import GROUND, Branch, JointAxis, read_branches
from pipeline.osim.arrays.unsupported import Unsupported


def read_tree(model: osim.Model, table: FunctionTable) -> tuple[Tree, tuple[str, ...]]:
    """An initialised model's tree, and its bodies' names in their order.

    Its functions go into `table`; who adds more of them gives the tree the whole table's arrays in the end.
    Unsupported names what arrays can't say. TrialRejected("model", …) for masses that can't be, and for couplers that
    drive each other in a circle.
    """
    names = coordinate_names(model)
    branches = read_branches(model)
    bodies = (GROUND, *(branch.body for branch in branches))
    parent = np.array([0, *(bodies.index(branch.parent) for branch in branches)], dtype=np.int64)
    first_axis = np.cumsum([0, 0, *(len(branch.axes) for branch in branches)], dtype=np.int64)
    axes = [axis for branch in branches for axis in branch.axes]
    still = (np.eye(3), np.zeros(3))
    outer = [still, *(branch.outer for branch in branches)]
    inner = [still, *(branch.inner for branch in branches)]
    first_carrier, carrier = _carriers(parent, first_axis)
    mass_kg, centre_m, inertia_kg_m2 = _masses(model, bodies[1:])
    dependent, driver, coupling = _couplings(model, names, table)
    tree = Tree(
        parent=parent,
        joint_rotation=np.array([rotation for rotation, _ in outer]),
        joint_origin_m=np.array([origin for _, origin in outer]),
        body_rotation=np.array([rotation for rotation, _ in inner]),
        body_origin_m=np.array([origin for _, origin in inner]),
        first_axis=first_axis,
        turns=np.array([axis.turns for axis in axes], dtype=bool),
        coordinate=np.array([names.index(a.coordinate) if a.coordinate else -1 for a in axes], dtype=np.int64),
        function=np.array(_functions(branches, table), dtype=np.int64),
        direction=np.array([axis.direction for axis in axes], dtype=float).reshape(-1, 3),
        moved=np.repeat(np.arange(len(bodies)), np.diff(first_axis)),
        first_carrier=first_carrier,
        carrier=carrier,
        omitted=_omitted(branches, first_axis),
        mass_kg=mass_kg,
        centre_m=centre_m,
        inertia_kg_m2=inertia_kg_m2,
        gravity_m_s2=model.getGravity().to_numpy().copy(),
        dependent=dependent,
        driver=driver,
        coupling=coupling,
        functions=table.arrays(),
    )
    return tree, bodies


def coordinate_names(model: osim.Model) -> tuple[str, ...]:
    """The model's coordinates, in its order, which is that of all arrays over coordinates."""
    coordinates = model.getCoordinateSet()
    return tuple(coordinates.get(i).getName() for i in range(coordinates.getSize()))


def _functions(branches: Sequence[Branch], table: FunctionTable) -> list[int]:
    """The number of each axis's function."""
    return [_function(axis, f"joint {branch.joint}", table) for branch in branches for axis in branch.axes]


def _function(axis: JointAxis, part: str, table: FunctionTable) -> int:
    if axis.function is None:
        return table.add_line(axis.scale)
    return table.add_function(axis.function, part, axis.scale)


def _carriers(parent: np.ndarray, first_axis: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Each body's axes from the root on: where they begin (B + 1,), and the axes, body after body."""
    chains: list[list[int]] = [[]]
    for body in range(1, len(parent)):
        chains.append([*chains[parent[body]], *range(first_axis[body], first_axis[body + 1])])
    flat = [axis for chain in chains for axis in chain]
    return np.cumsum([0, *map(len, chains)], dtype=np.int64), np.array(flat, dtype=np.int64)


def _omitted(branches: Sequence[Branch], first_axis: np.ndarray) -> np.ndarray:
    omitted = np.full((len(branches) + 1, 2), -1, dtype=np.int64)
    for body, branch in enumerate(branches, start=1):
        if branch.omitted is not None:
            omitted[body] = first_axis[body] + np.array(branch.omitted)
    return omitted


def _masses(model: osim.Model, names: Sequence[str]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mass (B,), centre (B, 3) and inertia about it (B, 3, 3), the ground's zero."""
    bodies = model.getBodySet()
    mass, centre, inertia = [0.0], [np.zeros(3)], [np.zeros((3, 3))]
    for name in names:
        body = bodies.get(name)
        if not (math.isfinite(body.getMass()) and body.getMass() >= 0):
            raise TrialRejected(
                "model", f"body {name} of model {model.getName()} has a mass of {body.getMass():g} kg; correct it."
            )
        mass.append(body.getMass())
        centre.append(body.getMassCenter().to_numpy().copy())
        inertia.append(_inertia(body.getInertia()))
    if not sum(mass) > 0:
        raise TrialRejected("model", f"the bodies of model {model.getName()} have no mass; correct them.")
    return np.array(mass), np.array(centre), np.array(inertia)


def _inertia(inertia: osim.Inertia) -> np.ndarray:
    moments, products = inertia.getMoments(), inertia.getProducts()
    matrix = np.diag([moments.get(i) for i in range(3)])
    for (i, j), place in (((0, 1), 0), ((0, 2), 1), ((1, 2), 2)):
        matrix[i, j] = matrix[j, i] = products.get(place)
    return matrix


def _couplings(
    model: osim.Model, names: Sequence[str], table: FunctionTable
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Dependent, driver and function of every coupling, drivers known before they are needed."""
    waiting: dict[int, osim.CoordinateCouplerConstraint] = {}
    for coupler in _couplers(model):
        name = coupler.getDependentCoordinateName()
        if names.index(name) in waiting:
            raise TrialRejected(
                "model",
                f"two couplers of model {model.getName()} drive {name}, one is {coupler.getName()}; remove one.",
            )
        waiting[names.index(name)] = coupler
    ordered: list[tuple[int, int, int]] = []
    while waiting:
        ready = [d for d, c in waiting.items() if not {names.index(n) for n in _drivers(c)} & set(waiting)]
        if not ready:
            circle = ", ".join(names[dependent] for dependent in waiting)
            raise TrialRejected(
                "model", f"couplers of model {model.getName()} drive each other in a circle: {circle}; correct them."
            )
        for dependent in ready:
            terms = _terms(waiting.pop(dependent), table)
            ordered += [(dependent, names.index(driver), function) for driver, function in terms]
    columns = np.array(ordered, dtype=np.int64).reshape(-1, 3).T
    return np.ascontiguousarray(columns[0]), np.ascontiguousarray(columns[1]), np.ascontiguousarray(columns[2])


def _couplers(model: osim.Model) -> list[osim.CoordinateCouplerConstraint]:
    constraints, state = model.getConstraintSet(), model.getWorkingState()
    enforced = [constraints.get(i) for i in range(constraints.getSize()) if constraints.get(i).isEnforced(state)]
    for constraint in enforced:
        if osim.CoordinateCouplerConstraint.safeDownCast(constraint) is None:
            kind = constraint.getConcreteClassName()
            raise Unsupported(f"constraint {constraint.getName()}: a {kind}, where only coordinate couplers are known")
    return [osim.CoordinateCouplerConstraint.safeDownCast(constraint) for constraint in enforced]


def _drivers(coupler: osim.CoordinateCouplerConstraint) -> list[str]:
    names = coupler.getIndependentCoordinateNames()
    return [names.get(i) for i in range(names.getSize())]


def _terms(coupler: osim.CoordinateCouplerConstraint, table: FunctionTable) -> list[tuple[str, int]]:
    """Drivers and functions whose sum is the dependent coordinate: one, or several of a line over several drivers."""
    drivers, function, part = _drivers(coupler), coupler.getFunction(), f"coupler {coupler.getName()}"
    scale = osim.PropertyHelper.getValueDouble(coupler.getPropertyByName("scale_factor"))
    if len(drivers) == 1:
        return [(drivers[0], table.add_function(function, part, scale))]
    line = osim.LinearFunction.safeDownCast(function)
    if line is None:
        raise Unsupported(f"{part}: a {function.getConcreteClassName()} of {len(drivers)} coordinates")
    coefficients = line.getCoefficients()
    slopes = [scale * coefficients.get(i) for i in range(len(drivers))]
    intercepts = [scale * coefficients.get(len(drivers)), *[0.0] * (len(drivers) - 1)]
    lines = zip(drivers, slopes, intercepts, strict=True)
    return [(driver, table.add_line(slope, intercept)) for driver, slope, intercept in lines]
