from dataclasses import replace

import numpy as np
import pytest

from tests.pipeline.conftest import BODY_N, FIRST_STRIKE_S, SPEED_M_S, STANCE_S, STRIDE_S
from tests.pipeline.ground.plates_chain import wrenches_of


def test_the_wrench_is_the_plates_and_its_centre_lies_under_the_foot(walker, profile, recipe):
    wrenches, _, _ = wrenches_of(walker.recording(), profile, recipe)
    right = wrenches["right"]
    middle = np.abs(right.time_s - FIRST_STRIKE_S["right"] - STANCE_S / 2) < 0.05
    assert right.force_n[middle, 1] == pytest.approx(BODY_N, rel=0.01)
    heel = walker.heel("right", right.time_s)
    assert right.cop_m[middle, 0] - heel[middle, 0] == pytest.approx(0.11, abs=0.03)
    assert right.cop_m[middle, 2] == pytest.approx(0.1, abs=1e-3)
    assert right.free_moment_nm[middle] == pytest.approx(0.005 * BODY_N, rel=0.02)


def test_the_moment_agrees_with_force_at_its_centre(walker, profile, recipe):
    right = wrenches_of(walker.recording(), profile, recipe)[0]["right"]
    loaded = np.isfinite(right.free_moment_nm)
    rebuilt = np.cross(right.cop_m - right.point_m, right.force_n)
    rebuilt[:, 1] += right.free_moment_nm
    assert rebuilt[loaded] == pytest.approx(right.moment_nm[loaded], abs=1e-9)
    assert np.isnan(right.cop_m[~loaded]).all()


def test_frames_without_a_plate_under_the_foot_carry_a_reason(walker, profile, recipe):
    wrenches, events, _ = wrenches_of(walker.recording(), profile, recipe)
    for side in ("right", "left"):
        wrench, strike = wrenches[side], FIRST_STRIKE_S[side]
        second = events.times("foot_strike", side)[1]
        assert wrench.known[(wrench.time_s >= strike) & (wrench.time_s < second)].all()
        assert set(wrench.reason[(wrench.time_s > second + 0.01) & (wrench.time_s < second + 0.5)]) == {
            "stance without a plate"
        }
        assert ((wrench.reason == "") == wrench.known).all()


def test_an_unusable_contact_gives_no_force_and_keeps_its_reason(walker, profile, recipe):
    wrenches, _, _ = wrenches_of(replace(walker, plate_shift_m=0.2).recording(), profile, recipe)
    right = wrenches["right"]
    stance = (right.time_s > FIRST_STRIKE_S["right"] + 0.02) & (
        right.time_s < FIRST_STRIKE_S["right"] + STANCE_S - 0.02
    )
    assert not right.force_n.any()
    assert all("half off" in reason for reason in right.reason[stance])


def test_drift_outside_the_contact_never_reaches_the_foot(walker, profile, recipe):
    recording = walker.recording()
    drifting = tuple(replace(plate, force_n=plate.force_n + np.array([0.0, 0.0, 8.0])) for plate in recording.plates)
    right = wrenches_of(replace(recording, plates=drifting), profile, recipe)[0]["right"]
    lifted_s = right.time_s - FIRST_STRIKE_S["right"] - STANCE_S
    assert np.abs(right.force_n[(lifted_s > 0.15) & (lifted_s < 0.25)]).max() < 1.0


def test_an_unmeasured_strike_leaks_into_swing_what_a_measured_one_does(walker, profile, recipe):
    wrenches, events, _ = wrenches_of(walker.recording(), profile, recipe)
    right = wrenches["right"]
    first, second = (int(np.ceil(t * 100)) for t in events.times("foot_strike", "right")[:2])
    before = np.arange(1, 9)
    leaked_n = right.force_n[first - before, 1]
    assert leaked_n[0] > 20
    assert right.force_n[second - before, 1] == pytest.approx(leaked_n, abs=0.25 * leaked_n[0])
    # About the foot, which has come a stride further, the moment is the same too.
    stride_m = np.array([SPEED_M_S * STRIDE_S, 0.0, 0.0])
    moved = right.moment_nm[first - before] + np.cross(stride_m, right.force_n[first - before])
    assert right.moment_nm[second - before] == pytest.approx(moved, abs=0.25 * np.abs(moved).max())


def test_an_unmeasured_stance_stays_unknown_and_carries_no_force(walker, profile, recipe):
    wrenches, events, _ = wrenches_of(walker.recording(), profile, recipe)
    right = wrenches["right"]
    second_s = events.times("foot_strike", "right")[1]
    stance = (right.time_s > second_s + 0.01) & (right.time_s < second_s + STANCE_S - 0.02)
    assert not right.known[stance].any()
    assert not right.force_n[stance].any()


@pytest.mark.parametrize("delay_s", [0.10, 0.12, 0.14])
def test_a_late_load_is_one_step_not_two(walker, profile, recipe, delay_s):
    # The heel stops long before the plate is loaded: motion and force tell of the same strike at different times.
    wrenches, events, _ = wrenches_of(replace(walker, load_delay_s=delay_s).recording(), profile, recipe)
    for side in ("right", "left"):
        assert wrenches[side].force_n[:, 1].max() < 1.05 * BODY_N  # the filter itself overshoots by a few per cent
        strikes = events.times("foot_strike", side)
        assert len(strikes) == len(walker.strikes(side))
        assert np.diff(strikes).min() > 0.8
