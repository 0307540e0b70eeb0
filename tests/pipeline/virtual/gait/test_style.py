"""Styles are one person's, spread like the measured adults', and steadier within a person than between people."""

import numpy as np

from pipeline.virtual.gait.normal_gait import normal_gait
from pipeline.virtual.gait.style import draw_style, of_trial
from pipeline.virtual.person.anthropometry import draw_subject

PERSON = draw_subject("healthy", 1, np.random.default_rng(0))
PATIENT = draw_subject("hip-disease", 1, np.random.default_rng(0))


def styles(n, subject=PERSON):
    return [draw_style(subject, np.random.default_rng(seed)) for seed in range(n)]


def test_people_differ_as_much_as_the_measured_adults():
    drawn = np.array([style.trunk["pelvis_tilt"] for style in styles(400)])
    adults = normal_gait()["pelvis_tilt"].adults.std(axis=1, ddof=1)
    np.testing.assert_allclose(drawn.std(axis=0)[:3], adults[:3], rtol=0.15)


def test_a_blend_keeps_what_belongs_together():
    mean = np.array([[style.trunk["pelvis_tilt"][0], style.right["hip_flexion"][0]] for style in styles(400)])
    adults = [normal_gait()[name].adults[0] for name in ("pelvis_tilt", "hip_flexion")]
    assert np.sign(np.corrcoef(mean.T)[0, 1]) == np.sign(np.corrcoef(adults)[0, 1])
    assert abs(np.corrcoef(mean.T)[0, 1]) > 0.3


def test_trials_of_one_person_are_more_alike_than_people():
    style = styles(1)[0]
    trials = np.array([of_trial(style, np.random.default_rng(seed)).right["knee_angle"] for seed in range(200)])
    people = np.array([other.right["knee_angle"] for other in styles(200)])
    assert 0 < trials.std(axis=0)[0] < 0.4 * people.std(axis=0)[0]


def test_a_style_is_the_seeds():
    one, same = (draw_style(PERSON, np.random.default_rng(4)) for _ in range(2))
    np.testing.assert_array_equal(one.left["hip_rotation"], same.left["hip_rotation"])


def test_the_sore_hip_moves_less_and_stands_shorter():
    for style in styles(20, PATIENT):
        sore = {name[-1] for name in style.ranges}
        assert len(sore) == 1 and all(0.5 < factor < 1 for factor in style.ranges.values())
        shorter = style.right_stance < style.left_stance
        assert shorter == (sore == {"r"})
