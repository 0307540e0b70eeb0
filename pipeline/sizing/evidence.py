"""What a session says of a body: the static trial's pose and frames of its walks, with what is known beforehand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.mechanics.arrays import MarkerPlaces
from pipeline.mechanics.markers.fit import CoordinateRoles, fit_poses, tracking_problem
from pipeline.osim.models.shared_model import SharedModel
from pipeline.records import SIDES, Markers
from pipeline.session.profile import Profile
from pipeline.session.recipe import ScalingSettings
from pipeline.sizing import joint_centres
from pipeline.sizing.landmarks import MarkerPrior, marker_prior
from pipeline.sizing.places import place_precision
from pipeline.sizing.posterior import Evidence
from pipeline.sizing.proportions import ProportionPrior
from pipeline.sizing.scaled_tree import scaled_tree

# A coordinate without a prior of its own: an angle may be anything, a place anywhere.
ANY_ANGLE_RAD, ANYWHERE_M = 2.0, 1e3
# How far a standing person's trunk leans from the model's neutral pose, by coordinate.
STANDING_SD_RAD = {"lumbar_extension": np.radians(8), "lumbar_bending": np.radians(4), "lumbar_rotation": np.radians(4)}
# Ends of ranges give way: a soft wall's standard deviation.
WALL_RAD = np.radians(2.0)
# What a guide tells: the model's shoulders are part of its trunk, and arms hang where they like.
GUIDE_SD_M = 0.05
# A coordinate that the profile holds near its default.
HELD_SD_RAD = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """Evidence, and what its rows are: labels of the markers, then names of joint centres; whether a frame stands."""

    evidence: Evidence
    labels: tuple[str, ...]
    centres: tuple[str, ...]
    standing: np.ndarray
    priors: Mapping[str, MarkerPrior]


def gather(
    shared: SharedModel,
    profile: Profile,
    prior: ProportionPrior,
    standing: Markers | None,
    walks: Sequence[Markers],
    settings: ScalingSettings,
) -> Gathered:
    """Frames, priors and starting poses. At least one of `standing` (one frame) and `walks` is there."""
    skeleton = shared.skeleton
    labels = tuple(
        label
        for label, marker in profile.markers.items()
        if marker.body in skeleton.bodies and any(label in frames.labels for frames in (standing, *walks) if frames)
    )
    priors = {label: marker_prior(profile.markers[label]) for label in labels}
    measured, stands = _frames(labels, standing, walks, settings.walking_frames)
    n_walking = max(1, int((~stands).sum()))
    fewer = n_walking / min(n_walking, settings.worth_frames)
    guide = np.array([profile.markers[label].guide for label in labels])
    soft_m = np.array([priors[label].soft_tissue_m for label in labels])
    sd = np.where(stands[:, None], settings.standing_sd_m, soft_m * np.sqrt(fewer))
    sd = np.where(guide, np.maximum(sd, GUIDE_SD_M), sd)
    centres = _centres(profile, skeleton.bodies, labels, measured)
    share = 1.0 if stands.any() else float(n_walking)
    names, bodies, bones, places, precisions = [], [], [], [], []
    for centre in centres:
        seen = np.isfinite(centre.measured_m).all(axis=1) & (stands if stands.any() else True)
        names.append(centre.name)
        bodies.append(skeleton.bodies.index(centre.body))
        bones.append(centre.place_m)
        places.append(np.where(seen[:, None], centre.measured_m, 0.0))
        precisions.append(np.where(seen, 1 / (centre.sd_m**2 * share), 0.0))
    seen = np.isfinite(measured).all(axis=2)
    precision = np.where(seen, 1 / sd**2, 0.0)
    body = np.array([skeleton.bodies.index(profile.markers[label].body) for label in labels] + bodies, dtype=np.int64)
    bone_m = np.array([priors[label].bone_m for label in labels] + bones)
    over_m = np.array([priors[label].over_m for label in labels] + [(0.0, 0.0, 0.0)] * len(centres))
    every = np.concatenate([np.nan_to_num(measured), *[p[:, None] for p in places]], axis=1)
    weight = np.concatenate([precision, *[p[:, None] for p in precisions]], axis=1)
    free = np.array([c for c in skeleton.free if c not in set(skeleton.tree.dependent.tolist())])
    mean, spread = _pose_prior(shared, profile, free, stands)
    evidence = Evidence(
        tree=skeleton.tree,
        growth=prior.growth,
        proportion_mean=prior.mean,
        proportion_precision=prior.precision,
        body=body,
        bone_m=bone_m,
        over_m=over_m,
        place_precision=place_precision(profile, labels, priors),
        measured_m=every,
        precision=np.repeat(weight[:, :, None], 3, axis=2),
        free=free,
        low=skeleton.low[free],
        high=skeleton.high[free],
        wall_rad=WALL_RAD,
        pose_mean=mean,
        pose_precision=1 / spread**2,
        start=_starts(shared, profile, labels, measured, sd, prior, body, bone_m, over_m),
    )
    return Gathered(evidence=evidence, labels=labels, centres=tuple(names), standing=stands, priors=priors)


def _frames(
    labels: Sequence[str], standing: Markers | None, walks: Sequence[Markers], n_frames: int
) -> tuple[np.ndarray, np.ndarray]:
    """Measured places (N, M, 3), NaN where not seen, and which frames stand (N,)."""
    chosen: list[np.ndarray] = []
    if standing is not None:
        chosen.append(_rows(labels, standing, np.array([0])))
    each = max(2, round(n_frames / max(1, len(walks))))
    for walk in walks:
        chosen.append(_rows(labels, walk, np.unique(np.linspace(0, len(walk.time_s) - 1, each).round().astype(int))))
    stands = np.zeros(sum(map(len, chosen)), dtype=bool)
    stands[:1] = standing is not None
    return np.concatenate(chosen), stands


def _rows(labels: Sequence[str], markers: Markers, frames: np.ndarray) -> np.ndarray:
    columns = [markers.labels.index(label) if label in markers.labels else -1 for label in labels]
    rows = markers.positions_m[frames][:, columns]
    rows[:, [column < 0 for column in columns]] = np.nan
    return rows


@dataclass(frozen=True, slots=True, kw_only=True)
class _Centre:
    name: str
    body: str
    place_m: tuple[float, float, float]
    measured_m: np.ndarray
    sd_m: float


def _centres(profile: Profile, bodies: Sequence[str], labels: Sequence[str], measured: np.ndarray) -> list[_Centre]:
    """Joint centres that the markers tell."""

    def at(label: str) -> np.ndarray:
        return measured[:, labels.index(label)]

    found: list[_Centre] = []
    pelvis = profile.pelvis
    posterior = [label for label in pelvis.posterior if label in labels]
    if {pelvis.right_anterior, pelvis.left_anterior} <= set(labels) and posterior:
        with np.errstate(invalid="ignore"):
            middle = np.nanmean([at(label) for label in posterior], axis=0)
            leg_m = _leg_m(profile, labels, measured)
            hips = joint_centres.hip_centres(at(pelvis.right_anterior), at(pelvis.left_anterior), middle, leg_m)
        for side, hip in zip(SIDES, hips, strict=True):
            if f"femur_{side[0]}" in bodies:
                found.append(
                    _Centre(
                        name=f"hip_{side[0]}",
                        body=f"femur_{side[0]}",
                        place_m=(0.0, 0.0, 0.0),
                        measured_m=hip,
                        sd_m=joint_centres.HIP_SD_M,
                    )
                )
    return found


def _leg_m(profile: Profile, labels: Sequence[str], measured: np.ndarray) -> np.ndarray:
    """The legs' mean length from anterior spine to malleolus, (N,), NaN where no leg shows it."""
    lengths = []
    for side, anterior in (("r", profile.pelvis.right_anterior), ("l", profile.pelvis.left_anterior)):
        for landmark in ("medial_malleolus", "lateral_malleolus"):
            ankle = [
                label
                for label in labels
                if profile.markers[label].landmark == landmark and profile.markers[label].body == f"tibia_{side}"
            ]
            if ankle:
                between = measured[:, labels.index(anterior)] - measured[:, labels.index(ankle[0])]
                lengths.append(np.linalg.norm(between, axis=1))
                break
    mean: np.ndarray = np.mean(lengths, axis=0) if lengths else np.full(len(measured), np.nan)
    return mean


def _pose_prior(
    shared: SharedModel, profile: Profile, free: np.ndarray, stands: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations (N, F) of poses."""
    coordinates = shared.summary.coordinates
    mean = np.tile(shared.skeleton.default[free], (len(stands), 1))
    spread = np.full(mean.shape, ANY_ANGLE_RAD)
    for place, number in enumerate(free):
        coordinate = coordinates[number]
        if not coordinate.rotational or coordinate.residual:
            spread[:, place] = ANYWHERE_M
        elif coordinate.name in profile.held:
            spread[:, place] = HELD_SD_RAD
        elif coordinate.name in STANDING_SD_RAD:
            spread[stands, place] = STANDING_SD_RAD[coordinate.name]
            if not stands.any():
                spread[:, place] = STANDING_SD_RAD[coordinate.name] * np.sqrt(len(stands))
    return mean, spread


def _starts(
    shared: SharedModel,
    profile: Profile,
    labels: Sequence[str],
    measured: np.ndarray,
    sd: np.ndarray,
    prior: ProportionPrior,
    body: np.ndarray,
    bone_m: np.ndarray,
    over_m: np.ndarray,
) -> np.ndarray:
    """Poses (N, Q) of the likeliest body before anything was measured."""
    skeleton = shared.skeleton
    factors = np.exp(np.tensordot(prior.mean, prior.growth, 1))
    n_markers = len(labels)
    places = bone_m[:n_markers] * factors[body[:n_markers]] + over_m[:n_markers]
    coordinates = shared.summary.coordinates
    problem = tracking_problem(
        scaled_tree(skeleton.tree, factors),
        MarkerPlaces(body=body[:n_markers].copy(), place_m=np.ascontiguousarray(places)),
        np.ascontiguousarray(1e-4 / sd[-1] ** 2),
        CoordinateRoles(
            locked=np.array([coordinate.locked for coordinate in coordinates]),
            low=skeleton.low,
            high=skeleton.high,
            residual=np.array([coordinate.residual for coordinate in coordinates]),
            rotational=np.array([coordinate.rotational for coordinate in coordinates]),
        ),
        [
            (shared.names.index(name), weight, float(skeleton.default[shared.names.index(name)]))
            for name, weight in profile.held.items()
            if name in shared.names
        ],
    )
    held = np.tile(skeleton.default, (len(measured), 1))
    # Frames of different times: each on its own.
    poses = [
        fit_poses(problem, np.zeros(1), measured[n : n + 1], held[n : n + 1]).values[0] for n in range(len(measured))
    ]
    return np.array(poses)
