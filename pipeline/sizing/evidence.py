"""What a session says of a body: the static trial's pose and frames of its walks, with what is known beforehand.

Shapes: N frames, M markers, C joint centres, P = M + C points, Q coordinates, F free ones.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.mechanics.arrays import MarkerPlaces, Tree, reals
from pipeline.mechanics.markers.fit import CoordinateRoles, fit_poses, tracking_problem
from pipeline.osim.arrays.model_arrays import Skeleton
from pipeline.osim.models.shared_model import SharedModel
from pipeline.records import SIDES, Markers
from pipeline.session.profile import Profile
from pipeline.session.recipe import ScalingSettings
from pipeline.sizing.posterior import Evidence
from pipeline.sizing.priors.built_in_bones import other_bones
from pipeline.sizing.priors.joint_centres import HIP_SD_M, hip_centres
from pipeline.sizing.priors.landmarks import MarkerPrior, marker_prior, placed_prior, spine_under
from pipeline.sizing.priors.places import middles_of_spines, place_covariance, place_precision, spines_of
from pipeline.sizing.priors.proportions import ProportionPrior
from pipeline.sizing.priors.ranges import widened
from pipeline.sizing.scaled_tree import joints_on_bodies_m, scaled_tree

# A coordinate without a prior of its own: an angle may be anything, a place anywhere.
ANY_ANGLE_RAD, ANYWHERE_M = 2.0, 1e3
# How far a standing person's trunk leans from the model's neutral pose, by coordinate. Ours.
STANDING_SD_RAD = {"lumbar_extension": np.radians(8), "lumbar_bending": np.radians(4), "lumbar_rotation": np.radians(4)}
# A coordinate that the profile holds near its default.
HELD_SD_RAD = 0.3
# Ends of ranges give way: a soft wall's standard deviation.
WALL_RAD = np.radians(2.0)
# Where a search begins, no angle is far from its default without a reason: m²/rad², a centimetre a radian.
START_STIFFNESS_M2 = 1e-4
# Legs are at their straightest in this many of a walk's frames, of a hundred.
STRAIGHTEST_PERCENTILE = 90
# What a guide tells: the model's shoulders are part of its trunk, and arms hang where they like.
GUIDE_SD_M = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Evidence, and what its points and frames are.

    labels of the M markers; names of the C joint centres; standing (N,): which frames stand; priors by label;
    place_covariance (3 M, 3 M): how markers' places vary between people. other_bones: why bones are not the built-in
    model's, by body. without_body: labels that were seen, and whose body the model lacks. frames_left_out: how many
    frames of walks no pose explains.
    """

    evidence: Evidence
    labels: tuple[str, ...]
    centres: tuple[str, ...]
    standing: np.ndarray
    priors: Mapping[str, MarkerPrior]
    place_covariance: np.ndarray
    other_bones: Mapping[str, str]
    without_body: tuple[str, ...]
    frames_left_out: int = 0


def gather_evidence(
    shared: SharedModel,
    profile: Profile,
    prior: ProportionPrior,
    standing: Markers | None,
    walks: Sequence[Markers],
    settings: ScalingSettings,
) -> Gathered:
    """Frames, priors and starting poses. At least one of `standing` (one frame) and `walks` is there.

    A walk's frames are spread evenly over it. Markers that no frame shows are left out.
    """
    skeleton = shared.skeleton
    shown = {label for markers in (standing, *walks) if markers for label in markers.labels}
    recorded = [label for label in profile.markers if label in shown]
    labels = tuple(label for label in recorded if profile.markers[label].body in skeleton.bodies)
    others = other_bones(skeleton)
    priors = marker_priors(profile, labels, skeleton, prior)
    covariance = place_covariance(skeleton, profile, labels, priors)
    measured_m, stands = _frames(labels, standing, walks, settings.walking_frames)
    sd_m = _measured_sd_m(labels, profile, priors, stands, settings)
    centres = regressed_hips(profile, skeleton.bodies, labels, priors, measured_m, stands)
    on = [*(profile.markers[label].body for label in labels), *(f"femur_{name[-1]}" for name in centres)]
    body = np.array([skeleton.bodies.index(name) for name in on], dtype=np.int64)
    # A hip's centre is where the thigh's joint lies on it.
    joints_m = joints_on_bodies_m(skeleton.tree)[body[len(labels) :]]
    bone_m = np.concatenate([np.array([priors[label].bone_m for label in labels]).reshape(-1, 3), joints_m])
    over_m = np.array([*(priors[label].over_m for label in labels), *([(0.0, 0.0, 0.0)] * len(centres))])
    points_m = np.concatenate([measured_m, *(centre[:, None] for centre in centres.values())], axis=1)
    # Without a standing frame, walking ones share a regression's worth.
    centre_sd_m = np.full((len(stands), len(centres)), HIP_SD_M * np.sqrt(1 if stands.any() else len(stands)))
    seen = np.isfinite(points_m).all(axis=2)
    precision = np.where(seen, 1 / np.concatenate([sd_m, centre_sd_m], axis=1) ** 2, 0.0)
    free = np.setdiff1d(skeleton.free, skeleton.tree.dependent)
    pose_mean, pose_sd = _pose_prior(shared, profile, free, stands)
    places = bone_m[: len(labels)] * prior.factors()[body[: len(labels)]] + over_m[: len(labels)]
    low, high = widened(skeleton.low, skeleton.high, shared.names, settings)
    start = _starting_poses(
        shared,
        profile,
        low,
        high,
        scaled_tree(skeleton.tree, prior.factors()),
        MarkerPlaces(body=body[: len(labels)].copy(), place_m=reals(places)),
        (sd_m[-1] / sd_m[-1].min()) ** -2,
        measured_m,
    )
    evidence = Evidence(
        tree=skeleton.tree,
        growth=prior.growth,
        proportion_mean=prior.mean,
        proportion_precision=prior.precision,
        body=body,
        bone_m=bone_m,
        over_m=over_m,
        place_precision=place_precision(profile, labels, priors, covariance),
        measured_m=np.nan_to_num(points_m),
        precision=np.repeat(precision[:, :, None], 3, axis=2),
        free=free,
        low=low[free],
        high=high[free],
        wall_rad=WALL_RAD,
        pose_mean=pose_mean,
        pose_precision=1 / pose_sd**2,
        start=start,
    )
    return Gathered(
        evidence=evidence,
        labels=labels,
        centres=tuple(centres),
        standing=stands,
        priors=priors,
        place_covariance=covariance,
        other_bones=others,
        without_body=tuple(label for label in recorded if label not in labels),
    )


def markers_m(gathered: Gathered) -> np.ndarray:
    """The markers as measured, (N, M, 3), NaN where one wasn't seen or was left out."""
    n_markers = len(gathered.labels)
    seen = gathered.evidence.precision[:, :n_markers] > 0
    measured: np.ndarray = np.where(seen, gathered.evidence.measured_m[:, :n_markers], np.nan)
    return measured


def without_frames(gathered: Gathered, left_out: np.ndarray) -> Gathered:
    """Without some of the frames, (N,) true for those."""
    kept, evidence = ~left_out, gathered.evidence
    fewer = replace(
        evidence,
        measured_m=evidence.measured_m[kept],
        precision=evidence.precision[kept],
        pose_mean=evidence.pose_mean[kept],
        pose_precision=evidence.pose_precision[kept],
        start=evidence.start[kept],
    )
    return replace(
        gathered,
        evidence=fewer,
        standing=gathered.standing[kept],
        frames_left_out=gathered.frames_left_out + int(left_out.sum()),
    )


def marker_priors(
    profile: Profile, labels: Sequence[str], skeleton: Skeleton, prior: ProportionPrior
) -> dict[str, MarkerPrior]:
    """What is known of each marker: over its landmark on the built-in model's bones, where it is put on others."""
    others, factors = other_bones(skeleton), prior.factors()
    priors = {}
    for label in labels:
        marker = profile.markers[label]
        x, y, z = (float(factor) for factor in factors[skeleton.bodies.index(marker.body)])
        of = placed_prior if marker.body in others else marker_prior
        priors[label] = of(marker, (x, y, z))
    return priors


def _frames(
    labels: Sequence[str], standing: Markers | None, walks: Sequence[Markers], n_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Measured places (N, M, 3), NaN where not seen, and which frames stand (N,)."""
    chosen = [] if standing is None else [_rows(labels, standing, np.array([0]))]
    each = max(2, round(n_frames / max(1, len(walks))))
    for walk in walks:
        spread = np.linspace(0, len(walk.time_s) - 1, each).round().astype(int)
        chosen += [_rows(labels, walk, np.unique(spread))]
    stands = np.zeros(sum(map(len, chosen)), dtype=bool)
    stands[:1] = standing is not None
    return np.concatenate(chosen), stands


def _rows(labels: Sequence[str], markers: Markers, frames: np.ndarray) -> np.ndarray:
    columns = [markers.labels.index(label) if label in markers.labels else -1 for label in labels]
    rows = markers.positions_m[frames][:, columns]
    rows[:, [column < 0 for column in columns]] = np.nan
    return rows


def _measured_sd_m(
    labels: Sequence[str],
    profile: Profile,
    priors: Mapping[str, MarkerPrior],
    stands: np.ndarray,
    settings: ScalingSettings,
) -> np.ndarray:
    """Standard deviations (N, M): in walks, of as many independent frames as all of them are worth."""
    n_walking = int((~stands).sum())
    fewer = n_walking / min(n_walking, settings.worth_frames) if n_walking else 1.0
    soft_m = np.array([priors[label].soft_tissue_m for label in labels])
    standing_m = np.array([priors[label].standing_sd_m(settings.standing_sd_m) for label in labels])
    sd_m = np.where(stands[:, None], standing_m, soft_m * np.sqrt(fewer))
    guides = [profile.markers[label].guide for label in labels]
    return np.where(guides, np.maximum(sd_m, GUIDE_SD_M), sd_m)


def regressed_hips(
    profile: Profile,
    bodies: Sequence[str],
    labels: Sequence[str],
    priors: Mapping[str, MarkerPrior],
    measured_m: np.ndarray,
    stands: np.ndarray,
) -> dict[str, np.ndarray]:
    """Hip centres (N, 3) by regression, by name; NaN where markers don't tell, and in walks where a pose stands."""
    anterior, posterior = spines_of(profile, labels)
    if not (len(anterior) == len(SIDES) and posterior):
        return {}
    right, left = (measured_m[:, labels.index(label)] for label in anterior)
    _, (behind, _) = middles_of_spines(profile, labels, priors, measured_m)
    over_posterior = [spine_under(profile, label).skin_and_marker_m for label in posterior]
    told = hip_centres(
        right,
        left,
        behind,
        leg_m=_leg_m(profile, labels, measured_m, stands),
        over_anterior_m=spine_under(profile, anterior[0]).skin_and_marker_m,
        over_posterior_m=float(np.mean([np.hypot(*over_m[:2]) for over_m in over_posterior])),
    )
    walking = stands.any() & ~stands
    return {
        f"hip_{side[0]}": np.where(walking[:, None], np.nan, centre)
        for side, centre in zip(SIDES, told, strict=True)
        if f"femur_{side[0]}" in bodies
    }


def _leg_m(profile: Profile, labels: Sequence[str], measured_m: np.ndarray, stands: np.ndarray) -> np.ndarray:
    """The legs' mean length from anterior spine to malleolus, (N,): standing, or of legs at their straightest.

    NaN where no leg shows it.
    """
    lengths = []
    for side, anterior in zip("rl", (profile.pelvis.right_anterior, profile.pelvis.left_anterior), strict=True):
        ankles = {
            profile.markers[label].landmark: label for label in labels if profile.markers[label].body == f"tibia_{side}"
        }
        ankle = ankles.get("medial_malleolus", ankles.get("lateral_malleolus"))
        if ankle:
            between = measured_m[:, labels.index(anterior)] - measured_m[:, labels.index(ankle)]
            straight_m = np.linalg.norm(between[stands] if stands.any() else between, axis=1)
            seen_m = straight_m[np.isfinite(straight_m)]
            # A bent knee brings the malleolus nearer to the spine.
            lengths += [np.percentile(seen_m, STRAIGHTEST_PERCENTILE)] if len(seen_m) else []
    return np.full(len(measured_m), np.mean(lengths) if lengths else np.nan)


def _pose_prior(
    shared: SharedModel, profile: Profile, free: np.ndarray, stands: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations (N, F) of poses."""
    coordinates = shared.summary.coordinates
    mean = np.tile(shared.skeleton.default[free], (len(stands), 1))
    sd = np.full(mean.shape, ANY_ANGLE_RAD)
    for place, number in enumerate(free):
        coordinate = coordinates[number]
        if not coordinate.rotational or coordinate.residual:
            sd[:, place] = ANYWHERE_M
        elif coordinate.name in profile.held:
            sd[:, place] = HELD_SD_RAD
        elif coordinate.name in STANDING_SD_RAD and stands.any():
            sd[stands, place] = STANDING_SD_RAD[coordinate.name]
        elif coordinate.name in STANDING_SD_RAD:
            # On the whole, a walk is as upright.
            sd[:, place] = STANDING_SD_RAD[coordinate.name] * np.sqrt(len(stands))
    return mean, sd


def _starting_poses(
    shared: SharedModel,
    profile: Profile,
    low: np.ndarray,
    high: np.ndarray,
    tree: Tree,
    places: MarkerPlaces,
    weight: np.ndarray,
    measured_m: np.ndarray,
) -> np.ndarray:
    """Poses (N, Q) of the likeliest body before anything was measured."""
    skeleton, coordinates = shared.skeleton, shared.summary.coordinates
    held = [
        (number, profile.held.get(coordinate.name, START_STIFFNESS_M2), float(skeleton.default[number]))
        for number, coordinate in enumerate(coordinates)
        if coordinate.name in profile.held or (coordinate.rotational and not coordinate.residual)
    ]
    roles = CoordinateRoles(
        locked=np.array([coordinate.locked for coordinate in coordinates]),
        low=low,
        high=high,
        residual=np.array([coordinate.residual for coordinate in coordinates]),
        rotational=np.array([coordinate.rotational for coordinate in coordinates]),
    )
    problem = tracking_problem(tree, places, weight, roles, held)
    # Frames far apart in time: each on its own.
    alone = [
        fit_poses(problem, np.zeros(1), frame[None], skeleton.default[None].copy()).values[0] for frame in measured_m
    ]
    return np.array(alone)
