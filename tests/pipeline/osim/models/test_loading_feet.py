"""Which foot's ground reaction loads what: on models whose names tell it, and on models whose names don't."""

import re
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.osim.engines import load_engine
from pipeline.records import Coordinates, FootWrench, Side
from tests.pipeline.osim.settings import effort_settings
from warehouse.channels import LOADED_JOINTS

pytestmark = pytest.mark.osim
osim = pytest.importorskip("opensim")
loading_feet = pytest.importorskip("pipeline.osim.models.loading_feet")

FEET: dict[Side, str] = {"right": "calcn_r", "left": "calcn_l"}
RIGHT, LEFT, BOTH, NONE = frozenset({"right"}), frozenset({"left"}), frozenset({"right", "left"}), frozenset()


def by_name(name: str) -> frozenset[Side]:
    """What names say in models that are named as OpenSim's are."""
    if name.startswith(("lumbar", "arm", "elbow", "pro_sup", "wrist")):
        return NONE
    for letter, side in (("_r", RIGHT), ("_l", LEFT)):
        if name.endswith(letter) or f"{letter}_" in name:
            return side
    return BOTH


def names_of(file: Path) -> list[str]:
    from pipeline.osim.models.model import read_summary

    summary = read_summary(file)
    return [*(coordinate.name for coordinate in summary.coordinates), *summary.muscles]


@pytest.fixture(scope="module")
def built_in() -> Path:
    from pipeline.osim.models.default_model import model_file_of

    return model_file_of(None)


@pytest.fixture(scope="module")
def walker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.pipeline.osim.ten_dof import build_ten_dof

    return build_ten_dof(tmp_path_factory.mktemp("ten_dof") / "ten_dof.osim")


def test_of_the_built_in_model_it_is_what_the_names_say(built_in: Path) -> None:
    names = names_of(built_in)
    found = loading_feet.loading_feet(built_in, FEET)
    assert len(names) == 39 + 80
    assert found == {name: by_name(name) for name in names}
    assert (found["mtp_angle_r"], found["subtalar_angle_l"], found["knee_angle_r_beta"]) == (RIGHT, LEFT, RIGHT)
    assert (found["pelvis_ty"], found["lumbar_bending"], found["wrist_dev_l"]) == (BOTH, NONE, NONE)


def test_of_a_planar_walker_too(walker: Path) -> None:
    found = loading_feet.loading_feet(walker, {"right": "foot_r", "left": "foot_l"})
    assert found == {name: by_name(name) for name in names_of(walker)}


def test_a_foot_that_carries_all_loads_all(pendulum: Path) -> None:
    everything = ("swing", "pointer_angle", "front", "back")
    for feet in ({"right": "bob", "left": "bob"}, {"left": "bob"}):
        assert loading_feet.loading_feet(pendulum, feet) == dict.fromkeys(everything, frozenset(feet))
    # A force on the pointer alone goes through both joints.
    assert loading_feet.loading_feet(pendulum, {"right": "pointer"}) == dict.fromkeys(everything, RIGHT)


def test_a_foot_whose_body_the_model_lacks_is_refused(pendulum: Path) -> None:
    with pytest.raises(ValueError, match=r"no body nobody.*right_foot_body"):
        loading_feet.loading_feet(pendulum, {"right": "nobody"})


def test_a_joints_load_depends_on_its_own_foot(built_in: Path, walker: Path) -> None:
    found = loading_feet.feet_pressing(built_in, FEET)
    assert found == {joint: by_name(joint) for joint in LOADED_JOINTS}
    # The walker's hips turn about one axis: they are not the loaded joints of the legs.
    found = loading_feet.feet_pressing(walker, {"right": "foot_r", "left": "foot_l"})
    assert found == {joint: by_name(joint) for joint in ("knee_r", "ankle_r", "knee_l", "ankle_l")}


@pytest.mark.parametrize(
    ("model", "feet"),
    [("built_in", FEET), ("walker", {"right": "foot_r", "left": "foot_l"})],
    ids=["built_in", "walker"],
)
def test_names_tell_nothing(
    model: str, feet: Mapping[Side, str], tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Every coordinate and muscle is called after another of the other side, or of none."""
    file: Path = request.getfixturevalue(model)
    names = names_of(file)
    others = dict(zip(names, [*names[7:], *names[:7]], strict=True))
    words = re.compile(rf"\b(?:{'|'.join(sorted(names, key=len, reverse=True))})\b")
    renamed = tmp_path / "renamed.osim"
    renamed.write_text(words.sub(lambda found: f"{others[found[0]]}_", file.read_text()))
    assert set(names_of(renamed)) == {f"{name}_" for name in names}

    found = loading_feet.loading_feet(renamed, feet)

    assert {name: found[f"{others[name]}_"] for name in names} == {name: by_name(name) for name in names}


@pytest.mark.data
@pytest.mark.parametrize("muscles", ["thelen2003", "millard2012"])
def test_muscles_of_the_trunk_depend_on_no_foot(muscles: str, shared_data: Path) -> None:
    file = shared_data / "opensim_reference" / "gait2392" / f"gait2392_{muscles}muscle.osim"
    trunk = {f"{name}_{side}" for name in ("ercspn", "intobl", "extobl") for side in "rl"}
    names = names_of(file)
    assert trunk < set(names)
    assert loading_feet.loading_feet(file, FEET) == {name: NONE if name in trunk else by_name(name) for name in names}


def test_what_a_push_on_a_foot_changes_depends_on_that_foot(
    walker: Path, pendulum_kit: SimpleNamespace, tmp_path: Path
) -> None:
    """Moments and muscle forces with a ground reaction and without, both solved: nothing else may change."""
    from pipeline.osim.models.shared_model import shared_model

    names = shared_model(walker).names
    pose = np.array([0.1 if "knee" not in name else -0.4 for name in names])
    still = Coordinates(
        time_s=np.arange(12) / 100,
        names=names,
        rotational=np.array([name not in ("pelvis_tx", "pelvis_ty") for name in names]),
        values=np.tile(pose, (12, 1)),
    )
    push = pendulum_kit.push(still.time_s, (-30.0, 300.0, 0.0), (0.25, -0.9, 0.08))
    feet: dict[Side, str] = {"right": "foot_r", "left": "foot_l"}
    engine = load_engine("exact")

    def solved(wrenches: list[FootWrench]) -> dict[str, np.ndarray]:
        moments = engine.inverse_dynamics(
            walker, still, wrenches, foot_bodies=feet, mechanics="corrected", directory=tmp_path
        )
        muscles = engine.static_optimization(
            walker,
            still,
            wrenches,
            foot_bodies=feet,
            mechanics="corrected",
            settings=effort_settings(),
            directory=tmp_path,
        )
        named = zip((*moments.names, *muscles.muscle_names), (*moments.values.T, *muscles.force_n.T), strict=True)
        return dict(named)

    free, pushed = solved([]), solved([push])
    changed = {name for name, values in free.items() if np.abs(pushed[name] - values).max() > 1e-6}
    assert changed == {name for name, sides in loading_feet.loading_feet(walker, feet).items() if "right" in sides}


class Body:
    """Bodies and joints added to a model in few words; every body is a kilogram with a frame beside its middle."""

    def __init__(self) -> None:
        self.model = osim.Model()
        self.frames = {"ground": self.model.getGround()}
        self.kept: list[object] = []

    def add(self, name: str, on: str, joint: str = "PinJoint", *, outwards: bool = True) -> None:
        """A body on another; written from the other one outwards, or towards it."""
        body = osim.Body(name, 1.0, osim.Vec3(0), osim.Inertia(0.1, 0.1, 0.1))
        self.model.addBody(body)
        beside = osim.PhysicalOffsetFrame(f"beside_{name}", body, osim.Transform(osim.Vec3(0.1, 0, 0)))
        body.addComponent(beside)
        ends = (self.frames[on], beside) if outwards else (beside, self.frames[on])
        made = getattr(osim, joint)(f"{name}_joint", *ends)
        for i in range(made.numCoordinates()):
            made.upd_coordinates(i).setName(f"at_{name}" if made.numCoordinates() == 1 else f"at_{name}_{i}")
        self.model.addJoint(made)
        self.frames[name] = beside
        self.kept += [body, made]

    def muscle(self, name: str, *bodies: str) -> "osim.Muscle":
        muscle = osim.Millard2012EquilibriumMuscle(name, 1000.0, 0.3, 0.2, 0.0)
        for i, body in enumerate(bodies):
            muscle.addNewPathPoint(f"{name}_{i}", self.frames[body], osim.Vec3(0, 0.1 * i, 0))
        self.model.addForce(muscle)
        self.kept.append(muscle)
        return muscle

    def fitted(self, name: str, coordinate: str) -> None:
        """A muscle whose length is a function of a coordinate."""
        muscle = osim.Millard2012EquilibriumMuscle(name, 1000.0, 0.3, 0.2, 0.0)
        path, length = osim.FunctionBasedPath(), osim.LinearFunction(0.1, 0.5)
        path.setName("path")
        path.setLengthFunction(length)
        path.appendCoordinatePath(f"/jointset/{coordinate}")
        muscle.set_path(path)
        self.model.addForce(muscle)
        self.kept += [muscle, path, length]

    def feet(self, directory: Path, feet: Mapping[Side, str]) -> Mapping[str, frozenset[Side]]:
        self.model.finalizeConnections()
        self.model.initSystem()
        file = directory / "body.osim"
        self.model.printToXML(str(file))
        return loading_feet.loading_feet(file, feet)


@pytest.fixture
def body() -> Body:
    """A pelvis that moves in a plane, a trunk, and two legs of a thigh and a foot with welded toes."""
    made = Body()
    made.add("pelvis", "ground", "PlanarJoint")
    made.add("trunk", "pelvis", "UniversalJoint")
    for side in ("one", "two"):
        made.add(f"thigh_{side}", "pelvis", "UniversalJoint")
        made.add(f"foot_{side}", f"thigh_{side}")
        made.add(f"toes_{side}", f"foot_{side}", "WeldJoint")
    return made


TWO: dict[Side, str] = {"right": "foot_two", "left": "foot_one"}


def test_joints_of_many_coordinates_and_of_none(body: Body, tmp_path: Path) -> None:
    body.muscle("in_the_toes", "foot_two", "toes_two")
    body.muscle("to_the_toes", "thigh_two", "toes_two")
    found = body.feet(tmp_path, TWO)
    expected = {f"at_pelvis_{i}": BOTH for i in range(3)} | {f"at_trunk_{i}": NONE for i in range(2)}
    for name, side in (("two", RIGHT), ("one", LEFT)):
        expected |= {f"at_thigh_{name}_0": side, f"at_thigh_{name}_1": side, f"at_foot_{name}": side}
    assert found == expected | {"in_the_toes": NONE, "to_the_toes": RIGHT}


def test_hinged_toes_and_their_muscles_are_the_foots(body: Body, tmp_path: Path) -> None:
    body.add("toe", "toes_two")
    body.muscle("flexor", "toes_two", "toe")
    found = body.feet(tmp_path, TWO)
    assert (found["at_toe"], found["flexor"]) == (RIGHT, RIGHT)


def test_a_joint_may_be_written_from_the_foot_up(tmp_path: Path) -> None:
    made = Body()
    made.add("pelvis", "ground", "PlanarJoint", outwards=False)
    made.add("thigh", "pelvis", outwards=False)
    made.add("foot", "thigh", outwards=False)
    made.add("trunk", "pelvis", outwards=False)
    made.muscle("hip", "pelvis", "thigh")
    found = made.feet(tmp_path, {"left": "foot"})
    assert {name for name, sides in found.items() if sides == NONE} == {"at_trunk"}
    assert {name for name, sides in found.items() if sides == LEFT} == set(found) - {"at_trunk"}


def test_a_muscle_from_the_ground_or_from_leg_to_leg_crosses_all_between(body: Body, tmp_path: Path) -> None:
    body.muscle("from_the_ground", "ground", "trunk")
    body.muscle("in_one_place", "trunk", "trunk")
    body.muscle("across", "thigh_one", "thigh_two")
    found = body.feet(tmp_path, TWO)
    assert (found["from_the_ground"], found["in_one_place"], found["across"]) == (BOTH, NONE, BOTH)


def test_muscles_that_share_a_joint_share_its_foot(body: Body, tmp_path: Path) -> None:
    """A psoas from the spine takes part of the trunk's moment: what the other muscles there do depends on its hip."""
    body.muscle("erector", "pelvis", "trunk")
    body.muscle("gluteus", "pelvis", "thigh_one")
    assert body.feet(tmp_path, TWO)["erector"] == NONE
    body.muscle("psoas", "trunk", "thigh_two")
    found = body.feet(tmp_path, TWO)
    assert (found["psoas"], found["erector"], found["gluteus"]) == (RIGHT, RIGHT, LEFT)
    assert found["at_trunk_0"] == NONE, "its moment is still nobody's"


def test_a_muscle_depends_on_the_surfaces_that_it_wraps_around(body: Body, tmp_path: Path) -> None:
    cylinder = osim.WrapCylinder()
    cylinder.setName("condyle")
    cylinder.set_radius(0.02)
    cylinder.set_length(0.1)
    thigh = body.model.updBodySet().get("thigh_two")
    thigh.addWrapObject(cylinder)
    around = body.muscle("around", "pelvis", "pelvis")
    osim.GeometryPath.safeDownCast(around.updPath()).addPathWrap(cylinder)
    assert body.feet(tmp_path, TWO)["around"] == RIGHT


def test_what_is_coupled_to_a_joint_has_its_foot(body: Body, tmp_path: Path) -> None:
    """A patella that hangs on the thigh: its muscle pulls on the leg by the coupler only."""
    body.add("patella", "thigh_two")
    body.muscle("quadriceps", "thigh_two", "patella")
    coupler = osim.CoordinateCouplerConstraint()
    coupler.setName("coupler")
    names = osim.ArrayStr()
    names.append("at_foot_two")
    coupler.setIndependentCoordinateNames(names)
    coupler.setDependentCoordinateName("at_patella")
    coupler.setFunction(osim.LinearFunction(1.0, 0.0))
    free = body.feet(tmp_path, TWO)
    assert (free["at_patella"], free["quadriceps"]) == (NONE, NONE)
    body.model.addConstraint(coupler)
    tied = body.feet(tmp_path, TWO)
    assert (tied["at_patella"], tied["quadriceps"]) == (RIGHT, RIGHT)


def test_a_path_given_as_a_function_crosses_the_joints_of_its_coordinates(body: Body, tmp_path: Path) -> None:
    body.fitted("of_the_foot", "foot_two_joint/at_foot_two")
    body.fitted("of_the_trunk", "trunk_joint/at_trunk_1")
    found = body.feet(tmp_path, TWO)
    assert (found["of_the_foot"], found["of_the_trunk"]) == (RIGHT, NONE)


def test_a_load_depends_on_the_muscles_that_cross_its_joint_whatever_they_are_called(
    body: Body, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hips = {f"hip_{side}": (f"at_thigh_{side}_0", f"at_thigh_{side}_1") for side in ("one", "two")}
    ankles = {f"ankle_{side}": (f"at_foot_{side}",) for side in ("one", "two")}
    monkeypatch.setattr(loading_feet, "LOADED_JOINTS", {**hips, **ankles, "knee_one": ("at_shank_one",)})
    body.muscle("gluteus_two", "pelvis", "thigh_one")
    file = tmp_path / "body.osim"
    body.feet(tmp_path, TWO)
    apart = {"hip_one": LEFT, "ankle_one": LEFT, "hip_two": RIGHT, "ankle_two": RIGHT}
    assert loading_feet.feet_pressing(file, TWO) == apart
    body.muscle("across", "thigh_one", "thigh_two")
    body.feet(tmp_path, TWO)
    assert loading_feet.feet_pressing(file, TWO) == apart | {"hip_one": BOTH, "hip_two": BOTH}
