"""Angles of the built-in model in poses whose angles are known."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pipeline.anatomy.bones import find_landmarks
from pipeline.anatomy.joint_angles import ANTERIOR, POSTERIOR, joint_angles
from pipeline.osim.models.default_model import model_file_of
from pipeline.osim.models.resize import resize_model
from pipeline.osim.models.shared_model import shared_model
from pipeline.records import Coordinates, JointAngles
from tests.pipeline.osim.ten_dof import build_ten_dof

pytestmark = pytest.mark.osim

ONE = (1.0, 1.0, 1.0)
ABOUT_THE_PELVIS = ("pelvis_list", "pelvis_rotation", "pelvis_tz")


@dataclass(frozen=True)
class Person:
    """A model, and how it was scaled."""

    file: Path
    scale_factors: Mapping[str, tuple[float, float, float]]

    def angles(self, values: np.ndarray) -> JointAngles:
        coordinates = shared_model(self.file).summary.coordinates
        walked = Coordinates(
            time_s=np.arange(len(values)) / 100,
            names=tuple(coordinate.name for coordinate in coordinates),
            rotational=np.array([coordinate.rotational for coordinate in coordinates]),
            values=values,
        )
        return joint_angles(self.file, self.scale_factors, walked)


@pytest.fixture(scope="module")
def adult() -> Person:
    return unscaled(model_file_of(None))


def unscaled(file: Path) -> Person:
    return Person(file, dict.fromkeys(shared_model(file).skeleton.bodies, ONE))


def resized(factors: dict[str, tuple[float, float, float]], folder: Path) -> Person:
    scaled = resize_model(model_file_of(None), factors=factors, mass_kg=60.0, markers=())
    file = folder / "resized.osim"
    file.write_text(scaled.osim_xml, "utf-8")
    return Person(file, scaled.scale_factors)


def angles_at(person: Person, **degrees: float) -> dict[str, float]:
    """All angles in one pose, whose other coordinates are zero."""
    pose = np.array([[np.radians(degrees.get(name, 0.0)) for name in shared_model(person.file).names]])
    return {name: values.item() for name, values in person.angles(pose).angles_deg.items()}


def test_a_level_pelvis_tilts_by_the_slope_of_its_spines(adult: Person) -> None:
    spines = find_landmarks(shared_model(adult.file).skeleton, adult.scale_factors).places["pelvis"]
    behind, ahead = spines[f"right {POSTERIOR}"], spines[f"right {ANTERIOR}"]
    slope_deg = np.degrees(np.arctan2(behind[1] - ahead[1], ahead[0] - behind[0]))

    found = angles_at(adult)

    assert found["pig_pelvis_tilt"] == pytest.approx(slope_deg)
    assert 9 < slope_deg < 14
    assert [found[f"pig_pelvis_{name}_r"] for name in ("obliquity", "rotation")] == pytest.approx([0, 0], abs=1e-9)
    # So the hip is flexed by as much where the thigh is upright.
    assert found["pig_hip_flexion_r"] == pytest.approx(slope_deg, abs=2)


@pytest.mark.parametrize("side", ["r", "l"])
@pytest.mark.parametrize("convention", ["pig", "isb"])
def test_the_hips_coordinates_move_the_hips_angles(adult: Person, side: str, convention: str) -> None:
    neutral = angles_at(adult)
    flexed, adducted, rotated = (
        angles_at(adult, **{f"hip_{name}_{side}": 20.0}) for name in ("flexion", "adduction", "rotation")
    )
    # About the line through both hips, as the first rotation is: to the last digit.
    assert flexed[f"{convention}_hip_flexion_{side}"] - neutral[f"{convention}_hip_flexion_{side}"] == pytest.approx(20)
    for name, found in (("adduction", adducted), ("rotation", rotated)):
        changed = found[f"{convention}_hip_{name}_{side}"] - neutral[f"{convention}_hip_{name}_{side}"]
        assert changed == pytest.approx(20, abs=1)
    other = "l" if side == "r" else "r"
    assert flexed[f"{convention}_hip_flexion_{other}"] == pytest.approx(neutral[f"{convention}_hip_flexion_{other}"])


@pytest.mark.parametrize("side", ["r", "l"])
def test_knee_and_ankle_follow_their_coordinates(adult: Person, side: str) -> None:
    neutral = angles_at(adult)
    bent = angles_at(adult, **{f"knee_angle_{side}": 60.0})
    up = angles_at(adult, **{f"ankle_angle_{side}": 15.0})
    for convention in ("pig", "isb"):
        knee, ankle = f"{convention}_knee_flexion_{side}", f"{convention}_ankle_dorsiflexion_{side}"
        assert bent[knee] - neutral[knee] == pytest.approx(60, abs=2)
        assert up[ankle] - neutral[ankle] == pytest.approx(15, abs=2)
        assert up[knee] == pytest.approx(neutral[knee])
        # Neither knee nor ankle is far from zero where the model stands.
        assert [neutral[knee], neutral[ankle]] == pytest.approx([0, 0], abs=4)


def test_the_knees_rotation_is_zero_in_the_neutral_pose_and_the_shin_is_twisted_outwards(adult: Person) -> None:
    found = angles_at(adult)
    for side in "rl":
        assert found[f"pig_knee_rotation_{side}"] == pytest.approx(0, abs=1e-9)
        assert found[f"isb_knee_rotation_{side}"] == pytest.approx(0, abs=0.1)
    # Against malleoli that face outwards, a foot is turned in more than against the thigh.
    assert found["pig_ankle_rotation_r"] > found["pig_foot_progression_r"] - found["pig_hip_rotation_r"]


def test_turning_as_a_whole_changes_what_refers_to_the_ground_alone(adult: Person) -> None:
    pose = {"hip_flexion_r": 25.0, "knee_angle_r": 40.0, "hip_rotation_l": 8.0, "ankle_angle_l": 12.0}
    still, turned = (angles_at(adult, pelvis_rotation=heading, **pose) for heading in (0.0, 30.0))

    between = [name for name in still if "pelvis" not in name and "foot" not in name]
    assert [turned[name] for name in between] == pytest.approx([still[name] for name in between])
    # Turned to the left, the right side goes forward.
    assert turned["baker_pelvis_rotation_r"] - still["baker_pelvis_rotation_r"] == pytest.approx(30)
    assert turned["pig_foot_progression_r"] > still["pig_foot_progression_r"] + 10
    assert turned["pig_foot_progression_l"] < still["pig_foot_progression_l"] - 10


def test_a_mirrored_walker_has_mirrored_angles(adult: Person) -> None:
    rng = np.random.default_rng(5)
    names = shared_model(adult.file).names
    of_legs = ("hip_", "knee_angle", "ankle_", "subtalar_", "mtp_")
    pose = {name: rng.uniform(-30, 30) for name in names if name.startswith(of_legs) and "beta" not in name}
    pose |= {"pelvis_tilt": 12.0, "pelvis_list": 7.0, "pelvis_rotation": -9.0}
    mirrored = {swapped(name): -value if name in ABOUT_THE_PELVIS else value for name, value in pose.items()}

    one, other = angles_at(adult, **pose), angles_at(adult, **mirrored)

    # The released model's left side is not quite the right one's mirror image.
    assert [other[swapped(name)] for name in one] == pytest.approx(list(one.values()), abs=0.05)
    assert abs(one["pig_hip_flexion_r"] - one["pig_hip_flexion_l"]) > 1


def swapped(name: str) -> str:
    if name.endswith(("_r", "_l")):
        return f"{name[:-1]}{'l' if name.endswith('_r') else 'r'}"
    return name


def test_a_larger_person_of_the_same_shape_has_the_same_angles(adult: Person, tmp_path: Path) -> None:
    bodies = [body for body in shared_model(adult.file).skeleton.bodies if body != "ground"]
    larger = resized(dict.fromkeys(bodies, (1.2, 1.2, 1.2)), tmp_path)
    pose = {"hip_flexion_r": 30.0, "hip_adduction_l": 8.0, "knee_angle_r": 50.0, "ankle_angle_r": -15.0}

    assert angles_at(larger, **pose) == pytest.approx(angles_at(adult, **pose), abs=1e-6)


def test_a_taller_pelvis_slopes_more(adult: Person, tmp_path: Path) -> None:
    level = np.tan(np.radians(angles_at(adult)["pig_pelvis_tilt"]))
    tall = resized({"pelvis": (1.0, 1.5, 1.0)}, tmp_path)
    assert np.tan(np.radians(angles_at(tall)["pig_pelvis_tilt"])) == pytest.approx(1.5 * level)


def test_of_another_model_nothing_is_known_and_a_warning_says_so(tmp_path: Path) -> None:
    walker = unscaled(build_ten_dof(tmp_path / "ten_dof.osim"))

    found = walker.angles(np.zeros((3, 10)))

    assert all(np.isnan(values).all() and len(values) == 3 for values in found.angles_deg.values())
    (warning,) = found.warnings
    assert "landmarks of the built-in model's bones" in warning
    assert "femur_r's joint on pelvis lies" in warning


def test_the_built_in_model_needs_no_warning(adult: Person) -> None:
    assert adult.angles(np.zeros((1, len(shared_model(adult.file).names)))).warnings == ()
