"""A chain of rigid bodies whose markers are known: two bars that bend against each other."""

import numpy as np

from pipeline.landmarks.recognise import Place
from pipeline.landmarks.rigidity import bodies_by_motion

T = np.linspace(0, 1, 60)
KNOWN = {
    "RASI": Place("pelvis", "r", "anterior_superior_iliac_spine"),
    "LASI": Place("pelvis", "l", "anterior_superior_iliac_spine"),
    "SACR": Place("pelvis", "", "sacrum"),
    "RGT": Place("femur_r", "r", "greater_trochanter"),
    "RKNE": Place("femur_r", "r", "lateral_femoral_epicondyle"),
    "RMKNE": Place("femur_r", "r", "medial_femoral_epicondyle"),
    "RANK": Place("tibia_r", "r", "lateral_malleolus"),
    "RTT": Place("tibia_r", "r", "tibial_tuberosity"),
    "RHEE": Place("calcn_r", "r", "heel"),
    "RTOE": Place("calcn_r", "r", "second_metatarsal_head"),
}


def turned(points, angle, about):
    """Points (K, 3) turned about z through `about` (T, 3), by angles (T,)."""
    c, s, o = np.cos(angle), np.sin(angle), np.zeros_like(angle)
    turn = np.moveaxis(np.array([[c, -s, o], [s, c, o], [o, o, o + 1]]), -1, 0)
    return np.einsum("tij,kj->tki", turn, points) + about[:, None]


def walking(bend=1.0, noise_m=0.0):
    """Paths of KNOWN's markers, one on the thigh (A), one on the shank (B), one on the floor (C)."""
    hip = np.stack([1.2 * T, 0.9 + 0 * T, 0 * T], axis=1)
    thigh_angle = bend * 0.4 * np.sin(2 * np.pi * T)
    shank_angle = thigh_angle - bend * 0.6 * (1 - np.cos(2 * np.pi * T))
    pelvis = turned(np.array([[0.1, 0.1, 0.12], [0.1, 0.1, -0.12], [-0.1, 0.1, 0]]), 0 * T, hip)
    thigh = turned(np.array([[0, 0, 0.15], [0, -0.4, 0.05], [0, -0.4, -0.05], [0.04, -0.2, 0.07]]), thigh_angle, hip)
    knee = (thigh[:, 1] + thigh[:, 2]) / 2
    shank = turned(np.array([[0, -0.4, 0.04], [0.05, -0.05, 0], [0.03, -0.2, 0.03]]), shank_angle, knee)
    ankle = shank[:, 0]
    foot = turned(np.array([[-0.05, -0.06, 0], [0.15, -0.06, 0]]), shank_angle + 0.2 * bend * np.sin(6 * T), ankle)
    floor = np.tile([0.6, 0.0, 0.3], (len(T), 1))[:, None]
    names = ["RASI", "LASI", "SACR", "RGT", "RKNE", "RMKNE", "A", "RANK", "RTT", "B", "RHEE", "RTOE", "C"]
    points = np.concatenate([pelvis, thigh, shank, foot, floor], axis=1)
    points += np.random.default_rng(1).normal(scale=noise_m, size=points.shape) if noise_m else 0.0
    return {name: points[:, k] for k, name in enumerate(names)}


def test_a_marker_is_on_the_body_in_whose_frame_it_stays() -> None:
    assert bodies_by_motion(walking(noise_m=0.003), KNOWN, ["A", "B"]) == {"A": "femur_r", "B": "tibia_r"}


def test_what_stays_with_no_body_is_on_none() -> None:
    assert bodies_by_motion(walking(), KNOWN, ["C"]) == {}


def test_standing_tells_nothing() -> None:
    assert bodies_by_motion(walking(bend=0.0), KNOWN, ["A", "B"]) == {}


def test_a_label_that_is_not_recorded_is_left_out() -> None:
    assert bodies_by_motion(walking(), KNOWN, ["A", "D"]) == {"A": "femur_r"}


def test_gaps_are_left_out_and_hidden_markers_tell_nothing() -> None:
    paths = walking()
    paths["A"][:25] = np.nan
    paths["B"][:50] = np.nan
    assert bodies_by_motion(paths, KNOWN, ["A", "B"]) == {"A": "femur_r"}
