"""A planted motion: feet on the floor, in balance, and otherwise as planned."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.records import SIDES
from pipeline.virtual.dynamics.ground_wrench import floor_pressure_m, ground_wrench
from pipeline.virtual.dynamics.planted import plant
from pipeline.virtual.dynamics.residuals import PHASES
from pipeline.virtual.walk import walking_plan

pytestmark = pytest.mark.osim


@pytest.fixture(scope="module")
def plan(body, style):
    return walking_plan(body, style, "med")


@pytest.fixture(scope="module")
def planted(body, plan):
    return plant(body, plan)


def pressure_error_m(body, motion, plan, footholds):
    values, speeds, accelerations = motion.at(PHASES)
    wrench = ground_wrench(body.mechanics, values, body.mechanics.generalized_forces(values, speeds, accelerations))
    support = plan.footing.support(PHASES)
    planned = sum(
        np.nan_to_num(footholds[side].pressure_m(support[side], motion.stride_m, side)) * support[side].load[:, None]
        for side in SIDES
    )
    return np.sqrt(np.mean((floor_pressure_m(wrench) - planned) ** 2, axis=0))


def test_the_dynamics_put_the_pressure_where_the_feet_are(body, plan, planted):
    before = pressure_error_m(body, plan.motion, plan, planted.footholds)
    after = pressure_error_m(body, planted.motion, plan, planted.footholds)
    assert (after < [0.02, 0.01]).all() and (after < before / 4).all()


def test_planted_heels_and_balls_stay_put(body, plan, planted):
    values, _, _ = planted.motion.at(PHASES)
    support = plan.footing.support(PHASES)
    for side in SIDES:
        for part in ("heel", "ball"):
            place = body.mechanics.positions_m(values, [getattr(body.soles[side], part)])[:, 0]
            place[:, 0] -= support[side].stride * planted.motion.stride_m
            off = place - np.insert(getattr(planted.footholds[side], f"{part}_m"), 1, 0.0)
            down = getattr(support[side], f"{part}_down") == 1
            assert np.sqrt((off[down] ** 2).sum(axis=1).mean()) < 0.008
            assert place[:, 1].min() > -0.012


def test_joints_move_nearly_as_planned(body, plan, planted):
    planned, made = plan.motion.at(PHASES)[0], planted.motion.at(PHASES)[0]
    legs = [i for i, name in enumerate(body.mechanics.names) if name.startswith(("hip_", "knee_angle", "ankle_"))]
    assert np.degrees(np.sqrt(np.mean((made - planned)[:, legs] ** 2))) < 6


def test_what_has_no_tolerance_is_kept_as_planned(body, plan, planted):
    fixed = [i for i, name in enumerate(body.mechanics.names) if name in ("arm_rot_r", "pro_sup_l", "wrist_flex_r")]
    np.testing.assert_array_equal(planted.motion.terms[:, fixed], plan.motion.terms[:, fixed])


def test_a_plan_that_no_body_can_follow_is_refused(body, plan):
    lying = plan.motion.terms.copy()
    lying[0, body.mechanics.names.index("pelvis_tilt")] = np.radians(100)
    with pytest.raises(ValueError, match="no motion near the planned one"):
        plant(body, replace(plan, motion=replace(plan.motion, terms=lying)))
