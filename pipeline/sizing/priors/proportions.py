"""A body's proportions, and what is known of them from sex, height and mass alone, before a marker is looked at.

A proportion is the logarithm of a factor that enlarges some bodies of the generic model along some of their axes. Left
and right legs have the same proportions, and a small difference of their own in thigh and shank.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.mechanics.bodies.poses import body_places
from pipeline.osim.arrays.read_model import Skeleton
from pipeline.session.recipe import ScalingSettings
from pipeline.session.session import Subject
from pipeline.sizing.priors.built_in_bones import other_bones

Kind = Literal["length", "breadth", "trunk", "difference"]

# Height of the model of Rajagopal et al. (2016), and how far its hip lies from its knee, and its knee from its ankle.
MODEL_HEIGHT_M = 1.70
MODEL_THIGH_AND_SHANK_M = 0.804


# The model's seventh cervical process is as high over the floor as people's, 0.86 of their height, but its jugular
# notch and acromia are at 0.84 and 0.85 where people's are at 0.82 (ANSUR II: Gordon et al. 2014): of 0.38 m from its
# lumbar joint to these, 0.03 too many at two places of three.
TRUNK_LIKE_PEOPLES = 0.94


@dataclass(frozen=True, slots=True)
class Proportion:
    """Bodies and the axes of theirs that grow together; a "-" before the axes: what grows on the right shrinks here.

    of_height: the share of a person's height that lies along it. usual: the factor of a person as tall as the built-in
    model, on its bones. women: of a woman over a man of the same height.
    """

    name: str
    kind: Kind
    bodies: Mapping[str, str]
    of_height: float = 0.0
    usual: float = 1.0
    women: float = 1.0


def _both(**axes: str) -> dict[str, str]:
    return {f"{body}_{side}": of for body, of in axes.items() for side in "rl"}


# Shares of height: Drillis and Contini (1966), in Winter (2009), fig. 4.1: foot 0.039, shank 0.246, thigh 0.245, the
# rest from hip to vertex, of which the model's pelvis takes 0.048 up to its lumbar joint.
# Women over men, as shares of height: means of 1986 women and 4082 men in ANSUR II (Gordon et al. 2014,
# Natick/TR-15/007), heights 1628.5 and 1756.2 mm: bicristal breadth 273.3 and 275.4, vertex over trochanterion 783.1
# and 855.3, between the acromia 365.3 and 415.7, lateral femoral epicondyle over lateral malleolus 403.2 and 418.8,
# this malleolus over the floor 62.7 and 72.9, radiale to stylion 241.3 and 267.9. Trochanterion over epicondyle is
# 0.233 in both. What mass says of bones at a given height is not known here.
PROPORTIONS: tuple[Proportion, ...] = (
    Proportion("pelvis_depth", "breadth", {"pelvis": "X"}),
    Proportion("pelvis_height", "breadth", {"pelvis": "Y"}, of_height=0.048),
    Proportion("pelvis_width", "breadth", {"pelvis": "Z"}, women=1.070),
    Proportion("trunk_depth", "breadth", {"torso": "X"}),
    Proportion("trunk_length", "trunk", {"torso": "Y"}, of_height=0.422, usual=TRUNK_LIKE_PEOPLES, women=0.987),
    Proportion("trunk_width", "breadth", {"torso": "Z"}, women=0.948),
    Proportion("thigh_length", "length", _both(femur="Y", patella="XYZ"), of_height=0.245),
    Proportion("thigh_breadth", "breadth", _both(femur="XZ")),
    Proportion("shank_length", "length", _both(tibia="Y"), of_height=0.246, women=1.038),
    Proportion("shank_breadth", "breadth", _both(tibia="XZ")),
    Proportion("foot_length", "length", _both(talus="X", calcn="X", toes="X")),
    Proportion("foot_breadth", "breadth", _both(talus="YZ", calcn="YZ", toes="YZ"), of_height=0.039, women=0.927),
    Proportion("upper_arm", "length", _both(humerus="XYZ")),
    Proportion("forearm", "length", _both(ulna="XYZ", radius="XYZ", hand="XYZ"), women=0.971),
    Proportion("thigh_difference", "difference", {"femur_r": "Y", "femur_l": "-Y"}),
    Proportion("shank_difference", "difference", {"tibia_r": "Y", "tibia_l": "-Y"}),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProportionPrior:
    """Proportions of one person: names, growth (K, B, 3), mean (K,), covariance and precision (K, K)."""

    names: tuple[str, ...]
    growth: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray
    precision: np.ndarray

    def factors(self) -> np.ndarray:
        """The bodies' factors (B, 3) at the mean."""
        factors: np.ndarray = np.exp(np.tensordot(self.mean, self.growth, 1))
        return factors

    def sds(self) -> np.ndarray:
        """Standard deviations (K,)."""
        deviations: np.ndarray = np.sqrt(np.diag(self.covariance))
        return deviations


def proportion_prior(skeleton: Skeleton, subject: Subject, settings: ScalingSettings) -> ProportionPrior:
    """What sex and height say of a model's bodies. Bodies that no proportion names grow with the height."""
    sd: dict[Kind, float] = {
        "length": settings.length_sd,
        "breadth": settings.breadth_sd,
        "trunk": settings.trunk_sd,
        "difference": settings.difference_sd,
    }
    taller = float(np.log(subject.height_m / model_height_m(skeleton)))
    known = [p for p in PROPORTIONS if any(body in skeleton.bodies for body in p.bodies)]
    named = {body for p in known for body in p.bodies}
    rest = [body for body in skeleton.bodies[1:] if body not in named]
    if rest:
        known.append(Proportion("others", "length", dict.fromkeys(rest, "XYZ")))
    growth = np.zeros((len(known), len(skeleton.bodies), 3))
    for k, proportion in enumerate(known):
        for body, axes in proportion.bodies.items():
            if body in skeleton.bodies:
                amount = 0.5 if proportion.kind == "difference" else 1.0
                for axis in axes.lstrip("-"):
                    sign = -1.0 if axes.startswith("-") else 1.0
                    growth[k, skeleton.bodies.index(body), "XYZ".index(axis)] = sign * amount
    # Of a person whose sex isn't known, between the two.
    women = {"F": 0.5, "M": -0.5, None: 0.0}[subject.sex]
    others = other_bones(skeleton)
    mean = np.array(
        [
            0.0
            if p.kind == "difference"
            else taller + np.log(1.0 if others.keys() & p.bodies else p.usual) + women * np.log(p.women)
            for p in known
        ]
    )
    alone = np.diag([sd[p.kind] ** -2.0 for p in known])
    share = np.array([p.of_height for p in known])
    # Long legs make a short trunk: together they are the height.
    precision = alone
    if share.any():
        precision = precision + np.outer(share, share) / (share.sum() * settings.height_sd) ** 2
    return ProportionPrior(
        names=tuple(p.name for p in known),
        growth=growth,
        mean=mean,
        covariance=np.linalg.inv(precision),
        precision=precision,
    )


def model_height_m(skeleton: Skeleton) -> float:
    """How tall a person the unscaled model is: the built-in one's height, by the length of its thigh and shank."""
    leg_m = 0.0
    for body in ("tibia_r", "talus_r"):
        if body not in skeleton.bodies:
            return MODEL_HEIGHT_M
        leg_m += _joint_distance_m(skeleton, body)
    return MODEL_HEIGHT_M * leg_m / MODEL_THIGH_AND_SHANK_M


def _joint_distance_m(skeleton: Skeleton, body: str) -> float:
    _, origin_m = body_places(skeleton.tree, skeleton.default[None])
    number = skeleton.bodies.index(body)
    return float(np.linalg.norm(origin_m[0, number] - origin_m[0, skeleton.tree.parent[number]]))
