"""One walk against physics: what moves the body is what the ground does, and feet stand where they stand."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.ground.contacts import GRAVITY_M_S2
from pipeline.records import SIDES
from pipeline.virtual import walk as walk_module
from pipeline.virtual.dynamics.planted import NoMotion
from pipeline.virtual.gait.normal_gait import step_law
from pipeline.virtual.gait.style import draw_style
from pipeline.virtual.person.anthropometry import draw_subject
from pipeline.virtual.person.joint_ranges import joint_ranges
from pipeline.virtual.records import ANALOG_RATE_HZ, MARKER_RATE_HZ
from pipeline.virtual.walk import CADENCES, own_gait, walk, walking_plan

pytestmark = pytest.mark.osim
RATIO = round(ANALOG_RATE_HZ / MARKER_RATE_HZ)


def marker(performance, name):
    return performance.markers_m[:, performance.marker_names.index(name)]


def test_nothing_is_left_over_at_the_pelvis(fast_walk):
    root = [i for i, name in enumerate(fast_walk.moments.names) if name.startswith("pelvis_")]
    assert np.abs(fast_walk.moments.values[:, root]).max() < 0.1


def test_force_is_mass_times_acceleration(body, fast_walk):
    centre = body.mechanics.mass_centre_m(fast_walk.coordinates.values)
    acceleration = (centre[2:] - 2 * centre[1:-1] + centre[:-2]) * MARKER_RATE_HZ**2
    wanted = body.subject.mass_kg * (acceleration + np.array([0, GRAVITY_M_S2, 0]))
    total = sum(load.force_n[::RATIO] for load in fast_walk.load.values())
    np.testing.assert_allclose(total[1:-1], wanted, atol=6)


def test_speeds_and_accelerations_are_the_coordinates(fast_walk):
    step_s = 1 / MARKER_RATE_HZ
    values = fast_walk.coordinates.values
    first = (values[2:] - values[:-2]) / (2 * step_s)
    np.testing.assert_allclose(fast_walk.speeds[1:-1], first, atol=0.05)
    second = (values[2:] - 2 * values[1:-1] + values[:-2]) / step_s**2
    np.testing.assert_allclose(fast_walk.accelerations[1:-1], second, atol=1.0)


def test_markers_are_on_the_moving_body(body, fast_walk):
    some = slice(0, None, 60)
    expected = body.mechanics.positions_m(fast_walk.coordinates.values[some], list(body.markers.values()))
    np.testing.assert_allclose(fast_walk.markers_m[some], expected, atol=1e-6)


def test_feet_in_the_air_feel_no_force(fast_walk):
    time_s = np.arange(len(fast_walk.load["right"].force_n)) / ANALOG_RATE_HZ
    for side in SIDES:
        load = fast_walk.load[side]
        down = np.zeros(len(time_s), dtype=bool)
        for contact in fast_walk.contacts:
            if contact.side == side:
                down |= (time_s >= contact.strike_s - 1e-9) & (time_s <= contact.off_s + 1e-9)
        assert not load.force_n[~down].any() and np.isnan(load.cop_m[~down]).all()
        assert (load.force_n[:, 1] >= 0).all()


def test_standing_feet_neither_slip_nor_sink(fast_walk):
    whole = [c for c in fast_walk.contacts if c.strike_s > 0 and c.off_s < fast_walk.coordinates.time_s[-1]]
    assert len(whole) >= 5
    for contact in whole:
        stance_s = contact.off_s - contact.strike_s
        flat = slice(*(round((contact.strike_s + share * stance_s) * MARKER_RATE_HZ) for share in (0.25, 0.4)))
        for end, height_m in (("FCC", 0.025), ("FM2", 0.035)):
            place = marker(fast_walk, f"{contact.side[0].upper()}_{end}")[flat]
            assert np.ptp(place, axis=0).max() < 0.015
            np.testing.assert_allclose(place[:, 1], height_m, atol=0.012)


def test_pressure_stays_under_the_sole(fast_walk):
    for side in SIDES:
        load = fast_walk.load[side]
        loaded = load.force_n[::RATIO, 1] > 100
        heel, toe = (marker(fast_walk, f"{side[0].upper()}_{end}") for end in ("FCC", "FM2"))
        # From behind the landing heel to the tips of the toes, and no further aside than half a foot's breadth.
        axis = (toe - heel)[:, [0, 2]]
        length = np.linalg.norm(axis, axis=1)
        axis /= length[:, None]
        away = (load.cop_m[::RATIO] - heel)[:, [0, 2]]
        along = (away * axis).sum(axis=1) / length
        aside = np.abs(away[:, 0] * axis[:, 1] - away[:, 1] * axis[:, 0])
        assert along[loaded].min() > -0.05 and along[loaded].max() < 1.4
        assert aside[loaded].max() < 0.05


def test_vertical_force_has_two_peaks_over_a_trough(body, fast_walk):
    weight_n = body.subject.mass_kg * GRAVITY_M_S2
    contact = next(c for c in fast_walk.contacts if c.side == "right" and c.strike_s > 0.1)
    inside = slice(round(contact.strike_s * ANALOG_RATE_HZ), round(contact.off_s * ANALOG_RATE_HZ))
    force = fast_walk.load["right"].force_n[inside, 1] / weight_n
    third = len(force) // 3
    early, middle, late = force[:third].max(), force[third : 2 * third].min(), force[2 * third :].max()
    assert 1.0 < early < 1.5 and 1.0 < late < 1.5 and 0.4 < middle < 0.95


def test_joints_stay_in_their_range(fast_walk):
    for name, (low, high) in joint_ranges().items():
        column = fast_walk.coordinates.column(name)
        assert column.min() >= low and column.max() <= high, name
    assert np.degrees(fast_walk.coordinates.column("knee_angle_r").min()) > 0.5


def test_cadence_and_speed_are_the_conditions(body, style):
    for condition, cadence in CADENCES.items():
        plan = walking_plan(body, style, condition)
        assert 120 / plan.motion.period_s == pytest.approx(cadence, rel=0.06)
        usual = step_law().stride_m(body.subject.height_m, cadence)
        assert plan.motion.stride_m == pytest.approx(usual, rel=0.25)


def test_a_walk_is_the_seeds(body, style, fast_walk):
    again = walk(body, style, "fast", np.random.default_rng(3))
    np.testing.assert_array_equal(again.markers_m, fast_walk.markers_m)


def test_a_sore_hip_moves_less_than_the_other(body):
    patient = replace(draw_subject("hip-disease", 1, np.random.default_rng(0)), subject_id="VD001")
    style = draw_style(patient, np.random.default_rng(1))
    sore = next(iter(style.ranges))[-1]
    performance = walk(body, style, "med", np.random.default_rng(2))
    ranges = {side: np.ptp(performance.coordinates.column(f"hip_flexion_{side}")) for side in "rl"}
    assert ranges[sore] < ranges["l" if sore == "r" else "r"]


def test_a_trial_that_can_t_be_walked_is_drawn_again(monkeypatch):
    asked = []

    def clumsy(_body, style, _condition, start):
        asked.append((style, start))
        if len(asked) < 3:
            raise NoMotion("its feet leave the floor")
        return "walked"

    monkeypatch.setattr(walk_module, "_walked", clumsy)
    monkeypatch.setattr(walk_module, "of_trial", lambda _style, rng: rng.uniform())

    assert walk(None, None, "med", np.random.default_rng(0)) == "walked"
    assert len(set(asked)) == 3


@pytest.mark.parametrize("judge", ["require_strength", "require_place"])
def test_a_walk_is_judged_and_given_up_after_some(monkeypatch, body, style, judge):
    asked = []

    def refuse(*_):
        asked.append(judge)
        raise NoMotion("refused")

    monkeypatch.setattr(walk_module, judge, refuse)
    monkeypatch.setattr(walk_module, "ATTEMPTS", 2)
    with pytest.raises(NoMotion, match="refused"):
        walk(body, style, "fast", np.random.default_rng(3))
    assert len(asked) == 2


def test_a_gait_that_can_t_be_walked_is_drawn_again(monkeypatch, body):
    tried = []

    def walked(_body, style, condition, start):
        tried.append((style, condition))
        if len(tried) == 2:
            raise NoMotion("too weak")

    monkeypatch.setattr(walk_module, "_walked", walked)
    found = own_gait(body, np.random.default_rng(5))

    rng = np.random.default_rng(5)
    drawn = [draw_style(body.subject, rng) for _ in range(2)]
    assert [condition for _, condition in tried] == ["fast", "slow", "fast", "slow", "med"]
    assert found.stride == drawn[1].stride != drawn[0].stride


def test_a_body_that_can_t_walk_at_all_is_told(monkeypatch, body):
    def walked(*_, **__):
        raise NoMotion("virtual subject VH001 is too weak")

    monkeypatch.setattr(walk_module, "_walked", walked)
    with pytest.raises(NoMotion, match="VH001 is too weak"):
        own_gait(body, np.random.default_rng(5))
