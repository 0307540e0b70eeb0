"""Normal gait: harmonics of joint angles, their change with speed, and how six adults differ from their mean.

The figures of `normal/` are from the walking adults of Schreiber and Moissenet (2019, Sci Data 6:111,
doi 10.6084/m9.figshare.7734767, CC-BY 4.0), made by `python -m benchmarks.fit_normal_gait`. A limb's phase 0 is the
strike of its own foot, the trunk's that of the right one.
"""

import csv
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np

NORMAL_GAIT_FOLDER = Path(__file__).parent / "normal"

GAIT_HARMONICS = 6
# Signals of a limb, which the model names with _r or _l.
LIMB = (
    "hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle",
    "arm_flex", "arm_add", "arm_rot", "elbow_flex", "pro_sup",
)  # fmt: skip
TRUNK = (
    "pelvis_tilt", "pelvis_list", "pelvis_rotation", "pelvis_tx", "pelvis_ty", "pelvis_tz",
    "lumbar_extension", "lumbar_bending", "lumbar_rotation",
)  # fmt: skip
# The ground's whole force, in body weights.
GROUND_FORCES = ("forward_force", "vertical_force", "rightward_force")
# Signals that change sign when left and right are exchanged.
MIRRORED = frozenset({"pelvis_list", "pelvis_rotation", "pelvis_tz", "lumbar_bending", "lumbar_rotation"})
# Stored per metre of body height; pelvis_tx less the uniform progression.
PER_HEIGHT = frozenset({"pelvis_tx", "pelvis_ty", "pelvis_tz"})
# Dimensionless speed of the mean curves: about 1.25 m/s.
REFERENCE_SPEED = 0.42


@dataclass(frozen=True, slots=True, kw_only=True)
class NormalGait:
    """Harmonics of one signal, radians or metres (per metre of height): K terms.

    mean (K,) is at REFERENCE_SPEED, and per_speed (K,) its change per unit of dimensionless speed. adults (K, 6) are
    the measured adults' deviations from the mean, the same at every speed.
    """

    mean: np.ndarray
    per_speed: np.ndarray
    adults: np.ndarray

    def at_speed(self, dimensionless_speed: float) -> np.ndarray:
        """The mean person's terms at this speed, (K,)."""
        return self.mean + self.per_speed * (dimensionless_speed - REFERENCE_SPEED)


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLaw:
    """Lengths and times of normal steps, with their standard deviations between people.

    Stride length grows with a power of cadence, as Grieve and Gear (1966, Ergonomics 9:379) found for adults. Its
    logarithm has the deviation stride_sd.
    """

    stride_per_height_at_115: float
    stride_exponent: float
    stride_sd: float
    stance_share: float
    stance_share_per_speed: float
    stance_sd: float

    def stride_m(self, height_m: float, cadence: float) -> float:
        """The length of a stride at a cadence in steps per minute.

        Beyond 115 steps/min it stays the same. A metronome quickens steps more than it lengthens them (Ducharme et al.
        2018, Gait Posture 66:255); by how much is our choice. Extrapolated to 135 steps/min, the adults' freely chosen
        fast walks would ask more of the hip flexors at push-off than the generic model has in many bodies.
        """
        return float(height_m * self.stride_per_height_at_115 * (min(cadence, 115) / 115) ** self.stride_exponent)

    def stance(self, dimensionless_speed: float) -> float:
        """The share of the stride for which a foot stands."""
        return self.stance_share + self.stance_share_per_speed * (dimensionless_speed - REFERENCE_SPEED)


@cache
def normal_gait() -> Mapping[str, NormalGait]:
    """Every signal of LIMB and TRUNK by name."""
    rows: dict[str, list[list[float]]] = {}
    for row in _read("harmonics.csv"):
        adults = [float(value) for key, value in row.items() if key.startswith("adult_")]
        rows.setdefault(row["signal"], []).append([float(row["mean"]), float(row["per_speed"]), *adults])
    return {
        name: NormalGait(mean=table[:, 0], per_speed=table[:, 1], adults=table[:, 2:])
        for name, table in ((name, np.array(lines)) for name, lines in rows.items())
    }


@cache
def step_law() -> StepLaw:
    """The fitted step law."""
    rows = {row["quantity"]: row for row in _read("steps.csv")}
    return StepLaw(
        stride_per_height_at_115=float(rows["stride_per_height_at_115"]["value"]),
        stride_exponent=float(rows["stride_exponent"]["value"]),
        stride_sd=float(rows["stride_per_height_at_115"]["between_subject_sd"]),
        stance_share=float(rows["stance_share"]["value"]),
        stance_share_per_speed=float(rows["stance_share_per_speed"]["value"]),
        stance_sd=float(rows["stance_share"]["between_subject_sd"]),
    )


@cache
def normal_rollover() -> np.ndarray:
    """Phases of the stance, and the centre of pressure along and across the foot, (3, …), in heel-to-ball lengths.

    Along from the heel's contact point to the ball's, across outward.
    """
    return np.array([[float(row[c]) for c in ("stance_phase", "along", "outward")] for row in _read("rollover.csv")]).T


def _read(name: str) -> list[dict[str, str]]:
    with (NORMAL_GAIT_FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file))
