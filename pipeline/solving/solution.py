"""What an engine makes of one walk."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.records import GeneralizedForces, JointLoads, Kinematics, MuscleForces, Side
from warehouse.channels import LOADED_JOINTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Kinematics and moments over all given frames; muscles, balance and joint loads over `frames` of them.

    `balance` is what muscles and actuators give, less what inverse dynamics asks. `loading_feet` names the feet whose
    ground reactions each coordinate's moment and each muscle's force depends on.
    """

    kinematics: Kinematics
    moments: GeneralizedForces
    muscles: MuscleForces
    balance: GeneralizedForces
    loads: JointLoads
    frames: slice
    loading_feet: Mapping[str, frozenset[Side]]

    def feet_loading(self, joint: str) -> frozenset[Side]:
        """The feet whose ground reactions a joint's contact force depends on: its moments' and its leg's muscles'."""
        own = [name for name in self.muscles.muscle_names if name.endswith(joint[-2:])]
        return frozenset().union(*(self.loading_feet[name] for name in (*LOADED_JOINTS[joint], *own)))
