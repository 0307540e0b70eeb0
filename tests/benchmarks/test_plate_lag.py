"""What `benchmarks/plate_lag.py`, `residuals.py` and `norms.py` compute with, on arithmetic whose answers are known."""

from pathlib import Path

import numpy as np
import pytest

from benchmarks.foot_timing import FootMarkers, footprints
from benchmarks.hip_centres import hara_m, harrington_m, in_pelvis_m, pelvis_frames, score_m
from benchmarks.norms import mean_figures, read_norms, stride_figures
from benchmarks.plate_lag import later_by_s, outward_m
from benchmarks.residuals import residuals_of
from benchmarks.walk_dynamics import NeededWrench
from pipeline.ground.cycles import Stride
from pipeline.ground.plate_lag import PlateLag
from pipeline.records import SIDES, FootWrench, GeneralizedForces, Markers, Side
from pipeline.session.profile import Pelvis
from tests.pipeline.conftest import Walker

PELVIS = Pelvis(right_anterior="RA", left_anterior="LA", posterior=("RP", "LP"))
PLACE_M = np.array([1.0, 2.0, 3.0])


def turned(angle_rad: np.ndarray, axis: int) -> np.ndarray:
    """Rotations (T, 3, 3) about x, y or z."""
    rotation = np.tile(np.eye(3), (len(angle_rad), 1, 1))
    first, second = [n for n in range(3) if n != axis]
    rotation[:, first, first] = rotation[:, second, second] = np.cos(angle_rad)
    rotation[:, first, second], rotation[:, second, first] = -np.sin(angle_rad), np.sin(angle_rad)
    return rotation


def test_a_hip_that_turns_about_a_point_is_found_there() -> None:
    phase = np.linspace(0, 2 * np.pi, 80)
    centre = np.array([0.1, 0.9, 0.08]) + np.outer(phase, [0.2, 0, 0])
    pelvis = turned(0.1 * np.sin(phase), 1)
    thigh = pelvis @ turned(0.5 * np.sin(phase), 2) @ turned(0.1 * np.cos(phase), 0)
    on_pelvis = np.array([[0.05, 0.08, 0.04], [0.05, 0.08, -0.2], [-0.1, 0.09, -0.03], [-0.1, 0.09, -0.13]])
    on_thigh = np.array([[0.0, -0.05, 0.08], [0.03, -0.4, 0.05], [0.0, -0.4, -0.05]])
    places = [
        np.einsum("tij,mj->tmi", rotation, points) + centre[:, None]
        for rotation, points in ((pelvis, on_pelvis), (thigh, on_thigh))
    ]
    np.testing.assert_allclose(score_m(*places), centre, atol=1e-9)


def test_regressions_give_what_their_authors_print() -> None:
    """Of a pelvis 150 mm deep and 240 mm wide, and a leg of 850 mm."""
    np.testing.assert_allclose(harrington_m("right", 0.15, 0.24), [-0.0459, -0.0829, 0.0865], atol=1e-9)
    np.testing.assert_allclose(hara_m("left", 0.85), [-0.04255, -0.0753, -0.0811], atol=1e-9)


def test_hips_of_both_sides_are_averaged_as_mirror_images() -> None:
    """A model whose hips are 4 mm too far apart on either side: on average 4 mm too far out, not none."""
    rightward = {"right": np.array([0.001, 0.002, 0.004]), "left": np.array([0.001, 0.002, -0.004])}
    outward = [outward_m(side, rightward[side]) for side in SIDES]
    np.testing.assert_allclose(np.mean(outward, axis=0), [0.001, 0.002, 0.004])


def test_what_a_measure_is_off_by_in_everybody_is_no_difference_between_people() -> None:
    """Force up and turning say 10 ms apart in both; each says that the one is 7 ms later than the other."""
    one, other = (
        PlateLag(
            lag_s=late_s,
            random_s=0.001,
            by_measure={"forward": (np.nan, np.nan), "up": (late_s, 0.003), "pitch": (late_s + 0.01, 0.003)},
        )
        for late_s in (0.012, 0.005)
    )
    assert one.se_s == pytest.approx(0.005)
    assert later_by_s(one, other) == pytest.approx((0.007, 0.003))


def test_the_pelvis_frame_is_its_markers_own() -> None:
    turn = turned(np.array([0.0, 0.7]), 1)
    spines = {"RA": (0, 0, 0.12), "LA": (0, 0, -0.12), "RP": (-0.16, 0, 0.05), "LP": (-0.16, 0, -0.05)}
    markers = Markers(
        time_s=np.array([0.0, 0.01]),
        rate_hz=100.0,
        labels=tuple(spines),
        positions_m=np.einsum("tij,mj->tmi", turn, np.array(list(spines.values()))) + PLACE_M,
    )
    rotation, origin, depth, width = pelvis_frames(markers, PELVIS)
    np.testing.assert_allclose(rotation, turn, atol=1e-12)
    assert (depth, width) == (pytest.approx(0.16), pytest.approx(0.24))
    point = np.einsum("tij,j->ti", turn, [0.01, -0.08, 0.07]) + PLACE_M
    np.testing.assert_allclose(in_pelvis_m(point, rotation, origin), [0.01, -0.08, 0.07], atol=1e-12)


def test_a_foot_on_a_plate_is_read_and_later_plates_make_its_events_earlier() -> None:
    feet = [FootMarkers(heel=(f"{letter}_FCC",), toe=(f"{letter}_FM2",)) for letter in "RL"]
    (in_time, other), late = (
        list(footprints(Walker(load_delay_s=delay_s).recording(), feet)) for delay_s in (0.0, 0.02)
    )
    assert (in_time.length_m, other.length_m) == (pytest.approx(0.17, abs=1e-3), pytest.approx(0.17, abs=1e-3))
    # The pressure walks from 20 to 200 mm before the heel's marker while the foot stands; the ends under 50 N are cut.
    assert in_time.along[1] == pytest.approx((0.02 + 0.18 / 2) / 0.17, abs=0.02)
    assert in_time.along[0] < 0.25 < 1.0 < in_time.along[3]
    assert late[0].toe_s - in_time.toe_s == pytest.approx(-0.02, abs=0.003)


def wrench(side: Side, force_n: np.ndarray, known: np.ndarray) -> FootWrench:
    """A force at the origin of the ground."""
    n = len(force_n)
    return FootWrench(
        side=side,
        time_s=np.arange(n) / 100,
        point_m=np.zeros(3),
        force_n=force_n,
        moment_nm=np.zeros((n, 3)),
        cop_m=np.zeros((n, 3)),
        free_moment_nm=np.zeros(n),
        known=known,
        reason=np.full(n, "", dtype=object),
    )


def test_residuals_are_shares_of_the_largest_force_and_of_its_moment_about_the_ground() -> None:
    up = np.tile([0.0, 400.0, 0.0], (4, 1))
    known = np.array([True, True, True, False])
    wrenches = {side: wrench(side, up, known) for side in SIDES}
    off = np.array([[40.0, 0, 0], [0, 0, 0], [0, 0, 0], [500, 0, 0]])
    centre = np.tile([0.0, 0.9, 0.0], (4, 1))
    needed = NeededWrench(
        force_n=2 * up + off, moment_nm=np.cross(centre, off) + np.array([0.0, 0.0, 7.2]), mass_centre_m=centre
    )
    found = residuals_of(needed, wrenches)
    assert found.force_peak == pytest.approx(100 * 40 / 800)
    assert found.force_rms == pytest.approx(100 * 40 / 800 / np.sqrt(3))
    assert found.moment_rms == found.moment_peak == pytest.approx(100 * 7.2 / (800 * 0.9))
    nothing = {side: wrench(side, up, np.zeros(4, dtype=bool)) for side in SIDES}
    assert np.isnan(residuals_of(needed, nothing).as_row()).all()


def test_a_strides_figures_have_the_norms_signs_and_phases() -> None:
    time_s = np.arange(101) / 100
    names = ("hip_flexion_r", "hip_adduction_r", "ankle_angle_r")
    values = np.column_stack([70 * (time_s - 0.3), -70 * time_s, -105 * np.sin(np.pi * time_s)])
    moments = GeneralizedForces(time_s=time_s, names=names, rotational=np.ones(3, dtype=bool), values=values)
    stride = Stride(side="right", start_s=0.0, stop_s=1.0, toe_off_s=0.6)
    figures = stride_figures(moments, stride, 70.0)
    assert figures["hipZ_10"] == pytest.approx(-0.2)
    assert figures["hipZ_50"] == pytest.approx(0.2)
    assert (figures["hipZ_max40_65"], figures["pct_of_max"]) == (pytest.approx(0.35), 65)
    assert figures["hipX_18"] == pytest.approx(0.18)
    assert figures["ankleZ_max"] == pytest.approx(1.5)


def test_a_persons_legs_are_averaged_before_people_are(tmp_path: Path) -> None:
    file = tmp_path / "norms.csv"
    file.write_text(
        "subject,condition,side,hipZ_10,hipZ_50,hipZ_94\n01,C,R,-0.6,0.4,\n01,C,L,-0.4,0.6,-0.3\n02,F,R,-0.9,0.8,\n",
        "utf-8",
    )
    norms = read_norms(file)
    assert norms["preferred"]["01"]["hipZ_50"] == pytest.approx(0.5)
    assert norms["preferred"]["01"]["hipZ_94"] == pytest.approx(-0.3)
    assert np.isnan(norms["fast"]["02"]["hipZ_94"])
    assert np.isnan(mean_figures([])["hipZ_50"])
