from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.ground.body_weight import (
    Weighing,
    check_mass,
    other_masses_in_files,
    weigh_standing,
    weigh_walking,
)
from pipeline.markers.ground_frame import ground_rotation, to_ground
from pipeline.markers.static_trial import StaticTrial
from pipeline.records import SubjectBlock
from tests.pipeline.conftest import BODY_N, FIRST_STRIKE_S, MASS_KG, STANCE_S


def standing(mass_kg: float, aside: str = "") -> Weighing:
    return Weighing(how="standing", mass_kg=mass_kg, sd=0.015, limit=0.05, aside=aside)


def walking(mass_kg: float) -> Weighing:
    return Weighing(how="walking", mass_kg=mass_kg, sd=0.025, limit=0.12)


@pytest.fixture
def settings(recipe):
    return recipe.ground_reactions


def test_masses_that_agree_need_no_word(settings):
    assert check_mass("walk.c3d", 70.0, [standing(70.6), walking(68.9)], settings) == []


def test_clean_standing_refuses_another_mass(settings):
    with pytest.raises(TrialRejected, match=r"walk.c3d: the plates weigh 70.0 kg .*12.5% less than the 80 kg stated"):
        check_mass("walk.c3d", 80.0, [standing(70.0)], settings)


def test_walking_alone_refuses_only_what_is_further_off(settings):
    told = check_mass("walk.c3d", 76.0, [walking(70.0)], settings)
    assert told == ["walking weighs 70.0 ± 1.8 kg, 7.9% less than the 76 kg stated"]
    with pytest.raises(TrialRejected, match=r"walking 60.0 ± 1.5 kg.*21.1% less.*within 12%"):
        check_mass("walk.c3d", 76.0, [walking(60.0)], settings)


def test_a_foot_over_an_edge_is_told_and_weighs_nothing(settings):
    over = standing(69.7, aside="the right foot reaches 24 mm over the edge of plate 3")
    (told,) = check_mass("walk.c3d", 81.0, [over, walking(77.4)], settings)
    assert "standing weighs 69.7" in told
    assert "14.0% less than the 81 kg stated" in told
    assert "the right foot reaches 24 mm over the edge of plate 3" in told


def test_of_two_that_contradict_each_other_the_surer_one_is_believed_whatever_is_stated(settings):
    (told,) = check_mass("walk.c3d", 70.0, [standing(70.0), walking(64.0)], settings)
    assert "walking weighs 64.0" in told
    assert "standing weighs 70.0 kg, which is surer" in told
    # A mass that only the less sure weighing supports is refused.
    with pytest.raises(TrialRejected, match=r"standing 75\.0"):
        check_mass("walk.c3d", 66.0, [standing(75.0), walking(66.0)], settings)


def test_the_surer_weighing_counts_for_more(settings):
    # 1/0.015² against 1/0.025²: 74.1 kg of 74.7 and 72.5, 5.9 % above 70.
    with pytest.raises(TrialRejected, match=r"weigh 74\.[01] kg"):
        check_mass("walk.c3d", 70.0, [standing(74.7), walking(72.5)], settings)


def test_a_mass_that_nothing_weighed_is_told(settings):
    (told,) = check_mass("walk.c3d", 70.0, [], settings)
    assert "could not be checked" in told
    light, unchecked = check_mass("walk.c3d", 70.0, [standing(30.0, aside="the left foot is not on it")], settings)
    assert "set aside: the left foot is not on it" in light
    assert "could not be checked" in unchecked


def test_more_strides_weigh_more_surely(settings):
    one, four = weigh_walking([0.01], 70.0, settings), weigh_walking([0.01] * 4, 70.0, settings)
    assert one.mass_kg == four.mass_kg == pytest.approx(70.7)
    assert settings.plates_mass_sd < four.sd < one.sd
    assert weigh_walking([], 70.0, settings) is None


def test_the_sessions_mass_beats_the_files(walker, settings):
    said = replace(walker.recording(), subject=SubjectBlock(mass_kg=81.0))
    near = replace(said, subject=SubjectBlock(mass_kg=78.0))
    (told,) = other_masses_in_files([said, near], 77.0, settings)
    assert told == "the mass stated in walk.c3d is 81 kg, 5.2% more than session.toml's 77 kg, which is used"


def stand(walker, profile, shift_m: float = 0.0) -> StaticTrial:
    """Feet side by side, each on its plate, which carries half the body; the right plate lies shifted."""
    recording = walker.recording()
    rotation = ground_rotation(recording, profile)
    markers = to_ground(recording, rotation, recording.marker_labels)
    # The frame in the middle of double support, when both feet are on their plates.
    frame = round((FIRST_STRIKE_S["left"] + (FIRST_STRIKE_S["right"] + STANCE_S)) / 2 * markers.rate_hz)
    half = np.tile(rotation.T @ np.array([0.0, BODY_N / 2, 0.0]), (len(recording.analog), 1))
    plates = tuple(
        replace(plate, force_n=half, corners_m=plate.corners_m + rotation.T @ np.array([shift, 0.0, 0.0]))
        for plate, shift in zip(recording.plates, (shift_m, 0.0), strict=True)
    )
    return StaticTrial(
        recording=replace(recording, plates=plates), pose=markers.cut(slice(frame, frame + 1)), warnings=()
    )


def test_standing_is_weighed(walker, profile, recipe):
    weighed = weigh_standing(stand(walker, profile), profile, MASS_KG, recipe)
    assert (weighed.mass_kg, weighed.aside) == (pytest.approx(MASS_KG), "")


def with_unknown(plates, samples):
    """The same plates without some samples."""
    changed = []
    for plate in plates:
        force_n = plate.force_n.copy()
        force_n[samples] = np.nan
        changed.append(replace(plate, force_n=force_n))
    return tuple(changed)


def test_a_sample_that_is_unknown_takes_no_plate_off_the_weight(walker, profile, recipe):
    static = stand(walker, profile)
    recording = replace(static.recording, plates=with_unknown(static.recording.plates, [3]))
    weighed = weigh_standing(replace(static, recording=recording), profile, MASS_KG, recipe)
    assert weighed.mass_kg == pytest.approx(MASS_KG)


def test_standing_half_beside_a_plate_is_set_aside(walker, profile, recipe):
    weighed = weigh_standing(stand(walker, profile, shift_m=-0.2), profile, MASS_KG, recipe)
    # The plate ends 0.3 m ahead of where the foot's middle was, less the shift; the sole 1.35 marker distances ahead.
    beyond_mm = 1e3 * (-0.11 + 1.35 * 0.17 - (0.3 - 0.2))
    assert weighed.aside == f"the right foot reaches {beyond_mm:.0f} mm over the edge of plate 1"


def test_unloaded_plates_weigh_nobody(walker, profile, recipe):
    static = stand(walker, profile)
    unloaded = tuple(replace(plate, force_n=plate.force_n * 0) for plate in static.recording.plates)
    empty = replace(static, recording=replace(static.recording, plates=unloaded))
    assert weigh_standing(empty, profile, MASS_KG, recipe) is None
    assert weigh_standing(replace(static, stands=False), profile, MASS_KG, recipe) is None
