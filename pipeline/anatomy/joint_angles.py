"""A walk's angles as laboratories report them, from the subject's bones: by Plug-in Gait's conventions and the ISB's.

The model's coordinates are not these angles: its knee bends about an axis of its own, and its pelvis stands level where
a laboratory says that it tilts forward, because the line of its iliac spines slopes.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from pipeline.anatomy.bones import Landmarks, MovingBones, find_landmarks, moving_bones
from pipeline.anatomy.conventions import CONVENTIONS, WALKING, named_angles, names_of_all
from pipeline.anatomy.segment_frames import angles_between, segment_frame, turned_about_y
from pipeline.osim.models.shared_model import shared_model
from pipeline.records import SIDES, Coordinates, JointAngles, Side

Frames = dict[tuple[str, Side], np.ndarray]

# The landmarks that make frames, as `bony_places.toml` names them.
ANTERIOR, POSTERIOR = "anterior_superior_iliac_spine", "posterior_superior_iliac_spine"
EPICONDYLES = ("lateral_femoral_epicondyle", "medial_femoral_epicondyle")
# Their crowns, where markers sit. The ISB names their tips, which face another 10 degrees outwards on these bones.
MALLEOLI = ("lateral_malleolus", "medial_malleolus")
HEEL, TOE = "heel", "second_metatarsal_head"

# A lateral and a medial place, (T, 3) each.
Pair = tuple[np.ndarray, np.ndarray]


def joint_angles(
    model_file: Path, scale_factors: Mapping[str, tuple[float, float, float]], coordinates: Coordinates
) -> JointAngles:
    """Every angle of `conventions.py` in every frame, of a model that was scaled by x, y, z factors, by body.

    Ground is x along the direction of walking, y up. Of a model that is not the built-in one no landmark is known.
    TrialRejected("model", …) if arrays can't say the model.
    """
    shared = shared_model(model_file)
    values = coordinates.values[:, [coordinates.names.index(name) for name in shared.names]]
    landmarks = find_landmarks(shared.skeleton, scale_factors)
    neutral = moving_bones(shared.skeleton, np.zeros((1, values.shape[1])))
    frames = segment_frames(moving_bones(shared.skeleton, values), neutral, landmarks)
    known = {name: angle for convention in CONVENTIONS for name, angle in named_angles(frames, convention).items()}
    nowhere = np.full(len(values), np.nan)
    return JointAngles(
        time_s=coordinates.time_s,
        angles_deg={name: known.get(name, nowhere) for name in names_of_all()},
        unknown=tuple(landmarks.unknown.values()),
    )


def segment_frames(bones: MovingBones, neutral: MovingBones, landmarks: Landmarks) -> Frames:
    """The frames (T, 3, 3) of each side's segments, named as in `CONVENTIONS`, without those whose bones are unknown.

    `neutral` are the same bones with every coordinate at zero.
    """
    frames: Frames = {}
    ground = np.broadcast_to(np.eye(3), (len(bones.rotation), 3, 3))
    for side in SIDES:
        frames[WALKING, side] = ground
        if "pelvis" in landmarks.places:
            frames["pelvis", side] = _pelvis(bones, landmarks.places["pelvis"])
        if f"femur_{side[0]}" in landmarks.places:
            frames["thigh", side] = _thigh(bones, landmarks, side)
            if f"tibia_{side[0]}" in landmarks.places:
                frames |= _shank(bones, neutral, landmarks, side)
        if f"calcn_{side[0]}" in landmarks.places:
            frames["foot", side] = _foot(bones, landmarks, side)
    return frames


def _pelvis(bones: MovingBones, places: Mapping[str, np.ndarray]) -> np.ndarray:
    """Its z goes from the left to the right anterior spine, x from between the posterior ones to between these."""
    spines = {name: bones.place("pelvis", place) for name, place in places.items()}
    right, left = spines[f"right {ANTERIOR}"], spines[f"left {ANTERIOR}"]
    behind = (spines[f"right {POSTERIOR}"] + spines[f"left {POSTERIOR}"]) / 2
    return segment_frame("z", right - left, "x", (right + left) / 2 - behind)


def _thigh(bones: MovingBones, landmarks: Landmarks, side: Side) -> np.ndarray:
    """Its y goes from the knee's centre to the hip's, z towards the right epicondyle: for Plug-in Gait and the ISB."""
    body = f"femur_{side[0]}"
    hip, epicondyles = bones.place(body, np.zeros(3)), _pair(bones, landmarks, body, EPICONDYLES)
    return segment_frame("y", hip - _middle(epicondyles), "z", _rightwards(epicondyles, side))


def _shank(bones: MovingBones, neutral: MovingBones, landmarks: Landmarks, side: Side) -> Frames:
    """Four frames, which differ in their long axis, in what turns about it, and in which of the two is exact.

    Plug-in Gait's shank reaches up to the knee's centre on the femur. Its ankle is told from the twisted one, which
    faces along the malleoli, its knee from one turned back by the tibial torsion: it faces as the thigh in the neutral
    pose. The ISB's two are fixed to the tibia, whose knee is where the epicondyles' middle is in the neutral pose.
    """
    body = f"tibia_{side[0]}"
    standing = _thigh(neutral, landmarks, side), _twisted_shank(neutral, landmarks, side)
    torsion = float(angles_between(*standing, "ZXY")["y"][0])
    knee, axis = _knee_on_tibia(neutral, landmarks, side)
    twisted, malleoli = _twisted_shank(bones, landmarks, side), _pair(bones, landmarks, body, MALLEOLI)
    up = bones.place(body, knee) - _middle(malleoli)
    return {
        ("twisted shank", side): twisted,
        ("shank", side): turned_about_y(twisted, -torsion),
        ("tibia", side): segment_frame("y", up, "z", bones.direction(body, axis)),
        ("tibia and fibula", side): segment_frame("z", _rightwards(malleoli, side), "y", up),
    }


def _twisted_shank(bones: MovingBones, landmarks: Landmarks, side: Side) -> np.ndarray:
    malleoli = _pair(bones, landmarks, f"tibia_{side[0]}", MALLEOLI)
    up = _middle(_pair(bones, landmarks, f"femur_{side[0]}", EPICONDYLES)) - _middle(malleoli)
    return segment_frame("y", up, "z", _rightwards(malleoli, side))


def _knee_on_tibia(neutral: MovingBones, landmarks: Landmarks, side: Side) -> tuple[np.ndarray, np.ndarray]:
    """The epicondyles' middle and the way to the right one (3,), as the tibia has them in the neutral pose."""
    epicondyles = _pair(neutral, landmarks, f"femur_{side[0]}", EPICONDYLES)
    body = neutral.bodies.index(f"tibia_{side[0]}")
    to_tibia = neutral.rotation[0, body].T
    centre = _middle(epicondyles)[0] - neutral.origin_m[0, body]
    return to_tibia @ centre, to_tibia @ _rightwards(epicondyles, side)[0]


def _foot(bones: MovingBones, landmarks: Landmarks, side: Side) -> np.ndarray:
    """Its y is at right angles to the sole, x goes from the heel towards the second metatarsal's head.

    So is Plug-in Gait's foot with the offsets of a static trial in which it stands flat, and the ISB's in its neutral
    position. The sole of the built-in model is level in the neutral pose.
    """
    body = f"calcn_{side[0]}"
    places = landmarks.places[body]
    ahead = bones.direction(body, places[TOE] - places[HEEL])
    return segment_frame("y", bones.direction(body, np.array([0.0, 1.0, 0.0])), "x", ahead)


def _pair(bones: MovingBones, landmarks: Landmarks, body: str, names: tuple[str, str]) -> Pair:
    lateral, medial = (bones.place(body, landmarks.places[body][name]) for name in names)
    return lateral, medial


def _middle(pair: Pair) -> np.ndarray:
    return (pair[0] + pair[1]) / 2


def _rightwards(pair: Pair, side: Side) -> np.ndarray:
    """From a lateral and a medial place, the way through both to the right."""
    lateral, medial = pair
    return lateral - medial if side == "right" else medial - lateral
