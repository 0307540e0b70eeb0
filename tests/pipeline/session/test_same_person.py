from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.records import Markers, SubjectBlock
from pipeline.session.recipe import load_recipe
from pipeline.session.same_person import check_segment_lengths, check_subject_blocks
from pipeline.session.session import Subject

SUBJECT = Subject(id="S01", mass_kg=70.0, height_m=1.75)
SETTINGS = load_recipe("gait2hip60").scaling.model_copy(update={"max_segment_difference": 0.1})


def blocks(walker, walk: SubjectBlock, static: SubjectBlock):
    recording = walker.recording()
    stand = replace(recording, path=recording.path.with_name("static.c3d"), subject=static)
    return replace(recording, subject=walk), stand


def test_files_that_say_nothing_or_the_same_are_one_persons(walker):
    # Another mass is reported where it is weighed, and is no sign of another person.
    said = SubjectBlock(mass_kg=83.0, height_m=1.72, fingerprint="ab12")
    check_subject_blocks(*blocks(walker, SubjectBlock(), said), SUBJECT, SETTINGS)
    check_subject_blocks(*blocks(walker, said, said), SUBJECT, SETTINGS)


@pytest.mark.parametrize(
    ("walk", "static", "words"),
    [
        ({"fingerprint": "ab12"}, {"fingerprint": "cd34"}, ("walk.c3d and static.c3d", "one person's files")),
        ({"height_m": 1.66}, {}, ("walk.c3d states a height of 1.66 m", "session.toml 1.75 m", "within 3%")),
        ({}, {"height_m": 1.66}, ("static.c3d states a height of 1.66 m", "session.toml 1.75 m", "within 3%")),
    ],
)
def test_files_that_contradict_each_other_are_named(walker, walk, static, words):
    with pytest.raises(TrialRejected) as caught:
        check_subject_blocks(*blocks(walker, SubjectBlock(**walk), SubjectBlock(**static)), SUBJECT, SETTINGS)
    assert caught.value.stage == "subject"
    for word in (*words, "own session"):
        assert word in caught.value.reason


def test_names_are_never_shown(walker):
    with pytest.raises(TrialRejected) as caught:
        check_subject_blocks(
            *blocks(walker, SubjectBlock(fingerprint="ab12"), SubjectBlock(fingerprint="cd34")), SUBJECT, SETTINGS
        )
    assert "ab12" not in caught.value.reason
    assert "cd34" not in caught.value.reason


def body(profile, stretched: dict[str, float], frames: int = 5) -> Markers:
    """Every same-segment pair 0.2 m apart, times its first label's stretch."""
    labels, places = [], []
    for index, (first, second) in enumerate(profile.same_segment):
        labels += [first, second]
        places += [[index, 0.0, 0.0], [index, 0.2 * stretched.get(first, 1.0), 0.0]]
    return Markers(
        time_s=np.arange(frames) / 100,
        rate_hz=100.0,
        labels=tuple(labels),
        positions_m=np.tile(np.array(places), (frames, 1, 1)),
    )


def check(walker, profile, walk: Markers, static: Markers) -> None:
    check_segment_lengths(walker.recording(), walk, static, profile, SETTINGS)


def test_one_body_measures_the_same_walking_and_standing(walker, profile):
    check(walker, profile, body(profile, {"R_IAS": 1.09, "CV7": 0.92}), body(profile, {}, frames=1))


def test_one_segment_may_be_a_marker_put_back_elsewhere(walker, profile):
    check(walker, profile, body(profile, {"R_FLE": 1.5}), body(profile, {}, frames=1))


def test_two_segments_are_another_person(walker, profile):
    with pytest.raises(TrialRejected) as caught:
        check(walker, profile, body(profile, {"R_FLE": 1.2, "CV7": 0.85}), body(profile, {}, frames=1))
    assert caught.value.stage == "subject"
    for word in (
        "walk.c3d: 2 segments measure over 10%",
        "R_FLE-R_FME 240 mm (standing 200 mm)",
        "CV7-TV10 170 mm (standing 200 mm)",
        "expected one person's lengths",
        "own session",
    ):
        assert word in caught.value.reason


@pytest.mark.filterwarnings("error")
def test_a_pair_that_is_never_seen_together_says_nothing(walker, profile):
    walk = body(profile, {"R_FLE": 1.5})
    walk.positions_m[:, walk.labels.index("CV7")] = np.nan
    check(walker, profile, walk, body(profile, {}, frames=1))
