from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.c3d.read_c3d import read_c3d
from pipeline.records import Recording, SubjectBlock
from pipeline.session.stated_facts import SubjectFacts, contradictions

TYPED = SubjectFacts(id="S01", mass_kg=67.0, height_m=1.66, sex="M", age_y=31)


@pytest.fixture
def stating(walker) -> Callable[..., Recording]:
    """A recording whose subject block states what is given."""
    return lambda **said: replace(walker.recording(), subject=SubjectBlock(**said))


def test_what_agrees_is_not_told(stating):
    recordings = {"a.c3d": stating(mass_kg=66.0, height_m=1.655, sex="M", age_y=30.4), "b.c3d": stating()}
    assert contradictions(TYPED, recordings, None) == []


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"mass_kg": 72.0}, "a.c3d states 72 kg, --mass-kg is 67: one of them is wrong"),
        ({"height_m": 1.76}, "a.c3d states 1.76 m, --height-m is 1.66: one of them is wrong"),
        ({"sex": "F"}, "a.c3d states sex F, --sex is M: one of them is wrong"),
        ({"age_y": 41.0}, "a.c3d states an age of 41 years, --age-y is 31: one of them is wrong"),
    ],
)
def test_a_figure_that_a_recording_contradicts_is_told(stating, said, told):
    assert contradictions(TYPED, {"a.c3d": stating(**said)}, None) == [told]


def test_recordings_that_state_the_same_are_told_together(stating):
    recordings = {f"{name}.c3d": stating(mass_kg=80.0) for name in "abcde"}
    assert contradictions(TYPED, recordings, None) == [
        "a.c3d, b.c3d, c.c3d and 2 more state 80 kg, --mass-kg is 67: one of them is wrong"
    ]


def test_nothing_typed_is_nothing_contradicted(stating):
    assert contradictions(SubjectFacts(id="S01"), {"a.c3d": stating(mass_kg=80.0, sex="F")}, None) == []


def test_pounds_for_kilograms_are_noticed_without_any_recording():
    # 67 kg are 148 lb.
    (told,) = contradictions(replace(TYPED, mass_kg=148.0), {}, None)
    assert "body mass index of 54" in told


def test_files_of_two_people_are_told_without_their_names(stating):
    recordings = {"a.c3d": stating(fingerprint="1f"), "b.c3d": stating(fingerprint="2e")}
    (told,) = contradictions(TYPED, recordings, None)
    assert "name 2 subjects" in told
    assert "1f" not in told


def standing(stating, vertebra_m: float, up: int, floor_m: float = 0.03) -> Recording:
    markers_m = np.zeros((1, 3, 3))
    markers_m[0, :, up] = floor_m, 0.9, vertebra_m
    return replace(stating(), time_s=np.zeros(1), marker_labels=("RHEE", "RASI", "C7"), markers_m=markers_m)


@pytest.mark.parametrize("up", [1, 2])
def test_a_height_that_the_neck_contradicts_is_told(stating, up):
    # The vertebra of a person of 1.66 m is near 1.40 m.
    recordings = {"stand.c3d": standing(stating, 1.40, up)}
    assert contradictions(TYPED, recordings, "stand.c3d") == []
    (told,) = contradictions(replace(TYPED, height_m=1.76), recordings, "stand.c3d")
    assert told.startswith("the marker on the seventh cervical vertebra stands 1.40 m high, as in a person of 1.66 m")


def test_a_floor_that_is_not_at_zero_tells_nothing(stating):
    recordings = {"stand.c3d": standing(stating, 2.40, 2, floor_m=1.0)}
    assert contradictions(TYPED, recordings, "stand.c3d") == []


@pytest.mark.data
def test_no_real_person_is_contradicted_by_their_own_height(shared_data: Path):
    # Children's files state the height that their laboratory measured.
    told = []
    for path in sorted(shared_data.glob("walking_children*/*/static.c3d")):
        static = read_c3d(path)
        block = static.subject
        facts = SubjectFacts(id="child", mass_kg=block.mass_kg, height_m=block.height_m)
        told += contradictions(facts, {path.name: static}, path.name)
    assert told == []
