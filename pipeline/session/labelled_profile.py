"""Profiles by labels: what a label means is read from the library of landmarks, so that a profile says little more.

A label's place, weight and part in measurements follow from its landmark. What the library can't know a profile says.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Literal

from pydantic import Field

from pipeline.landmarks.bony_places import landmarks, soft_tissue_m
from pipeline.landmarks.recognise import Place, Reading, SideLetter, place_of, read_labels
from pipeline.session.profile import (
    Axis,
    FootLabels,
    Pelvis,
    PlateCorrections,
    PlatesLag,
    Profile,
    ProfileMarker,
    SegmentMeasurement,
    Vector,
)
from pipeline.session.recipe import Positive
from warehouse.settings_file import Checked

# A marker counts as much as skin lets it: 1 where that carries it by so much, less with its square.
FULL_WEIGHT_M = 0.006
# Where a technical marker is looked for first, on the unscaled model's right side: middle of the segment, outside.
TECHNICAL_M: dict[str, Vector] = {
    "pelvis": (-0.07, 0.05, 0.0),
    "femur_r": (0.018, -0.2, 0.064),
    "tibia_r": (-0.0017, -0.23, 0.0492),
    "calcn_r": (0.06, 0.03, 0.02),
    "torso": (-0.09, 0.3, 0.0),
}
# The model's shoulders are part of its trunk, arms hang where they like, and its toes don't bend.
GUIDES = ("humerus", "radius", "ulna", "hand", "toes")
GUIDING_LANDMARKS = ("acromion", "acromioclavicular_joint")
STANDING_WEIGHT, GUIDES_STANDING_WEIGHT = 5.0, 1.0
# Weight, m²/rad², with which a forearm's turn stays near its default: two markers at the wrist hardly tell it.
HELD_FOREARMS = {"pro_sup_r": 0.01, "pro_sup_l": 0.01}
# Which landmarks measure which segment where bodies are sized by pairs; "s" stands for either side.
_Pairs = tuple[tuple[str, str], ...]
MEASUREMENTS: tuple[tuple[str, _Pairs, dict[str, str]], ...] = (
    ("torso_height", (("c7", "t10"), ("jugular_notch", "xiphoid_process")), {"torso": "Y"}),
    ("torso_depth", (("c7", "jugular_notch"), ("t10", "xiphoid_process")), {"torso": "X"}),
    (
        "torso_width",
        (("acromion_r", "acromion_l"), ("acromioclavicular_joint_r", "acromioclavicular_joint_l")),
        {"torso": "Z"},
    ),
    ("pelvis_width", (("anterior_superior_iliac_spine_r", "anterior_superior_iliac_spine_l"),), {"pelvis": "YZ"}),
    (
        "pelvis_depth",
        tuple(
            (f"anterior_superior_iliac_spine_{side}", behind)
            for side in "rl"
            for behind in (f"posterior_superior_iliac_spine_{side}", "sacrum")
        ),
        {"pelvis": "X"},
    ),
    (
        "thigh_s",
        (("anterior_superior_iliac_spine_s", "lateral_femoral_epicondyle_s"),),
        {"femur_s": "XYZ", "patella_s": "XYZ"},
    ),
    ("shank_s", (("lateral_femoral_epicondyle_s", "lateral_malleolus_s"),), {"tibia_s": "XYZ", "talus_s": "XYZ"}),
    ("foot_s", (("heel_s", "second_metatarsal_head_s"),), {"calcn_s": "XYZ", "toes_s": "XYZ"}),
    (
        "upper_arm_s",
        (
            ("acromion_s", "lateral_humeral_epicondyle_s"),
            ("acromioclavicular_joint_s", "lateral_humeral_epicondyle_s"),
        ),
        {"humerus_s": "XYZ"},
    ),
    (
        "forearm_s",
        (
            ("lateral_humeral_epicondyle_s", "radial_styloid_s"),
            ("lateral_humeral_epicondyle_s", "ulnar_styloid_s"),
        ),
        {"radius_s": "XYZ", "ulna_s": "XYZ", "hand_s": "XYZ"},
    ),
)
# Of a foot, what its forefoot is told by: the first that a recording has, or the middle of two.
FOREFOOT = (
    ("second_metatarsal_head",),
    ("first_metatarsal_head", "fifth_metatarsal_head"),
    ("first_metatarsal_head_medial", "fifth_metatarsal_head_lateral"),
    ("first_metatarsal_head", "fifth_metatarsal_head_lateral"),
    ("first_metatarsal_head_medial", "fifth_metatarsal_head"),
    ("fifth_metatarsal_head",),
    ("fifth_metatarsal_head_lateral",),
    ("great_toe_tip",),
)


class LabelledProfile(Checked):
    """One laboratory's way of working, as far as labels don't tell it.

    `labels` are the markers that are used; without them, those of a session's recordings that are recognised.
    `standing_only`: those of them that walks don't show.
    `landmarks`: label -> landmark and side (`heel_r`), where the name doesn't say, or says something else. `technical`:
    body -> labels anywhere on it. `unused`: labels to leave alone, though they are recognised. `held`: as in `Profile`.
    """

    name: str
    description: str = ""
    source: str = ""
    up: Axis = "plates"
    forward: Axis = "pelvis"
    plates_lag_s: PlatesLag | None = None
    plates: PlateCorrections = Field(default_factory=dict)
    labels: tuple[str, ...] | None = None
    standing_only: tuple[str, ...] = ()
    landmarks: dict[str, str] = Field(default_factory=dict)
    technical: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    unused: tuple[str, ...] = ()
    held: dict[str, Positive] | None = None


def profile_from_labels(labelled: LabelledProfile, recordings: Sequence[AbstractSet[str]] = ()) -> Profile:
    """The whole profile of a laboratory whose recordings have these labels, if it doesn't list its own.

    ValueError, naming what is missing, if pelvis or feet aren't told by labels that all of the recordings have.
    """
    if labelled.labels is None:
        present, in_all = set().union(*recordings), set.intersection(*map(set, recordings))
    else:
        present, in_all = set(labelled.labels), set(labelled.labels) - set(labelled.standing_only)
    reading = read_profile_labels(labelled, sorted(present))
    always = {label: place for label, place in reading.places.items() if label in in_all}
    pelvis = _pelvis(labelled.name, reading, always)
    feet = {side: _foot(labelled.name, always, side) for side in "rl"}
    roles = {pelvis.right_anterior, pelvis.left_anterior, *feet["r"].labels, *feet["l"].labels}
    return Profile(
        name=labelled.name,
        description=labelled.description,
        source=labelled.source or "landmarks of the built-in model's bones, recognised by their labels",
        up=labelled.up,
        forward=labelled.forward,
        plates_lag_s=labelled.plates_lag_s,
        plates=labelled.plates,
        pelvis=pelvis,
        right_foot=feet["r"],
        left_foot=feet["l"],
        same_segment=((pelvis.right_anterior, pelvis.left_anterior), *_same_segment(always)),
        markers={label: _marker(place, label in roles) for label, place in reading.places.items()},
        measurements=_measurements(reading),
        held=_held(reading) if labelled.held is None else labelled.held,
    )


def read_profile_labels(labelled: LabelledProfile, labels: Sequence[str]) -> Reading:
    """What these labels mean by the library and by the profile, which goes before. ValueError for what isn't known."""
    _refuse_slips(labelled, labels)
    stated = {
        *labelled.landmarks,
        *labelled.unused,
        *(label for on_it in labelled.technical.values() for label in on_it),
    }
    read = read_labels([label for label in labels if label not in stated])
    places = dict(read.places)
    taken = set()
    for label, landmark in labelled.landmarks.items():
        if label in labels:
            places[label] = _stated(labelled.name, label, landmark)
            taken.add((places[label].landmark, places[label].side))
    for body, on_it in labelled.technical.items():
        if body not in _mirrored_technical():
            raise ValueError(
                f"profile {labelled.name}: technical markers can't be on {body!r}; expected one of "
                f"{', '.join(sorted(_mirrored_technical()))}."
            )
        places |= {label: Place(body, _side_of(body)) for label in on_it if label in labels}
    for label, place in places.items():
        if label not in labelled.landmarks and (place.landmark, place.side) in taken:
            places[label] = Place(place.body, place.side)
    named = set(places) | set(labelled.unused)
    return Reading(
        places=places,
        unused=dict(read.unused) | {label: "left alone by the profile" for label in labelled.unused if label in labels},
        unknown=tuple(label for label in read.unknown if label not in named),
    )


def _refuse_slips(labelled: LabelledProfile, labels: Sequence[str]) -> None:
    """ValueError for several people's markers, labels that a profile names and doesn't list, or names twice."""
    people = sorted({label.split(":")[0] for label in labels if re.match(r"\d+:", label)})
    if len(people) > 1:
        raise ValueError(
            f"profile {labelled.name}: the labels are of {len(people)} people ({', '.join(labels[:4])} …), expected "
            "one's. Export each person's markers alone, or list one person's labels in a profile of your own."
        )
    technical = [label for on_it in labelled.technical.values() for label in on_it]
    named = [*labelled.landmarks, *technical, *labelled.unused]
    twice = sorted({label for label in named if named.count(label) > 1})
    if twice:
        raise ValueError(f"profile {labelled.name}: {', '.join(twice)} has more than one meaning there.")
    strangers = sorted({*named, *labelled.standing_only} - set(labelled.labels or (*named, *labelled.standing_only)))
    if strangers:
        raise ValueError(f"profile {labelled.name}: {', '.join(strangers)} is not among its `labels`.")
    over = list(labelled.landmarks.values())
    one_place = sorted({landmark for landmark in over if over.count(landmark) > 1})
    if one_place:
        raise ValueError(f"profile {labelled.name}: more than one label is over {', '.join(one_place)}.")


def _stated(profile: str, label: str, landmark: str) -> Place:
    side = _side_of(landmark)
    read = read_labels([label]).places.get(label)
    if read and {read.side, side} == {"r", "l"}:
        raise ValueError(
            f"profile {profile}: {label} is said to be over {landmark}, and its name says the other side. If it is so, "
            "rename it in the recordings."
        )
    try:
        return place_of(landmark.removesuffix(f"_{side}") if side else landmark, side)
    except ValueError as error:
        raise ValueError(f"profile {profile}: {label}: {error}") from error


def _side_of(name: str) -> SideLetter | Literal[""]:
    return "r" if name.endswith("_r") else "l" if name.endswith("_l") else ""


def _marker(place: Place, required: bool) -> ProfileMarker:
    guide = place.body.startswith(GUIDES) or place.landmark in GUIDING_LANDMARKS
    if not place.landmark:
        return ProfileMarker(
            body=place.body,
            location_m=_mirrored_technical()[place.body],
            ik_weight=weight_of("", place.body),
            static_weight=0,
            required=False,
        )
    landmark = landmarks()[place.landmark]
    x, y, z = (bone + over for bone, over in zip(landmark.bone_m, landmark.skin_and_marker_m, strict=True))
    return ProfileMarker(
        body=place.body,
        location_m=(x, y, -z if place.side == "l" else z),
        ik_weight=weight_of(place.landmark, landmark.body),
        static_weight=GUIDES_STANDING_WEIGHT if guide else STANDING_WEIGHT,
        required=required,
        guide=guide,
        landmark=place.landmark,
    )


def weight_of(landmark: str, body: str) -> float:
    """What a marker over a landmark, or "" for none, of a body (right side) counts in inverse kinematics."""
    return round(min(1.0, (FULL_WEIGHT_M / soft_tissue_m(landmark, body)) ** 2), 3)


def _mirrored_technical() -> dict[str, Vector]:
    left = {
        f"{body.removesuffix('_r')}_l": (x, y, -z) for body, (x, y, z) in TECHNICAL_M.items() if body.endswith("_r")
    }
    return TECHNICAL_M | left


def _pelvis(profile: str, reading: Reading, always: Mapping[str, Place]) -> Pelvis:
    spines = {side: _over(always, "anterior_superior_iliac_spine", side) for side in "rl"}
    behind = [
        label
        for label in (
            reading.of("sacrum"),
            *(reading.of("posterior_superior_iliac_spine", side) for side in "rl"),
        )
        if label
    ]
    missing = [f"{_IN_WORDS[side]} anterior superior iliac spine" for side, label in spines.items() if not label]
    if missing or not behind:
        raise ValueError(
            f"profile {profile}: no marker of every recording is recognised as the "
            f"{' or the '.join(missing) or 'posterior spines or the sacrum'}, which tell where the pelvis is"
            f"{_found(reading)}. Say which label is which under [landmarks] in a profile of your own: "
            "`gait2hip profile` proposes one."
        )
    return Pelvis(right_anterior=spines["r"] or "", left_anterior=spines["l"] or "", posterior=tuple(behind))


_IN_WORDS = {"r": "right", "l": "left"}


def _foot(profile: str, always: Mapping[str, Place], side: str) -> FootLabels:
    heel = _over(always, "heel", side)
    for landmark_names in FOREFOOT:
        toe = [_over(always, name, side) for name in landmark_names]
        if heel and all(toe):
            return FootLabels(heel=(heel,), toe=tuple(label for label in toe if label))
    what = "forefoot" if heel else "heel"
    on_foot = [label for label, place in always.items() if place.body in (f"calcn_{side}", f"toes_{side}")]
    raise ValueError(
        f"profile {profile}: no marker of every recording is recognised as the {_IN_WORDS[side]} {what}, which tells "
        f"when the foot strikes (on this foot: {', '.join(on_foot) or 'none'}). Say which label is which under "
        "[landmarks] in a profile of your own: `gait2hip profile` proposes one."
    )


def _over(places: Mapping[str, Place], landmark: str, side: str) -> str | None:
    return Reading(places=places, unused={}, unknown=()).of(landmark, side)


def _found(reading: Reading) -> str:
    return f" (not recognised: {', '.join(reading.unknown[:20])})" if reading.unknown else ""


def _same_segment(always: Mapping[str, Place]) -> tuple[tuple[str, str], ...]:
    """Of each rigid segment but the pelvis two markers that every recording shows, those over bone first."""
    pairs = []
    for body in ("femur_r", "femur_l", "tibia_r", "tibia_l", "calcn_r", "calcn_l", "torso"):
        on_it = [
            label
            for label, place in sorted(always.items(), key=lambda item: (not item[1].landmark, item[0]))
            if place.body == body and place.landmark not in GUIDING_LANDMARKS
        ]
        if len(on_it) > 1:
            pairs.append((on_it[0], on_it[1]))
    return tuple(pairs)


def _measurements(reading: Reading) -> tuple[SegmentMeasurement, ...]:
    """What can be measured with these labels."""
    made = []
    for name, pairs, scales in MEASUREMENTS:
        for side in "rl" if name.endswith("_s") else ("",):
            found = [(_label(reading, a, side), _label(reading, b, side)) for a, b in pairs]
            known = tuple((a, b) for a, b in found if a and b)
            if known:
                made.append(
                    SegmentMeasurement(
                        name=_of_side(name, side),
                        pairs=known,
                        scales={_of_side(body, side): axes for body, axes in scales.items()},
                    )
                )
    return tuple(made)


def _label(reading: Reading, landmark: str, side: str) -> str | None:
    named = _of_side(landmark, side)
    its_side = _side_of(named)
    return reading.of(named.removesuffix(f"_{its_side}") if its_side else named, its_side)


def _of_side(name: str, side: str) -> str:
    return f"{name.removesuffix('_s')}_{side}" if name.endswith("_s") else name


def _held(reading: Reading) -> dict[str, float]:
    """What markers hardly tell, of what they tell at all."""
    forearms = {place.side for place in reading.places.values() if place.body.startswith(("radius", "ulna", "hand"))}
    return {name: weight for name, weight in HELD_FOREARMS.items() if name[-1] in forearms}
