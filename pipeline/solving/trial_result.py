"""Everything one accepted trial gave."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.ground.cycles import Cycle, Stride
from pipeline.ground.plates.plate_faults import PlateAgreement
from pipeline.records import FootWrench, JointAngles, Recording, Side
from pipeline.solving.judged_strides import JudgedStride
from pipeline.solving.quality import Residuals, StrideQuality
from pipeline.solving.solution import Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialResult:
    """One accepted trial's records.

    `angles` and `wrenches` cover the frames that the solution's kinematics and moments do: the passes with a cycle.
    `judged` are all strides that were seen, those kept in the order of `cycles`; `residuals` are over their frames.
    `impulse_error` is a stride's vertical impulse over body weight times its duration, less one; NaN without one.
    `plates`: how they agree with the motion of the first pass with a cycle, None where arrays can't say the model.
    """

    recording: Recording
    solution: Solution
    angles: JointAngles
    wrenches: Mapping[Side, FootWrench]
    cycles: tuple[Cycle, ...]
    judged: tuple[JudgedStride, ...]
    residuals: Residuals
    impulse_error: float
    plates: PlateAgreement | None
    speed_m_s: float
    warnings: tuple[str, ...]

    @property
    def strides(self) -> dict[Stride, StrideQuality]:
        """The strides that are kept, one for each cycle."""
        return {cycle.stride: self._forces(cycle.stride) for cycle in self.cycles}

    def _forces(self, stride: Stride) -> StrideQuality:
        (forces,) = [judged.forces for judged in self.judged if judged.stride == stride]
        assert forces is not None
        return forces


def frames_in(strides: Sequence[Stride], time_s: np.ndarray) -> np.ndarray:
    """Which frames (T,) belong to any of the strides."""
    during: np.ndarray = np.any([np.zeros(len(time_s), dtype=bool), *(one.frames(time_s) for one in strides)], axis=0)
    return during
