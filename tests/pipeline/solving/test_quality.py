from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.records import Coordinates, KinematicsResult
from pipeline.session.session import Subject
from pipeline.solving.quality import judge_stride, judge_trial, keep_explained
from pipeline.solving.solution import Solution
from tests.pipeline.solutions import LEFT, NAMES, RIGHT, TIME_S, a_solution, joint_moments, wrenches_known

SUBJECT = Subject(id="S01", mass_kg=100.0, height_m=2.0)
BODY_N = 980.665
EVERYWHERE = wrenches_known(slice(None), slice(None))


# Trials ------------------------------------------------------------------------------------------


def test_residuals_are_shares_of_weight_and_of_weight_times_height(recipe):
    moments = {"pelvis_tx": 30.0, "pelvis_ty": 40.0, "pelvis_tilt": 0.05 * BODY_N * 2}
    quality = judge_trial(a_solution(moments), EVERYWHERE, SUBJECT, "walk.c3d", recipe.quality)
    assert quality.residual_force_ratio == pytest.approx(50 / BODY_N)
    assert quality.residual_moment_ratio == pytest.approx(0.05)


def test_residuals_count_only_where_both_feet_are_known(recipe):
    solution = a_solution({})
    solution.moments.values[:60, NAMES.index("pelvis_ty")] = 5000.0
    solution.moments.values[60:, NAMES.index("pelvis_ty")] = 0.1 * BODY_N
    half = wrenches_known(slice(60, None), slice(40, None))
    quality = judge_trial(solution, half, SUBJECT, "walk.c3d", recipe.quality)
    assert quality.residual_force_ratio == pytest.approx(0.1)
    never = judge_trial(solution, wrenches_known(slice(60, None), slice(60)), SUBJECT, "walk.c3d", recipe.quality)
    assert np.isnan(never.residual_force_ratio)
    assert np.isnan(never.residual_moment_ratio)


def test_a_missing_marker_is_not_an_error_of_zero():
    still = Coordinates(time_s=TIME_S[:2], names=(), rotational=np.array([], dtype=bool), values=np.empty((2, 0)))
    error_m = np.array([[0.01, 0.01, 0.5], [np.nan, 0.015, 0.5]])
    found = KinematicsResult(coordinates=still, marker_names=("R_IAS", "L_IAS", "R_HLE"), marker_error_m=error_m)

    judged = found.judged_by(["R_IAS", "L_IAS"])

    assert judged.marker_rms_m == pytest.approx([0.01, 0.015])
    assert judged.marker_max_m.tolist() == [0.01, 0.015]
    assert judged.worst_marker.tolist() == ["R_IAS", "L_IAS"]


@pytest.mark.parametrize(
    ("solution", "stage", "message"),
    [
        (a_solution(error_m=0.021), "inverse_kinematics", "marker RMS of a frame, m, is 0.021, expected at most 0.02"),
        (
            a_solution({"pelvis_ty": 0.3 * BODY_N}),
            "inverse_dynamics",
            "residual force over body weight is 0.3, expected at most 0.25",
        ),
        (
            a_solution({"pelvis_list": 0.12 * BODY_N * 2}),
            "inverse_dynamics",
            "residual moment over body weight times height is 0.12, expected at most 0.1",
        ),
    ],
)
def test_each_gate_of_a_trial_trips_with_its_own_message(recipe, solution, stage, message):
    with pytest.raises(TrialRejected) as caught:
        judge_trial(solution, EVERYWHERE, SUBJECT, "walk.c3d", recipe.quality)
    assert caught.value.stage == stage
    assert caught.value.reason.startswith("walk.c3d: ")
    assert message in caught.value.reason
    assert "Look for" in caught.value.reason


def test_the_worst_marker_is_named(recipe):
    solution = a_solution(error_m=0.001)
    solution.kinematics.marker_max_m[50] = 0.045
    solution.kinematics.worst_marker[50] = "L_IAS"
    settings = recipe.quality.model_copy(update={"max_marker_rms_m": 0.04})
    with pytest.raises(TrialRejected, match=r"largest marker error \(L_IAS\), m, is 0\.045, expected at most 0\.04"):
        judge_trial(solution, EVERYWHERE, SUBJECT, "walk.c3d", settings)


# Strides -----------------------------------------------------------------------------------------


def test_a_reserve_of_a_tenth_of_the_peak_is_a_tenth(recipe):
    solution = a_solution(reserves={"knee_angle_r": 10.0, "hip_flexion_r": -3.0})
    quality = judge_stride(RIGHT, solution, recipe.quality)
    assert (quality.reserve_joint, quality.reserve_ratio) == ("knee", pytest.approx(0.1))
    assert judge_stride(LEFT, solution, recipe.quality).reserve_ratio == 0.0


def test_a_joints_coordinates_count_together(recipe):
    solution = a_solution(
        moments={**joint_moments(), "hip_flexion_r": 30.0, "hip_adduction_r": 40.0},
        balance={"hip_flexion_r": 0.3, "hip_rotation_r": -0.4},
    )
    quality = judge_stride(RIGHT, solution, recipe.quality)
    assert (quality.balance_joint, quality.balance_ratio) == ("hip", pytest.approx(0.5 / 50))


def test_a_stride_is_judged_by_its_own_frames(recipe):
    solution = a_solution(reserves={"knee_angle_r": 5.0})
    solution.muscles.actuator_force[60:, NAMES.index("knee_angle_r")] = 500.0
    solution.muscles.converged[60:] = False
    quality = judge_stride(RIGHT, solution, recipe.quality)
    assert quality.reserve_ratio == pytest.approx(0.05)
    assert quality.unconverged_frames == 0


def test_saturation_is_the_share_of_the_legs_muscles_and_frames(recipe):
    solution = a_solution()
    solution.muscles.activation[:25, 0] = 1.0
    solution.muscles.activation[:, 2:] = 1.0
    assert judge_stride(RIGHT, solution, recipe.quality).saturated_ratio == pytest.approx(0.25)


@pytest.mark.parametrize("reserve", [np.nan, np.inf])
def test_a_reserve_that_is_no_number_never_passes(recipe, reserve):
    solution = a_solution()
    solution.muscles.actuator_force[20, NAMES.index("ankle_angle_r")] = reserve
    with pytest.raises(TrialRejected, match="reserves at the ankle"):
        keep_explained([RIGHT], solution, "walk.c3d", recipe.quality)


def test_a_reserve_at_a_joint_without_moment_never_passes(recipe):
    moments = {name: value for name, value in joint_moments().items() if not name.startswith("knee")}
    with pytest.raises(TrialRejected, match="reserves at the knee"):
        keep_explained([RIGHT], a_solution(moments, {"knee_angle_r": 1.0}), "walk.c3d", recipe.quality)
    assert keep_explained([RIGHT], a_solution(moments), "walk.c3d", recipe.quality)[1] == ()


def damaged(
    reserve: float = 0.0, imbalance: float = 0.0, saturated: int = 0, unconverged: int = 0, impossible: int = 0
) -> Solution:
    """A right stride with one fault."""
    solution = a_solution(reserves={"hip_flexion_r": reserve}, balance={"ankle_angle_r": imbalance})
    solution.muscles.activation[:saturated, :2] = 1.0
    solution.muscles.converged[: unconverged + impossible] = False
    short_of = np.full(len(solution.muscles.time_s), "", dtype=object)
    short_of[:impossible] = "hip_flexion_r"
    return replace(solution, muscles=replace(solution.muscles, short_of=short_of))


@pytest.mark.parametrize(
    ("solution", "message"),
    [
        (damaged(reserve=12.0), "reserves at the hip reach 12.0% of the joint's peak moment, expected at most 10%"),
        (damaged(imbalance=-2.0), "the imbalance at the ankle reach 2.0% of the joint's peak moment"),
        (damaged(saturated=5), "10.0% of the leg's muscles and frames are at full activation, expected at most 5%"),
        (damaged(unconverged=3), "static optimization did not reach its optimum in 3 frames, expected it in all"),
        (
            damaged(unconverged=3, impossible=2),
            "in 2 frames no muscles and reserves within their bounds make what is asked, most often for want at "
            "hip_flexion_r, expected none",
        ),
    ],
)
def test_each_gate_of_a_stride_trips_with_its_own_message(recipe, solution, message):
    kept, refused = keep_explained([RIGHT, LEFT], solution, "walk.c3d", recipe.quality)
    assert list(kept) == [LEFT]
    assert len(refused) == 1
    assert refused[0].startswith("right stride at 0.00 s: ")
    assert message in refused[0]
    with pytest.raises(TrialRejected) as caught:
        keep_explained([RIGHT], solution, "walk.c3d", recipe.quality)
    assert caught.value.stage == "static_optimization"
    assert caught.value.reason.startswith(f"walk.c3d: {refused[0]}")
    assert "muscles can't give the measured moment" in caught.value.reason


def test_at_the_limit_is_within_it(recipe):
    solution = a_solution(reserves={"hip_flexion_r": 10.0})
    settings = recipe.quality.model_copy(update={"max_reserve_ratio": 0.1})
    assert list(keep_explained([RIGHT], solution, "walk.c3d", settings)[0]) == [RIGHT]
    tighter = recipe.quality.model_copy(update={"max_reserve_ratio": 0.0999})
    with pytest.raises(TrialRejected):
        keep_explained([RIGHT], replace(solution), "walk.c3d", tighter)
