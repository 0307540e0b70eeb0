"""Residuals against finite differences, and against faults of known size."""

from dataclasses import replace

import numpy as np
import pytest

from pipeline.records import SIDES
from pipeline.virtual.dynamics.residuals import LIMIT_SD_RAD, MARGIN_RAD, PHASES, SLIP_SD_M, body_moment, residuals
from pipeline.virtual.gait.footfalls import Foothold
from pipeline.virtual.person.joint_ranges import joint_ranges
from pipeline.virtual.walk import walking_plan

pytestmark = pytest.mark.osim

# In the order in which they come: three of standing and one of clearance by side and part, then balance.
FEET, PRESSURE = slice(0, 16), slice(16, 18)
AFTER_FORCE = 22
HOLDS = {
    "right": Foothold(heel_m=np.array([0.1, 0.08]), ball_m=np.array([0.28, 0.1])),
    "left": Foothold(heel_m=np.array([0.75, -0.08]), ball_m=np.array([0.93, -0.1])),
}


@pytest.fixture(scope="module")
def plan(body, style):
    return walking_plan(body, style, "med")


@pytest.fixture(scope="module")
def free(body, plan):
    return [body.mechanics.names.index(name) for name in plan.tolerance]


def rows_of(body, plan, free, motion=None, holds=HOLDS, moment=None):
    motion = motion or plan.motion
    moment = moment or body_moment(body, motion, free)
    return list(residuals(body.mechanics, moment, motion, plan.force, plan.footing.support(PHASES), holds, free))


def test_what_feet_do_wrong_follows_the_pose_as_the_slopes_say(body, plan, free):
    step, before = 1e-6, rows_of(body, plan, free)[FEET]
    for column in (free.index(body.mechanics.names.index(name)) for name in ("hip_flexion_r", "ankle_angle_l")):
        by = np.zeros((len(plan.motion.terms), len(free)))
        by[0, column] = step
        after = rows_of(body, plan, free, motion=plan.motion.moved(free, by))[FEET]
        for one, moved in zip(before, after, strict=True):
            np.testing.assert_allclose((moved.value - one.value) / step, one.by_value[:, column], atol=0.5, rtol=1e-3)


def test_the_planned_pressure_follows_the_footholds_as_the_slopes_say(body, plan, free):
    moment = body_moment(body, plan.motion, free)
    before = rows_of(body, plan, free, moment=moment)[PRESSURE]
    for s, side in enumerate(SIDES):
        for p, part in enumerate(("heel_m", "ball_m")):
            for axis in range(2):
                by = np.eye(2)[axis] * 0.01
                holds = HOLDS | {side: replace(HOLDS[side], **{part: getattr(HOLDS[side], part) + by})}
                after = rows_of(body, plan, free, holds=holds, moment=moment)[PRESSURE]
                for one, moved in zip(before, after, strict=True):
                    slope = one.by_foothold[:, 4 * s + 2 * p + axis]
                    np.testing.assert_allclose((moved.value - one.value) / 0.01, slope, atol=1e-6)


def test_a_foothold_elsewhere_is_a_slip_of_that_much(body, plan, free):
    moment = body_moment(body, plan.motion, free)
    holds = HOLDS | {"right": replace(HOLDS["right"], heel_m=HOLDS["right"].heel_m - [0.012, 0.0])}
    before, after = (rows_of(body, plan, free, holds=each, moment=moment)[0].value for each in (HOLDS, holds))
    firm = plan.footing.support(PHASES)["right"].heel_down
    np.testing.assert_allclose(after - before, firm * 0.012 / SLIP_SD_M, atol=1e-9)


def test_only_a_coordinate_beyond_its_range_is_held_against_a_motion(body, plan, free):
    names, moment = body.mechanics.names, body_moment(body, plan.motion, free)
    middle = np.array([np.mean(joint_ranges().get(name, (0.0, 0.0))) for name in names])
    values = np.tile(middle, (len(PHASES), 1))
    assert len(rows_of(body, plan, free, moment=replace(moment, values=values))) == AFTER_FORCE

    beyond = values.copy()
    beyond[:, names.index("ankle_angle_r")] = joint_ranges()["ankle_angle_r"][1] + np.radians(1.0)
    (limit,) = rows_of(body, plan, free, moment=replace(moment, values=beyond))[AFTER_FORCE:]
    np.testing.assert_allclose(limit.value, (np.radians(1.0) + MARGIN_RAD) / LIMIT_SD_RAD)
    column = free.index(names.index("ankle_angle_r"))
    assert np.flatnonzero(limit.by_value.any(axis=0)).tolist() == [column]
