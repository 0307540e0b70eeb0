"""Paths read from small models built in code, and paths that arrays can't say."""

from collections.abc import Callable

import numpy as np
import opensim as osim
import pytest

from pipeline.mechanics.arrays import CYLINDER, CYLINDER_IN_PLANE, FIXED, MOVING, SPHERE
from pipeline.mechanics.muscles.paths import muscle_paths
from pipeline.osim.arrays.unsupported import Unsupported
from tests.pipeline.mechanics.muscles.muscle_models import MuscleModel, as_arrays
from tests.pipeline.mechanics.muscles.test_wrapping import cylinder as go_round_cylinder
from tests.pipeline.mechanics.muscles.test_wrapping import sphere as go_round_sphere

pytestmark = pytest.mark.osim

ORIGIN_M, INSERTION_M, RADIUS_M = (-0.15, 0.01, 0.02), (0.2, 0.03, -0.05), 0.05


def forearm(
    *surfaces: osim.WrapObject, quadrant: str = "all", active: bool = True, insertion: bool = True
) -> osim.Model:
    """A body on a pin at the ground's origin, and a muscle from the ground to it over surfaces on the ground."""
    model = osim.Model()
    body = osim.Body("forearm", 1.0, osim.Vec3(0), osim.Inertia(1, 1, 1))
    joint = osim.PinJoint("elbow", model.getGround(), body)
    joint.updCoordinate().setName("flexion")
    model.addBody(body)
    model.addJoint(joint)
    muscle = osim.Millard2012EquilibriumMuscle("biceps", 100.0, 0.1, 0.2, 0.1)
    muscle.addNewPathPoint("origin", model.getGround(), osim.Vec3(*ORIGIN_M))
    if insertion:
        muscle.addNewPathPoint("insertion", body, osim.Vec3(*INSERTION_M))
    model.addForce(muscle)
    for surface in surfaces:
        surface.setName(f"surface_{surface.getConcreteClassName()}")
        surface.set_quadrant(quadrant)
        surface.set_active(active)
        model.getGround().addWrapObject(surface)
        osim.GeometryPath.safeDownCast(muscle.getPath()).addPathWrap(surface)
    return model


def cylinder(radius_m: float = RADIUS_M) -> osim.WrapCylinder:
    surface = osim.WrapCylinder()
    surface.set_radius(radius_m)
    surface.set_length(1.0)
    return surface


def sphere(radius_m: float = RADIUS_M) -> osim.WrapSphere:
    surface = osim.WrapSphere()
    surface.set_radius(radius_m)
    return surface


def asked(one: MuscleModel, angles: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """OpenSim's lengths and moment arms of the one muscle."""
    state, path = one.model.getWorkingState(), one.model.getMuscles().get(0).getPath()
    coordinate = one.model.getCoordinateSet().get(0)
    found = []
    for angle in angles:
        coordinate.setValue(state, float(angle))
        one.model.realizePosition(state)
        found.append((path.getLength(state), path.computeMomentArm(state, coordinate)))
    lengths, arms = np.array(found).T
    return lengths, arms


def assert_same(model: osim.Model, angles: np.ndarray, atol: float = 1e-10) -> MuscleModel:
    one = as_arrays(model, as_opensim=True)
    lengths, arms = asked(one, angles)
    found = muscle_paths(one.tree, one.paths, angles[:, None], np.zeros((len(angles), 1)))
    np.testing.assert_allclose(found.length_m[:, 0], lengths, atol=atol)
    np.testing.assert_allclose(found.per_newton[:, 0, 0], arms, atol=10 * atol)
    return one


@pytest.mark.parametrize("quadrant", ["all", "x", "-x", "+y", "-y"])
def test_a_cylinder_is_gone_round_as_in_opensim(quadrant: str) -> None:
    """But for more than half a turn in the positive sense, where OpenSim takes an arc from two full turns."""
    angles = np.linspace(-3.1, 3.1, 83)
    one = as_arrays(forearm(cylinder(), quadrant=quadrant), as_opensim=True)
    lengths, arms = asked(one, angles)
    found = muscle_paths(one.tree, one.paths, angles[:, None], np.zeros((len(angles), 1)))
    assert one.paths.surface_kind.tolist() == [CYLINDER_IN_PLANE]
    off = np.array([too_long(one, angle) for angle in angles])
    np.testing.assert_allclose(found.length_m[:, 0] + off, lengths, atol=1e-10)
    np.testing.assert_allclose(found.per_newton[:, 0, 0], arms, atol=1e-10)
    assert (off > 0).any() == (quadrant in ("x", "-y"))


def too_long(one: MuscleModel, angle: float) -> float:
    """How much longer OpenSim's path around the cylinder is than its own points have it."""
    axis, sign = int(one.paths.surface_axis[0]), int(one.paths.surface_sign[0])
    way = go_round_cylinder(ORIGIN_M, at(angle), axis=axis, sign=sign, in_plane=True)
    rise = way.z2 - way.z1
    flat = np.sqrt(max(way.arc_m**2 - rise**2, 0.0))
    if way.sense <= 0 or flat < np.pi * RADIUS_M:
        return 0.0
    return float(np.hypot(4 * np.pi * RADIUS_M - flat, rise)) - way.arc_m


@pytest.mark.parametrize("quadrant", ["all", "x", "-x", "+y", "-y", "z", "-z"])
def test_a_sphere_is_gone_round_as_in_opensim(quadrant: str) -> None:
    angles = np.linspace(-1.2, 1.2, 41) if quadrant != "all" else np.linspace(-3.1, 3.1, 83)
    one = as_arrays(forearm(sphere(), quadrant=quadrant))
    lengths, arms = asked(one, angles)
    found = muscle_paths(one.tree, one.paths, angles[:, None], np.zeros((len(angles), 1)))
    # Round more than half a sphere OpenSim takes the arc off the path instead of adding it.
    axis, sign = int(one.paths.surface_axis[0]), int(one.paths.surface_sign[0])
    arcs = np.array([go_round_sphere(ORIGIN_M, at(angle), axis=axis, sign=sign).arc_m for angle in angles])
    taken_off = np.where(arcs > np.pi * RADIUS_M, 2 * arcs, 0.0)
    np.testing.assert_allclose(found.length_m[:, 0] - taken_off, lengths, atol=1e-9)
    np.testing.assert_allclose(found.per_newton[:, 0, 0], arms, atol=1e-9)
    assert one.paths.surface_kind.tolist() == [SPHERE]


def at(angle: float) -> tuple[float, float, float]:
    """The insertion in the ground."""
    x, y, z = INSERTION_M
    return x * np.cos(angle) - y * np.sin(angle), x * np.sin(angle) + y * np.cos(angle), z


def test_the_shortest_path_is_what_is_read_otherwise() -> None:
    angles = np.linspace(-3.1, 3.1, 83)
    one = as_arrays(forearm(cylinder()))
    lengths, _ = asked(one, angles)
    found = muscle_paths(one.tree, one.paths, angles[:, None], np.zeros((len(angles), 1))).length_m[:, 0]
    assert one.paths.surface_kind.tolist() == [CYLINDER]
    assert np.all(found <= lengths + 1e-12)
    assert (lengths - found).max() > 1e-6


def test_a_surface_that_is_switched_off_is_left_out() -> None:
    one = assert_same(forearm(cylinder(), active=False), np.linspace(-3.1, 3.1, 9))
    assert len(one.paths.wrap_surface) == 0


def with_sliding_point(*, insertion: bool) -> osim.Model:
    """The forearm's muscle going on to a point that slides in a frame on it, beyond its insertion or instead of it."""
    model = forearm(insertion=insertion)
    coordinate = model.getJointSet().get(0).updCoordinate()
    coordinate.setRangeMin(-1.0)
    coordinate.setRangeMax(1.0)
    turned = osim.Transform(osim.Rotation(0.7, osim.UnitVec3(0, 0, 1)), osim.Vec3(0.05, 0.02, 0.01))
    frame = osim.PhysicalOffsetFrame("turned", model.getBodySet().get(0), turned)
    model.getBodySet().get(0).addComponent(frame)
    point = osim.MovingPathPoint()
    point.setName("sliding")
    point.updSocket("parent_frame").setConnecteePath("/bodyset/forearm/turned")
    point.set_x_location(osim.LinearFunction(0.02, 0.03))
    point.set_y_location(osim.LinearFunction(-0.05, 0.01))
    point.set_z_location(osim.Constant(0.01))
    for socket in ("x_coordinate", "y_coordinate", "z_coordinate"):
        point.updSocket(socket).setConnecteePath("/jointset/elbow/flexion")
    osim.GeometryPath.safeDownCast(model.getMuscles().get(0).getPath()).updPathPointSet().cloneAndAppend(point)
    model.finalizeConnections()
    return model


def test_a_moving_point_slides_in_its_own_frame_and_stays_at_its_coordinate_s_ends() -> None:
    one = assert_same(with_sliding_point(insertion=False), np.linspace(-0.95, 0.95, 20))
    assert one.paths.point_kind.tolist() == [FIXED, MOVING]
    beyond = np.array([[-1.5], [1.5]])
    lengths, _ = asked(one, beyond[:, 0])
    found = muscle_paths(one.tree, one.paths, beyond, np.zeros((2, 1)))
    np.testing.assert_allclose(found.length_m[:, 0], lengths, atol=1e-12)


def test_a_moving_point_pulls_towards_points_of_its_own_body_too() -> None:
    """OpenSim leaves out the work between two points of one body, so its moment arm isn't its length's slope."""
    angles, step = np.linspace(-0.95, 0.95, 20), 1e-6
    one = as_arrays(with_sliding_point(insertion=True))
    lengths, arms = asked(one, angles)
    slope = (asked(one, angles + step)[0] - asked(one, angles - step)[0]) / (2 * step)
    found = muscle_paths(one.tree, one.paths, angles[:, None], np.zeros((len(angles), 1)))
    np.testing.assert_allclose(found.length_m[:, 0], lengths, atol=1e-12)
    np.testing.assert_allclose(found.per_newton[:, 0, 0], -slope, atol=1e-9)
    assert np.abs(arms + slope).min() > 1e-3


def ellipsoid() -> osim.WrapObject:
    surface = osim.WrapEllipsoid()
    surface.set_dimensions(osim.Vec3(0.03, 0.04, 0.05))
    return surface


def torus() -> osim.WrapObject:
    surface = osim.WrapTorus()
    surface.set_inner_radius(0.02)
    surface.set_outer_radius(0.04)
    return surface


@pytest.mark.parametrize(
    ("surfaces", "said"),
    [
        ([ellipsoid], "muscle biceps, wrapping surface surface_WrapEllipsoid: a WrapEllipsoid"),
        ([torus], "muscle biceps, wrapping surface surface_WrapTorus: a WrapTorus"),
        ([sphere, cylinder], "a sphere beside another surface"),
    ],
)
def test_other_surfaces_are_named(surfaces: list[Callable[[], osim.WrapObject]], said: str) -> None:
    with pytest.raises(Unsupported, match=said):
        as_arrays(forearm(*(make() for make in surfaces)))


def test_half_a_cylinder_by_its_axis_is_named() -> None:
    with pytest.raises(Unsupported, match="half a cylinder by its own axis"):
        as_arrays(forearm(cylinder(), quadrant="z"))
