"""How markers' places may differ from the model's: each by itself, and many together where people are built otherwise.

Scaling enlarges a body along its axes and can't say that a shank is more twisted than the model's, that a thorax lies
further forward over the pelvis, or that hips lie elsewhere below the spines. Markers then have to be elsewhere on their
bodies, all in the same way.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.landmarks.bony_places import landmarks
from pipeline.session.profile import Profile
from pipeline.sizing.priors.landmarks import MarkerPrior

# The twist of the shank, by which the foot is turned about its long axis: 34.9 +- 15.9 degrees in 504 tibiae (Strecker
# et al. 1997, J Bone Joint Surg Br 79:1019).
TORSION_SD_RAD = np.radians(15.9)
# The thorax over the lumbar joint, along x and y: the model's is one rigid body from there to the head, shallower and
# higher in front than people's (bony_places.toml). Ours.
THORAX_SD_M = (0.04, 0.025)
# The foot before its ankle, along x, of both feet: from heel to the malleoli's middle the model has 73 mm where people
# have 54 (bony_places.toml).
FOOT_BEFORE_ANKLE_SD_M = 0.02
# Spines over hips, along x and y: what regressions of hip centres leave unexplained (joint_centres.py).
SPINES_OVER_HIPS_SD_M = (0.008, 0.008)
# The pelvis's neutral pose is a convention, in which the line of spines lies as on the model's own pelvis: where hips
# lie otherwise below it, hips are elsewhere, and the pelvis isn't turned. How nearly.
SPINES_SD_RAD = np.radians(1.5)


def place_precision(profile: Profile, labels: Sequence[str], priors: Mapping[str, MarkerPrior]) -> np.ndarray:
    """(3 M, 3 M), 1/m²: the inverse covariance of the places' offsets, the line of spines held."""
    line = _line_of_spines(profile, labels, priors)
    precision: np.ndarray = np.linalg.inv(place_covariance(profile, labels, priors)) + np.outer(line, line)
    return precision


def place_covariance(profile: Profile, labels: Sequence[str], priors: Mapping[str, MarkerPrior]) -> np.ndarray:
    """(3 M, 3 M), m²: how places' offsets vary between people, each alone and together, by the axes of their bodies."""
    variance = np.array([priors[label].place_sd_m for label in labels]).ravel() ** 2
    covariance = np.diag(variance)
    for way in _ways(profile, labels, priors):
        covariance += np.outer(way, way)
    return covariance


def _ways(profile: Profile, labels: Sequence[str], priors: Mapping[str, MarkerPrior]) -> list[np.ndarray]:
    """Offsets (3 M,) of one standard deviation, each of its own kind."""
    on = np.array([profile.markers[label].body for label in labels])
    bone_m = np.array([priors[label].bone_m for label in labels])
    ways = []
    for axis in (0, 1):
        for body, sd_m in (("torso", THORAX_SD_M[axis]), ("pelvis", SPINES_OVER_HIPS_SD_M[axis])):
            way = np.zeros((len(labels), 3))
            way[on == body, axis] = sd_m
            ways.append(way.ravel())
    way = np.zeros((len(labels), 3))
    way[[body.startswith(("calcn", "toes")) for body in on], 0] = FOOT_BEFORE_ANKLE_SD_M
    ways.append(way.ravel())
    for side in "rl":
        # About the vertical through the ankle, which lies over the origin of the foot's neighbour.
        way = np.zeros((len(labels), 3))
        foot = np.isin(on, (f"calcn_{side}", f"toes_{side}"))
        from_ankle_m = bone_m[foot] - np.array(ANKLE_OVER_FOOT_M)
        way[foot] = TORSION_SD_RAD * np.cross((0.0, 1.0, 0.0), from_ankle_m)
        ways.append(way.ravel())
    return ways


# Where the ankle lies in the foot's frame (Rajagopal et al. 2016: the subtalar joint's place in the talus, negative).
ANKLE_OVER_FOOT_M = (0.0488, 0.042, 0.0)


def spines_of(profile: Profile, labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """The labels over the anterior and over the posterior iliac spines."""
    pelvis = profile.pelvis
    ahead = [label for label in (pelvis.right_anterior, pelvis.left_anterior) if label in labels]
    return ahead, [label for label in pelvis.posterior if label in labels]


def palpation_rad(profile: Profile, labels: Sequence[str]) -> float:
    """How far palpation alone turns the line of spines' markers: a standard deviation; 0 where none are named."""
    ends = [
        [landmarks()[profile.markers[label].landmark] for label in end if profile.markers[label].landmark]
        for end in spines_of(profile, labels)
    ]
    if not all(ends):
        return 0.0
    variance = sum(sum((each.palpation_mm[1] * 1e-3) ** 2 for each in end) / len(end) ** 2 for end in ends)
    length_m = np.mean([each.bone_m[0] for each in ends[0]]) - np.mean([each.bone_m[0] for each in ends[1]])
    return float(np.sqrt(variance) / length_m)


def _line_of_spines(profile: Profile, labels: Sequence[str], priors: Mapping[str, MarkerPrior]) -> np.ndarray:
    """(3 M,): how far offsets turn the line from the posterior to the anterior spines, over its deviation."""
    turn = np.zeros((len(labels), 3))
    ahead, behind = ([labels.index(label) for label in end] for end in spines_of(profile, labels))
    if ahead and behind:
        at = [priors[label].bone_m[0] for label in labels]
        length_m = np.mean([at[i] for i in ahead]) - np.mean([at[i] for i in behind])
        turn[ahead, 1] = 1 / (len(ahead) * length_m * SPINES_SD_RAD)
        turn[behind, 1] = -1 / (len(behind) * length_m * SPINES_SD_RAD)
    return turn.ravel()
