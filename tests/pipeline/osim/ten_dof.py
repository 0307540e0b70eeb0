"""A walker in a plane with ten degrees of freedom and eighteen muscles of Thelen's, of the kind of OpenSim's gait10dof.

Pelvis on a planar joint; lumbar, hips and ankles pins; knees that slide along a spline as they bend.
"""

from pathlib import Path

import opensim as osim

THIGH_M, SHANK_M = 0.41, 0.43
SIDES = ("r", "l")
# Body, mass, centre of mass.
LEG = {"femur": (8.0, (0, -0.18, 0)), "tibia": (3.5, (0, -0.19, 0)), "foot": (1.2, (0.07, -0.03, 0))}
# Strength, and the path: body and place of each point.
MUSCLES = {
    "glut_max": (1800, (("pelvis", (-0.12, 0.04)), ("femur", (-0.04, -0.12)))),
    "iliopsoas": (2000, (("pelvis", (0.04, 0.06)), ("pelvis", (0.05, -0.01)), ("femur", (0.01, -0.06)))),
    "hamstrings": (2500, (("pelvis", (-0.07, -0.06)), ("tibia", (-0.04, -0.04)))),
    "rect_fem": (1100, (("pelvis", (0.04, -0.02)), ("femur", (0.05, -0.38)), ("tibia", (0.04, -0.06)))),
    "vasti": (4500, (("femur", (0.03, -0.2)), ("femur", (0.05, -0.38)), ("tibia", (0.04, -0.06)))),
    "bifemsh": (800, (("femur", (0.0, -0.21)), ("tibia", (-0.03, -0.04)))),
    "gastroc": (2200, (("femur", (-0.02, -0.39)), ("tibia", (-0.045, -0.1)), ("foot", (-0.05, -0.03)))),
    "soleus": (3500, (("tibia", (-0.01, -0.15)), ("foot", (-0.05, -0.03)))),
    "tib_ant": (1500, (("tibia", (0.02, -0.16)), ("tibia", (0.035, -0.39)), ("foot", (0.1, -0.03)))),
}
PLACES = ((0.06, -0.05, 0.05), (-0.05, -0.08, 0.02), (0.01, -0.2, -0.04))


def build_ten_dof(path: Path) -> Path:
    """Write the model; every body carries three markers, named after it."""
    model = osim.Model()
    model.setName("ten_dof")
    bodies = {"pelvis": _body(model, "pelvis", 11.0, (0, 0, 0)), "torso": _body(model, "torso", 34.0, (0, 0.3, 0))}
    planar = osim.PlanarJoint("ground_pelvis", model.getGround(), bodies["pelvis"])
    _name(planar, ("pelvis_tilt", "pelvis_tx", "pelvis_ty"))
    model.addJoint(planar)
    _pin(model, "lumbar_extension", bodies["pelvis"], (-0.08, 0.08, 0), bodies["torso"])
    for side, z in zip(SIDES, (0.08, -0.08), strict=True):
        for name, (mass, centre) in LEG.items():
            bodies[f"{name}_{side}"] = _body(model, f"{name}_{side}", mass, centre)
        femur, tibia, foot = (bodies[f"{name}_{side}"] for name in LEG)
        _pin(model, f"hip_flexion_{side}", bodies["pelvis"], (-0.02, -0.07, z), femur)
        _knee(model, side, femur, tibia)
        _pin(model, f"ankle_angle_{side}", tibia, (0, -SHANK_M, 0), foot)
    for name, body in bodies.items():
        for i, place in enumerate(PLACES):
            model.addMarker(osim.Marker(f"{name}_{i}", body, osim.Vec3(*place)))
    for side in SIDES:
        for name, (strength_n, points) in MUSCLES.items():
            _muscle(model, bodies, name, side, strength_n, points)
    model.finalizeConnections()
    _fit_lengths(model)
    model.printToXML(str(path))
    return path


def _body(model: osim.Model, name: str, mass: float, centre: tuple[float, float, float]) -> osim.Body:
    inertia = osim.Inertia(*(mass * 0.01,) * 3)
    body = osim.Body(name, mass, osim.Vec3(*centre), inertia)
    model.addBody(body)
    return body


def _name(joint: osim.Joint, names: tuple[str, ...]) -> None:
    for i, name in enumerate(names):
        coordinate = joint.upd_coordinates(i)
        coordinate.setName(name)
        coordinate.setRangeMin(-10)
        coordinate.setRangeMax(10)


def _pin(model: osim.Model, name: str, parent: osim.Body, at: tuple[float, float, float], body: osim.Body) -> None:
    zero = osim.Vec3(0)
    joint = osim.PinJoint(f"{name}_joint", parent, osim.Vec3(*at), zero, body, zero, zero)
    _name(joint, (name,))
    model.addJoint(joint)


def _knee(model: osim.Model, side: str, femur: osim.Body, tibia: osim.Body) -> None:
    name = f"knee_angle_{side}"
    axes, coordinates = osim.SpatialTransform(), osim.ArrayStr()
    coordinates.append(name)
    turn, forward, down = axes.upd_rotation1(), axes.upd_translation1(), axes.upd_translation2()
    for axis, direction in ((turn, (0, 0, 1)), (forward, (1, 0, 0)), (down, (0, 1, 0))):
        axis.setCoordinateNames(coordinates)
        axis.setAxis(osim.Vec3(*direction))
    # The unused third axis lies along z from the start, which the first takes.
    axes.upd_rotation3().setAxis(osim.Vec3(1, 0, 0))
    turn.set_function(osim.LinearFunction(1.0, 0.0))
    for axis, heights in ((forward, (-0.006, 0.002, 0.0, -0.005)), (down, (-0.42, -0.413, -0.41, -0.409))):
        spline = osim.SimmSpline()
        for angle, height in zip((-2.1, -1.0, 0.0, 0.3), heights, strict=True):
            spline.addPoint(angle, height)
        axis.set_function(spline)
    zero = osim.Vec3(0)
    joint = osim.CustomJoint(f"knee_{side}", femur, zero, zero, tibia, zero, zero, axes)
    joint.finalizeFromProperties()
    _name(joint, (name,))
    model.addJoint(joint)


def _muscle(
    model: osim.Model, bodies: dict[str, osim.Body], name: str, side: str, strength_n: float, points: tuple
) -> None:
    muscle = osim.Thelen2003Muscle(f"{name}_{side}", float(strength_n), 0.1, 0.2, 0.1)
    z = 0.08 if side == "r" else -0.08
    for i, (body, (x, y)) in enumerate(points):
        of_leg = body != "pelvis"
        place = osim.Vec3(x, y, 0.0 if of_leg else z)
        muscle.addNewPathPoint(f"{name}_{side}_{i}", bodies[f"{body}_{side}" if of_leg else body], place)
    muscle.setMinControl(0.01)
    model.addForce(muscle)


def _fit_lengths(model: osim.Model) -> None:
    """Fibres of a third of the path in the default pose, where they are as long as they work best."""
    state = model.initSystem()
    muscles = model.getMuscles()
    lengths = [muscles.get(i).getLength(state) for i in range(muscles.getSize())]
    for i, length in enumerate(lengths):
        muscle = model.updMuscles().get(i)
        muscle.setOptimalFiberLength(0.35 * length)
        muscle.setTendonSlackLength(0.65 * length)
