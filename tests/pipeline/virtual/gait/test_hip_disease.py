"""Virtual hip disease: one side, in the directions that the literature tells."""

import numpy as np

from pipeline.virtual.gait.harmonics import basis
from pipeline.virtual.gait.hip_disease import draw_impairment
from pipeline.virtual.gait.normal_gait import GAIT_HARMONICS

DRAWN = [draw_impairment(np.random.default_rng(seed)) for seed in range(60)]


def sore(impairment):
    return next(iter(impairment.ranges))[-1]


def test_it_is_one_sided_and_on_either_side():
    assert all(len({name[-1] for name in impairment.ranges}) == 1 for impairment in DRAWN)
    assert {sore(impairment) for impairment in DRAWN} == {"r", "l"}


def test_severity_is_continuous():
    assert len({impairment.stride for impairment in DRAWN}) == len(DRAWN)
    assert all(0.8 < impairment.stride < 1 and 0.9 < impairment.beat < 1 for impairment in DRAWN)


def test_the_trunk_leans_over_the_sore_side_while_it_stands():
    for impairment in DRAWN:
        sign, mid_stance = (1, 0.3) if sore(impairment) == "r" else (-1, 0.8)
        lean, drop = (
            basis(np.array([mid_stance, mid_stance + 0.5]), GAIT_HARMONICS) @ impairment.trunk[name]
            for name in ("lumbar_bending", "pelvis_list")
        )
        assert 1 < sign * np.degrees(lean[0]) < 7 and np.isclose(lean[1], 0)
        assert sign * drop[0] < 0


def test_the_sore_side_stands_shorter_and_the_other_foot_comes_early():
    for impairment in DRAWN:
        right_is_sore = sore(impairment) == "r"
        assert (impairment.right_stance < impairment.left_stance) == right_is_sore
        assert (impairment.left_strike < 0) == right_is_sore
