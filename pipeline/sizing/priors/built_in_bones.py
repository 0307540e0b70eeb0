"""Whether a model's bones are the built-in model's, on which landmarks are known (`bony_places.toml`)."""

import numpy as np

from pipeline.osim.arrays.model_arrays import Skeleton
from pipeline.osim.models.rajagopal2016.joint_places import joint_places_m

# A joint of the same model lies in the same place but for rounding; another model's lies elsewhere.
_SAME_PLACE_M = 1e-3


def other_bones(skeleton: Skeleton) -> dict[str, str]:
    """Why a body's bone isn't the built-in model's, by body; a body that isn't named here has the built-in one's.

    A name doesn't tell: many models have a `femur_r`. A body is the built-in model's if all joints on it that both
    models have lie where they do there; one without a joint on it, such as the toes, if its own joint does.
    """
    reasons = {body: _why_other(skeleton, body) for body in skeleton.bodies[1:]}
    return {body: reason for body, reason in reasons.items() if reason}


def _why_other(skeleton: Skeleton, body: str) -> str:
    own = [child for parent, child in joint_places_m() if parent == body]
    if not own and not any(child == body for _, child in joint_places_m()):
        return f"the built-in model has no {body}"
    there = [(body, child) for child in own if _parent(skeleton, child) == body]
    if not there and own:
        return f"the model has none of the joints by which {body} is known ({', '.join(own)} on {body})"
    for parent, child in there or [pair for pair in joint_places_m() if pair[1] == body]:
        if _parent(skeleton, child) != parent:
            return f"{child} hangs from {_parent(skeleton, child)}, not from {parent}"
        place_m = skeleton.tree.joint_origin_m[skeleton.bodies.index(child)]
        off_m = float(np.linalg.norm(place_m - joint_places_m()[parent, child]))
        if off_m > _SAME_PLACE_M:
            return f"{child}'s joint on {parent} lies {1e3 * off_m:.0f} mm from the built-in model's"
    return ""


def _parent(skeleton: Skeleton, body: str) -> str:
    """The body that this one hangs from; "" if the model lacks it."""
    if body not in skeleton.bodies:
        return ""
    return skeleton.bodies[skeleton.tree.parent[skeleton.bodies.index(body)]]
