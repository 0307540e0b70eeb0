"""Virtual hip disease on one side: how it changes a gait. Nobody here is a patient.

The directions of all changes are from the literature: slower, shorter and fewer steps (Subasinghe Arachchige et al.
2025, Gait Posture 120:226; Wang et al. 2023, Medicina 59:59, in osteonecrosis), smaller excursions of hip and knee
(Eitzen et al. 2012, BMC Musculoskelet Disord 13:258), less extension (Kumar et al. 2015, J Orthop Res 33:527), the
trunk over the stance leg (Reininga et al. 2012, J Neuroeng Rehabil 9:3). Their sizes are ours: nobody's gait is
reproduced.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.virtual.gait.harmonics import shifted
from pipeline.virtual.gait.normal_gait import GAIT_HARMONICS

SEVERITY = (0.3, 1.0)
# Shares of range, stride length and cadence that the most severe disease takes; ranges are of the sore side.
LOST_RANGE = {"hip_flexion": 0.35, "hip_adduction": 0.25, "hip_rotation": 0.4, "knee_angle": 0.1}
LOST_STRIDE = 0.15
LOST_BEAT = 0.08
# Shares of the stride: by how much the sore side stands shorter and the other longer, and the other's step comes early.
LOST_STANCE = 0.015
HASTE = 0.012
# In the middle of the sore side's stance the trunk leans over it (Duchenne) and the other side of the pelvis drops.
LEAN_RAD = np.radians(6.0)
DROP_RAD = np.radians(3.0)
MID_STANCE = 0.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Impairment:
    """What changes in a style: ranges are factors of a coordinate's harmonics; trunk terms (K,) are added.

    stride and beat are factors; right_stance, left_stance and left_strike are added shares of the stride.
    """

    ranges: Mapping[str, float]
    trunk: Mapping[str, np.ndarray]
    stride: float
    beat: float
    right_stance: float
    left_stance: float
    left_strike: float


def draw_impairment(rng: np.random.Generator) -> Impairment:
    """One-sided hip disease of a random side and severity."""
    right = bool(rng.random() < 0.5)
    severity = float(rng.uniform(*SEVERITY))
    side, sign = ("r", 1.0) if right else ("l", -1.0)
    bump = np.zeros(1 + 2 * GAIT_HARMONICS)
    bump[:2] = 0.5
    over = shifted(bump, MID_STANCE if right else MID_STANCE + 0.5) * sign * severity
    sore, sound = -LOST_STANCE * severity, LOST_STANCE * severity
    return Impairment(
        ranges={f"{name}_{side}": 1 - lost * severity for name, lost in LOST_RANGE.items()},
        trunk={"lumbar_bending": LEAN_RAD * over, "pelvis_list": -DROP_RAD * over},
        stride=1 - LOST_STRIDE * severity,
        beat=1 - LOST_BEAT * severity,
        right_stance=sore if right else sound,
        left_stance=sound if right else sore,
        left_strike=-sign * HASTE * severity,
    )
