"""A planar arm of two pins, whose elbow has two poses for every place of the wrist."""

from pathlib import Path

import numpy as np

UPPER_M, FORE_M = 0.3, 0.25
# On the upper arm, on the axis of the elbow, and at the forearm's end.
MARKERS = {
    "side": ("upper", (0.05, -0.1, 0.1)),
    "elbow": ("upper", (0, -UPPER_M, 0)),
    "wrist": ("fore", (0, -FORE_M, 0)),
}


def build_arm(path: Path, elbow_default: float = 0.3) -> Path:
    """The arm hangs from the ground; both angles turn about z, unclamped."""
    import opensim as osim

    model = osim.Model()
    model.setName("arm")
    bodies = {}
    parent, at = model.getGround(), osim.Vec3(0)
    for name, joint_name, length, default in (
        ("upper", "shoulder", UPPER_M, 0.0),
        ("fore", "elbow", FORE_M, elbow_default),
    ):
        body = osim.Body(name, 1.0, osim.Vec3(0, -length / 2, 0), osim.Inertia(0.01, 0.01, 0.01))
        joint = osim.PinJoint(f"{joint_name}_joint", parent, at, osim.Vec3(0), body, osim.Vec3(0), osim.Vec3(0))
        joint.updCoordinate().setName(joint_name)
        joint.updCoordinate().setDefaultValue(default)
        model.addBody(body)
        model.addJoint(joint)
        bodies[name] = body
        parent, at = body, osim.Vec3(0, -length, 0)
    for name, (carrier, place) in MARKERS.items():
        model.addMarker(osim.Marker(name, bodies[carrier], osim.Vec3(*place)))
    model.finalizeConnections()
    model.printToXML(str(path))
    return path


def positions_m(shoulder: np.ndarray, elbow: np.ndarray) -> np.ndarray:
    """Where the markers are, (T, 3, 3), by trigonometry."""

    def turned(angle: np.ndarray, place: tuple[float, float, float]) -> np.ndarray:
        x, y, z = place
        cos, sin = np.cos(angle), np.sin(angle)
        return np.stack([x * cos - y * sin, x * sin + y * cos, np.full_like(angle, z)], axis=1)

    hinge = turned(shoulder, (0, -UPPER_M, 0))
    return np.stack(
        [turned(shoulder, MARKERS["side"][1]), hinge, hinge + turned(shoulder + elbow, (0, -FORE_M, 0))], axis=1
    )
