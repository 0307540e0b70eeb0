import tomllib
from importlib.resources import files

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.landmarks.bony_places import landmarks
from pipeline.landmarks.recognise import Place, place_of, read_labels

NAMES = tomllib.loads((files("pipeline.landmarks") / "label_names.toml").read_text("utf-8"))
OVER_BONE = [(landmark, name) for landmark, names in NAMES["landmarks"].items() for name in names]
STYLES = {
    "letter before": ("{R}{NAME}", "{r}{name}"),
    "letter before, apart": ("{R}_{NAME}", "{R}.{Name}", "{r}-{name}", "{R} {NAME}"),
    "letter after, apart": ("{NAME}_{R}", "{Name}.{r}", "{name} {R}"),
    "word before": ("{Right}{Name}", "{Right}_{name}", "{right} {NAME}"),
    "word after": ("{name}_{right}", "{Name}{Right}"),
}
WORDS = {"r": "right", "l": "left"}


def styled(style: str, side: str, name: str) -> str:
    word = WORDS[side]
    return style.format(
        R=side.upper(),
        r=side,
        Right=word.capitalize(),
        right=word,
        NAME=name.upper(),
        Name=name.capitalize(),
        name=name,
    )


def test_every_name_is_of_one_place() -> None:
    names = [name for table in NAMES.values() for of in table.values() for name in of]
    assert len(names) == len(set(names))


def test_every_landmark_has_names() -> None:
    # No laboratory of those listed marks the tips of the malleoli, and the second toe is the foot's longest or not.
    assert set(landmarks()) - set(NAMES["landmarks"]) == {"lateral_malleolus_tip", "medial_malleolus_tip", "second_toe"}


@pytest.mark.parametrize("style", [style for styles in STYLES.values() for style in styles])
@pytest.mark.parametrize("side", ["r", "l"])
def test_a_name_is_recognised_however_its_side_is_written(style, side) -> None:
    wrong, missed, asked = [], [], 0
    for landmark, name in OVER_BONE:
        if landmarks()[landmark].sided:
            asked += 1
            label = styled(style, side, name)
            place = read_labels([label]).places.get(label)
            if place is None:
                missed.append(label)
            elif place != place_of(landmark, side):
                wrong.append((label, place))
    assert not wrong
    assert len(missed) <= 0.01 * asked, missed


@given(
    st.lists(st.sampled_from(OVER_BONE), min_size=6, max_size=40, unique_by=lambda item: item[0]),
    st.sampled_from([style for styles in STYLES.values() for style in styles]),
    st.sampled_from(["", "Subject:", "S01:", "subj_", "trial1."]),
)
@settings(max_examples=300, deadline=None)
def test_a_laboratorys_labels_are_recognised_and_never_put_on_the_wrong_side(chosen, style, prefix) -> None:
    meant = {}
    for landmark, name in chosen:
        for side in ("r", "l") if landmarks()[landmark].sided else ("",):
            label = prefix + (styled(style, side, name) if side else name.upper())
            meant[label] = place_of(landmark, side)
    read = read_labels(list(meant))
    assert {label: place for label, place in read.places.items() if place != meant[label]} == {}
    assert len(read.places) >= 0.99 * len(meant)


@pytest.mark.parametrize(
    ("label", "place"),
    [
        ("LKNE", Place("femur_l", "l", "lateral_femoral_epicondyle")),
        ("LMKNE", Place("femur_l", "l", "medial_femoral_epicondyle")),
        ("R.Knee.Medial", Place("femur_r", "r", "medial_femoral_epicondyle")),
        ("r_mankle_study", Place("tibia_r", "r", "medial_malleolus")),
        ("V.Sacral", Place("pelvis", "", "sacrum")),
        ("C7", Place("torso", "", "c7")),
        ("R.Shank.Top.Lateral", Place("tibia_r", "r")),
        ("RTH2", Place("femur_r", "r")),
        ("LKNEE_LAT", Place("femur_l", "l", "lateral_femoral_epicondyle")),
        ("RANK_MED", Place("tibia_r", "r", "medial_malleolus")),
    ],
)
def test_labels_of_well_known_sets(label, place) -> None:
    assert read_labels([label]).places.get(label) == place


def test_a_suffix_that_most_labels_share_says_nothing() -> None:
    labels = [f"{name}_study" for name in ("r.ASIS", "L.ASIS", "r_knee", "r_mknee", "r_ankle", "r_calc", "C7")]
    read = read_labels(labels)
    assert not read.unknown
    assert read.of("medial_femoral_epicondyle", "r") == "r_mknee_study"


@pytest.mark.parametrize(
    "label", ["RHIP", "R_ASIS_L", "L5", "KNE", "HEEL", "X1", "", "RLE", "RTHUMB", "R_M2", "LBACK", "LFH"]
)
def test_what_can_be_read_in_two_ways_or_in_none_is_not_guessed(label) -> None:
    assert label not in read_labels([label]).places


def test_of_two_labels_over_one_place_the_better_known_stands_for_it() -> None:
    read = read_labels(["RCALC", "RHEE"])
    assert read.places["RHEE"] == place_of("heel", "r")
    assert read.places["RCALC"] == Place("calcn_r", "r")


def test_four_points_of_a_segments_axes_are_no_markers() -> None:
    axes = [f"LFE{end}" for end in "OALP"]
    read = read_labels([*axes, "LTHI"])
    assert set(read.unused) == set(axes)
    assert set(read.places) == {"LTHI"}


def test_unlabelled_points_are_told_as_such() -> None:
    assert read_labels(["*52", "C_12", "C7"]).unused == {"*52": "unlabelled", "C_12": "unlabelled"}


def test_numbered_markers_of_a_cluster_are_no_vertebrae() -> None:
    assert read_labels(["T1", "T2", "T3", "S1", "S2", "S3"]).places == {}
    assert set(read_labels(["T2", "T10", "T12", "S1"]).places) == {"T2", "T10", "T12", "S1"}


def test_a_videos_joint_centres_are_no_markers_over_bone() -> None:
    video = ["Neck", "midHip", "RKnee", "LAnkle", "RHeel", "LBigToe"]
    made_up = ["r.ASIS_study", "r_knee_study", "r_calc_study"]
    read = read_labels([*video, *made_up])
    assert set(read.places) == set(made_up)
    assert set(read.unused) == set(video)


def test_the_better_name_stands_where_a_set_has_both() -> None:
    assert read_labels(["RTOE", "RMT2"]).of("second_metatarsal_head", "r") == "RMT2"
    assert read_labels(["STRN", "XYPH"]).of("xiphoid_process") == "XYPH"
