import numpy as np
import pytest

from pipeline.ground.cycles import find_strides, resample_stride
from pipeline.ground.gait_events import GaitEvent, GaitEvents


def events(*times: tuple[str, float]) -> GaitEvents:
    return GaitEvents(
        events=tuple(GaitEvent(kind=kind, side="right", time_s=t, source="force") for kind, t in times),
        kinematic_bias_s={"foot_strike": 0.0, "foot_off": 0.0},
        laboratory_difference_s=float("nan"),
        laboratory_worst_s=float("nan"),
    )


TWO_STRIDES = events(
    ("foot_strike", 0.103), ("foot_off", 0.7), ("foot_strike", 1.1), ("foot_off", 1.75), ("foot_strike", 2.2)
)
TIME_S = np.arange(250) / 100


def cut_cycles(side, time_s, channels, known, events, settings):
    unknown = np.where(known, "", "stance without a plate").astype(object)
    strides, refused = find_strides(side, time_s, unknown, events, settings)
    return [resample_stride(stride, time_s, channels, known, settings.cycle_points) for stride in strides], refused


def test_straight_lines_stay_straight(recipe):
    channels = {"up": 3 * TIME_S, "down": 5 - TIME_S}
    cycles, refused = cut_cycles("right", TIME_S, channels, np.ones(250, bool), TWO_STRIDES, recipe.cycles)
    assert refused == ()
    assert len(cycles) == 2
    first = cycles[0]
    assert len(first.phase) == recipe.cycles.cycle_points
    assert (first.phase[0], first.phase[-1]) == (0.0, 1.0)
    assert first.channels["up"] == pytest.approx(3 * (0.103 + first.phase * 0.997), abs=1e-9)
    assert first.channels["down"] == pytest.approx(5 - (0.103 + first.phase * 0.997), abs=1e-9)


def test_duration_and_toe_off_give_back_real_time(recipe):
    cycles, _ = cut_cycles("right", TIME_S, {"x": TIME_S}, np.ones(250, bool), TWO_STRIDES, recipe.cycles)
    for cycle, strike, off in zip(cycles, (0.103, 1.1), (0.7, 1.75), strict=True):
        stride = cycle.stride
        assert stride.start_s == strike
        assert stride.start_s + stride.toe_off_phase * stride.duration_s == pytest.approx(off)


def test_forces_never_overshoot_below_zero(recipe):
    burst = np.where((TIME_S > 0.5) & (TIME_S < 0.6), 100.0, 0.0)
    cycles, _ = cut_cycles("right", TIME_S, {"force": burst}, np.ones(250, bool), TWO_STRIDES, recipe.cycles)
    assert min(cycle.channels["force"].min() for cycle in cycles) == 0.0


def test_a_stride_with_an_unknown_frame_is_refused_and_the_other_kept(recipe):
    known = np.ones(250, bool)
    known[150] = False
    cycles, refused = cut_cycles("right", TIME_S, {"x": TIME_S}, known, TWO_STRIDES, recipe.cycles)
    assert [cycle.stride.start_s for cycle in cycles] == [0.103]
    (lost,) = refused
    assert str(lost) == "right stride at 1.10 s: its ground reaction is not known throughout: stance without a plate"


def test_what_follows_the_last_strike_is_not_needed_and_not_read(recipe):
    known = TIME_S < 1.1 - 1e-9
    poisoned = np.where(known, TIME_S, np.nan)
    cycles, _ = cut_cycles("right", TIME_S, {"x": poisoned}, known, TWO_STRIDES, recipe.cycles)
    assert len(cycles) == 1
    assert np.isfinite(cycles[0].channels["x"]).all()
    assert cycles[0].channels["x"][-1] == pytest.approx(1.09, abs=1e-9)


def test_a_stop_is_not_a_stride(recipe):
    slow = events(("foot_strike", 0.1), ("foot_off", 0.3), ("foot_strike", 0.5))
    assert (
        "lasts 0.40 s" in cut_cycles("right", TIME_S, {"x": TIME_S}, np.ones(250, bool), slow, recipe.cycles)[1][0].why
    )


def test_a_stride_without_toe_off_is_refused(recipe):
    dragged = events(("foot_strike", 0.1), ("foot_strike", 1.1))
    cycles, refused = cut_cycles("right", TIME_S, {"x": TIME_S}, np.ones(250, bool), dragged, recipe.cycles)
    assert cycles == []
    assert "0 toe offs" in refused[0].why


def test_a_stride_beyond_the_record_is_refused(recipe):
    late = events(("foot_strike", 1.9), ("foot_off", 2.45), ("foot_strike", 2.9))
    assert (
        "not wholly recorded"
        in cut_cycles("right", TIME_S, {"x": TIME_S}, np.ones(250, bool), late, recipe.cycles)[1][0].why
    )
