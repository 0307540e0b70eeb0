"""How one person walks, whatever the day or the cadence: deviations from normal gait that stay the same."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.virtual.gait.hip_disease import Impairment, draw_impairment
from pipeline.virtual.gait.normal_gait import GROUND_FORCES, LIMB, TRUNK, normal_gait, step_law
from pipeline.virtual.records import VirtualSubject

# Part of a person's deviation is a random blend of the measured adults' (so that a tilted pelvis comes with the hips
# and the back that go with it), the rest is each term's own.
BLENDED = 0.7
# A blend's six numbers together are no further out than those of 95 in 100 people (chi-square, 6 degrees of freedom):
# what six adults say of people beyond is a guess, and the model's muscles can't carry all of it.
FURTHEST_BLEND = 3.55
# Left from right, and one trial from the next, over the deviations between people: a person's own curves are far more
# alike than different people's (Kadaba et al. 1989, J Orthop Res 7:849).
LEFT_RIGHT = 0.2
TRIAL = 0.25
# By harmonic from the mean on: with one stride a walk, much of how the adults differ in the highest is chance.
SMOOTHNESS = np.array([1.0, 1.0, 1.0, 0.7, 0.4, 0.3, 0.2])
# Left steps against right ones, in cycles; cadence against the metronome's beat, by person and by trial.
STRIKE_SD = 0.004
BEAT_SD = 0.015
TRIAL_BEAT_SD = 0.008


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    """A subject's deviations from normal gait.

    right, left, trunk: terms (K,) by signal, added to the normal ones; ground those of the ground's force. ranges:
    factors of the harmonics, not the mean, by coordinate. stride and beat are factors; right_stance and left_stance
    differences of shares of the stride; left_strike the phase of the left foot's strike.
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
    """The same person's gait in one trial: nobody walks twice alike."""
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
    """One standard normal number an adult, (A,), drawn again where they are too far out together."""
    while np.linalg.norm(drawn := rng.standard_normal(_adults())) > FURTHEST_BLEND:
        pass
    return drawn


def _deviation(name: str, blend: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    blended = normal_gait()[name].adults @ blend
    return np.asarray(np.sqrt(BLENDED) * blended + np.sqrt(1 - BLENDED) * _own_terms(name, rng))


def _own_terms(name: str, rng: np.random.Generator) -> np.ndarray:
    """Terms (K,) drawn one by one, with the measured adults' standard deviations, less of the highest."""
    sd = normal_gait()[name].adults.std(axis=1, ddof=1)
    return np.asarray(SMOOTHNESS[(np.arange(len(sd)) + 1) // 2] * sd * rng.standard_normal(len(sd)))


def _adults() -> int:
    return int(normal_gait()[LIMB[0]].adults.shape[1])
