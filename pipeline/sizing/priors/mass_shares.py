"""How a person's mass is shared among segments, by sex: de Leva (1996), J Biomech 29:1223, table 4."""

from collections.abc import Mapping

from pipeline.records import Sex

# Shares of body mass: male, female.
_SHARES: dict[str, tuple[float, float]] = {
    "head": (0.0694, 0.0668),
    "trunk": (0.4346, 0.4257),
    "upper_arm": (0.0271, 0.0255),
    "forearm": (0.0162, 0.0138),
    "hand": (0.0061, 0.0056),
    "thigh": (0.1416, 0.1478),
    "shank": (0.0433, 0.0481),
    "foot": (0.0137, 0.0129),
}
# The bodies of a segment, without their side.
_BODIES: dict[str, tuple[str, ...]] = {
    "head": ("head", "neck", "head_neck", "skull"),
    "trunk": ("pelvis", "torso"),
    "upper_arm": ("humerus",),
    "forearm": ("ulna", "radius"),
    "hand": ("hand",),
    "thigh": ("femur", "patella"),
    "shank": ("tibia",),
    "foot": ("talus", "calcn", "toes"),
}


def mass_shares(body_mass_kg: Mapping[str, float], sex: Sex | None) -> dict[str, float]:
    """Each body's share of the whole mass, all together 1; the mean of both sexes if it isn't known.

    Within a segment bodies keep the model's own proportions. A body that is none of these keeps its share, and a
    segment that the model lacks is the trunk's: arms, and the head, which is part of most models' torso. The
    publication is of adults.
    """
    whole = sum(body_mass_kg.values())
    shares: dict[str, float] = {}
    groups = {
        segment: [[f"{body}{side}" for body in bodies if f"{body}{side}" in body_mass_kg] for side in _sides(segment)]
        for segment, bodies in _BODIES.items()
    }
    lacking = sum(
        _share(segment, sex)
        for segment, sides in groups.items()
        for bodies in sides
        if not bodies and segment != "trunk"
    )
    for segment, sides in groups.items():
        for bodies in filter(None, sides):
            share = _share(segment, sex) + (lacking if segment == "trunk" else 0.0)
            own = sum(body_mass_kg[body] for body in bodies)
            shares |= {body: share * body_mass_kg[body] / own for body in bodies if own > 0}
    others = {body: mass / whole for body, mass in body_mass_kg.items() if body not in shares}
    if not shares:
        return others
    of_segments = (1 - sum(others.values())) / sum(shares.values())
    found = {body: share * of_segments for body, share in shares.items()} | others
    return {body: found[body] for body in body_mass_kg}


def _sides(segment: str) -> tuple[str, ...]:
    return ("",) if segment in ("head", "trunk") else ("_r", "_l")


def _share(segment: str, sex: Sex | None) -> float:
    male, female = _SHARES[segment]
    return {"M": male, "F": female, None: (male + female) / 2}[sex]
