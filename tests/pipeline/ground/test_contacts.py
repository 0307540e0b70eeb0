from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.ground.contacts import find_contacts, plates_in_ground
from pipeline.markers.ground_frame import ground_rotation, to_ground
from tests.pipeline.conftest import BODY_N, FIRST_STRIKE_S, LABORATORY, MASS_KG, STANCE_S, Walker
from tests.pipeline.ground.plates_chain import wrenches_of
from tests.pipeline.ground.test_body_weight import with_unknown


def contacts_of(recording, profile, recipe, mass_kg=MASS_KG):
    rotation = ground_rotation(recording, profile)
    markers = to_ground(recording, rotation, recording.marker_labels)
    plates = plates_in_ground(recording, rotation)
    return find_contacts(recording, plates, markers, profile, mass_kg, recipe.ground_reactions)


def test_each_foot_gets_its_plate(walker, profile, recipe):
    found = contacts_of(walker.recording(), profile, recipe)
    assert [(contact.plate, contact.side, contact.usable) for contact in found] == [
        (1, "right", True),
        (2, "left", True),
    ]
    for contact in found:
        assert contact.start_s == pytest.approx(FIRST_STRIKE_S[contact.side], abs=0.01)
        assert contact.stop_s == pytest.approx(FIRST_STRIKE_S[contact.side] + STANCE_S, abs=0.01)


def test_plates_are_given_by_place_not_by_number(walker, profile, recipe):
    found = contacts_of(replace(walker, plate_sides=("left", "right")).recording(), profile, recipe)
    assert [(contact.plate, contact.side) for contact in found] == [(2, "right"), (1, "left")]


def test_a_reversed_moment_convention_is_refused_by_name(walker, profile, recipe):
    with pytest.raises(TrialRejected, match=r"plate 1.*sign reversed"):
        contacts_of(replace(walker, moment_sign=-1.0, plate_shift_m=0.12).recording(), profile, recipe)


def test_a_plate_that_pulls_is_refused_by_name(walker, profile, recipe):
    with pytest.raises(TrialRejected, match="plate 1 pulls the body down"):
        contacts_of(replace(walker, force_scale=-1.0).recording(), profile, recipe)


def test_a_plate_that_pulls_is_refused_though_a_sample_is_unknown(walker, profile, recipe):
    recording = replace(walker, force_scale=-1.0).recording()
    plates = with_unknown(recording.plates, [0])
    with pytest.raises(TrialRejected, match="plate 1 pulls the body down"):
        contacts_of(replace(recording, plates=plates), profile, recipe)


def test_the_peak_of_a_contact_is_that_of_what_is_known(walker, profile, recipe):
    recording = walker.recording()
    whole = contacts_of(recording, profile, recipe)
    middle = int((whole[0].start_s + whole[0].stop_s) / 2 * recording.analog_rate_hz)
    found = contacts_of(replace(recording, plates=with_unknown(recording.plates, [middle])), profile, recipe)
    assert [contact.peak_n for contact in found] == pytest.approx([contact.peak_n for contact in whole], rel=0.01)


def test_a_foot_half_off_its_plate_is_marked(walker, profile, recipe):
    shifted = replace(walker, plate_shift_m=0.2)
    found = contacts_of(shifted.recording(), profile, recipe)
    assert all("half off plate" in contact.reason for contact in found)


def test_a_plate_hit_by_both_feet_is_marked(walker, profile, recipe):
    long = replace(walker, plate_sides=("right",), plate_length_m=1.8)
    recording = long.recording()
    plate = recording.plates[0]
    # The plate also reaches sideways to the left foot's line.
    wide = replace(plate, corners_m=plate.corners_m * np.array([8.0, 1, 1]) - np.array([0.75, 0, 0]))
    found = contacts_of(replace(recording, plates=(wide,)), profile, recipe)
    assert [(contact.side, contact.reason) for contact in found] == [
        ("right", "both feet on plate 1"),
        ("left", "both feet on plate 1"),
    ]


def test_a_brush_is_not_a_step(walker, profile, recipe):
    found = contacts_of(replace(walker, force_scale=0.2).recording(), profile, recipe)
    assert not any(contact.usable for contact in found)
    assert all("with only" in contact.reason for contact in found)


def test_a_stray_object_is_nobodys_foot(walker, profile, recipe):
    recording = walker.recording()
    far = [i for i, label in enumerate(recording.marker_labels) if "_F" in label]
    moved = recording.markers_m.copy()
    moved[:, far] += np.array([0.0, 0.0, 0.0])
    moved[:, far, 0] *= 8  # both feet well to the side of the plates
    found = contacts_of(replace(recording, markers_m=moved), profile, recipe)
    assert {contact.side for contact in found} == {None}
    assert all("from the nearest foot" in contact.reason for contact in found)


def pressed(recording, number, during_s, force_n, place_m):
    """The same, something pressing on a plate as well: at `place_m` (S, 3) in the ground frame, for a time."""
    time_s = np.arange(len(recording.analog)) / recording.analog_rate_hz
    middle, half = np.mean(during_s), np.ptp(during_s) / 2
    up_n = force_n * np.sqrt(np.clip(1 - ((time_s - middle) / half) ** 2, 0, None))
    force = np.outer(up_n, LABORATORY @ np.array([0.0, 1.0, 0.0]))
    plates = []
    for plate in recording.plates:
        if plate.number == number:
            moment = np.cross(place_m @ LABORATORY.T - plate.origin_m, force)
            plate = replace(plate, force_n=plate.force_n + force, moment_nm=plate.moment_nm + moment)
        plates.append(plate)
    return replace(recording, plates=tuple(plates))


def unloaded(plate):
    return replace(plate, force_n=plate.force_n * 0, moment_nm=plate.moment_nm * 0)


def under_the_right_foot(walker):
    time_s = np.arange(round(walker.duration_s * walker.analog_rate_hz)) / walker.analog_rate_hz
    place = walker.heel("right", time_s) + np.array([0.17, 0, 0])
    place[:, 1] = 0
    return place


SWING_S = (FIRST_STRIKE_S["right"] + STANCE_S + 0.15, FIRST_STRIKE_S["right"] + STANCE_S + 0.25)


def test_a_slight_scuff_of_a_swinging_toe_costs_nothing_and_is_measured(profile, recipe):
    walker = Walker(plate_sides=("right", "left", "right"))
    recording = walker.recording()
    # The third plate has no load but the toe's.
    recording = replace(recording, plates=(*recording.plates[:2], unloaded(recording.plates[2])))
    scuffed = pressed(recording, 3, SWING_S, 0.045 * BODY_N, under_the_right_foot(walker))
    one = [contact for contact in contacts_of(scuffed, profile, recipe) if contact.plate == 3]
    assert [(contact.side, contact.usable, contact.strikes, contact.leaves) for contact in one] == [
        ("right", True, False, False)
    ]
    before, events, _ = wrenches_of(recording, profile, recipe)
    after, same_events, _ = wrenches_of(scuffed, profile, recipe)
    assert same_events.events == events.events
    assert (after["right"].known == before["right"].known).all()
    more_ns = np.trapezoid(after["right"].force_n[:, 1] - before["right"].force_n[:, 1], after["right"].time_s)
    # Below the plate's threshold nothing is taken.
    assert more_ns == pytest.approx(0.045 * BODY_N * np.pi / 4 * 0.1, rel=0.2)


def test_a_hard_scuff_costs_its_own_time_alone(profile, recipe):
    walker = Walker(plate_sides=("right", "left", "right"))
    recording = walker.recording()
    recording = replace(recording, plates=(*recording.plates[:2], unloaded(recording.plates[2])))
    scuffed = pressed(recording, 3, SWING_S, 80.0, under_the_right_foot(walker))
    before, _, _ = wrenches_of(recording, profile, recipe)
    after, _, _ = wrenches_of(scuffed, profile, recipe)
    lost = before["right"].known & ~after["right"].known
    assert set(after["right"].reason[lost]) == {"right foot scuffed plate 3 with 80 N in its swing"}
    assert np.ptp(after["right"].time_s[lost]) == pytest.approx(0.09, abs=0.02)
    assert (after["left"].known == before["left"].known).all()


def test_a_hand_on_a_plate_is_no_foot_and_costs_no_stance(walker, profile, recipe):
    recording = walker.recording()
    beside = np.tile([walker.heel("right", np.array([0.2]))[0, 0], 0.0, 1.2], (len(recording.analog), 1))
    away = np.array([1.1, 0.0, 0.0])
    far = unloaded(replace(recording.plates[0], number=3, corners_m=recording.plates[0].corners_m + away))
    helped = pressed(replace(recording, plates=(*recording.plates, far)), 3, (0.4, 0.6), 120.0, beside)
    (hand,) = [contact for contact in contacts_of(helped, profile, recipe) if contact.plate == 3]
    assert hand.side is None
    assert "no foot on plate 3, which bore up to 120 N 1.1" in hand.reason
    before, after = (wrenches_of(one, profile, recipe)[0] for one in (recording, helped))
    for side in ("right", "left"):
        assert (after[side].reason == before[side].reason).all()


def test_somebody_elses_step_refuses_no_trial(walker, profile, recipe):
    recording = walker.recording()
    # Turned about the plate's middle, its place is under the walker's foot, which isn't on this plate.
    heel = walker.heel("right", np.array([0.4]))[0]
    away = np.array([1.1, 0.0, 0.0])
    corners = recording.plates[0].corners_m + away
    middle = corners.mean(axis=0) @ LABORATORY
    step = np.tile(2 * middle - (heel + np.array([0.1, 0, 0])), (len(recording.analog), 1))
    far = replace(recording.plates[0], number=3, corners_m=corners, origin_m=corners.mean(axis=0))
    others = pressed(replace(recording, plates=(*recording.plates, unloaded(far))), 3, (0.3, 0.7), BODY_N, step)
    (contact,) = [contact for contact in contacts_of(others, profile, recipe) if contact.plate == 3]
    assert contact.side is None
    assert "somebody else" in contact.reason


def halves(walker, keep=("heel", "toe")):
    """The right foot's plate as two side by side, the first under its heel and the second under its toes."""
    recording = walker.recording()
    whole, other = recording.plates
    along = whole.corners_m[:, 1]
    time_s = np.arange(len(recording.analog)) / recording.analog_rate_hz
    on_toes = np.clip((time_s - FIRST_STRIKE_S["right"]) / STANCE_S, 0, 1)[:, None]
    parts = {}
    for name, ahead, share in (("heel", False, 1 - on_toes), ("toe", True, on_toes)):
        corners = whole.corners_m.copy()
        corners[:, 1] = np.where((along > along.mean()) == ahead, along, along.mean())
        parts[name] = replace(
            whole,
            corners_m=corners,
            force_n=share * whole.force_n,
            moment_nm=share * whole.moment_nm,
            number={"heel": 1, "toe": 3}[name],
        )
    return replace(recording, plates=(*(parts[name] for name in keep), other)), recording


def test_a_foot_on_two_plates_side_by_side_is_measured_by_both(walker, profile, recipe):
    split, whole = halves(walker)
    right = [contact for contact in contacts_of(split, profile, recipe) if contact.side == "right"]
    assert [(contact.plate, contact.usable, contact.strikes, contact.leaves) for contact in right] == [
        (1, True, True, False),
        (3, True, False, True),
    ]
    found, expected = (wrenches_of(one, profile, recipe)[0]["right"] for one in (split, whole))
    stance = np.abs(found.time_s - FIRST_STRIKE_S["right"] - STANCE_S / 2) < 0.25
    assert found.force_n[stance] == pytest.approx(expected.force_n[stance], abs=0.01 * BODY_N)
    assert found.cop_m[stance] == pytest.approx(expected.cop_m[stance], abs=2e-3)


def test_a_foot_whose_toes_are_beside_the_plate_is_not_measured(walker, profile, recipe):
    split, _ = halves(walker, keep=("heel",))
    (right,) = [contact for contact in contacts_of(split, profile, recipe) if contact.side == "right"]
    assert "half off plate 1" in right.reason


def test_two_feet_with_less_than_noise_between_them_are_two_contacts(walker, profile, recipe):
    recording = walker.recording()
    right, left = recording.plates
    flight_s = 0.03
    late = round((STANCE_S + flight_s - (FIRST_STRIKE_S["left"] - FIRST_STRIKE_S["right"])) * recording.analog_rate_hz)
    at_once = replace(
        right,
        corners_m=right.corners_m.mean(axis=0) + (right.corners_m - right.corners_m.mean(axis=0)) * [8.0, 6.0, 1.0],
        force_n=right.force_n + np.roll(left.force_n, late, axis=0),
        # A moment about another origin.
        moment_nm=right.moment_nm
        + np.roll(left.moment_nm + np.cross(left.origin_m - right.origin_m, left.force_n), late, axis=0),
    )
    # As a runner's, the right foot is up at once, and the left one until it is loaded.
    moved, lands_s = recording.markers_m.copy(), FIRST_STRIKE_S["right"] + STANCE_S + flight_s
    up = {"R_F": recording.time_s > lands_s, "L_F": recording.time_s < lands_s}
    for foot, frames in up.items():
        for index in [index for index, label in enumerate(recording.marker_labels) if label.startswith(foot)]:
            moved[frames, index, 2] += 0.1
    found = contacts_of(replace(recording, plates=(at_once,), markers_m=moved), profile, recipe)
    assert [(contact.side, contact.usable) for contact in found] == [("right", True), ("left", True)]
    assert found[1].start_s - found[0].stop_s == pytest.approx(flight_s, abs=0.015)


def test_a_sole_that_reaches_over_an_edge_is_measured(walker, profile, recipe):
    (right, _) = contacts_of(walker.recording(), profile, recipe)
    assert (right.usable, right.over_edge_m) == (True, 0.0)
    # The plate ends 0.41 m ahead of the heel; moved back by 0.2 m, it ends before the toes do.
    (right, _) = contacts_of(replace(walker, plate_shift_m=-0.2).recording(), profile, recipe)
    assert right.over_edge_m == pytest.approx(1.35 * 0.17 - 0.21, abs=1e-3)
    assert "its sole 20 mm over it" in right.reason or "its sole 19 mm over it" in right.reason


def reactions_of(recording, feet):
    """The same loads as a file of ground reactions gives them: about a point of the floor, without edges."""
    plates = []
    for plate, foot in zip(recording.plates, feet, strict=True):
        floor_m = plate.corners_m.mean(axis=0)
        moment_nm = plate.moment_nm + np.cross(plate.origin_m - floor_m, plate.force_n)
        edgeless = np.full((4, 3), np.nan)
        plates.append(
            replace(plate, type=0, corners_m=edgeless, origin_m=floor_m, moment_nm=moment_nm, foot=foot, name="grf")
        )
    return replace(recording, plates=tuple(plates))


@pytest.mark.parametrize("feet", [("right", "left"), (None, None)])
def test_reactions_without_plates_are_the_same_contacts(walker, profile, recipe, feet):
    recording = walker.recording()
    expected = contacts_of(recording, profile, recipe)
    assert contacts_of(reactions_of(recording, feet), profile, recipe) == expected


def test_what_the_file_gives_to_a_foot_is_its_whole_reaction(walker, profile, recipe):
    # Of a foot half off a plate, and of both on one: a file of reactions says that it is all there was.
    shifted = replace(walker, plate_shift_m=0.2)
    found = contacts_of(reactions_of(shifted.recording(), ("right", "left")), profile, recipe)
    assert [(contact.side, contact.reason) for contact in found] == [("right", ""), ("left", "")]


def test_reactions_of_the_other_foot_are_refused_by_name(walker, profile, recipe):
    with pytest.raises(TrialRejected, match=r"grf is said to act on the left foot, and at 0\.2. s .* the right one"):
        contacts_of(reactions_of(walker.recording(), ("left", "right")), profile, recipe)


def with_first_plate(recording, **changed):
    return replace(recording, plates=(replace(recording.plates[0], **changed), *recording.plates[1:]))


def test_a_plate_in_another_unit_is_refused_by_its_length(walker, profile, recipe):
    recording = walker.recording()
    corners_m = recording.plates[0].corners_m * 1000
    with pytest.raises(TrialRejected, match=r"plate 1 is \d+ m long, expected at most 5 m"):
        contacts_of(with_first_plate(recording, corners_m=corners_m), profile, recipe)


@pytest.mark.parametrize("constant_n", [3000.0, -300.0])
def test_a_constant_on_a_plate_that_nobody_stands_on_is_refused(walker, profile, recipe, constant_n):
    recording = walker.recording()
    plate = recording.plates[0]
    loaded = with_first_plate(recording, force_n=plate.force_n + constant_n * plate.normal)
    with pytest.raises(TrialRejected, match=rf"plate 1 bears {constant_n:.0f} N while no foot is near"):
        contacts_of(loaded, profile, recipe)


def test_moments_in_another_unit_are_named_where_the_pressure_is_off_any_foot(walker, profile, recipe):
    recording = replace(walker, plate_shift_m=0.12).recording()
    large = with_first_plate(recording, moment_nm=recording.plates[0].moment_nm * 1000)
    reasons = [contact.reason for contact in contacts_of(large, profile, recipe) if contact.plate == 1]
    assert reasons
    assert all("is under it with its moments divided by 1000: N·mm, not N·m" in reason for reason in reasons)


def unknown_from(recording, which, length_s):
    """Samples of the middle of a contact, so many seconds long."""
    first = int((which.start_s + which.stop_s) / 2 * recording.analog_rate_hz)
    return list(range(first, first + round(length_s * recording.analog_rate_hz)))


def test_a_gap_of_a_moment_in_a_plate_s_readings_is_filled(walker, profile, recipe):
    recording = walker.recording()
    whole = contacts_of(recording, profile, recipe)
    holed = with_unknown(recording.plates, unknown_from(recording, whole[0], 0.01))
    found = contacts_of(replace(recording, plates=holed), profile, recipe)
    assert [(each.start_s, each.stop_s, each.reason) for each in found] == [
        (each.start_s, each.stop_s, each.reason) for each in whole
    ]


def test_a_longer_gap_parts_no_contact_and_costs_the_one_it_is_in(walker, profile, recipe):
    """Unknown is not swing: where a force is lost for 0.1 s in mid-stance there are no strike and no foot-off."""
    recording = walker.recording()
    whole = contacts_of(recording, profile, recipe)
    of_plate = whole[0].plate
    holed = tuple(
        with_unknown([plate], unknown_from(recording, whole[0], 0.1))[0] if plate.number == of_plate else plate
        for plate in recording.plates
    )
    found = contacts_of(replace(recording, plates=holed), profile, recipe)
    assert [(each.start_s, each.stop_s) for each in found] == [(each.start_s, each.stop_s) for each in whole]
    assert f"plate {of_plate} has no readings in" in found[0].reason and not found[0].usable
    assert [each.reason for each in found[1:]] == [each.reason for each in whole[1:]]
