import pytest

from warehouse.channels import (
    ALL_CHANNELS,
    FORCE_CHANNELS,
    INPUT_COORDINATES,
    LOAD_CHANNELS,
    LOADED_JOINTS,
    MOMENT_CHANNELS,
    MOMENT_COORDINATES,
    MUSCLE_GROUPS,
    TARGET_CHANNELS,
    ipsilateral,
    mirrored,
)


def test_ten_angles_fourteen_forces_and_three_moments_each_named_once() -> None:
    assert (len(INPUT_COORDINATES), len(FORCE_CHANNELS), len(MOMENT_CHANNELS)) == (10, 14, 3)
    assert (*INPUT_COORDINATES, *TARGET_CHANNELS["forces"], *TARGET_CHANNELS["moments"]) == ALL_CHANNELS
    assert len(set(ALL_CHANNELS)) == 27


def test_contact_forces_are_targets_that_not_every_cycle_has() -> None:
    assert TARGET_CHANNELS["loads"] == LOAD_CHANNELS == ("load_hip_x", "load_hip_y", "load_hip_z", "load_hip")
    assert not set(LOAD_CHANNELS) & set(ALL_CHANNELS)


def test_both_legs_joints_are_loaded_and_the_hips_coordinates_are_those_of_its_moments() -> None:
    assert tuple(LOADED_JOINTS) == ("hip_r", "knee_r", "ankle_r", "hip_l", "knee_l", "ankle_l")
    assert LOADED_JOINTS["hip_r"] == MOMENT_COORDINATES
    for joint, coordinates in LOADED_JOINTS.items():
        assert LOADED_JOINTS[mirrored(joint)] == tuple(mirrored(name) for name in coordinates)


def test_the_groups_are_twenty_five_muscles_of_the_right_leg() -> None:
    units = [unit for group in MUSCLE_GROUPS.values() for unit in group]

    assert len(units) == len(set(units)) == 25
    assert all(unit.endswith("_r") for unit in units)


@pytest.mark.parametrize("name", [*INPUT_COORDINATES, "pelvis_tilt"])
def test_the_mirror_of_a_mirror_is_the_name_itself(name: str) -> None:
    assert mirrored(mirrored(name)) == name
    assert (mirrored(name) == name) == (name == "pelvis_tilt")


def test_a_stored_name_says_whose_leg_it_is_of() -> None:
    assert ipsilateral("hip_flexion_r") == "hip_flexion_ipsi"
    assert ipsilateral("hip_flexion_l") == "hip_flexion_contra"
    assert ipsilateral("pelvis_tilt") == "pelvis_tilt"
