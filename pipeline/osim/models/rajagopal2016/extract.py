"""Write the tables from the released model: `python -m pipeline.osim.models.rajagopal2016.extract FILE.osim [DIR]`.

Figures only. Whatever the tables have no place for is refused by name, so that nothing is lost unseen.
"""

import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

from pipeline.osim.models.rajagopal2016.tables import (
    EXCEPTION_COLUMNS,
    EXCEPTIONS,
    TABLES,
    TABLES_FOLDER,
    Row,
    TableShape,
    both_sides,
    model_table_text,
    negated,
    to_left,
)

_LEFT = re.compile(r"_l(?=[_/-]|$)")
_CURVES = ("ActiveForceLengthCurve", "ForceVelocityCurve", "FiberForceLengthCurve", "TendonForceLengthCurve")
_OWN_PROPERTIES = {
    "max_isometric_force_n": "max_isometric_force",
    "optimal_fiber_length_m": "optimal_fiber_length",
    "tendon_slack_length_m": "tendon_slack_length",
    "pennation_at_optimal_rad": "pennation_angle_at_optimal",
}
_SHARED_PROPERTIES = (
    "min_control", "optimal_force", "max_contraction_velocity", "fiber_damping", "default_activation",
    "minimum_activation",
)  # fmt: skip


# A part of the model after its owner.
Pair = tuple[ET.Element, ET.Element]


def main(arguments: list[str]) -> None:
    """Read the model, write the tables."""
    source, folder = Path(arguments[0]), Path(arguments[1]) if len(arguments) > 1 else TABLES_FOLDER
    model = ET.parse(source).getroot().find("Model")
    if model is None:
        raise ValueError(f"{source} is not an OpenSim 4 model: it has no <Model>.")
    everything = extract(model)
    exceptions: list[Row] = []
    texts: dict[str, str] = {}
    for name, table in TABLES.items():
        rows = [row for row in everything[name] if not _is_left(table, row)]
        exceptions += _exceptions(name, everything[name], both_sides(table, rows))
        texts[name] = model_table_text(table.columns, rows)
    texts[EXCEPTIONS] = model_table_text(EXCEPTION_COLUMNS, exceptions)
    for name, text in texts.items():
        (folder / f"{name}.csv").write_text(text, "utf-8", newline="\n")


def extract(model: ET.Element) -> dict[str, list[Row]]:
    """Every table with both sides' rows as the file has them."""
    bodies = _objects(model, "BodySet", {"Body"})
    joints = _objects(model, "JointSet", {"CustomJoint", "PinJoint", "UniversalJoint"})
    forces = _objects(model, "ForceSet", {"Millard2012EquilibriumMuscle", "CoordinateActuator"})
    muscles = [force for force in forces if force.tag == "Millard2012EquilibriumMuscle"]
    axes = _parts(joints, "SpatialTransform", "TransformAxis")
    left = _left(axes)
    return {
        "bodies": [_body(body) for body in bodies],
        "joints": [_joint(joint) for joint in joints],
        "coordinates": [_coordinate(*pair) for pair in _parts(joints, "coordinates", "Coordinate")],
        "axes": [{**_axis(*pair), "left": left[_twins(*pair)]} for pair in axes],
        "splines": [{**knot, "left": left[_twins(*pair)]} for pair in axes for knot in _knots(*pair)],
        "couplers": [_coupler(item) for item in _objects(model, "ConstraintSet", {"CoordinateCouplerConstraint"})],
        "wrap_cylinders": [_cylinder(*pair) for pair in _parts(bodies, "WrapObjectSet/objects", "WrapCylinder")],
        "muscles": [_muscle(muscle) for muscle in muscles],
        "path_points": [_point(*pair) for pair in _parts(muscles, "GeometryPath/PathPointSet/objects", "PathPoint")],
        "path_wraps": [_wrap(*pair) for pair in _parts(muscles, "GeometryPath/PathWrapSet/objects", "PathWrap")],
        "millard": _shared(muscles, _default(model, "Millard2012EquilibriumMuscle")),
        "actuators": [_actuator(force) for force in forces if force.tag == "CoordinateActuator"],
    }


def _is_left(table: TableShape, row: Row) -> bool:
    return _LEFT.search(table.key(row)) is not None


def _exceptions(name: str, released: list[Row], built: list[Row]) -> list[Row]:
    """Where the released file differs from what both_sides makes; ValueError if the rows themselves differ."""
    key = TABLES[name].key
    twins = {key(row): row for row in built}
    if sorted(twins) != sorted(key(row) for row in released):
        raise ValueError(f"{name}: left and right have other rows; a mirror can't make them.")
    return [
        {"table": name, "row": key(row), "column": column, "left": value, "mirrored": twins[key(row)][column]}
        for row in released
        for column, value in row.items()
        if value != twins[key(row)][column]
    ]


def _objects(model: ET.Element, name: str, tags: set[str]) -> list[ET.Element]:
    objects = list(model.iterfind(f"{name}/objects/*"))
    odd = sorted({item.tag for item in objects} - tags)
    if odd:
        raise ValueError(f"{name} holds {', '.join(odd)}; the tables know {', '.join(sorted(tags))}.")
    return objects


def _parts(owners: list[ET.Element], path: str, tag: str) -> list[Pair]:
    """Each part with its owner; ValueError if one is of another kind than the tables know."""
    parts = [(owner, part) for owner in owners for part in owner.iterfind(f"{path}/*")]
    for owner, part in parts:
        if part.tag != tag:
            raise ValueError(f"{_name(owner)}: {path} holds a {part.tag}; the tables know {tag}.")
    return parts


def _name(item: ET.Element) -> str:
    return item.attrib["name"]


def _text(item: ET.Element, path: str) -> str:
    element = item.find(path)
    if element is None:
        raise ValueError(f"{item.tag} {item.get('name')} has no <{path}>.")
    return (element.text or "").strip()


def _number(text: str) -> str:
    return repr(float(text)).removesuffix(".0")


def _numbers(item: ET.Element, path: str) -> list[str]:
    return [_number(text) for text in _text(item, path).split()]


def _require(item: ET.Element, path: str, expected: str) -> None:
    if _text(item, path) != expected:
        raise ValueError(f"{_name(item)}: {path} is {_text(item, path)!r}; the tables mean {expected!r}.")


def _body(body: ET.Element) -> Row:
    values = [_number(_text(body, "mass")), *_numbers(body, "mass_center"), *_numbers(body, "inertia")]
    return dict(zip(TABLES["bodies"].columns, [_name(body), *values], strict=True))


def _joint(joint: ET.Element) -> Row:
    ends = [_frame(joint, _text(joint, f"socket_{end}_frame")) for end in ("parent", "child")]
    return dict(zip(TABLES["joints"].columns, [_name(joint), joint.tag, *ends[0], *ends[1]], strict=True))


def _frame(joint: ET.Element, name: str) -> list[str]:
    frame = joint.find(f"frames/PhysicalOffsetFrame[@name='{name}']")
    if frame is None:
        raise ValueError(f"{_name(joint)} has no offset frame {name}.")
    body = _text(frame, "socket_parent").rpartition("/")[2]
    if name != f"{body}_offset":
        raise ValueError(f"{_name(joint)}: the frame {name} on {body} should be {body}_offset.")
    return [body, *_numbers(frame, "translation"), *_numbers(frame, "orientation")]


def _coordinate(joint: ET.Element, item: ET.Element) -> Row:
    _require(item, "prescribed", "false")
    values = [
        _number(_text(item, "default_value")),
        _number(_text(item, "default_speed_value")),
        *_numbers(item, "range"),
    ]
    flags = [_text(item, "clamped"), _text(item, "locked")]
    return dict(zip(TABLES["coordinates"].columns, [_name(joint), _name(item), *values, *flags], strict=True))


def _axis(joint: ET.Element, axis: ET.Element) -> Row:
    values = [_name(joint), _name(axis), _text(axis, "coordinates"), *_numbers(axis, "axis"), *_function(axis)]
    return dict(zip(TABLES["axes"].columns, [*values, ""], strict=True))


def _twins(joint: ET.Element, axis: ET.Element) -> str:
    """One name for an axis of the right and the left joint."""
    return f"{to_left(_name(joint))}/{_name(axis)}"


def _left(axes: list[Pair]) -> dict[str, str]:
    """What tells the left axis from the right one, by the twins' name; empty for a joint of the midline."""
    right = {_twins(joint, axis): axis for joint, axis in axes if to_left(_name(joint)) != _name(joint)}
    return {
        _twins(joint, axis): _difference(right[_twins(joint, axis)], axis) if _twins(joint, axis) in right else ""
        for joint, axis in axes
        if to_left(_name(joint)) == _name(joint)
    }


def _difference(right: ET.Element, left: ET.Element) -> str:
    if _numbers(left, "axis") == [negated(number) for number in _numbers(right, "axis")]:
        return "axis"
    here, there = _function_values(left), _function_values(right)
    if here != there and here == [negated(number) for number in there]:
        return "function"
    return "nothing"


def _function_values(axis: ET.Element) -> list[str]:
    if axis.find("SimmSpline") is not None:
        return _numbers(axis, "SimmSpline/y")
    return _function(axis)[1:]


def _function(owner: ET.Element) -> list[str]:
    if owner.find("LinearFunction") is not None:
        return ["linear", *_numbers(owner, "LinearFunction/coefficients")]
    if owner.find("Constant") is not None:
        return ["constant", "", _number(_text(owner, "Constant/value"))]
    if owner.find("SimmSpline") is not None:
        return ["spline", "", ""]
    raise ValueError(f"{owner.tag} {owner.get('name')} moves by a function the tables don't know.")


def _knots(joint: ET.Element, axis: ET.Element) -> list[Row]:
    if axis.find("SimmSpline") is None:
        return []
    pairs = zip(_numbers(axis, "SimmSpline/x"), _numbers(axis, "SimmSpline/y"), strict=True)
    columns = TABLES["splines"].columns
    return [
        dict(zip(columns, [_name(joint), _name(axis), str(i), x, y, ""], strict=True)) for i, (x, y) in enumerate(pairs)
    ]


def _coupler(item: ET.Element) -> Row:
    _require(item, "isEnforced", "true")
    _require(item, "scale_factor", "1")
    function = _numbers(item, "coupled_coordinates_function/LinearFunction/coefficients")
    names = [_name(item), _text(item, "dependent_coordinate_name"), _text(item, "independent_coordinate_names")]
    return dict(zip(TABLES["couplers"].columns, [*names, *function], strict=True))


def _cylinder(body: ET.Element, item: ET.Element) -> Row:
    _require(item, "active", "true")
    place = [*_numbers(item, "translation"), *_numbers(item, "xyz_body_rotation"), _text(item, "quadrant")]
    size = [_number(_text(item, "radius")), _number(_text(item, "length"))]
    return dict(zip(TABLES["wrap_cylinders"].columns, [_name(body), _name(item), *place, *size], strict=True))


def _muscle(muscle: ET.Element) -> Row:
    own = {column: _number(_text(muscle, tag)) for column, tag in _OWN_PROPERTIES.items()}
    return {"name": _name(muscle), **own, "ignore_tendon_compliance": _text(muscle, "ignore_tendon_compliance")}


def _point(muscle: ET.Element, item: ET.Element) -> Row:
    body = _text(item, "socket_parent_frame").rpartition("/")[2]
    values = [_name(muscle), _name(item), body, *_numbers(item, "location")]
    return dict(zip(TABLES["path_points"].columns, values, strict=True))


def _wrap(muscle: ET.Element, item: ET.Element) -> Row:
    _require(item, "method", "hybrid")
    first, last = _numbers(item, "range")
    return {"muscle": _name(muscle), "cylinder": _text(item, "wrap_object"), "from_point": first, "to_point": last}


def _default(model: ET.Element, tag: str) -> ET.Element:
    element = model.find(f"defaults/{tag}")
    if element is None:
        raise ValueError(f"the model has no defaults for {tag}.")
    return element


def _shared(muscles: list[ET.Element], defaults: ET.Element) -> list[Row]:
    """The properties that are one for all muscles; ValueError if they aren't."""
    rows = _shared_of(muscles[0], defaults)
    for muscle in muscles:
        if _shared_of(muscle, defaults) != rows:
            raise ValueError(f"{_name(muscle)} has other curves or properties than {_name(muscles[0])}.")
    return rows


def _shared_of(muscle: ET.Element, defaults: ET.Element) -> list[Row]:
    own = []
    for name in _SHARED_PROPERTIES:
        stated = muscle if muscle.find(name) is not None else defaults
        own.append({"owner": "muscle", "property": name, "value": _number(_text(stated, name))})
    curves = [
        {"owner": curve, "property": item.tag, "value": _number(item.text or "")}
        for curve in _CURVES
        for item in muscle.iterfind(f"{curve}/*")
    ]
    return own + curves


def _actuator(force: ET.Element) -> Row:
    limits = [_number(_text(force, name)) for name in ("optimal_force", "min_control", "max_control")]
    return dict(zip(TABLES["actuators"].columns, [_name(force), _text(force, "coordinate"), *limits], strict=True))


if __name__ == "__main__":
    main(sys.argv[1:])
