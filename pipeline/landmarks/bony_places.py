"""Bony landmarks of the built-in model. `bony_places.toml` has the figures and where they are from."""

from functools import cache
from importlib.resources import files

from warehouse.settings_file import Checked, parse_toml

Vector = tuple[float, float, float]

# Half the diameter of the usual marker.
MARKER_RADIUS_M = 0.007
UNNAMED_SOFT_TISSUE_M = 0.012
# How far skin carries a marker from its bone in a walk, by landmark or body, metres, root mean square over the stride:
# after Leardini et al. (2005, Gait Posture 21:212) and Peters et al. (2010, Gait Posture 31:1), who reviewed bone pins
# and fluoroscopy: largest over the trochanter and the thigh, least at the foot.
SOFT_TISSUE_M = {
    "greater_trochanter": 0.018,
    "lateral_femoral_epicondyle": 0.010,
    "medial_femoral_epicondyle": 0.010,
    "acromion": 0.020,
    "acromioclavicular_joint": 0.020,
    "pelvis": 0.006,
    "tibia_r": 0.007,
    "calcn_r": 0.005,
    "toes_r": 0.006,
    "torso": 0.008,
}


class Landmark(Checked):
    """A bony place of the right side or the middle, in the body's frame of the unscaled model.

    `bony_places.toml` explains the entries.
    """

    body: str
    bone_m: Vector
    outward: Vector
    criterion: str
    palpation_mm: Vector
    skin_mm: float
    skin_sd_mm: float

    @property
    def skin_and_marker_m(self) -> Vector:
        """From the bone through skin to the marker's centre, of the right side."""
        x, y, z = ((self.skin_mm * 1e-3 + MARKER_RADIUS_M) * way for way in self.outward)
        return x, y, z

    @property
    def sided(self) -> bool:
        """Whether there is one on either side, and not one in the middle."""
        return self.bone_m[2] != 0 or self.body.endswith("_r")

    def body_of(self, side: str) -> str:
        """The body that carries it on this side, "r" or "l"."""
        return self.body.removesuffix("_r") + f"_{side}" if self.body.endswith("_r") else self.body


def soft_tissue_m(landmark: str, body: str) -> float:
    """How far skin carries a marker over a landmark of a body (right side) in a walk, or "" for none, metres."""
    by_body = SOFT_TISSUE_M.get(body, UNNAMED_SOFT_TISSUE_M) if landmark else UNNAMED_SOFT_TISSUE_M
    return SOFT_TISSUE_M.get(landmark, by_body)


@cache
def landmarks() -> dict[str, Landmark]:
    """All landmarks by name."""
    text = (files("pipeline.landmarks") / "bony_places.toml").read_text("utf-8")
    return {name: Landmark.model_validate(entry) for name, entry in parse_toml("bony_places.toml", text).items()}
