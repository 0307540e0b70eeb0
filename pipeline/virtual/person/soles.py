"""Where a foot touches the floor: two points of the foot's body, under the heel and under the ball."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.osim.models.mechanics import Station
from pipeline.records import Side
from pipeline.session.profile import Profile, foot_of

# Depth of the sole below the x-z plane of the foot's body: 7 mm of skin under the calcaneus's lowest place. Markers
# over the bones are then as high above the floor as those of six adults in mid stance (Schreiber and Moissenet 2019:
# heel 27 mm, second metatarsal 37 mm), the heel's 2 mm lower, the metatarsal's as much higher.
SOLE_BELOW_M = 0.017
# From the marker at the back of the heel forward to where a landing heel touches the floor.
HEEL_PAD_M = 0.025


@dataclass(frozen=True, slots=True, kw_only=True)
class Sole:
    """Points of the foot's body on its sole, in the generic model's size."""

    side: Side
    heel: Station
    ball: Station

    def scaled(self, factors: Mapping[str, tuple[float, float, float]]) -> "Sole":
        """The same points on a model whose bodies are larger by these factors."""
        return replace(self, heel=_scaled(self.heel, factors), ball=_scaled(self.ball, factors))


def _scaled(station: Station, factors: Mapping[str, tuple[float, float, float]]) -> Station:
    x, y, z = (a * f for a, f in zip(station.location_m, factors[station.body], strict=True))
    return replace(station, location_m=(x, y, z))


def sole_of(profile: Profile, side: Side) -> Sole:
    """The sole between the profile's heel and toe markers, on the unscaled model. ValueError if on two bodies."""
    foot = foot_of(profile, side)
    bodies = {profile.markers[label].body for label in foot.labels}
    if len(bodies) != 1:
        raise ValueError(f"profile {profile.name}: {', '.join(foot.labels)} must be on one body.")
    (body,) = bodies
    back_m, front_m = (
        float(np.mean([profile.markers[label].location_m[0] for label in labels])) for labels in (foot.heel, foot.toe)
    )
    return Sole(
        side=side,
        heel=Station(body=body, location_m=(back_m + HEEL_PAD_M, -SOLE_BELOW_M, 0.0)),
        ball=Station(body=body, location_m=(front_m, -SOLE_BELOW_M, 0.0)),
    )
