"""Virtual subjects: sex, age, height, mass and segment sizes, drawn from a population.

Heights and masses are those of ANSUR II (Gordon et al. 2014, Natick/TR-15/007): height mean and standard deviation
by sex, and mass index from its heights and masses. Subjects stay within the mass indices that the World Health
Organization calls normal, as most healthy volunteers do: the generic model's muscles are as strong in a heavy body as
in a light one.
"""

from dataclasses import dataclass
from typing import get_args

import numpy as np

from pipeline.records import Sex
from pipeline.virtual.records import Cohort, VirtualSubject

# Height of the generic model (Rajagopal et al. 2016).
GENERIC_HEIGHT_M = 1.70
# Segment lengths over height (Drillis and Contini 1966, in Winter 2009, fig. 4.1). At a given height, long legs make a
# short trunk.
THIGH_PER_HEIGHT = 0.245
SHANK_PER_HEIGHT = 0.246
TRUNK_AND_HEAD_PER_HEIGHT = 0.470
# Foot length over the generic model's at the same height: the `calcn` of the scaled models of six adults (Schreiber and
# Moissenet 2019), 0.95 to 1.00.
FOOT_PER_BODY = 0.968
# Relative standard deviations of a segment's length and breadth from the mean at that height, and of left from right.
LENGTH_SD = 0.025
BREADTH_SD = 0.015
LEFT_RIGHT_SD = 0.004
# Deviations are truncated at this many standard deviations.
FURTHEST_SD = 2.5

# Body mass index, kg/m²: from underweight to overweight (WHO 2000, Technical Report Series 894).
MASS_INDEX = (18.5, 25.0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Population:
    """Height and mass index of one sex."""

    height_mean_m: float
    height_sd_m: float
    mass_index_mean: float
    mass_index_sd: float


# Mass index from the survey's masses, 85.5 (14.2) and 67.8 (11.0) kg, taking it as independent of height.
POPULATIONS: dict[Sex, Population] = {
    "M": Population(height_mean_m=1.756, height_sd_m=0.069, mass_index_mean=27.7, mass_index_sd=4.1),
    "F": Population(height_mean_m=1.629, height_sd_m=0.064, mass_index_mean=25.5, mass_index_sd=3.6),
}

# Age is uniform between these: adults, and the decades in which most hip disease appears.
AGES_Y: dict[Cohort, tuple[float, float]] = {"healthy": (20.0, 60.0), "hip-disease": (40.0, 75.0)}
PREFIX: dict[Cohort, str] = {"healthy": "VH", "hip-disease": "VD"}


def draw_subject(cohort: Cohort, number: int, rng: np.random.Generator) -> VirtualSubject:
    """The cohort's subject of this number. ValueError for an unknown cohort or a number below 1."""
    if cohort not in AGES_Y:
        raise ValueError(f"there is no cohort {cohort!r}; choose one of {', '.join(get_args(Cohort))}.")
    if number < 1:
        raise ValueError(f"subject number {number}: subjects are counted from 1.")
    sex: Sex = "F" if rng.random() < 0.5 else "M"
    people = POPULATIONS[sex]
    height_m = people.height_mean_m + people.height_sd_m * _deviation(rng)
    return VirtualSubject(
        subject_id=f"{PREFIX[cohort]}{number:03d}",
        cohort=cohort,
        sex=sex,
        age_y=float(np.round(rng.uniform(*AGES_Y[cohort]), 1)),
        mass_kg=_mass_index(people, rng) * height_m**2,
        height_m=height_m,
        segment_factors=segment_factors(height_m, rng),
    )


def segment_factors(height_m: float, rng: np.random.Generator) -> dict[str, tuple[float, float, float]]:
    """Factors (x, y, z) of the generic model's bodies for a person of this height, with their own proportions."""
    whole = height_m / GENERIC_HEIGHT_M
    thigh, shank = (LENGTH_SD * _deviation(rng) for _ in range(2))
    trunk = -(THIGH_PER_HEIGHT * thigh + SHANK_PER_HEIGHT * shank) / TRUNK_AND_HEAD_PER_HEIGHT
    torso = (_breadth(whole, rng), whole * (1 + trunk), _breadth(whole, rng))
    # The pelvis has one factor, since its markers don't tell its height apart from its depth and the thigh's length.
    pelvis = (_breadth(whole, rng),) * 3
    both = {
        "thigh": (_breadth(whole, rng), whole * (1 + thigh)),
        "shank": (_breadth(whole, rng), whole * (1 + shank)),
        "foot": (_breadth(whole, rng), FOOT_PER_BODY * whole * (1 + LENGTH_SD * _deviation(rng))),
        "upper_arm": (whole, whole * (1 + LENGTH_SD * _deviation(rng))),
        "forearm": (whole, whole * (1 + LENGTH_SD * _deviation(rng))),
    }
    factors: dict[str, tuple[float, float, float]] = {"pelvis": pelvis, "torso": torso}
    for side in "rl":
        own = {
            name: tuple(factor * (1 + LEFT_RIGHT_SD * _deviation(rng)) for factor in pair)
            for name, pair in both.items()
        }
        factors |= _limb_factors(side, own)
    return factors


def _limb_factors(side: str, own: dict[str, tuple[float, ...]]) -> dict[str, tuple[float, float, float]]:
    """Factors of one side's bodies; bodies that a profile measures together share theirs."""
    (thigh_b, thigh), (shank_b, shank), (foot_b, foot) = own["thigh"], own["shank"], own["foot"]
    upper, fore = own["upper_arm"][1], own["forearm"][1]
    return {
        f"femur_{side}": (thigh_b, thigh, thigh_b),
        f"patella_{side}": (thigh, thigh, thigh),
        f"tibia_{side}": (shank_b, shank, shank_b),
        f"talus_{side}": (shank_b, shank, shank_b),
        f"calcn_{side}": (foot, foot_b, foot_b),
        f"toes_{side}": (foot, foot_b, foot_b),
        f"humerus_{side}": (upper, upper, upper),
        f"ulna_{side}": (fore, fore, fore),
        f"radius_{side}": (fore, fore, fore),
        f"hand_{side}": (fore, fore, fore),
    }


def _breadth(whole: float, rng: np.random.Generator) -> float:
    return whole * (1 + BREADTH_SD * _deviation(rng))


def _deviation(rng: np.random.Generator) -> float:
    """A standard normal number, truncated at FURTHEST_SD."""
    while abs(drawn := float(rng.standard_normal())) > FURTHEST_SD:
        pass
    return drawn


def _mass_index(people: Population, rng: np.random.Generator) -> float:
    low, high = MASS_INDEX
    while not low <= (drawn := float(rng.normal(people.mass_index_mean, people.mass_index_sd))) <= high:
        pass
    return drawn
