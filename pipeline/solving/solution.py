"""What an engine makes of one walk."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.records import GeneralizedForces, JointLoads, Kinematics, MuscleForces, Side
from pipeline.solving.engine import LaidMuscles, MuscleSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Kinematics and moments over all given frames; muscles, paths, balance and joint loads over `frames` of them.

    `balance` is what muscles and actuators give, less what inverse dynamics asks. `loading_feet` names the feet whose
    ground reactions each coordinate's moment and each muscle's force depends on, `feet_pressing` those of each joint's
    contact force.
    """

    kinematics: Kinematics
    moments: GeneralizedForces
    muscles: MuscleForces
    laid: LaidMuscles
    muscle_source: MuscleSource
    balance: GeneralizedForces
    loads: JointLoads
    frames: slice
    loading_feet: Mapping[str, frozenset[Side]]
    feet_pressing: Mapping[str, frozenset[Side]]
