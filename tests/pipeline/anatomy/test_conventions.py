"""What an angle's name says, said again as a motion: which way of the moving segment goes towards which way."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from pipeline.anatomy.conventions import CONVENTIONS, named_angles, names_of_all
from pipeline.records import SIDES, Side
from warehouse.channels import LABORATORY_ANGLES

FORWARD, UP, RIGHT = np.eye(3)
AWAY_FROM_MIDLINE = {"right": RIGHT, "left": -RIGHT}
WAYS = {"forward": FORWARD, "back": -FORWARD, "up": UP, "down": -UP}

# Of each angle: what of the moving segment goes where when it grows. The knee is below the thigh, the ankle below the
# shank, the sole below the foot, the toes ahead of it.
MOTIONS = {
    "pig_pelvis_tilt": ("forward", "down"),
    "pig_pelvis_obliquity": ("own side", "up"),
    "pig_pelvis_rotation": ("own side", "forward"),
    "baker_pelvis_tilt": ("forward", "down"),
    "baker_pelvis_obliquity": ("own side", "up"),
    "baker_pelvis_rotation": ("own side", "forward"),
    "pig_hip_flexion": ("down", "forward"),
    "pig_hip_adduction": ("down", "midline"),
    "pig_hip_rotation": ("forward", "midline"),
    "pig_knee_flexion": ("down", "back"),
    "pig_knee_adduction": ("down", "midline"),
    "pig_knee_rotation": ("forward", "midline"),
    "pig_ankle_dorsiflexion": ("forward", "up"),
    "pig_ankle_rotation": ("forward", "midline"),
    "pig_foot_progression": ("forward", "midline"),
    "isb_hip_flexion": ("down", "forward"),
    "isb_hip_adduction": ("down", "midline"),
    "isb_hip_rotation": ("forward", "midline"),
    "isb_knee_flexion": ("down", "back"),
    "isb_knee_adduction": ("down", "midline"),
    "isb_knee_rotation": ("forward", "midline"),
    "isb_ankle_dorsiflexion": ("forward", "up"),
    "isb_ankle_inversion": ("down", "midline"),
    "isb_ankle_rotation": ("forward", "midline"),
}


def way(word: str, side: Side) -> np.ndarray:
    sideways = {"own side": AWAY_FROM_MIDLINE[side], "midline": -AWAY_FROM_MIDLINE[side]}
    return {**WAYS, **sideways}[word]


def carrying(moved: np.ndarray, towards: np.ndarray, degrees: float) -> np.ndarray:
    """The rotation that takes one way by so many degrees towards another at right angles to it."""
    return Rotation.from_rotvec(np.radians(degrees) * np.cross(moved, towards)).as_matrix()[None]


@pytest.mark.parametrize("name", MOTIONS)
@pytest.mark.parametrize("side", SIDES)
def test_an_angle_grows_as_its_name_says_and_no_other_does(name: str, side: Side) -> None:
    moved, towards = MOTIONS[name]
    convention = next(one for one in CONVENTIONS if name.startswith(one.name))
    turned = carrying(way(moved, side), way(towards, side), 20.0)
    frames = {(convention.proximal, side): np.eye(3)[None], (convention.distal, side): turned}

    found = {angle: value.item() for angle, value in named_angles(frames, convention).items()}

    whole = name if name.endswith("tilt") else f"{name}_{side[0]}"
    assert found == pytest.approx({**dict.fromkeys(found, 0.0), whole: 20.0})


def test_a_foot_that_points_up_and_out_is_told_by_its_long_axis_alone() -> None:
    """Rolling it about that axis changes nothing: Plug-in Gait's foot is a line."""
    convention = next(one for one in CONVENTIONS if one.name == "pig_ankle")
    pointing = Rotation.from_euler("ZY", [20, -10], degrees=True)
    rolled = pointing * Rotation.from_euler("X", 30, degrees=True)
    for foot in (pointing, rolled):
        frames = {("twisted shank", "right"): np.eye(3)[None], ("foot", "right"): foot.as_matrix()[None]}
        found = named_angles(frames, convention)
        assert found["pig_ankle_dorsiflexion_r"].item() == pytest.approx(20)
        assert found["pig_ankle_rotation_r"].item() == pytest.approx(-10)


def test_the_order_of_the_pelvis_rotations_tells_baker_from_plug_in_gait() -> None:
    """A pelvis that turns by 40 degrees and then, about its own axis, tilts by 20: that is what Baker's order says."""
    turned = Rotation.from_euler("YZ", [40, -20], degrees=True).as_matrix()[None]
    frames = {("walking direction", "right"): np.eye(3)[None], ("pelvis", "right"): turned}
    by_name = {one.name: named_angles(frames, one) for one in CONVENTIONS if one.distal == "pelvis"}

    baker, pig = by_name["baker_pelvis"], by_name["pig_pelvis"]
    assert [baker[f"baker_pelvis_{name}"].item() for name in ("tilt", "obliquity_r", "rotation_r")] == pytest.approx(
        [20, 0, 40]
    )
    # Plug-in Gait's tilt is the lean of the pelvis' upright axis as seen from beside the walkway.
    tilt_deg = np.degrees(np.arctan(np.tan(np.radians(20)) * np.cos(np.radians(40))))
    assert pig["pig_pelvis_tilt"].item() == pytest.approx(tilt_deg)
    assert abs(pig["pig_pelvis_obliquity_r"].item()) > 5


def test_a_segment_without_a_frame_has_no_angles() -> None:
    frames = {("pelvis", "right"): np.eye(3)[None], ("thigh", "left"): np.eye(3)[None]}
    assert [named_angles(frames, convention) for convention in CONVENTIONS] == [{}] * len(CONVENTIONS)


def test_every_angle_has_a_column_in_the_warehouse() -> None:
    assert set(names_of_all()) == set(LABORATORY_ANGLES)
    assert {name.removesuffix("_r").removesuffix("_l") for name in names_of_all()} == set(MOTIONS)
