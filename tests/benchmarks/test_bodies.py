"""What bodies are judged by, on a pelvis whose answers follow from geometry."""

import numpy as np
import pytest

from benchmarks.bodies import (
    BONE_SLOPE_DEG,
    PersonBody,
    WalkPosture,
    body_table,
    change_table,
    draw_people,
    harrington_centres,
    leans_back_deg,
    near_an_end,
    scales_of,
)
from pipeline.records import Coordinates, Markers
from pipeline.session.profile import Pelvis

PELVIS = Pelvis(right_anterior="R_IAS", left_anterior="L_IAS", posterior=("R_IPS", "L_IPS"))
WIDTH_M, DEPTH_M = 0.24, 0.15


def pelvis_markers(falls_deg=BONE_SLOPE_DEG, yaw_deg=0.0, labels=("R_IAS", "L_IAS", "R_IPS", "L_IPS")):
    """Spines whose line falls forward by so much, facing so far to the left, one frame."""
    fall, yaw = np.radians(falls_deg), np.radians(yaw_deg)
    forward = np.array([np.cos(fall), -np.sin(fall), 0])
    places = {
        "R_IAS": DEPTH_M * forward + [0, 0, WIDTH_M / 2],
        "L_IAS": DEPTH_M * forward - [0, 0, WIDTH_M / 2],
        "R_IPS": np.array([0, 0, 0.04]),
        "L_IPS": np.array([0, 0, -0.04]),
        "SACR": np.zeros(3),
    }
    turn = np.array([[np.cos(yaw), 0, np.sin(yaw)], [0, 1, 0], [-np.sin(yaw), 0, np.cos(yaw)]])
    positions = np.array([turn @ places[label] + [1.0, 0.9, 0.3] for label in labels])[None]
    return Markers(time_s=np.zeros(1), rate_hz=100.0, labels=labels, positions_m=positions)


def tilted(degrees):
    return Coordinates(
        time_s=np.zeros(1),
        names=("pelvis_tilt",),
        rotational=np.array([True]),
        values=np.radians([[float(degrees)]]),
    )


@pytest.mark.parametrize("back_deg", [-15, 0, 20])
@pytest.mark.parametrize("yaw_deg", [0, 70])
def test_a_model_that_turns_with_its_markers_does_not_lean(back_deg, yaw_deg):
    markers = pelvis_markers(BONE_SLOPE_DEG - back_deg, yaw_deg)
    assert leans_back_deg(tilted(back_deg), markers, PELVIS) == pytest.approx([0], abs=1e-9)


def test_a_model_behind_its_markers_leans_back_by_the_difference():
    assert leans_back_deg(tilted(25), pelvis_markers(), PELVIS) == pytest.approx([25])


def test_a_sacral_marker_stands_for_both_posterior_spines():
    sacral = Pelvis(right_anterior="R_IAS", left_anterior="L_IAS", posterior=("SACR", "R_IPS", "L_IPS"))
    markers = pelvis_markers(5.0, labels=("R_IAS", "L_IAS", "SACR"))
    assert leans_back_deg(tilted(0), markers, sacral) == pytest.approx([5.0 - BONE_SLOPE_DEG])


def test_hip_centres_are_harringtons_in_a_level_pelvis():
    right, left = harrington_centres(pelvis_markers(0.0), PELVIS)[:, 0]
    middle = np.array([1.0 + DEPTH_M, 0.9, 0.3])
    back, down, out = 0.24 * 150 + 9.9, 0.30 * 240 + 10.9, 0.33 * 240 + 7.3
    np.testing.assert_allclose(1e3 * (right - middle), [-back, -down, out], atol=1e-9)
    np.testing.assert_allclose(1e3 * (left - middle), [-back, -down, -out], atol=1e-9)


def test_hip_centres_turn_with_the_pelvis():
    straight, turned = (harrington_centres(pelvis_markers(12, yaw), PELVIS)[:, 0] for yaw in (0, 90))
    origin = np.array([1.0, 0.9, 0.3])
    quarter = np.array([[0, 0, 1], [0, 1, 0], [-1, 0, 0]])
    np.testing.assert_allclose(turned - origin, (straight - origin) @ quarter.T, atol=1e-12)


def test_the_share_of_frames_on_a_stop():
    angles = np.array([-30, -29.5, -28.5, 0, 119.5, 120])
    assert near_an_end(angles, -30, 120) == pytest.approx(4 / 6)
    assert near_an_end(angles, -np.inf, np.inf) == 0


def person(name, lean, accepted=1):
    walk = WalkPosture(
        condition="preferred",
        leans_back_deg=lean,
        lumbar_deg=-10.0,
        on_stop=0.0,
        hip_centre_mm=(10.0, 12.0),
        marker_rms_mm=7.0,
        residual_force=6.0,
        curves={"hip flexion": [(np.linspace(0, 1, 5), np.zeros(5))], "pelvis tilt": []},
    )
    return PersonBody(
        cohort="adults",
        name=name,
        accepted=accepted,
        recorded=2,
        standing_deg=float("nan"),
        scales=scales_of({body: [1.0, 2.0, 3.0] for body in ("pelvis", "femur_r", "tibia_r", "calcn_r", "torso")}),
        walks=(walk,),
    )


def test_scale_factors_along_and_across_a_body():
    scales = person("A", 0.0).scales
    assert (scales["femur_r length"], scales["femur_r breadth"]) == (2.0, 2.0)
    assert (scales["pelvis length"], scales["pelvis breadth"]) == (3.0, 1.5)
    assert (scales["calcn_r length"], scales["calcn_r breadth"]) == (1.0, 2.5)


def test_a_cohort_is_summed_up_and_the_unknown_is_a_dash():
    lines = body_table([person("A", 2.0), person("B", -6.0, accepted=2)]).splitlines()
    assert lines[3].startswith("| B | 2 of 2 | – | -6.0 |")
    assert [line.split(" | ")[3] for line in lines[4:]] == ["-2.0", "4.0", "-6.0"]
    assert lines[4].startswith("| adults (2): mean | 3 of 4 |")


def test_before_and_after_are_paired_by_person():
    lines = change_table([person("A", 8.0), person("B", 0.0)], [person("A", 2.0, accepted=2)]).splitlines()
    assert lines[2].startswith("| A | 1 of 2 → 2 of 2 | – → – | 8.0 → 2.0 |")
    assert len(lines) == 4, "a row for A, and the cohort's mean over A alone"
    assert lines[3].startswith("| adults: mean | 1 of 2 → 2 of 2 | – → – | 8.0 → 2.0 |")


def test_everybody_is_drawn(tmp_path):
    draw_people([person(str(number), 0.0) for number in range(7)], tmp_path / "all.png")
    assert (tmp_path / "all.png").stat().st_size > 0
