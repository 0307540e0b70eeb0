from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.anatomy.bones import MovingBones, find_landmarks
from pipeline.anatomy.joint_angles import ANTERIOR, EPICONDYLES, HEEL, MALLEOLI, POSTERIOR, TOE
from pipeline.osim.models.rajagopal2016.tables import read_tables

JOINTS = read_tables()["joints"]
BODIES = ("ground", *(row["child"] for row in JOINTS))
# As long as it is unscaled, and half as long again across.
WIDE = dict.fromkeys(BODIES, (1.0, 1.0, 1.5))


def skeleton(factors: dict[str, tuple[float, float, float]], without: tuple[str, ...] = ()) -> SimpleNamespace:
    """The built-in model's joints, scaled."""
    rows = [row for row in JOINTS if row["child"] not in without]
    bodies = ("ground", *(row["child"] for row in rows))
    places = [[float(row[f"parent_{axis}_m"]) for axis in "xyz"] for row in rows]
    scaled = [place * np.array(factors[row["parent"]]) for place, row in zip(places, rows, strict=True)]
    parent = [0, *(bodies.index(row["parent"]) if row["parent"] in bodies else 0 for row in rows)]
    tree = SimpleNamespace(parent=np.array(parent), joint_origin_m=np.array([np.zeros(3), *scaled]))
    return SimpleNamespace(bodies=bodies, tree=tree)


def test_landmarks_grow_with_their_bodies_and_are_mirrored() -> None:
    small = find_landmarks(skeleton(dict.fromkeys(BODIES, (1.0, 1.0, 1.0))), dict.fromkeys(BODIES, (1.0, 1.0, 1.0)))
    wide = find_landmarks(skeleton(WIDE), WIDE)

    assert not small.unknown
    assert not wide.unknown
    assert set(small.places) == {"pelvis", *(f"{body}_{side}" for body in ("femur", "tibia", "calcn") for side in "rl")}
    for body, places in small.places.items():
        for name, place in places.items():
            np.testing.assert_allclose(wide.places[body][name], place * (1.0, 1.0, 1.5))
    for right, left in (("femur_r", "femur_l"), ("tibia_r", "tibia_l"), ("calcn_r", "calcn_l")):
        for name, place in small.places[right].items():
            np.testing.assert_array_equal(small.places[left][name], place * (1, 1, -1))
    pelvis = small.places["pelvis"]
    np.testing.assert_array_equal(pelvis[f"left {ANTERIOR}"], pelvis[f"right {ANTERIOR}"] * (1, 1, -1))
    assert pelvis[f"right {ANTERIOR}"][2] > 0.08
    assert pelvis[f"right {ANTERIOR}"][0] > pelvis[f"right {POSTERIOR}"][0]


def test_landmarks_lie_about_their_joints() -> None:
    """Epicondyles about the knee, malleoli about the ankle, each on its own side; the heel behind the forefoot."""
    places = find_landmarks(skeleton(dict.fromkeys(BODIES, (1.0, 1.0, 1.0))), dict.fromkeys(BODIES, (1, 1, 1))).places
    for body, child, names in (
        ("femur_r", "tibia_r", EPICONDYLES),
        ("tibia_r", "talus_r", MALLEOLI),
    ):
        lateral, medial = (places[body][name] for name in names)
        row = next(row for row in JOINTS if row["child"] == child)
        joint = np.array([float(row[f"parent_{axis}_m"]) for axis in "xyz"])
        assert np.linalg.norm((lateral + medial) / 2 - joint) < 0.025
        assert lateral[2] > 0.02
        assert medial[2] < -0.02
    assert 0.15 < places["calcn_r"][TOE][0] - places["calcn_r"][HEEL][0] < 0.25


def test_a_body_of_another_model_has_no_landmarks() -> None:
    other = {**WIDE, "femur_r": (1.0, 1.1, 1.5)}

    found = find_landmarks(skeleton(other), WIDE)

    assert "femur_r" not in found.places
    assert "femur_l" in found.places
    assert found.unknown == {"femur_r": "tibia_r's joint on femur_r lies 41 mm from the built-in model's"}


@pytest.mark.parametrize(
    ("without", "reason"),
    [("femur_r", "the model has no body femur_r"), ("toes_l", "the model has no body toes_l")],
)
def test_a_body_that_is_not_there_is_named(without: str, reason: str) -> None:
    found = find_landmarks(skeleton(WIDE, without=(without,)), WIDE)
    assert reason in found.unknown.values()


def test_a_body_whose_size_is_not_known_is_named() -> None:
    factors = {body: by for body, by in WIDE.items() if body != "tibia_l"}
    found = find_landmarks(skeleton(WIDE), factors)
    assert found.unknown == {"tibia_l": "the scale factors of tibia_l are not known"}


def test_points_and_ways_move_with_their_body() -> None:
    quarter = np.array([[0.0, -1, 0], [1, 0, 0], [0, 0, 1]])
    bones = MovingBones(
        bodies=("ground", "femur_r"),
        rotation=np.stack([np.eye(3), quarter])[None],
        origin_m=np.array([[[0, 0, 0], [1.0, 2, 3]]]),
    )
    np.testing.assert_allclose(bones.place("femur_r", np.array([0.1, 0, 0])), [[1, 2.1, 3]])
    np.testing.assert_allclose(bones.direction("femur_r", np.array([0.1, 0, 0])), [[0, 0.1, 0]])
