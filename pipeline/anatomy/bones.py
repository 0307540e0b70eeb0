"""Where the landmarks of a subject's bones are: places on the built-in model's bones, larger as its bodies are.

Shapes: T frames, B bodies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np

from pipeline.landmarks.bony_places import landmarks
from pipeline.mechanics.bodies.poses import body_places
from pipeline.osim.arrays.read_model import Skeleton
from pipeline.osim.models.rajagopal2016.joint_places import joint_places_m
from pipeline.records import SIDES, Side

# The bodies that carry landmarks, and for each the body whose joint on it tells whether it is the built-in model's.
_TOLD_BY = {
    "pelvis": "femur_r",
    **{
        f"{body}_{side[0]}": f"{child}_{side[0]}"
        for side in SIDES
        for body, child in (("femur", "tibia"), ("tibia", "talus"), ("calcn", "toes"))
    },
}
# A scaled body's joint lies where its factors put it to rounding; another model's lies elsewhere.
_SAME_PLACE_M = 1e-3


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Landmarks:
    """A subject's landmarks, (3,) in the frame of the body that carries them, by body and name.

    unknown: why a body's are missing, by body.
    """

    places: Mapping[str, Mapping[str, np.ndarray]]
    unknown: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MovingBones:
    """Bodies along a motion: bodies (B,), rotation (T, B, 3, 3) to the ground and origin_m (T, B, 3) there."""

    bodies: tuple[str, ...]
    rotation: np.ndarray
    origin_m: np.ndarray

    def place(self, body: str, place_m: np.ndarray) -> np.ndarray:
        """A point (3,) of a body in ground, (T, 3)."""
        placed: np.ndarray = self.origin_m[:, self.bodies.index(body)] + self.direction(body, place_m)
        return placed

    def direction(self, body: str, vector: np.ndarray) -> np.ndarray:
        """A vector (3,) fixed to a body, in ground, (T, 3)."""
        turned: np.ndarray = self.rotation[:, self.bodies.index(body)] @ vector
        return turned


def moving_bones(skeleton: Skeleton, values: np.ndarray) -> MovingBones:
    """The skeleton at poses (T, Q)."""
    rotation, origin_m = body_places(skeleton.tree, values)
    return MovingBones(bodies=skeleton.bodies, rotation=rotation, origin_m=origin_m)


def find_landmarks(skeleton: Skeleton, factors: Mapping[str, tuple[float, float, float]]) -> Landmarks:
    """The landmarks of a model that was scaled by x, y, z `factors`, by body.

    Only the built-in model's are known. A body is taken for one of its bodies if it has the name, and if its joint lies
    where that body's would, grown by the factors.
    """
    places: dict[str, dict[str, np.ndarray]] = {}
    unknown = {}
    for body in _TOLD_BY:
        reason = _why_unknown(skeleton, factors, body)
        if reason:
            unknown[body] = reason
        else:
            places[body] = {name: place * factors[body] for name, place in _on_body(body).items()}
    return Landmarks(places=places, unknown=unknown)


def _why_unknown(skeleton: Skeleton, factors: Mapping[str, tuple[float, float, float]], body: str) -> str:
    child = _TOLD_BY[body]
    if body not in skeleton.bodies or child not in skeleton.bodies:
        return f"the model has no body {body if body not in skeleton.bodies else child}"
    if body not in factors:
        return f"the scale factors of {body} are not known"
    number = skeleton.bodies.index(child)
    expected = joint_places_m()[body, child] * factors[body]
    off_m = float(np.linalg.norm(skeleton.tree.joint_origin_m[number] - expected))
    if skeleton.bodies[skeleton.tree.parent[number]] != body or off_m > _SAME_PLACE_M:
        return f"{child}'s joint on {body} lies {1e3 * off_m:.0f} mm from the built-in model's"
    return ""


def _on_body(body: str) -> dict[str, np.ndarray]:
    """The landmarks on a body of the unscaled model: of both sides on the pelvis, named `right ASIS` and so on."""
    if body == "pelvis":
        return {f"{side} {name}": _mirrored(place, side) for side in SIDES for name, place in _right()[body].items()}
    side: Side = "right" if body.endswith("_r") else "left"
    return {name: _mirrored(place, side) for name, place in _right()[f"{body[:-2]}_r"].items()}


def _mirrored(place: np.ndarray, side: Side) -> np.ndarray:
    return place * (1.0, 1.0, 1.0 if side == "right" else -1.0)


@cache
def _right() -> dict[str, dict[str, np.ndarray]]:
    """The right side's landmarks by body: (3,) metres in the unscaled model's body frame."""
    by_body: dict[str, dict[str, np.ndarray]] = {}
    for name, landmark in landmarks().items():
        by_body.setdefault(landmark.body, {})[name] = np.array(landmark.bone_m)
    return by_body
