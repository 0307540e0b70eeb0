"""How markers' places may differ from the model's: each by itself, and many together where people are built otherwise.

Scaling enlarges a body along its axes and can't say that a shank is more twisted than the model's, that a thorax lies
further forward over the pelvis, or that hips lie elsewhere below the spines. Markers then have to be elsewhere on their
bodies, all in the same way.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.mechanics.bodies.poses import body_places
from pipeline.osim.arrays.model_arrays import Skeleton
from pipeline.session.profile import Profile
from pipeline.sizing.priors.landmarks import MIDLINE_M, MarkerPrior, spine_under

# The twist of the shank, by which the foot is turned about its long axis: 34.9 +- 15.9 degrees in 504 tibiae (Strecker
# et al. 1997, J Bone Joint Surg Br 79:1019).
TORSION_SD_RAD = np.radians(15.9)
# Lengths are of somebody as large as the model, and grow with the body.
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


def place_precision(
    profile: Profile, labels: Sequence[str], priors: Mapping[str, MarkerPrior], covariance: np.ndarray
) -> np.ndarray:
    """(3 M, 3 M), 1/m²: the inverse of the places' `covariance`, the line of spines held."""
    line = _line_of_spines(profile, labels, priors)
    precision: np.ndarray = np.linalg.inv(covariance) + np.outer(line, line)
    return precision


def place_covariance(
    skeleton: Skeleton, profile: Profile, labels: Sequence[str], priors: Mapping[str, MarkerPrior]
) -> np.ndarray:
    """(3 M, 3 M), m²: how places' offsets vary between people, each alone and together, by the axes of their bodies."""
    variance = np.array([priors[label].place_sd_m for label in labels]).ravel() ** 2
    covariance = np.diag(variance)
    for way in _ways(skeleton, profile, labels, priors):
        covariance += np.outer(way, way)
    return covariance


def _ways(
    skeleton: Skeleton, profile: Profile, labels: Sequence[str], priors: Mapping[str, MarkerPrior]
) -> list[np.ndarray]:
    """Offsets (3 M,) of one standard deviation, each of its own kind."""
    on = np.array([profile.markers[label].body for label in labels])
    size = np.array([priors[label].size for label in labels])
    foot = np.array([body.startswith(("calcn", "toes")) for body in on])
    ways = []
    for chosen, axis, sd_m in (
        *((on == "torso", axis, THORAX_SD_M[axis]) for axis in (0, 1)),
        *((on == "pelvis", axis, SPINES_OVER_HIPS_SD_M[axis]) for axis in (0, 1)),
        (foot, 0, FOOT_BEFORE_ANKLE_SD_M),
    ):
        way = np.zeros((len(labels), 3))
        way[chosen, axis] = sd_m * size[chosen, axis]
        ways.append(way.ravel())
    rotation, origin_m = (places[0] for places in body_places(skeleton.tree, skeleton.default[None]))
    for side in "rl":
        way = np.zeros((len(labels), 3))
        if f"talus_{side}" in skeleton.bodies:
            ankle_m = origin_m[skeleton.bodies.index(f"talus_{side}")]
            for m in map(int, np.flatnonzero(np.isin(on, (f"calcn_{side}", f"toes_{side}")))):
                body = skeleton.bodies.index(str(on[m]))
                # The neutral pose's vertical through the ankle.
                from_ankle_m = size[m] * (rotation[body].T @ (origin_m[body] - ankle_m)) + priors[labels[m]].placed_m
                way[m] = TORSION_SD_RAD * np.cross(rotation[body].T @ (0.0, 1.0, 0.0), from_ankle_m)
        ways.append(way.ravel())
    return ways


def spines_of(profile: Profile, labels: Sequence[str]) -> tuple[list[str], list[str]]:
    """The labels over the anterior and over the posterior iliac spines."""
    pelvis = profile.pelvis
    ahead = [label for label in (pelvis.right_anterior, pelvis.left_anterior) if label in labels]
    return ahead, [label for label in pelvis.posterior if label in labels]


def palpation_rad(profile: Profile, labels: Sequence[str], places_m: np.ndarray) -> float:
    """How far palpation alone turns the line of spines' markers, which lie at (M, 3) on the pelvis: a deviation.

    0 where an end of the line has no marker. On a child's pelvis the same millimetres turn it further.
    """
    ends = spines_of(profile, labels)
    if not all(ends):
        return 0.0
    variance = sum(
        sum((spine_under(profile, label).palpation_mm[1] * 1e-3) ** 2 for label in end) / len(end) ** 2 for end in ends
    )
    ahead, behind = (np.mean([places_m[labels.index(label)] for label in end], axis=0) for end in ends)
    return float(np.sqrt(variance)) * _turned_by_height(ahead - behind)


def _turned_by_height(line_m: np.ndarray) -> float:
    """How far a line (3,) turns about the axis across for each metre that its end is lifted, radians."""
    return float(line_m[0] / (line_m[:2] @ line_m[:2]))


def middles_of_spines(
    profile: Profile, labels: Sequence[str], priors: Mapping[str, MarkerPrior], at_m: np.ndarray
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """The middles of the anterior and of the posterior spines' markers, each measured and as expected on the pelvis.

    at_m (N, M, 3) are the markers, NaN where one wasn't seen. All four are (N, 3), and NaN in frames that don't show an
    end's middle, since they show a spine on one side alone.
    """
    ahead, behind = (_middle_of(labels, priors, end, at_m) for end in spines_of(profile, labels))
    return ahead, behind


def _middle_of(
    labels: Sequence[str], priors: Mapping[str, MarkerPrior], end: Sequence[str], at_m: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    measured_m = at_m[:, [labels.index(label) for label in end]]
    placed_m = np.array([priors[label].placed_m for label in end]).reshape(-1, 3)
    seen = np.isfinite(measured_m).all(axis=2)
    count = np.where(seen.any(axis=1), seen.sum(axis=1), np.nan)[:, None]
    expected_m = (seen[..., None] * placed_m).sum(axis=1) / count
    middle_m = np.where(seen[..., None], measured_m, 0.0).sum(axis=1) / count
    across = np.abs(expected_m[:, 2:]) < MIDLINE_M
    return np.where(across, middle_m, np.nan), np.where(across, expected_m, np.nan)


def _line_of_spines(profile: Profile, labels: Sequence[str], priors: Mapping[str, MarkerPrior]) -> np.ndarray:
    """(3 M,): how far offsets turn the line from the posterior to the anterior markers, over its deviation."""
    turn = np.zeros((len(labels), 3))
    ahead, behind = ([labels.index(label) for label in end] for end in spines_of(profile, labels))
    if ahead and behind:
        at = np.array([priors[label].placed_m for label in labels])
        by_height = _turned_by_height(at[ahead].mean(axis=0) - at[behind].mean(axis=0)) / SPINES_SD_RAD
        turn[ahead, 1], turn[behind, 1] = by_height / len(ahead), -by_height / len(behind)
    return turn.ravel()
