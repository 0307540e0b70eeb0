"""One walk: steady gait with the ground reactions that balance the body's motion exactly."""

from collections.abc import Sequence

import numpy as np

from pipeline.records import SIDES
from pipeline.virtual.dynamics.perform import last_sample_s, perform
from pipeline.virtual.dynamics.planted import MotionPlan, NoMotion, Planted, plant
from pipeline.virtual.dynamics.strength import require_strength
from pipeline.virtual.gait.footfalls import Steps
from pipeline.virtual.gait.harmonics import shifted
from pipeline.virtual.gait.motion import PeriodicMotion, follow
from pipeline.virtual.gait.normal_gait import (
    GAIT_HARMONICS,
    GROUND_FORCES,
    LIMB,
    PER_HEIGHT,
    TRUNK,
    normal_gait,
    step_law,
)
from pipeline.virtual.gait.style import Style, draw_style, of_trial
from pipeline.virtual.instruments.placement import require_place
from pipeline.virtual.person.body import Body
from pipeline.virtual.person.proportions import dimensionless_speed
from pipeline.virtual.records import MARKER_RATE_HZ, Condition, FootContact, Performance

# Steps per minute, as in Gait2Hip-60 (arXiv 2605.30374).
CADENCES: dict[Condition, float] = {"slow": 78.0, "med": 115.0, "fast": 135.0}
STRIDES = 4
# Draws of a trial, and of a subject's own gait. That is tested without the trials' variation, so a gait near a limit
# needs many draws of a trial; few people have one.
ATTEMPTS = 20
GAITS = 20
# The most demanding condition is tested first.
JUDGED: tuple[Condition, ...] = ("fast", "slow", "med")
# How far coordinates may deviate from the plan (standard deviation): legs and pelvis place the feet, trunk and arms
# balance.
TOLERANCE_RAD = {
    "hip_flexion": 0.04, "hip_adduction": 0.04, "hip_rotation": 0.04, "knee_angle": 0.05, "ankle_angle": 0.05,
    "arm_flex": 0.05, "arm_add": 0.02, "elbow_flex": 0.05,
    "pelvis_tilt": 0.02, "pelvis_list": 0.02, "pelvis_rotation": 0.02,
    "lumbar_extension": 0.02, "lumbar_bending": 0.03, "lumbar_rotation": 0.03,
}  # fmt: skip
TOLERANCE_M = {"pelvis_tx": 0.02, "pelvis_ty": 0.03, "pelvis_tz": 0.02}


def own_gait(body: Body, rng: np.random.Generator) -> Style:
    """A gait of the subject's own that this body can walk at every cadence. NoMotion if several draws give none.

    It doesn't depend on which cadences are recorded.
    """
    for attempt in range(1, GAITS + 1):
        style = draw_style(body.subject, rng)
        try:
            for condition in JUDGED:
                _walked(body, style, condition, start=0.0)
        except NoMotion:
            if attempt == GAITS:
                raise
        else:
            return style
    raise AssertionError("the last attempt returns or raises")


def walk(body: Body, style: Style, condition: Condition, rng: np.random.Generator) -> Performance:
    """About eight steps of steady gait forward (x) along z = 0 on the floor y = 0; `rng` is the trial's own.

    The middle of the walk is near x = 0. A contact that the recording's start or end cuts begins or ends with it. A
    trial that this body can't walk is drawn again; NoMotion after several.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return _walked(body, of_trial(style, rng), condition, start=float(rng.uniform()))
        except NoMotion:
            if attempt == ATTEMPTS:
                raise
    raise AssertionError("the last attempt returns or raises")


def _walked(body: Body, style: Style, condition: Condition, start: float) -> Performance:
    """One walk from this phase on. NoMotion if the feet, balance, muscles or the plates don't allow it."""
    plan = walking_plan(body, style, condition)
    planted = plant(body, plan)
    assert isinstance(plan.footing, Steps)
    performance = _recorded(body, planted, plan.footing, start)
    require_strength(body, performance, planted.motion.period_s)
    require_place(body, performance)
    return performance


def walking_plan(body: Body, style: Style, condition: Condition) -> MotionPlan:
    """The gait that this style wishes at this cadence: normal gait at its speed, with the style's deviations."""
    height_m = body.subject.height_m
    cadence = CADENCES[condition] * style.beat
    period_s = 120 / cadence
    stride_m = step_law().stride_m(height_m, cadence) * style.stride
    speed = dimensionless_speed(stride_m / period_s, height_m)
    names = body.mechanics.names
    terms = follow(names, _planned_terms(names, style, speed, height_m))
    stance = step_law().stance(speed)
    force = np.column_stack([normal_gait()[name].at_speed(speed) + style.ground[name] for name in GROUND_FORCES])
    # In steady gait the mean force is the body's weight.
    force[0] = 0.0, 1.0, 0.0
    return MotionPlan(
        motion=PeriodicMotion(names=names, terms=terms, period_s=period_s, stride_m=stride_m),
        footing=Steps(
            left_strike=style.left_strike,
            right_stance=stance + style.right_stance,
            left_stance=stance + style.left_stance,
        ),
        force=force,
        tolerance=_tolerance(),
    )


def _planned_terms(names: Sequence[str], style: Style, speed: float, height_m: float) -> np.ndarray:
    """Planned terms (K, Q) of all coordinates at a dimensionless speed."""
    terms = np.zeros((1 + 2 * GAIT_HARMONICS, len(names)))
    for name in LIMB:
        normal = normal_gait()[name].at_speed(speed)
        terms[:, names.index(f"{name}_r")] = normal + style.right[name]
        terms[:, names.index(f"{name}_l")] = shifted(normal + style.left[name], style.left_strike)
    for name in TRUNK:
        planned = normal_gait()[name].at_speed(speed) + style.trunk[name]
        terms[:, names.index(name)] = planned * (height_m if name in PER_HEIGHT else 1.0)
    for name, factor in style.ranges.items():
        terms[1:, names.index(name)] *= factor
    return terms


def _tolerance() -> dict[str, float]:
    sided = {name if name in TRUNK else f"{name}_{side}": sd for name, sd in TOLERANCE_RAD.items() for side in "rl"}
    return sided | TOLERANCE_M


def _recorded(body: Body, planted: Planted, steps: Steps, start: float) -> Performance:
    """A few strides from this phase on, a whole number of frames, around x = 0."""
    period_s = planted.motion.period_s
    frames = round(STRIDES * period_s * MARKER_RATE_HZ)
    first = start - STRIDES / 2
    phase = first + np.arange(frames) / (MARKER_RATE_HZ * period_s)
    contacts = _contacts(steps, first, last_sample_s(frames), period_s)
    return perform(body, planted, steps, phase, contacts)


def _contacts(steps: Steps, first: float, end_s: float, period_s: float) -> tuple[FootContact, ...]:
    """Every stance that falls within the recording, even in part, by time of strike."""
    contacts = []
    for side in SIDES:
        for stride in range(-STRIDES, STRIDES + 1):
            strike_s = (stride + steps.strike(side) - first) * period_s
            off_s = strike_s + steps.stance(side) * period_s
            if off_s > 0 and strike_s < end_s:
                contacts.append(FootContact(side=side, strike_s=max(strike_s, 0.0), off_s=min(off_s, end_s)))
    return tuple(sorted(contacts, key=lambda contact: contact.strike_s))
