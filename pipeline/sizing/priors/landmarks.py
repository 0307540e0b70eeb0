"""How well a marker over a bony landmark is known to lie over it, before it is seen."""

import math
from dataclasses import dataclass

import numpy as np

from pipeline.landmarks.bony_places import Landmark, Vector, landmarks, soft_tissue_m
from pipeline.session.profile import Profile, ProfileMarker

# A marker that the profile puts somewhere without naming a bone; one that only has to be on its segment.
UNNAMED_SD_M, TECHNICAL_SD_M = 0.02, 0.06
# A marker as near to the middle of the pelvis as this is over the sacrum, not over a spine.
MIDLINE_M = 0.01
# How far a person's bone is shaped otherwise than the model's, once that has their size: by the body's axes, of one as
# large as the model, ours after the differences that bony_places.toml lists. The model's shoulders are part of its
# trunk, so a raised arm lifts them.
SHAPE_SD_M: dict[str, Vector] = {
    "acromion": (0.030, 0.030, 0.030),
    "acromioclavicular_joint": (0.030, 0.030, 0.030),
    "pelvis": (0.006, 0.006, 0.006),
    "femur_r": (0.008, 0.008, 0.010),
    "tibia_r": (0.007, 0.008, 0.008),
    "calcn_r": (0.012, 0.007, 0.007),
    "toes_r": (0.012, 0.007, 0.007),
    "torso": (0.015, 0.015, 0.008),
}
OTHER_SHAPE_SD_M: Vector = (0.012, 0.012, 0.012)


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkerPrior:
    """Where a marker should be: bone_m grows with the body, over_m doesn't; standard deviations by the body's axes.

    size: the factors of the likeliest body before it is measured. soft_tissue_m: how far skin carries the marker from
    its place in a walk. technical: it may be anywhere on its segment.
    """

    bone_m: Vector
    over_m: Vector
    size: Vector
    place_sd_m: Vector
    soft_tissue_m: float
    technical: bool

    @property
    def placed_m(self) -> np.ndarray:
        """Where the marker is (3,) on the likeliest body, in its frame."""
        placed: np.ndarray = np.multiply(self.bone_m, self.size) + self.over_m
        return placed


def marker_prior(marker: ProfileMarker, size: Vector = (1.0, 1.0, 1.0)) -> MarkerPrior:
    """What is known of a profile's marker on the built-in model's bones, of a body with factors `size`.

    Bones differ in shape as much as they are large; palpation and skin are as they are in adults.
    ValueError if its landmark is on another body.
    """
    if not marker.landmark:
        return placed_prior(marker, size)
    landmark = _landmark(marker)
    left = landmark.body != marker.body or (landmark.body.endswith(("pelvis", "torso")) and marker.location_m[2] < 0)
    mirrored: Vector = (1.0, 1.0, -1.0 if left else 1.0)
    shape = _product(SHAPE_SD_M.get(marker.landmark, SHAPE_SD_M.get(landmark.body, OTHER_SHAPE_SD_M)), size)
    skin = [way * landmark.skin_sd_mm * 1e-3 for way in landmark.outward]
    sd_m = [math.hypot(p * 1e-3, s, b) for p, s, b in zip(landmark.palpation_mm, skin, shape, strict=True)]
    return MarkerPrior(
        bone_m=_product(landmark.bone_m, mirrored),
        over_m=_product(landmark.skin_and_marker_m, mirrored),
        size=size,
        place_sd_m=(sd_m[0], sd_m[1], sd_m[2]),
        soft_tissue_m=soft_tissue_m(marker.landmark, landmark.body),
        technical=False,
    )


def placed_prior(marker: ProfileMarker, size: Vector = (1.0, 1.0, 1.0)) -> MarkerPrior:
    """What is known of a marker where no landmark of its bone is: it is about where the profile puts it.

    Of markers without a `landmark`, and of all on bones that are not the built-in model's.
    """
    technical = marker.static_weight == 0 and not marker.landmark
    anywhere_m = TECHNICAL_SD_M if technical else UNNAMED_SD_M
    return MarkerPrior(
        bone_m=marker.location_m,
        over_m=(0.0, 0.0, 0.0),
        size=size,
        place_sd_m=(anywhere_m, anywhere_m, anywhere_m),
        soft_tissue_m=soft_tissue_m(marker.landmark, _landmark(marker).body if marker.landmark else ""),
        technical=technical,
    )


def spine_under(profile: Profile, label: str) -> Landmark:
    """The landmark under a label of the profile's [pelvis], whether or not the marker names it.

    The profile says by that table that the label is over an iliac spine, or over the sacrum between them: what lies
    over the bone there, and how well it is palpated, holds for any model.
    """
    marker = profile.markers[label]
    if marker.landmark:
        return _landmark(marker)
    if label in (profile.pelvis.right_anterior, profile.pelvis.left_anterior):
        return landmarks()["anterior_superior_iliac_spine"]
    midline = abs(marker.location_m[2]) < MIDLINE_M
    return landmarks()["sacrum" if midline else "posterior_superior_iliac_spine"]


def _landmark(marker: ProfileMarker) -> Landmark:
    """ValueError if there is none of that name, or it is on another body than the marker."""
    if marker.landmark not in landmarks():
        raise ValueError(f"there is no landmark {marker.landmark!r}; there are: {', '.join(landmarks())}.")
    landmark = landmarks()[marker.landmark]
    if marker.body not in (landmark.body, landmark.body.removesuffix("_r") + "_l"):
        raise ValueError(
            f"landmark {marker.landmark!r} is on {landmark.body}, the profile's marker on {marker.body}. "
            "Correct `body`."
        )
    return landmark


def _product(vector: Vector, factors: Vector) -> Vector:
    x, y, z = (a * b for a, b in zip(vector, factors, strict=True))
    return x, y, z
