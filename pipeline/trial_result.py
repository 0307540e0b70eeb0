"""Everything one accepted trial gave."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.cycles import Cycle
from pipeline.quality import Quality
from pipeline.records import (
    FootWrench,
    GeneralizedForces,
    KinematicsResult,
    MuscleForces,
    Recording,
    Side,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """One trial's records. Kinematics, wrenches and moments cover the observed frames, muscle forces the complete strides.

    `impulse_error` is a stride's vertical impulse over body weight times its duration, less one; NaN without one.
    """

    recording: Recording
    kinematics: KinematicsResult
    wrenches: Mapping[Side, FootWrench]
    moments: GeneralizedForces
    muscles: MuscleForces
    balance: GeneralizedForces
    cycles: tuple[Cycle, ...]
    quality: Quality
    impulse_error: float
    speed_m_s: float
    warnings: tuple[str, ...]
