from dataclasses import replace

import numpy as np
import pytest

from pipeline.errors import TrialRejected
from pipeline.ground.plate_lag import (
    MEASURES,
    PlateLag,
    WholeBody,
    in_step,
    lag_warnings,
    plate_lag,
    weighted_mean,
)
from tests.pipeline.conftest import Walker

MASS_KG, HZ = 70.0, 100.0
CUTOFF_HZ = 6.0
STEP_RAD_S = 2 * np.pi * 1.8


def body(late_s: float, *, noise_n: float = 0.0, off_m: float = 0.0, extra_n: float = 0.0) -> WholeBody:
    """A mass on springs that walks, and plates that show its forces `late_s` late, with errors that have no time."""
    time_s = np.arange(300) / HZ

    def needs(t: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        place = np.column_stack([1.2 * t + 0.01 * np.sin(STEP_RAD_S * t), 0.95 + 0.02 * np.cos(STEP_RAD_S * t), 0 * t])
        acceleration = STEP_RAD_S**2 * np.column_stack(
            [-0.01 * np.sin(STEP_RAD_S * t), -0.02 * np.cos(STEP_RAD_S * t), 0 * t]
        )
        return place, MASS_KG * (acceleration + np.array([0.0, 9.81, 0.0])), 12 * np.sin(STEP_RAD_S * t + 1)

    rng = np.random.default_rng(4)
    place, needed_n, turning = needs(time_s)
    then, given_n, then_turning = needs(time_s - late_s)
    noise = np.apply_along_axis(lambda n: np.convolve(n, np.ones(9) / 9, "same"), 0, rng.normal(size=(300, 3)))
    given_n = given_n + np.array([0.0, extra_n, 0.0]) + noise_n * noise
    given_nm = np.cross(then + np.array([off_m, 0, 0]), given_n)[:, 2] + then_turning
    return WholeBody(
        time_s=time_s,
        needed_n=needed_n,
        needed_nm=turning,
        mass_centre_m=place,
        given_n=given_n,
        given_nm=given_nm,
        known=np.ones(300, dtype=bool),
    )


@pytest.mark.parametrize("late_s", [-0.02, -0.005, 0.0, 0.005, 0.01, 0.02])
def test_newtons_laws_tell_the_delay(late_s: float) -> None:
    found = plate_lag(body(late_s), CUTOFF_HZ)
    assert found is not None
    assert found.lag_s == pytest.approx(late_s, abs=1e-4)
    for name in MEASURES:
        assert found.by_measure[name][0] == pytest.approx(late_s, abs=3e-4), name


def test_errors_that_have_nothing_to_do_with_time_do_not_matter() -> None:
    found = plate_lag(body(0.01, off_m=0.03, extra_n=40.0), CUTOFF_HZ)
    assert found is not None
    assert found.lag_s == pytest.approx(0.01, abs=3e-4)


def test_noise_shows_in_the_standard_error() -> None:
    calm, noisy = (plate_lag(body(0.01, noise_n=noise), CUTOFF_HZ) for noise in (5.0, 50.0))
    assert calm is not None
    assert noisy is not None
    assert 0 < calm.random_s < noisy.random_s
    assert abs(noisy.lag_s - 0.01) < 3 * noisy.se_s


def test_frames_whose_reaction_is_not_known_do_not_matter() -> None:
    whole = body(0.012)
    known = np.arange(300) < 150
    spoilt = replace(
        whole,
        known=known,
        given_n=np.where(known[:, None], whole.given_n, 0.0),
        given_nm=np.where(known, whole.given_nm, 0.0),
    )
    found = plate_lag(spoilt, CUTOFF_HZ)
    assert found is not None
    assert found.lag_s == pytest.approx(0.012, abs=3e-4)


def test_too_little_on_the_plates_tells_nothing() -> None:
    assert plate_lag(replace(body(0.01), known=(np.arange(300) >= 100) & (np.arange(300) < 128)), CUTOFF_HZ) is None


def test_a_motion_that_explains_no_force_tells_nothing() -> None:
    """As where a model leaps from frame to frame: what it needs has little to do with what was measured."""
    leaping = body(0.0)
    leaps = 800 * np.sin(2 * np.pi * 9 * leaping.time_s)[:, None] * [1.0, 0.0, 0.0]
    assert plate_lag(replace(leaping, needed_n=leaping.needed_n + leaps), CUTOFF_HZ) is None


def test_plates_that_are_late_are_taken_earlier() -> None:
    late, true = Walker(load_delay_s=0.0137).recording(), Walker().recording()
    brought = in_step(late, 0.0137)
    # Two frames' plates were not recorded yet when the cameras stopped.
    assert len(brought.time_s) == len(true.time_s) - 2
    assert brought.time_s[0] == true.time_s[0]
    np.testing.assert_array_equal(brought.markers_m, true.markers_m[:-2])
    assert len(brought.analog) == len(brought.plates[0].force_n) == 10 * len(brought.time_s)
    for found, expected in zip(brought.plates, true.plates, strict=True):
        up = expected.force_n[: len(found.force_n), 2]
        # A ramp's corner lies between two samples.
        np.testing.assert_allclose(found.force_n[:, 2], up, atol=5.0)
        assert np.abs(late.plates[found.number - 1].force_n[: len(up), 2] - up).max() > 50


def test_plates_that_are_early_lose_frames_at_the_start() -> None:
    early, true = Walker(load_delay_s=-0.01).recording(), Walker().recording()
    brought = in_step(early, -0.01)
    assert brought.time_s[0] == pytest.approx(true.time_s[1])
    np.testing.assert_array_equal(brought.markers_m, true.markers_m[1:])
    np.testing.assert_allclose(brought.plates[0].force_n[:, 2], true.plates[0].force_n[10:, 2], atol=1e-6)


def test_a_shift_is_told_and_none_changes_nothing() -> None:
    recording = Walker().recording()
    assert in_step(recording, 0.0) is recording
    assert in_step(recording, 0.015).warnings[-1] == (
        "the plates are taken 15 ms earlier than recorded, as plates_lag_s says"
    )


def test_a_recording_shorter_than_the_lag_is_refused() -> None:
    with pytest.raises(TrialRejected, match=r"walk\.c3d: holds 5 frames, and plates_lag_s=0\.08 leaves none"):
        in_step(Walker(duration_s=0.05).recording(), 0.08)


def told(lag_s: float, random_s: float = 0.003, **by_measure: tuple[float, float]) -> PlateLag:
    return PlateLag(lag_s=lag_s, random_s=random_s, by_measure=by_measure)


def test_only_what_is_beyond_doubt_is_warned() -> None:
    assert len(lag_warnings(told(0.016), None)) == 1
    assert "16 ± 3 ms late" in lag_warnings(told(0.016), None)[0]
    assert lag_warnings(None, None) == lag_warnings(told(0.016, 0.008), None) == lag_warnings(told(0.006), None) == []
    assert "16 ± 3 ms early" in lag_warnings(told(-0.016), None)[0]


@pytest.mark.parametrize("stated_s", [0.015, -0.015, 0.0])
def test_a_stated_lag_is_judged_by_what_is_left_of_it(stated_s: float) -> None:
    """A lag is measured once the stated one is taken off: of one with the wrong sign twice as much is left."""
    assert lag_warnings(told(0.001), stated_s) == []
    (warning,) = lag_warnings(told(0.03), stated_s)
    assert f"30 ± 3 ms late against the cameras with the stated plates_lag_s = {stated_s:g} taken off" in warning
    assert "its sign, which is positive for plates that are late" in warning


def test_estimates_that_disagree_widen_the_error_of_their_mean() -> None:
    """By chi-squared a degree of freedom: 1, 2 and 3, each ± 1, have 1; ten times as far apart, 100."""
    assert weighted_mean([(1.0, 1.0), (2.0, 1.0), (3.0, 1.0)]) == pytest.approx((2.0, 3**-0.5))
    assert weighted_mean([(10.0, 1.0), (20.0, 1.0), (30.0, 1.0)]) == pytest.approx((20.0, 10 * 3**-0.5))
    # Those that agree better than they say are no surer for it.
    assert weighted_mean([(2.0, 1.0), (2.0, 1.0)]) == pytest.approx((2.0, 2**-0.5))
    assert weighted_mean([(2.0, 0.5), (float("nan"), float("nan"))]) == (2.0, 0.5)
    assert np.isnan(weighted_mean([])).all()


def test_measures_that_disagree_widen_the_lags_error() -> None:
    apart = told(0.02, 0.001, forward=(0.01, 0.001), up=(0.02, 0.001), pitch=(0.03, 0.001))
    assert apart.se_s == pytest.approx(0.01 * 3**-0.5)
    alike = told(0.02, 0.001, forward=(0.02, 0.001), up=(0.02, 0.001), pitch=(0.02, 0.001))
    assert alike.se_s == 0.001
    assert alike.notable
    assert not replace(apart, by_measure={"forward": (0.0, 0.001), "pitch": (0.04, 0.001)}).notable


def test_a_lag_of_a_single_measure_is_none() -> None:
    """Of forces and moments that grow all the way, any delay is better than the last: they have no optimum."""
    whole = body(0.01)
    growing = whole.time_s**2
    two = replace(whole, needed_nm=1e5 * growing)
    found = plate_lag(two, CUTOFF_HZ)
    assert found is not None
    assert np.isnan(found.by_measure["pitch"]).all()
    assert found.lag_s == pytest.approx(0.01, abs=3e-4)

    def forward(force_n: np.ndarray, most_n: float) -> np.ndarray:
        return np.column_stack([most_n * growing, force_n[:, 1:]])

    one = replace(two, needed_n=forward(two.needed_n, 50.0), given_n=forward(two.given_n, 100.0))
    assert plate_lag(one, CUTOFF_HZ) is None
