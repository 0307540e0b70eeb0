import numpy as np
import pytest

from pipeline.ground.cycles import Stride
from pipeline.ground.progression import heading_deg, path_speed_m_s, with_headings
from pipeline.records import Markers

TIME_S = np.arange(300) / 100
STRIDES = (
    Stride(side="right", start_s=0.2, stop_s=1.2, toe_off_s=0.8),
    Stride(side="left", start_s=0.7, stop_s=1.7, toe_off_s=1.3),
)
STILL = np.zeros(3)


def pelvis(profile, middle_m: np.ndarray, heading_rad: np.ndarray) -> Markers:
    """Anterior spines 0.25 m apart about a middle (T, 3), facing `heading_rad` (T,) to the left of forward."""
    right = np.stack([np.sin(heading_rad), 0 * heading_rad, np.cos(heading_rad)], axis=1)
    labels = (profile.pelvis.right_anterior, profile.pelvis.left_anterior)
    places = np.stack([middle_m + 0.125 * right, middle_m - 0.125 * right], axis=1)
    return Markers(time_s=TIME_S, rate_hz=100.0, labels=labels, positions_m=places)


def straight(speed: float) -> np.ndarray:
    return np.stack([speed * TIME_S, np.full_like(TIME_S, 0.9), 0 * TIME_S], axis=1)


def test_a_circle_is_walked_at_its_arcs_speed(profile):
    radius_m, turning_rad_s = 1.5, 0.8
    angle = turning_rad_s * TIME_S
    # To the left is towards -z.
    middle = radius_m * np.stack([np.sin(angle), 0 * angle, np.cos(angle) - 1], axis=1)
    markers = pelvis(profile, middle, angle)
    changes = [stride.heading_change_deg for stride in with_headings(STRIDES, markers, profile)]
    assert changes == pytest.approx([np.degrees(turning_rad_s)] * 2)
    assert path_speed_m_s(markers, profile, STRIDES, STILL) == pytest.approx(radius_m * turning_rad_s, rel=1e-6)
    chord_m_s = np.linalg.norm(middle[-1] - middle[0]) / TIME_S[-1]
    assert chord_m_s < 0.8 * radius_m * turning_rad_s


def test_more_than_a_whole_turn_is_counted_on(profile):
    angle = 3.0 * TIME_S
    assert heading_deg(pelvis(profile, straight(1.0), angle), profile) == pytest.approx(np.degrees(angle))


def test_a_pelvis_that_swings_to_and_fro_does_not_turn(profile):
    markers = pelvis(profile, straight(1.2), np.radians(8) * np.sin(2 * np.pi * TIME_S))
    changes = [stride.heading_change_deg for stride in with_headings(STRIDES, markers, profile)]
    assert changes == pytest.approx([0, 0], abs=1e-9)
    assert path_speed_m_s(markers, profile, STRIDES, STILL) == pytest.approx(1.2, rel=1e-3)


def test_on_a_belt_the_floor_moves_and_not_the_pelvis(profile):
    markers = pelvis(profile, straight(0.01), 0 * TIME_S)
    assert path_speed_m_s(markers, profile, STRIDES, np.array([-2.5, 0.0, 0.0])) == pytest.approx(2.51)


def test_what_is_not_seen_is_not_known(profile):
    markers = pelvis(profile, np.full((300, 3), np.nan), 0 * TIME_S)
    assert np.isnan(path_speed_m_s(markers, profile, STRIDES, STILL))
    assert np.isnan([stride.heading_change_deg for stride in with_headings(STRIDES, markers, profile)]).all()
