from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.ground.contacts import find_contacts, plates_in_ground
from pipeline.markers.ground_frame import ground_rotation, to_ground
from tests.pipeline.conftest import FIRST_STRIKE_S, MASS_KG, STANCE_S


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
