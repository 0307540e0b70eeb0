"""Signs of bad input, on people made of a few markers whose answers follow from how they are made."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from pipeline.markers.static_trial import StaticTrial
from pipeline.records import Markers, Recording, SubjectBlock
from pipeline.session.load_profile import load_profile
from pipeline.session.recipe import load_recipe
from pipeline.session.session import Subject
from pipeline.sizing.plausible import (
    cervical_height_m,
    exchange_ratio,
    feet_in_standing,
    height_by_neck,
    height_of_cervical_m,
    malleoli_in_standing,
    standing_signs,
    standing_travel,
)

PROFILE = load_profile("isb_full_body")
SETTINGS = load_recipe("gait2hip60").scaling
RATE_HZ, SECONDS = 100.0, 2.0
# Ground frame: x forward, y up, z right. Feet together and pointing forward, 1.70 m tall.
HEEL_M, TOE_M, KNEE_M, ANKLE_M = (0.0, 0.02, 0.1), (0.2, 0.04, 0.1), (0.05, 0.5, 0.15), (0.03, 0.08, 0.14)
STANDING_M = {
    "R_IAS": (0.1, 0.95, 0.12),
    "R_IPS": (-0.05, 1.0, 0.05),
    "R_FCC": HEEL_M,
    "R_FM2": TOE_M,
    "R_FLE": KNEE_M,
    "R_FAL": ANKLE_M,
}
PLACES_M = (
    STANDING_M
    | {"L" + label[1:]: (x, y, -z) for label, (x, y, z) in STANDING_M.items()}
    | {"CV7": (0.0, 1.70 - 0.255 - 0.001, 0.0)}
)


def static(places_m=PLACES_M, frames=int(RATE_HZ * SECONDS)) -> StaticTrial:
    """Somebody standing still."""
    labels = tuple(places_m)
    markers_m = np.tile(np.array(list(places_m.values())), (frames, 1, 1))
    time_s = np.arange(frames) / RATE_HZ
    recording = Recording(
        path=Path("static.c3d"),
        time_s=time_s,
        point_rate_hz=RATE_HZ,
        marker_labels=labels,
        markers_m=markers_m,
        analog_rate_hz=RATE_HZ,
        analog_labels=(),
        analog_units=(),
        analog=np.zeros((frames, 0)),
        plates=(),
        events=(),
        subject=SubjectBlock(),
    )
    pose = Markers(time_s=time_s[:1], rate_hz=RATE_HZ, labels=labels, positions_m=markers_m[:1])
    return StaticTrial(recording=recording, pose=pose, warnings=())


def moved(trial: StaticTrial, by_m: np.ndarray, label: str | None = None) -> Recording:
    """The recording with all markers, or one, moved by (T, 3)."""
    markers_m = trial.recording.markers_m.copy()
    columns = [trial.recording.marker_labels.index(label)] if label else slice(None)
    markers_m[:, columns] += by_m[:, None]
    return replace(trial.recording, markers_m=markers_m)


def signs(places_m=PLACES_M, height_m=1.70):
    person = Subject(id="S1", mass_kg=70, height_m=height_m)
    at = {label: np.array(place) for label, place in places_m.items()}
    found = (
        *standing_signs(static(places_m), PROFILE, person, SETTINGS),
        *feet_in_standing(at, PROFILE, SETTINGS),
        *height_by_neck(at, PROFILE, person, SETTINGS),
    )
    return {figure.figure: figure for figure in found}


def shifted(*labels, by_m):
    return PLACES_M | {label: tuple(np.add(PLACES_M[label], by_m)) for label in labels}


def swapped(first, second):
    return PLACES_M | {first: PLACES_M[second], second: PLACES_M[first]}


def test_quiet_standing_shows_none():
    found = signs()

    assert [figure.figure for figure in found.values() if figure.refused] == []
    assert found["height_by_neck"].value == pytest.approx(0.0, abs=1.0)
    assert found["foot_height"].value == found["foot_ahead"].value == found["sides_crossed"].value == 0


def test_a_sway_of_some_millimetres_is_quiet():
    sway_m = 0.004 * np.sin(2 * np.pi * np.arange(200) / RATE_HZ)[:, None] * (1.0, 0.0, 0.0)

    pelvis, furthest = standing_travel(moved(static(), sway_m), PROFILE, SETTINGS)

    assert 4 < pelvis.value < 8.1
    assert not pelvis.refused
    assert not furthest.refused


def test_a_walk_is_not_quiet():
    """At 1 m/s the 50 frames of half a second lie 49 intervals apart."""
    pelvis, _ = standing_travel(moved(static(), np.arange(200)[:, None] / RATE_HZ * (1.0, 0.0, 0.0)), PROFILE, SETTINGS)

    assert pelvis.value == pytest.approx(490)
    assert pelvis.refused
    assert "static.c3d is not quiet" in pelvis.advice


def test_one_marker_that_jumps_is_named():
    jump_m = np.where(np.arange(200) < 100, 0.0, 0.05)[:, None] * (0.0, 1.0, 0.0)

    pelvis, furthest = standing_travel(moved(static(), jump_m, "R_FLE"), PROFILE, SETTINGS)

    assert pelvis.value == 0
    assert not pelvis.refused
    assert furthest.of == "R_FLE"
    assert furthest.value == pytest.approx(50)
    assert furthest.refused


def test_a_trial_of_one_frame_tells_nothing_of_quiet():
    for figure in standing_travel(static(frames=1).recording, PROFILE, SETTINGS):
        assert np.isnan(figure.value)
        assert not figure.refused


def test_a_marker_that_is_hidden_now_and_then_is_measured_where_it_is_seen():
    trial = static()
    gone = trial.recording.markers_m.copy()
    gone[90:110, 0] = np.nan

    pelvis, furthest = standing_travel(replace(trial.recording, markers_m=gone), PROFILE, SETTINGS)

    assert pelvis.value == furthest.value == 0


@pytest.mark.parametrize("height_m", [1.60, 1.80])
def test_a_height_ten_centimetres_wrong_is_told_by_the_neck(height_m):
    figure = signs(height_m=height_m)["height_by_neck"]

    assert figure.value == pytest.approx((1.70 - height_m) * 1e3, abs=2)
    assert figure.refused
    assert "as of somebody 1.70 m tall" in figure.advice


def test_shoes_and_the_floor_s_height_do_not_matter():
    raised = {label: tuple(np.add(place, (0, 0.3, 0))) for label, place in PLACES_M.items()}

    assert signs(raised)["height_by_neck"].value == pytest.approx(signs()["height_by_neck"].value)


@pytest.mark.parametrize("height_m", [0.9, 1.33, 1.7, 2.0])
def test_the_height_of_a_neck_is_the_inverse_of_the_neck_of_a_height(height_m):
    assert height_of_cervical_m(cervical_height_m(height_m)) == pytest.approx(height_m, abs=1e-9)


def test_what_is_over_the_neck_is_a_larger_share_of_a_child():
    assert cervical_height_m(1.70) == pytest.approx(1.445)
    assert cervical_height_m(1.2) / 1.2 < cervical_height_m(1.70) / 1.70 - 0.02


@pytest.mark.parametrize(("height_m", "outside_mm"), [(0.9, -200), (1.1, 0), (2.1, 0), (2.2, 100)])
def test_heights_that_the_prior_does_not_know(height_m, outside_mm):
    figure = signs(height_m=height_m)["height_outside_prior"]

    assert figure.value == pytest.approx(outside_mm)
    assert figure.refused == (outside_mm != 0)


def test_the_foot_that_is_off_the_ground_is_named():
    figure = signs(shifted("L_FCC", "L_FM2", by_m=(0, 0.08, 0)))["foot_height"]

    assert figure.value == pytest.approx(-80)
    assert figure.refused
    assert "left foot" in figure.advice


def test_a_step_is_told():
    figure = signs(shifted("R_FCC", "R_FM2", by_m=(0.5, 0, 0)))["foot_ahead"]

    assert figure.value == pytest.approx(500)
    assert figure.refused


@pytest.mark.parametrize("pair", [("R_FLE", "L_FLE"), ("R_FAL", "L_FAL"), ("R_IAS", "L_IAS"), ("R_FCC", "L_FCC")])
def test_exchanged_sides_are_named(pair):
    figure = signs(swapped(*pair))["sides_crossed"]

    assert figure.refused
    assert figure.value == pytest.approx(2e3 * abs(PLACES_M[pair[0]][2]))
    assert figure.of == " and ".join(pair)


def test_whoever_faces_backwards_has_not_crossed():
    turned = {label: (-x, y, -z) for label, (x, y, z) in PLACES_M.items()}

    assert signs(turned)["sides_crossed"].value == 0


EXPECTED_M = np.array([[[0.0, 0.0, 0.0], [0.1, 0.0, 0.0]]])


@pytest.mark.parametrize(
    ("measured_m", "ratio"),
    [
        (EXPECTED_M, 0.0),
        (EXPECTED_M[:, ::-1], np.inf),
        # Both halfway: either name is as good.
        ([[[0.05, 0.01, 0.0], [0.05, 0.01, 0.0]]], 1.0),
        # 10 mm off, 90 mm if exchanged.
        ([[[0.01, 0.0, 0.0], [0.09, 0.0, 0.0]]], 1 / 9),
    ],
)
def test_the_error_over_what_it_would_be_if_exchanged(measured_m, ratio):
    assert exchange_ratio(np.array(measured_m), EXPECTED_M) == pytest.approx(ratio)


def test_neighbours_are_not_told_apart():
    near_m = EXPECTED_M * 0.1

    assert exchange_ratio(near_m[:, ::-1], near_m) == 0.0


@pytest.mark.parametrize(("sex", "usual_m"), [("F", 0.0385 * 1.70), ("M", 0.0415 * 1.70), (None, 0.04 * 1.70)])
def test_a_malleolus_stands_as_high_as_malleoli_do(sex, usual_m) -> None:
    """R_FAL is at 0.08 m, a heel's marker at 0.02, 1 mm lower than heels' markers are; the left one is 5 cm higher."""
    person = Subject(id="S1", mass_kg=70, height_m=1.70, sex=sex)
    at = {label: np.array(place) for label, place in PLACES_M.items()} | {"L_FAL": np.array([0.03, 0.13, -0.14])}

    found = {figure.of: figure for figure in malleoli_in_standing(at, PROFILE, person, SETTINGS)}

    assert found["R_FAL"].value == pytest.approx(1e3 * (0.081 - usual_m))
    assert found["L_FAL"].value == pytest.approx(found["R_FAL"].value + 50)
    assert found["L_FAL"].refused
    assert not found["R_FAL"].refused


def test_marker_pairs_size_somebody_of_any_height() -> None:
    small = Subject(id="S1", mass_kg=13, height_m=0.9)
    by_pairs = SETTINGS.model_copy(update={"method": "pairs"})

    told = {figure.figure: figure.refused for figure in standing_signs(static(), PROFILE, small, SETTINGS)}
    pairs = {figure.figure: figure.refused for figure in standing_signs(static(), PROFILE, small, by_pairs)}

    assert told["height_outside_prior"]
    assert "height_outside_prior" not in pairs
    assert "standing_travel" in pairs
