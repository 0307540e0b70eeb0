"""A pendulum whose every answer is known without OpenSim: two bodies, the second coupled to the first."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import opensim as osim
import pytest

from pipeline.records import Coordinates, FootWrench

MASS_KG, LENGTH_M, GRAVITY_M_S2 = 2.0, 0.5, 9.80665
SLOPE = 0.5  # the second joint turns half as much as the first, backwards or forwards
MUSCLES = {"front": (0.1, 0.2, 0.0), "back": (-0.1, 0.2, 0.0)}
INSERTION_M = (0.0, -0.3, 0.0)
MARKERS = {
    "tip": (0.0, -0.5, 0.0),
    "front": (0.1, -0.2, 0.0),
    "back": (-0.1, -0.2, 0.05),
    "side": (0.0, -0.1, 0.2),
}


def build_pendulum(path: Path) -> Path:
    """A bob of 2 kg half a metre below a pin; a weightless pointer at its tip, coupled; two muscles."""
    model = osim.Model()
    model.setName("pendulum")
    model.setGravity(osim.Vec3(0, -GRAVITY_M_S2, 0))
    bob = osim.Body("bob", MASS_KG, osim.Vec3(0, -LENGTH_M, 0), osim.Inertia(0, 0, 0))
    pointer = osim.Body("pointer", 1e-9, osim.Vec3(0), osim.Inertia(1e-9, 1e-9, 1e-9))
    tip = osim.Vec3(0, -LENGTH_M, 0)
    pivot = osim.PinJoint("pivot", model.getGround(), osim.Vec3(0), osim.Vec3(0), bob, osim.Vec3(0), osim.Vec3(0))
    end = osim.PinJoint("end", bob, tip, osim.Vec3(0), pointer, osim.Vec3(0), osim.Vec3(0))
    for body in (bob, pointer):
        model.addBody(body)
    for joint, name in ((pivot, "swing"), (end, "pointer_angle")):
        joint.updCoordinate().setName(name)
        joint.updCoordinate().setRangeMin(-3.0)
        joint.updCoordinate().setRangeMax(3.0)
        model.addJoint(joint)
    for name, place in MARKERS.items():
        marker = osim.Marker(name, bob, osim.Vec3(*place))
        model.addMarker(marker)
    muscles = []
    for name, origin in MUSCLES.items():
        muscle = osim.Millard2012EquilibriumMuscle(name, 1000.0, 0.3, 0.2, 0.0)
        muscle.addNewPathPoint("origin", model.getGround(), osim.Vec3(*origin))
        muscle.addNewPathPoint("insertion", bob, osim.Vec3(*INSERTION_M))
        muscle.setMinControl(0.01)
        model.addForce(muscle)
        muscles.append(muscle)
    model.finalizeConnections()
    coupler = osim.CoordinateCouplerConstraint()
    coupler.setName("coupler")
    names = osim.ArrayStr()
    names.append("swing")
    coupler.setIndependentCoordinateNames(names)
    coupler.setDependentCoordinateName("pointer_angle")
    function = osim.LinearFunction(SLOPE, 0.0)
    coupler.setFunction(function)
    model.addConstraint(coupler)
    model.finalizeConnections()
    model.initSystem()
    model.printToXML(str(path))
    return path


def swing(angle_rad: np.ndarray, rate_hz: float = 100.0) -> Coordinates:
    """The pendulum's coordinates for a swing angle over time."""
    return Coordinates(
        time_s=np.arange(len(angle_rad)) / rate_hz,
        names=("swing", "pointer_angle"),
        rotational=np.array([True, True]),
        values=np.column_stack([angle_rad, SLOPE * angle_rad]),
    )


def push(time_s: np.ndarray, force_n: tuple[float, float, float], at_m: tuple[float, float, float]) -> FootWrench:
    """A steady force on the bob, applied at a place in the ground frame, told about a point elsewhere."""
    n = len(time_s)
    point = np.array([0.7, 0.0, -0.2])
    moment = np.cross(np.array(at_m) - point, force_n)
    return FootWrench(
        side="right",
        time_s=time_s,
        point_m=point,
        force_n=np.tile(force_n, (n, 1)),
        moment_nm=np.tile(moment, (n, 1)),
        cop_m=np.tile(at_m, (n, 1)),
        free_moment_nm=np.zeros(n),
        known=np.ones(n, dtype=bool),
        reason=np.full(n, ""),
    )


@pytest.fixture(scope="session")
def pendulum(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_pendulum(tmp_path_factory.mktemp("pendulum") / "pendulum.osim")


@pytest.fixture
def pendulum_kit() -> SimpleNamespace:
    """The builders above, for tests to use: conftest can't be imported."""
    return SimpleNamespace(
        swing=swing, push=push, markers=MARKERS, muscles=MUSCLES, insertion_m=INSERTION_M, slope=SLOPE,
        weight_n=MASS_KG * GRAVITY_M_S2, length_m=LENGTH_M, mass_kg=MASS_KG,
    )  # fmt: skip
