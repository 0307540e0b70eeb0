import pytest

from warehouse.channels import (
    ALL_CHANNELS,
    FORCE_CHANNELS,
    INPUT_COORDINATES,
    MOMENT_CHANNELS,
    MUSCLE_GROUPS,
    TARGET_CHANNELS,
    ipsilateral,
    mirrored,
)


def test_ten_angles_fourteen_forces_and_three_moments_each_named_once() -> None:
    assert (len(INPUT_COORDINATES), len(FORCE_CHANNELS), len(MOMENT_CHANNELS)) == (10, 14, 3)
    assert (*INPUT_COORDINATES, *TARGET_CHANNELS["forces"], *TARGET_CHANNELS["moments"]) == ALL_CHANNELS
    assert len(set(ALL_CHANNELS)) == 27


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
