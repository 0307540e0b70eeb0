"""One person's gait: deviations from normal gait that are the same in every trial and at every cadence."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.virtual.gait.hip_disease import Impairment, draw_impairment
from pipeline.virtual.gait.normal_gait import GROUND_FORCES, LIMB, TRUNK, normal_gait, step_law
from pipeline.virtual.records import VirtualSubject

# Share of a person's variance that is a random blend of the measured adults' deviations, so that a tilted pelvis comes
# with the hips and the back that belong to it. The rest is drawn term by term.
BLENDED = 0.7
# The blend's six numbers stay within the norm that 95 % of people do (chi-square, 6 degrees of freedom): six adults say
# little of people beyond, and the model's muscles are too weak for some of them.
FURTHEST_BLEND = 3.55
# Deviations between left and right and between trials, over those between people: one person's curves are far more
# alike than different people's (Kadaba et al. 1989, J Orthop Res 7:849).
LEFT_RIGHT = 0.2
TRIAL = 0.25
# Factors of the deviations by harmonic, from the mean on: with one stride a walk, much of what the adults differ by in
# the highest harmonics is chance.
SMOOTHNESS = np.array([1.0, 1.0, 1.0, 0.7, 0.4, 0.3, 0.2])
# Standard deviations: of the left foot's strike from half a cycle (in cycles), and of the cadence from the metronome's,
# between people and between trials (as a ratio).
STRIKE_SD = 0.004
BEAT_SD = 0.015
TRIAL_BEAT_SD = 0.008


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A subject's deviations from normal gait.

    right, left and trunk: terms (K,) by signal, added to the normal ones; ground: the same of the ground's force.
    ranges: factors of a coordinate's harmonics, but not of its mean. stride and beat: factors of stride length and
    cadence. right_stance and left_stance: added to the share of the stride that the foot stands. left_strike: the phase
    of the left foot's strike.
    """

    right: Mapping[str, np.ndarray]
    left: Mapping[str, np.ndarray]
    trunk: Mapping[str, np.ndarray]
    ground: Mapping[str, np.ndarray]
    ranges: Mapping[str, float]
    stride: float
    beat: float
    right_stance: float
    left_stance: float
    left_strike: float


def draw_style(subject: VirtualSubject, rng: np.random.Generator) -> Style:
    """The subject's own gait, drawn once and used for all trials and conditions."""
    style = _healthy(rng)
    return style if subject.cohort == "healthy" else _impaired(style, draw_impairment(rng))


def _healthy(rng: np.random.Generator) -> Style:
    blend = _blend(rng) / np.sqrt(_adults() - 1)
    own = {name: _deviation(name, blend, rng) for name in (*LIMB, *TRUNK, *GROUND_FORCES)}
    halves = {name: LEFT_RIGHT * _own_terms(name, rng) for name in LIMB}
    law = step_law()
    stance = float(rng.normal(0.0, law.stance_sd))
    return Style(
        right={name: own[name] + halves[name] for name in LIMB},
        left={name: own[name] - halves[name] for name in LIMB},
        trunk={name: own[name] for name in TRUNK},
        ground={name: own[name] for name in GROUND_FORCES},
        ranges={},
        stride=float(np.exp(rng.normal(0.0, law.stride_sd))),
        beat=float(1 + rng.normal(0.0, BEAT_SD)),
        right_stance=stance,
        left_stance=stance,
        left_strike=float(0.5 + rng.normal(0.0, STRIKE_SD)),
    )


def _impaired(style: Style, impairment: Impairment) -> Style:
    trunk = {name: terms + impairment.trunk.get(name, 0.0) for name, terms in style.trunk.items()}
    return replace(
        style,
        trunk=trunk,
        ranges=impairment.ranges,
        stride=style.stride * impairment.stride,
        beat=style.beat * impairment.beat,
        right_stance=style.right_stance + impairment.right_stance,
        left_stance=style.left_stance + impairment.left_stance,
        left_strike=style.left_strike + impairment.left_strike,
    )


def of_trial(style: Style, rng: np.random.Generator) -> Style:
    """The same person's gait in one trial, with the variation between trials."""
    stance = float(rng.normal(0.0, TRIAL * step_law().stance_sd))
    return replace(
        style,
        right={name: terms + TRIAL * _own_terms(name, rng) for name, terms in style.right.items()},
        left={name: terms + TRIAL * _own_terms(name, rng) for name, terms in style.left.items()},
        trunk={name: terms + TRIAL * _own_terms(name, rng) for name, terms in style.trunk.items()},
        ground={name: terms + TRIAL * _own_terms(name, rng) for name, terms in style.ground.items()},
        stride=style.stride * float(np.exp(rng.normal(0.0, TRIAL * step_law().stride_sd))),
        beat=style.beat * float(1 + rng.normal(0.0, TRIAL_BEAT_SD)),
        right_stance=style.right_stance + stance,
        left_stance=style.left_stance + stance,
        left_strike=style.left_strike + float(rng.normal(0.0, TRIAL * STRIKE_SD)),
    )


def _blend(rng: np.random.Generator) -> np.ndarray:
    """A standard normal number for each measured adult, (A,), drawn again if together they are too far out."""
    while np.linalg.norm(drawn := rng.standard_normal(_adults())) > FURTHEST_BLEND:
        pass
    return drawn


def _deviation(name: str, blend: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    blended = normal_gait()[name].adults @ blend
    return np.asarray(np.sqrt(BLENDED) * blended + np.sqrt(1 - BLENDED) * _own_terms(name, rng))


def _own_terms(name: str, rng: np.random.Generator) -> np.ndarray:
    """Terms (K,) drawn one by one with the measured adults' standard deviations, smaller in high harmonics."""
    sd = normal_gait()[name].adults.std(axis=1, ddof=1)
    return np.asarray(SMOOTHNESS[(np.arange(len(sd)) + 1) // 2] * sd * rng.standard_normal(len(sd)))


def _adults() -> int:
    return int(normal_gait()[LIMB[0]].adults.shape[1])
