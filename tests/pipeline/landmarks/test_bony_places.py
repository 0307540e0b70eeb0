"""The bony places against the model's own joints, as its tables state them.

Expected figures were measured on the bones by `benchmarks/bone_places.py`, which says where the bones are.
"""

import re
import tomllib
from importlib.resources import files

import numpy as np
import pytest

from pipeline.osim.models.rajagopal2016.tables import read_tables

PLACES = tomllib.loads((files("pipeline.landmarks") / "bony_places.toml").read_text(encoding="utf-8"))
TABLES = read_tables()
BODIES = {row["name"] for row in TABLES["bodies"]}
JOINTS = {row["name"]: row for row in TABLES["joints"]}
MIDLINE = {"sacrum", "c7", "t2", "t8", "t10", "t12", "jugular_notch", "xiphoid_process"}


def bone(name):
    return np.array(PLACES[name]["bone_m"])


def joint_centre(joint):
    return np.array([float(JOINTS[joint][f"parent_{axis}_m"]) for axis in "xyz"])


def joint_axes(joint):
    """The joint's axes on its parent, as columns: turned about x, then the new y, then the new z."""
    turned = np.eye(3)
    for number, axis in enumerate("xyz"):
        angle = float(JOINTS[joint][f"parent_{axis}_rad"])
        first, second = (number + 1) % 3, (number + 2) % 3
        turn = np.eye(3)
        turn[first, first] = turn[second, second] = np.cos(angle)
        turn[second, first], turn[first, second] = np.sin(angle), -np.sin(angle)
        turned = turned @ turn
    return turned


def off_axis(point, joint, axis):
    """From the joint's axis (a column of its frame) to a point, at right angles to the axis."""
    way = point - joint_centre(joint)
    along = joint_axes(joint)[:, axis]
    return way - along * (along @ way)


@pytest.mark.parametrize("name", PLACES)
def test_a_place_is_whole(name):
    row = PLACES[name]

    assert set(row) == {"body", "bone_m", "outward", "criterion", "palpation_mm", "skin_mm", "skin_sd_mm"}
    assert row["body"] in BODIES
    assert np.linalg.norm(row["outward"]) == pytest.approx(1, abs=2e-3)
    # In millimetres: a spread in metres or skin in centimetres would fall out of these.
    assert all(2 <= spread <= 20 for spread in row["palpation_mm"])
    assert 0 < row["skin_sd_mm"] < row["skin_mm"] <= 31


@pytest.mark.parametrize("name", PLACES)
def test_the_left_side_is_the_right_one_mirrored(name):
    row = PLACES[name]

    # The built-in model's left bodies are its right ones mirrored, so every place has a left one unless it is midline.
    assert not row["body"].endswith("_l")
    assert re.sub("_r$", "_l", row["body"]) in BODIES
    if name in MIDLINE:
        assert row["bone_m"][2] == row["outward"][2] == 0
    else:
        assert row["bone_m"][2] != 0


def test_the_line_of_spines_slopes_down_forward_at_zero_tilt():
    line = bone("anterior_superior_iliac_spine") - bone("posterior_superior_iliac_spine")

    assert np.degrees(np.arctan2(-line[1], line[0])) == pytest.approx(11.5, abs=0.1)


def test_markers_lie_in_the_plane_of_the_spines():
    line = bone("anterior_superior_iliac_spine") - bone("posterior_superior_iliac_spine")

    for name in ("anterior_superior_iliac_spine", "posterior_superior_iliac_spine"):
        forward, up, _ = PLACES[name]["outward"]
        assert up / forward == pytest.approx(line[1] / line[0], abs=0.005)


def test_the_hip_centre_by_regression_lies_11_mm_from_the_model_s():
    # Harrington et al. (2007): in the plane of the spines, from the middle of the anterior ones, width and depth in mm.
    front, back = bone("anterior_superior_iliac_spine"), bone("posterior_superior_iliac_spine")
    width_mm = 2e3 * front[2]
    depth_mm = 1e3 * np.linalg.norm((front - back)[:2])
    slope = np.arctan2(*(front - back)[1::-1])
    forward_mm, up_mm, right_mm = -0.24 * depth_mm - 9.9, -0.30 * width_mm - 10.9, 0.33 * width_mm + 7.3
    turned_mm = [
        forward_mm * np.cos(slope) - up_mm * np.sin(slope),
        forward_mm * np.sin(slope) + up_mm * np.cos(slope),
        right_mm,
    ]

    off_mm = turned_mm + 1e3 * front * [1, 1, 0] - 1e3 * joint_centre("hip_r")

    # The model's hips are closer together than in people with so broad a pelvis.
    assert off_mm == pytest.approx([-3.3, 3.2, 10.3], abs=0.2)


def test_the_middle_of_the_epicondyles_is_by_the_knee_s_axis():
    middle = (bone("lateral_femoral_epicondyle") + bone("medial_femoral_epicondyle")) / 2

    assert 1e3 * np.linalg.norm(off_axis(middle, "walker_knee_r", axis=0)) == pytest.approx(7.5, abs=0.2)


def test_the_ankle_s_axis_passes_between_the_malleoli_s_tips_and_not_their_crowns():
    tips = (bone("lateral_malleolus_tip") + bone("medial_malleolus_tip")) / 2
    crowns = (bone("lateral_malleolus") + bone("medial_malleolus")) / 2

    assert 1e3 * np.linalg.norm(off_axis(tips, "ankle_r", axis=2)) < 3
    assert 1e3 * off_axis(crowns, "ankle_r", axis=2)[1] == pytest.approx(16.5, abs=0.2)


def test_the_lateral_malleolus_is_behind_and_below_the_medial_one():
    # Its tip, that is: as in anatomy.
    lateral, medial = bone("lateral_malleolus_tip"), bone("medial_malleolus_tip")

    assert lateral[0] < medial[0]
    assert lateral[1] < medial[1]


def test_the_vertebrae_are_spaced_as_in_people():
    # Along the back, the tenth thoracic process is 54 % of the way from the seventh cervical to the posterior spines
    # (Ernst et al. 2013, BMC Res Notes 6:58); the lumbar joint carries the torso on the pelvis.
    down = [bone(name)[1] for name in ("c7", "t2", "t8", "t10", "t12")]
    spines = bone("posterior_superior_iliac_spine")[1] - joint_centre("back")[1]

    assert down == sorted(down, reverse=True)
    assert (down[0] - down[3]) / (down[0] - spines) == pytest.approx(0.541, abs=0.03)
