"""Virtual bodies against the survey they are drawn from."""

import numpy as np
import pytest

from pipeline.virtual.person.anthropometry import (
    GENERIC_HEIGHT_M,
    MASS_INDEX,
    POPULATIONS,
    draw_subject,
    segment_factors,
)


def people(n):
    return [draw_subject("healthy", number + 1, np.random.default_rng(number)) for number in range(n)]


def test_heights_are_the_populations():
    drawn = people(800)
    for sex, population in POPULATIONS.items():
        heights = np.array([person.height_m for person in drawn if person.sex == sex])
        # Three standard errors; the spread loses a little where the furthest are drawn again.
        assert abs(heights.mean() - population.height_mean_m) < 3 * population.height_sd_m / np.sqrt(len(heights))
        assert heights.std() == pytest.approx(population.height_sd_m, rel=0.15)


def test_masses_are_neither_underweight_nor_overweight():
    index = np.array([person.mass_kg / person.height_m**2 for person in people(300)])
    assert index.min() >= MASS_INDEX[0] and index.max() <= MASS_INDEX[1]
    assert 21.5 < index.mean() < 24


def test_longer_legs_leave_a_shorter_trunk():
    for seed in range(20):
        factors = segment_factors(1.8, np.random.default_rng(seed))
        whole = 1.8 / GENERIC_HEIGHT_M
        thigh, shank = (np.mean([factors[f"{body}_{side}"][1] for side in "rl"]) for body in ("femur", "tibia"))
        height = 0.245 * thigh + 0.246 * shank + 0.47 * factors["torso"][1]
        assert height / (0.245 + 0.246 + 0.47) == pytest.approx(whole, abs=0.006)


def test_left_is_nearly_right():
    factors = segment_factors(1.7, np.random.default_rng(1))
    right = np.array([factors[body] for body in factors if body.endswith("_r")])
    left = np.array([factors[body] for body in factors if body.endswith("_l")])
    assert 0 < np.abs(right / left - 1).max() < 0.025


def test_a_subject_is_the_same_whoever_was_drawn_before():
    assert draw_subject("healthy", 7, np.random.default_rng(3)) == draw_subject("healthy", 7, np.random.default_rng(3))


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(ValueError, match="no cohort 'athletes'"):
        draw_subject("athletes", 1, np.random.default_rng(0))
    with pytest.raises(ValueError, match="counted from 1"):
        draw_subject("healthy", 0, np.random.default_rng(0))
