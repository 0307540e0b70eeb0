"""A model's muscle paths, read into `Paths`."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import opensim as osim

from pipeline.mechanics.arrays import CONDITIONAL, CYLINDER, CYLINDER_IN_PLANE, FIXED, MOVING, SPHERE, Paths, Tree
from pipeline.osim.arrays.functions import FunctionTable
from pipeline.osim.arrays.joints import frame_on_body, rotation_and_origin
from pipeline.osim.arrays.unsupported import Unsupported

# OpenSim keeps a conditional point this far beyond its range, in the coordinate's unit.
_RANGE_MARGIN = 1e-5
_MOST_WRAPS = 2
_AXES = {"x": 0, "y": 1, "z": 2}


def read_paths(
    model: osim.Model,
    bodies: Sequence[str],
    coordinates: Sequence[str],
    table: FunctionTable,
    tree: Tree,
    *,
    as_opensim: bool = False,
) -> Paths:
    """The paths of an initialised model's muscles, in the model's order.

    `bodies` and `coordinates` are named in the tree's order. Functions of moving points go into `table`, so the tree
    needs the table's arrays once more afterwards. `as_opensim` lays paths around a single cylinder as OpenSim does, in
    a plane; otherwise every path is the shortest. Surfaces that are switched off are left out. Unsupported names the
    muscle and what arrays can't say of it.
    """
    reading = _Reading(bodies=tuple(bodies), coordinates=tuple(coordinates), table=table, as_opensim=as_opensim)
    muscles = model.getMuscles()
    for i in range(muscles.getSize()):
        reading.add_muscle(muscles.get(i))
    touched = [sorted(set(each)) for each in reading.touched]
    crossed = [_crossed(each, tree) for each in touched]
    points, surfaces = reading.points, reading.surfaces
    return Paths(
        first_point=_firsts(reading.n_points),
        point_kind=_whole(p.kind for p in points),
        point_body=_whole(p.body for p in points),
        point_m=np.array([p.place_m for p in points], dtype=float).reshape(-1, 3),
        point_rotation=np.array([p.rotation for p in points], dtype=float).reshape(-1, 3, 3),
        point_function=np.array([p.functions for p in points], dtype=np.int64).reshape(-1, 3),
        point_coordinate=np.array([p.coordinates for p in points], dtype=np.int64).reshape(-1, 3),
        point_low=np.array([p.range[0] for p in points], dtype=float),
        point_high=np.array([p.range[1] for p in points], dtype=float),
        first_wrap=_firsts(reading.n_wraps),
        wrap_surface=_whole(w[0] for w in reading.wraps),
        wrap_from=_whole(w[1] for w in reading.wraps),
        wrap_to=_whole(w[2] for w in reading.wraps),
        surface_kind=_whole(s.kind for s in surfaces),
        surface_body=_whole(s.body for s in surfaces),
        surface_rotation=np.array([s.rotation for s in surfaces], dtype=float).reshape(-1, 3, 3),
        surface_origin_m=np.array([s.origin_m for s in surfaces], dtype=float).reshape(-1, 3),
        surface_size=np.array([s.size_m for s in surfaces], dtype=float).reshape(-1, 2),
        surface_axis=_whole(s.axis for s in surfaces),
        surface_sign=_whole(s.sign for s in surfaces),
        first_touched=_firsts(map(len, touched)),
        touched=_whole(body for each in touched for body in each),
        first_crossed=_firsts(map(len, crossed)),
        crossed=_whole(axis for each in crossed for axis in each),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Point:
    """A point of a path, as `Paths` says it."""

    kind: int
    body: int
    place_m: np.ndarray
    rotation: np.ndarray
    functions: tuple[int, int, int] = (-1, -1, -1)
    coordinates: tuple[int, int, int] = (-1, -1, -1)
    range: tuple[float, float] = (-np.inf, np.inf)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Surface:
    """A surface that paths wrap around, as `Paths` says it."""

    kind: int
    body: int
    rotation: np.ndarray
    origin_m: np.ndarray
    size_m: tuple[float, float]
    axis: int
    sign: int


@dataclass(slots=True, kw_only=True)
class _Reading:
    """What has been read so far, muscle after muscle."""

    bodies: tuple[str, ...]
    coordinates: tuple[str, ...]
    table: FunctionTable
    as_opensim: bool
    points: list[_Point] = field(default_factory=list)
    n_points: list[int] = field(default_factory=list)
    wraps: list[tuple[int, int, int]] = field(default_factory=list)
    n_wraps: list[int] = field(default_factory=list)
    surfaces: list[_Surface] = field(default_factory=list)
    number_of: dict[tuple[str, int], int] = field(default_factory=dict)
    touched: list[list[int]] = field(default_factory=list)

    def add_muscle(self, muscle: osim.Muscle) -> None:
        """Read one muscle's points and wraps."""
        name = f"muscle {muscle.getName()}"
        path = osim.GeometryPath.safeDownCast(muscle.getPath())
        if path is None:
            raise Unsupported(f"{name}: a path that is a {muscle.getPath().getConcreteClassName()}")
        first, points = len(self.points), path.getPathPointSet()
        for k in range(points.getSize()):
            self.points.append(self._point(points.get(k), f"{name}, point {points.get(k).getName()}"))
        self.n_points.append(points.getSize())
        touched = [point.body for point in self.points[first:]]
        wraps = _active_wraps(path)
        if len(wraps) > _MOST_WRAPS:
            raise Unsupported(f"{name}: {len(wraps)} wrapping surfaces, where {_MOST_WRAPS} is the most")
        for wrap in wraps:
            surface = self._surface(wrap.getWrapObject(), name, n_wraps=len(wraps))
            touched.append(self.surfaces[surface].body)
            # Numbered from 1; anything lower is the first point, or the last.
            start, end = wrap.getStartPoint(), wrap.getEndPoint()
            self.wraps.append((surface, first + max(start - 1, 0), first + (end if end >= 1 else points.getSize()) - 1))
        self.n_wraps.append(len(wraps))
        self.touched.append(touched)

    def _point(self, point: osim.AbstractPathPoint, part: str) -> _Point:
        kind = point.getConcreteClassName()
        body = self.bodies.index(point.getParentFrame().findBaseFrame().getName())
        rotation, origin = frame_on_body(point.getParentFrame())
        if kind == "PathPoint":
            fixed = osim.PathPoint.safeDownCast(point)
            place = origin + rotation @ fixed.get_location().to_numpy()
            return _Point(kind=FIXED, body=body, place_m=place, rotation=rotation)
        if kind == "ConditionalPathPoint":
            coming = osim.ConditionalPathPoint.safeDownCast(point)
            coordinate = self.coordinates.index(coming.getCoordinate().getName())
            return _Point(
                kind=CONDITIONAL,
                body=body,
                place_m=origin + rotation @ coming.get_location().to_numpy(),
                rotation=rotation,
                coordinates=(coordinate, -1, -1),
                range=(coming.get_range(0) - _RANGE_MARGIN, coming.get_range(1) + _RANGE_MARGIN),
            )
        if kind == "MovingPathPoint":
            sliding = osim.MovingPathPoint.safeDownCast(point)
            return self._moving_point(sliding, part, body, rotation, origin)
        raise Unsupported(f"{part}: a {kind}")

    def _moving_point(
        self, point: osim.MovingPathPoint, part: str, body: int, rotation: np.ndarray, origin: np.ndarray
    ) -> _Point:
        moved = [
            (point.get_x_location(), "x_coordinate"),
            (point.get_y_location(), "y_coordinate"),
            (point.get_z_location(), "z_coordinate"),
        ]
        coordinates, functions, ranges = [-1, -1, -1], [-1, -1, -1], set()
        for k, (function, socket) in enumerate(moved):
            functions[k] = self.table.add_function(function, part)
            if function.getConcreteClassName() == "Constant":
                continue
            coordinate = osim.Coordinate.safeDownCast(point.getConnectee(socket))
            coordinates[k] = self.coordinates.index(coordinate.getName())
            ranges.add((coordinate.getRangeMin(), coordinate.getRangeMax()))
        if len(ranges) > 1:
            raise Unsupported(f"{part}: moved by coordinates of different ranges")
        return _Point(
            kind=MOVING,
            body=body,
            place_m=origin,
            rotation=rotation,
            functions=(functions[0], functions[1], functions[2]),
            coordinates=(coordinates[0], coordinates[1], coordinates[2]),
            range=ranges.pop() if ranges else (-np.inf, np.inf),
        )

    def _surface(self, wrapped: osim.WrapObject, muscle: str, *, n_wraps: int) -> int:
        """A surface's number; muscles that wrap around it in one way share it."""
        part = f"{muscle}, wrapping surface {wrapped.getName()}"
        kind, size_m = self._kind_and_size(wrapped, part, n_wraps)
        key = (wrapped.getAbsolutePathString(), kind)
        if key not in self.number_of:
            axis, sign = _open_half(wrapped.get_quadrant())
            if kind != SPHERE and sign and axis == _AXES["z"]:
                raise Unsupported(f"{part}: half a cylinder by its own axis")
            rotation, origin = frame_on_body(wrapped.getFrame())
            turn, place = rotation_and_origin(wrapped.getTransform())
            self.number_of[key] = len(self.surfaces)
            self.surfaces.append(
                _Surface(
                    kind=kind,
                    body=self.bodies.index(wrapped.getFrame().findBaseFrame().getName()),
                    rotation=rotation @ turn,
                    origin_m=origin + rotation @ place,
                    size_m=size_m,
                    axis=axis,
                    sign=sign,
                )
            )
        return self.number_of[key]

    def _kind_and_size(self, wrapped: osim.WrapObject, part: str, n_wraps: int) -> tuple[int, tuple[float, float]]:
        cylinder = osim.WrapCylinder.safeDownCast(wrapped)
        if cylinder is not None:
            single = self.as_opensim and n_wraps == 1
            return CYLINDER_IN_PLANE if single else CYLINDER, (cylinder.get_radius(), cylinder.get_length())
        sphere = osim.WrapSphere.safeDownCast(wrapped)
        if sphere is None:
            raise Unsupported(f"{part}: a {wrapped.getConcreteClassName()}")
        if n_wraps > 1:
            raise Unsupported(f"{part}: a sphere beside another surface")
        return SPHERE, (sphere.get_radius(), 0.0)


def _active_wraps(path: osim.GeometryPath) -> list[osim.PathWrap]:
    wraps = path.getWrapSet()
    return [wraps.get(k) for k in range(wraps.getSize()) if wraps.get(k).getWrapObject().get_active()]


def _open_half(quadrant: str) -> tuple[int, int]:
    """The axis and sign of the half of a surface that may be touched; sign 0 for all of it."""
    axis = quadrant.lower().lstrip("+-")
    return (_AXES[axis], -1 if quadrant.startswith("-") else 1) if axis in _AXES else (0, 0)


def _crossed(touched: Sequence[int], tree: Tree) -> list[int]:
    """The axes with a coordinate that move some of these bodies, but not all."""
    carriers = [set(tree.carrier[tree.first_carrier[b] : tree.first_carrier[b + 1]].tolist()) for b in touched]
    some, every = set.union(*carriers), set.intersection(*carriers)
    return sorted(axis for axis in some - every if tree.coordinate[axis] >= 0)


def _firsts(counts: Iterable[int]) -> np.ndarray:
    """Where each of these many begins, and where the last ends."""
    return np.cumsum([0, *counts], dtype=np.int64)


def _whole(numbers: Iterable[int]) -> np.ndarray:
    return np.array(list(numbers), dtype=np.int64)
