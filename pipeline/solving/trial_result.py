"""Everything one accepted trial gave."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.ground.cycles import Cycle, Stride
from pipeline.records import FootWrench, JointAngles, Recording, Side
from pipeline.solving.quality import StrideQuality, TrialQuality
from pipeline.solving.solution import Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """One trial's records.

    `angles` and `wrenches` cover the observed frames, as the solution's kinematics and moments do; `strides` are those
    that the muscles explain, one for each cycle.
    `impulse_error` is a stride's vertical impulse over body weight times its duration, less one; NaN without one.
    """

    recording: Recording
    solution: Solution
    angles: JointAngles
    wrenches: Mapping[Side, FootWrench]
    cycles: tuple[Cycle, ...]
    quality: TrialQuality
    strides: Mapping[Stride, StrideQuality]
    impulse_error: float
    speed_m_s: float
    warnings: tuple[str, ...]
