"""The tables as an OpenSim model: bodies, joints, couplers, wrapping surfaces, muscles, torque actuators.

Every OpenSim object keeps a Python name until the model has adopted it.
"""

from collections.abc import Mapping

import opensim as osim

from pipeline.osim.models.rajagopal2016.tables import Row

_NAME = "Rajagopal2016"
_GRAVITY_M_S2 = 9.80665
_CREDITS = "Figures of the Rajagopal et al. (2016) model as released with OpenSim's models; built by gait2hip."
_PUBLICATION = (
    "Rajagopal, A., Dembia, C.L., DeMers, M.S., Delp, D.D., Hicks, J.L., Delp, S.L. (2016) Full-body musculoskeletal "
    "model for muscle-driven simulation of human gait. IEEE Transactions on Biomedical Engineering 63(10):2068-2079. "
    "doi:10.1109/TBME.2016.2586891"
)

Tables = Mapping[str, list[Row]]


def assemble(tables: Tables) -> osim.Model:
    """The model of these tables, initialised; without markers and bone surfaces."""
    model = osim.Model()
    model.setName(_NAME)
    model.set_credits(_CREDITS)
    model.set_publications(_PUBLICATION)
    model.setGravity(osim.Vec3(0, -_GRAVITY_M_S2, 0))
    for row in tables["bodies"]:
        _add_body(model, row)
    for row in tables["wrap_cylinders"]:
        _add_cylinder(model, row)
    for row in tables["joints"]:
        _add_joint(model, row, tables)
    for row in tables["couplers"]:
        _add_coupler(model, row)
    for row in tables["muscles"]:
        _add_muscle(model, row, tables)
    for row in tables["actuators"]:
        _add_actuator(model, row)
    model.finalizeConnections()
    model.initSystem()
    return model


def _of(tables: Tables, table: str, column: str, name: str) -> list[Row]:
    return [row for row in tables[table] if row[column] == name]


def _vector(row: Row, start: str, unit: str) -> osim.Vec3:
    return osim.Vec3(*(float(row[f"{start}_{axis}_{unit}"]) for axis in "xyz"))


def _add_body(model: osim.Model, row: Row) -> None:
    inertia = osim.Inertia(*(float(row[f"i{axes}_kgm2"]) for axes in ("xx", "yy", "zz", "xy", "xz", "yz")))
    body = osim.Body(row["name"], float(row["mass_kg"]), _vector(row, "com", "m"), inertia)
    model.addBody(body)


def _add_cylinder(model: osim.Model, row: Row) -> None:
    cylinder = osim.WrapCylinder()
    cylinder.setName(row["name"])
    cylinder.set_translation(_vector(row, "at", "m"))
    cylinder.set_xyz_body_rotation(_vector(row, "turned", "rad"))
    cylinder.set_quadrant(row["quadrant"])
    cylinder.set_radius(float(row["radius_m"]))
    cylinder.set_length(float(row["length_m"]))
    body = model.updBodySet().get(row["body"])
    body.addWrapObject(cylinder)


def _add_joint(model: osim.Model, row: Row, tables: Tables) -> None:
    ground = model.getGround()
    bodies = model.getBodySet()
    parent = ground if row["parent"] == "ground" else bodies.get(row["parent"])
    ends = [
        row["name"],
        parent, _vector(row, "parent", "m"), _vector(row, "parent", "rad"),
        bodies.get(row["child"]), _vector(row, "child", "m"), _vector(row, "child", "rad"),
    ]  # fmt: skip
    if row["kind"] == "CustomJoint":
        transform = _transform(tables, row["name"])
        joint = osim.CustomJoint(*ends, transform)
    else:
        joint = {"PinJoint": osim.PinJoint, "UniversalJoint": osim.UniversalJoint}[row["kind"]](*ends)
    # The constructors take these angles through a rotation matrix, which costs their last digit.
    for i, end in enumerate(("parent", "child")):
        joint.upd_frames(i).set_orientation(_vector(row, end, "rad"))
    # A CustomJoint makes its coordinates from its transform only now.
    joint.finalizeFromProperties()
    for i, coordinate in enumerate(_of(tables, "coordinates", "joint", row["name"])):
        _describe(joint.upd_coordinates(i), coordinate)
    model.addJoint(joint)


def _transform(tables: Tables, joint: str) -> osim.SpatialTransform:
    transform = osim.SpatialTransform()
    for row in _of(tables, "axes", "joint", joint):
        names = osim.ArrayStr()
        if row["coordinate"]:
            names.append(row["coordinate"])
        function = _function(
            row, [knot for knot in _of(tables, "splines", "joint", joint) if knot["axis"] == row["axis"]]
        )
        axis = getattr(transform, f"upd_{row['axis']}")()
        axis.setCoordinateNames(names)
        axis.setAxis(osim.Vec3(float(row["x"]), float(row["y"]), float(row["z"])))
        axis.set_function(function)
    return transform


def _function(row: Row, knots: list[Row]) -> osim.Function:
    if row["function"] == "linear":
        return osim.LinearFunction(float(row["slope"]), float(row["offset"]))
    if row["function"] == "constant":
        return osim.Constant(float(row["offset"]))
    spline = osim.SimmSpline()
    for knot in knots:
        spline.addPoint(float(knot["x"]), float(knot["y"]))
    return spline


def _describe(coordinate: osim.Coordinate, row: Row) -> None:
    coordinate.setName(row["name"])
    coordinate.set_default_value(float(row["default"]))
    coordinate.set_default_speed_value(float(row["default_speed"]))
    coordinate.set_range(0, float(row["min"]))
    coordinate.set_range(1, float(row["max"]))
    coordinate.set_clamped(row["clamped"] == "true")
    coordinate.set_locked(row["locked"] == "true")


def _add_coupler(model: osim.Model, row: Row) -> None:
    drivers = osim.ArrayStr()
    drivers.append(row["independent"])
    function = osim.LinearFunction(float(row["slope"]), float(row["offset"]))
    coupler = osim.CoordinateCouplerConstraint()
    coupler.setName(row["name"])
    coupler.setIndependentCoordinateNames(drivers)
    coupler.setDependentCoordinateName(row["dependent"])
    coupler.setFunction(function)
    model.addConstraint(coupler)


def _add_muscle(model: osim.Model, row: Row, tables: Tables) -> None:
    muscle = osim.Millard2012EquilibriumMuscle(
        row["name"],
        float(row["max_isometric_force_n"]),
        float(row["optimal_fiber_length_m"]),
        float(row["tendon_slack_length_m"]),
        float(row["pennation_at_optimal_rad"]),
    )
    muscle.set_ignore_tendon_compliance(row["ignore_tendon_compliance"] == "true")
    for shared in tables["millard"]:
        owner = muscle if shared["owner"] == "muscle" else getattr(muscle, f"upd_{shared['owner']}")()
        getattr(owner, f"set_{shared['property']}")(float(shared["value"]))
    bodies = model.getBodySet()
    for point in _of(tables, "path_points", "muscle", row["name"]):
        body = bodies.get(point["body"])
        muscle.addNewPathPoint(point["name"], body, _vector(point, "at", "m"))
    path = muscle.updGeometryPath()
    for wrap in _of(tables, "path_wraps", "muscle", row["name"]):
        over = osim.PathWrap()
        over.setName(wrap["cylinder"])
        over.set_wrap_object(wrap["cylinder"])
        over.set_range(0, int(wrap["from_point"]))
        over.set_range(1, int(wrap["to_point"]))
        path.updWrapSet().cloneAndAppend(over)
    model.addForce(muscle)


def _add_actuator(model: osim.Model, row: Row) -> None:
    actuator = osim.CoordinateActuator(row["coordinate"])
    actuator.setName(row["name"])
    actuator.setOptimalForce(float(row["optimal_force"]))
    actuator.setMinControl(float(row["min_control"]))
    actuator.setMaxControl(float(row["max_control"]))
    model.addForce(actuator)
