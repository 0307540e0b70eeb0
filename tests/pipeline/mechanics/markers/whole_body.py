"""An OpenSim model's problem of inverse kinematics as arrays, beside engine `exact`'s own."""

from collections.abc import Mapping, Sequence

import numpy as np
import pytest

from pipeline.mechanics.arrays import MarkerPlaces
from pipeline.mechanics.markers.fit import CoordinateRoles, tracking_problem
from pipeline.mechanics.markers.objective import TrackedFrames, TrackingProblem
from pipeline.records import CoordinateTask, Markers

exact_ik = pytest.importorskip("pipeline.osim.exact.inverse_kinematics")
mechanics = pytest.importorskip("pipeline.osim.models.mechanics")
trees = pytest.importorskip("pipeline.osim.arrays.tree")
tables = pytest.importorskip("pipeline.osim.arrays.functions")


def problem_of(
    shared: object, labels: Sequence[str], weights: Mapping[str, float], tasks: Sequence[CoordinateTask] = ()
) -> TrackingProblem:
    tree, bodies = trees.read_tree(shared.model, tables.FunctionTable())
    stations = mechanics.marker_stations(shared.model)
    places = MarkerPlaces(
        body=np.array([bodies.index(stations[label].body) for label in labels], dtype=np.int64),
        place_m=np.array([stations[label].location_m for label in labels], dtype=float).reshape(-1, 3),
    )
    set_, coordinates = shared.model.getCoordinateSet(), shared.summary.coordinates
    every = [set_.get(c.name) for c in coordinates]
    clamped = [c.getClamped(shared.poses.state) for c in every]
    roles = CoordinateRoles(
        locked=np.array([c.locked for c in coordinates]),
        low=np.array([c.getRangeMin() if on else -np.inf for c, on in zip(every, clamped, strict=True)]),
        high=np.array([c.getRangeMax() if on else np.inf for c, on in zip(every, clamped, strict=True)]),
        residual=np.array([c.residual for c in coordinates]),
        rotational=np.array([c.rotational for c in coordinates]),
    )
    weight = np.array([weights[label] for label in labels], dtype=float)
    return tracking_problem(tree, places, weight, roles, exact_ik.known_tasks(shared, tasks))


def frames_of(shared: object, markers: Markers) -> TrackedFrames:
    seen = np.isfinite(markers.positions_m).all(axis=2)
    measured = np.where(seen[..., None], markers.positions_m, 0.0)
    return TrackedFrames(measured_m=measured, seen=seen, held=exact_ik._held(shared, markers.time_s))
