"""Quality figures of one trial, and the gates between accepted and rejected."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

import numpy as np

from pipeline.contacts import GRAVITY_M_S2
from pipeline.errors import TrialRejected
from pipeline.recipe import QualitySettings
from pipeline.records import (
    SIDES,
    FootWrench,
    GeneralizedForces,
    KinematicsResult,
    MuscleForces,
    Side,
)
from pipeline.session import Subject
from pipeline.solve import Solution

# The leg's joints, whose moments and muscles become targets, without their side.
LEG_COORDINATES = ("hip_flexion", "hip_adduction", "hip_rotation", "knee_angle", "ankle_angle")
RESIDUAL_FORCES = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
RESIDUAL_MOMENTS = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """One trial's figures; NaN where no frame tells.

    Ratios are to the peak net moment of the same joint (reserves, balance), to body weight (residual force)
    and to body weight times height (residual moment); residuals are root mean squares over frames in which
    both feet's ground reactions are known, the others peaks over frames known for their leg.
    """

    marker_rms_max_m: float
    marker_error_max_m: float
    reserve_ratio_max: float
    balance_ratio_max: float
    saturated_ratio: float
    unconverged_frames: int
    residual_force_ratio: float
    residual_moment_ratio: float

    def as_dict(self) -> dict[str, float]:
        """Name -> figure, as the `trials` table stores them."""
        return asdict(self)


def measure(
    solution: Solution, wrenches: Mapping[Side, FootWrench], subject: Subject, settings: QualitySettings
) -> Quality:
    """All figures of one trial; `wrenches` cover the frames of the solution's kinematics."""
    body_n = subject.mass_kg * GRAVITY_M_S2
    kinematics, muscles, balance = solution.kinematics, solution.muscles, solution.balance
    moments = solution.moments.cut(solution.frames)
    known = {side: wrenches[side].known[solution.frames] for side in SIDES}
    both, either = known["right"] & known["left"], known["right"] | known["left"]
    shares = [_shares(side, moments, muscles, balance, known[side]) for side in SIDES]
    return Quality(
        marker_rms_max_m=float(np.nanmax(_rms(kinematics.marker_error_m, axis=1))),
        marker_error_max_m=float(np.nanmax(kinematics.marker_error_m)),
        reserve_ratio_max=_largest([reserve for reserve, _ in shares]),
        balance_ratio_max=_largest([imbalance for _, imbalance in shares]),
        saturated_ratio=float((muscles.activation[either] >= settings.saturated_activation).mean())
        if either.any()
        else float("nan"),
        unconverged_frames=int((~muscles.converged[either]).sum()),
        residual_force_ratio=_residual(moments, RESIDUAL_FORCES, both) / body_n,
        residual_moment_ratio=_residual(moments, RESIDUAL_MOMENTS, both) / (body_n * subject.height_m),
    )


def gate(source: str, quality: Quality, worst_marker: str, settings: QualitySettings) -> None:
    """TrialRejected at the first gate that a trial does not pass; a figure that no frame tells passes."""
    limits = (
        (
            "inverse_kinematics",
            "largest marker RMS",
            quality.marker_rms_max_m,
            settings.max_marker_rms_m,
            "m",
        ),
        (
            "inverse_kinematics",
            f"largest marker error ({worst_marker})",
            quality.marker_error_max_m,
            settings.max_marker_error_m,
            "m",
        ),
        (
            "inverse_dynamics",
            "residual force over body weight",
            quality.residual_force_ratio,
            settings.max_residual_force_ratio,
            "",
        ),
        (
            "inverse_dynamics",
            "residual moment over weight times height",
            quality.residual_moment_ratio,
            settings.max_residual_moment_ratio,
            "",
        ),
        (
            "static_optimization",
            "reserve over peak joint moment",
            quality.reserve_ratio_max,
            settings.max_reserve_ratio,
            "",
        ),
        (
            "static_optimization",
            "imbalance over peak joint moment",
            quality.balance_ratio_max,
            settings.max_balance_ratio,
            "",
        ),
        (
            "static_optimization",
            "share of saturated activations",
            quality.saturated_ratio,
            settings.max_saturated_ratio,
            "",
        ),
        ("static_optimization", "frames without a solution", quality.unconverged_frames, 0, ""),
    )
    for stage, what, found, limit, unit in limits:
        if found > limit:
            raise TrialRejected(
                stage,
                f"{source}: {what} is {found:.3g} {unit}".rstrip()
                + f", expected at most {limit:g} {unit}".rstrip()
                + ".",
            )


def worst_marker(kinematics: KinematicsResult) -> str:
    """The label of the marker with the largest error."""
    worst = np.nanmax(np.nan_to_num(kinematics.marker_error_m), axis=0)
    return kinematics.marker_names[int(np.argmax(worst))]


def _shares(
    side: Side,
    moments: GeneralizedForces,
    muscles: MuscleForces,
    balance: GeneralizedForces,
    frames: np.ndarray,
) -> tuple[float, float]:
    """The largest reserve and imbalance of one leg's joints, over the peak moment of the same joint."""
    reserves, imbalances = [], []
    for joint in LEG_COORDINATES:
        name = f"{joint}_{side[0]}"
        if name in moments.names and frames.any():
            peak = np.abs(moments.column(name)[frames]).max()
            if name in balance.names:
                imbalances.append(np.abs(balance.column(name)[frames]).max() / peak)
            if name in muscles.actuator_coordinates:
                column = muscles.actuator_coordinates.index(name)
                reserves.append(np.abs(muscles.actuator_force[frames, column]).max() / peak)
    return _largest(reserves), _largest(imbalances)


def _rms(values: np.ndarray, axis: int) -> np.ndarray:
    return np.sqrt(np.nanmean(values**2, axis=axis))


def _residual(moments: GeneralizedForces, names: tuple[str, ...], frames: np.ndarray) -> float:
    present = [moments.column(name)[frames] for name in names if name in moments.names]
    if not present or not frames.any():
        return float("nan")
    return float(np.sqrt(np.mean(np.sum(np.square(present), axis=0))))


def _largest(values: list[float]) -> float:
    seen = [value for value in values if np.isfinite(value)]
    return float(max(seen)) if seen else float("nan")
