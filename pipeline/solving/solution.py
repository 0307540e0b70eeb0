"""What an engine makes of one walk."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.records import GeneralizedForces, Kinematics, MuscleForces, Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Kinematics and moments over all given frames, muscles and balance over `frames` of them.

    `balance` is what muscles and actuators give, less what inverse dynamics asks. `loading_feet` names the feet whose
    ground reactions each coordinate's moment and each muscle's force depends on.
    """

    kinematics: Kinematics
    moments: GeneralizedForces
    muscles: MuscleForces
    balance: GeneralizedForces
    frames: slice
    loading_feet: Mapping[str, frozenset[Side]]
