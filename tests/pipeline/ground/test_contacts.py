from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.errors import TrialRejected
from pipeline.ground.contacts import distance_to_edge_m, distance_to_foot_m, find_contacts, plates_in_ground
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
    assert [contact.reason for contact in found] == ["both feet on plate 1"]


def test_a_brush_is_not_a_step(walker, profile, recipe):
    found = contacts_of(replace(walker, force_scale=0.2).recording(), profile, recipe)
    assert not any(contact.usable for contact in found)
    assert all("carried only" in contact.reason for contact in found)


def test_a_stray_object_is_nobodys_foot(walker, profile, recipe):
    recording = walker.recording()
    far = [i for i, label in enumerate(recording.marker_labels) if "_F" in label]
    moved = recording.markers_m.copy()
    moved[:, far] += np.array([0.0, 0.0, 0.0])
    moved[:, far, 0] *= 8  # both feet well to the side of the plates
    found = contacts_of(replace(recording, markers_m=moved), profile, recipe)
    assert {contact.side for contact in found} == {None}
    assert all("from the nearest foot" in contact.reason for contact in found)


def test_distance_to_the_foot_is_measured_across_and_beyond():
    heel, toe = np.zeros((3, 3)), np.tile([0.1, 0.0, 0.0], (3, 1))
    points = np.array([[0.05, 9.0, 0.03], [-0.04, 0.0, 0.0], [0.145, 0.0, 0.0]])
    assert distance_to_foot_m(points, heel, toe) == pytest.approx([0.03, 0.04, 0.01])


@given(st.floats(-1, 1), st.floats(-1, 1), st.sampled_from([1, -1]))
def test_distance_to_the_edge_of_a_rectangle(x, z, winding):
    corners = np.array([[0.3, 0, 0.2], [0.3, 0, -0.2], [-0.3, 0, -0.2], [-0.3, 0, 0.2]])[::winding]
    expected = min(0.3 - abs(x), 0.2 - abs(z))
    found = distance_to_edge_m(np.array([[x, 0.0, z]]), corners)[0]
    assert found == pytest.approx(expected, abs=1e-12) or (found < 0 and expected < 0)


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
