from dataclasses import replace

import pytest

from tests.pipeline.solutions import BOTH, LOADING_FEET, OF_LEG, a_solution
from warehouse.channels import LOADED_JOINTS


@pytest.mark.parametrize("joint", LOADED_JOINTS)
def test_a_joints_load_depends_on_its_own_foot(joint: str) -> None:
    assert a_solution().feet_loading(joint) == OF_LEG[joint[-1]]


def test_a_load_depends_on_what_its_muscles_and_its_moments_depend_on() -> None:
    """A muscle of a model that ties both legs together, and a hip whose moment carries both feet."""
    tied = replace(a_solution(), loading_feet={**LOADING_FEET, "glmed1_r": BOTH, "hip_adduction_l": BOTH})
    assert tied.feet_loading("hip_r") == tied.feet_loading("hip_l") == BOTH
    assert tied.feet_loading("knee_l") == OF_LEG["l"]
