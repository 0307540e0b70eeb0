import numpy as np
import pytest

from pipeline.ground.cycles import LostStride, Stride
from pipeline.session.session import Subject
from pipeline.solving.judged_strides import (
    judged_by_forces,
    judged_by_motion,
    kept_strides,
    lost_strides_told,
    no_stride_stands,
    numbered,
)
from tests.pipeline.solutions import LEFT, RIGHT, a_solution, wrenches_known

SUBJECT = Subject(id="S01", mass_kg=70.0, height_m=1.75)
EVERYWHERE = wrenches_known(slice(None), slice(None))
CUT = LostStride(side="right", start_s=0.5, stop_s=1.0, stage="cycles", why="is not wholly recorded")


def fate(recipe, solution, strides=(RIGHT, LEFT)):
    judged = judged_by_motion(strides, solution.kinematics, (), {}, recipe.quality)
    return judged_by_forces(judged, solution, EVERYWHERE, SUBJECT, recipe.quality)


def test_strides_are_numbered_in_time_and_by_foot():
    third = Stride(side="right", start_s=1.0, stop_s=1.5, toe_off_s=1.3)
    found = numbered([third, LEFT, CUT, RIGHT])
    assert [(one.stride.side, one.number, one.kept) for one in found] == [
        ("right", 1, True),
        ("left", 1, True),
        ("right", 2, False),
        ("right", 3, True),
    ]


def test_a_bad_stride_costs_itself_only(recipe):
    solution = a_solution()
    solution.kinematics.marker_error_m[10:20, 0] = 0.061
    judged = fate(recipe, solution)

    assert kept_strides(judged) == [LEFT]
    (told,) = lost_strides_told(judged)
    assert told == (
        "stride 1 of the right foot (0.00-0.50 s) is left out: marker R_IAS is 61 mm off in the 95th percentile of "
        "frames, expected at most 40 mm (R_IAS 61 mm at 0.10 s, other markers 10 mm); 1 other kept"
    )
    # It was lost before its forces were looked at.
    lost, kept = judged
    assert (lost.stage, lost.forces, kept.stage) == ("inverse_kinematics", None, "")
    assert kept.motion is not None and kept.forces is not None


def test_a_single_frame_costs_nothing(recipe):
    solution = a_solution()
    solution.kinematics.marker_error_m[10, 0] = 0.2
    assert kept_strides(fate(recipe, solution)) == [RIGHT, LEFT]


def test_what_muscles_do_not_explain_costs_its_own_leg(recipe):
    judged = fate(recipe, a_solution(reserves={"hip_flexion_l": 12.0}), (RIGHT, CUT, LEFT))
    assert kept_strides(judged) == [RIGHT]
    assert [one.stage for one in judged] == ["", "static_optimization", "cycles"]
    assert [told.partition(" is left out: ")[2] for told in lost_strides_told(judged)] == [
        "reserves at the hip reach 12.0% of the joint's peak moment, expected at most 10%; 1 other kept",
        "is not wholly recorded; 1 other kept",
    ]


def test_a_rejection_names_every_stride_and_the_stage_that_cost_most(recipe):
    solution = a_solution(reserves={"hip_flexion_l": 12.0})
    solution.kinematics.marker_error_m[:50, 1] = 0.05
    third = Stride(side="left", start_s=0.2, stop_s=0.45, toe_off_s=0.4)
    rejected = no_stride_stands("walk.c3d", solution.kinematics, fate(recipe, solution, (RIGHT, LEFT, third, CUT)))

    assert rejected.stage == "inverse_kinematics"
    assert rejected.reason.startswith("walk.c3d: no stride can be used. Stride 1 of the right foot (0.00-0.50 s): ")
    for word in ("stride 2 of the left foot (0.50-1.00 s): reserves", "is not wholly recorded", "displaced markers"):
        assert word in rejected.reason
    assert rejected.kinematics is solution.kinematics
    assert len(rejected.judged) == 4


def test_what_is_no_number_keeps_no_stride(recipe):
    solution = a_solution()
    solution.muscles.actuator_force[:, :] = np.nan
    assert kept_strides(fate(recipe, solution)) == []


@pytest.mark.parametrize("order", [(RIGHT, LEFT), (LEFT, RIGHT)])
def test_cycles_come_in_one_order(recipe, order):
    assert kept_strides(fate(recipe, a_solution(), order)) == [RIGHT, LEFT]
