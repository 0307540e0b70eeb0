"""Quality figures and the gates of a stride: what inverse dynamics leaves at the pelvis, and what muscles explain.

Its motion is judged before, by `motion_quality.py`. A stride that fails is lost; the others of its walk stand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.ground.cycles import Stride
from pipeline.records import SIDES, FootWrench, GeneralizedForces, MuscleForces, Side
from pipeline.session.recipe import QualitySettings
from pipeline.session.session import Subject
from pipeline.solving.solution import Solution
from warehouse.channels import LOADED_JOINTS

RESIDUAL_FORCES = ("pelvis_tx", "pelvis_ty", "pelvis_tz")
RESIDUAL_MOMENTS = ("pelvis_tilt", "pelvis_list", "pelvis_rotation")


@dataclass(frozen=True, slots=True, kw_only=True)
class Residuals:
    """What inverse dynamics leaves at the pelvis, over the peak ground reaction and over that times body height.

    Root mean squares over frames in which both feet's ground reactions are known, and the peak of what both give
    together in these frames, so that running is judged by its own forces; NaN without such a frame. As Hicks et al.
    (2015, J Biomech Eng 137:020905) judge residuals by the peak external force.
    """

    force_ratio: float
    moment_ratio: float


@dataclass(frozen=True, slots=True, kw_only=True)
class StrideQuality:
    """How well muscles explain a stride of one leg, and the residuals in it.

    `reserve_ratio` and `balance_ratio` are the largest over the leg's joints: the peak of the joint's reserve (or
    unexplained) moment, all its coordinates together, over the peak of its net moment. `saturated_ratio` is the
    share of the leg's muscles and frames at full activation. In `impossible_frames` of the
    unconverged ones nothing within the bounds makes what is asked, as far as the engine knows, and `short_of` is the
    coordinate that falls shortest in most of these, "" without any.
    """

    residuals: Residuals
    reserve_ratio: float
    reserve_joint: str
    balance_ratio: float
    balance_joint: str
    saturated_ratio: float
    unconverged_frames: int
    impossible_frames: int
    short_of: str


def residual_ratios(
    solution: Solution, wrenches: Mapping[Side, FootWrench], subject: Subject, frames: np.ndarray
) -> Residuals:
    """The residuals over some frames (T,) of the solution's moments, which `wrenches` cover."""
    both = wrenches["right"].known & wrenches["left"].known & frames
    if not both.any():
        return Residuals(force_ratio=float("nan"), moment_ratio=float("nan"))
    ground_n = sum(wrenches[side].force_n[both] for side in SIDES)
    peak_n = float(np.linalg.norm(ground_n, axis=1).max())
    return Residuals(
        force_ratio=_residual_share(solution.moments, RESIDUAL_FORCES, both, peak_n),
        moment_ratio=_residual_share(solution.moments, RESIDUAL_MOMENTS, both, peak_n * subject.height_m),
    )


def judge_stride(
    stride: Stride,
    solution: Solution,
    wrenches: Mapping[Side, FootWrench],
    subject: Subject,
    settings: QualitySettings,
) -> StrideQuality:
    """One stride's figures, over its own frames and its own leg."""
    muscles, moments = solution.muscles, solution.moments.cut(solution.frames)
    during = stride.frames(muscles.time_s)
    letter, short_of = stride.side[0], muscles.short_of[during]
    reserve_joint, reserve_ratio = reserve_share(muscles, moments, during, letter)
    balance_joint, balance_ratio = _worst_share(solution.balance, moments, during, letter)
    return StrideQuality(
        residuals=residual_ratios(solution, wrenches, subject, stride.frames(solution.moments.time_s)),
        reserve_ratio=reserve_ratio,
        reserve_joint=reserve_joint,
        balance_ratio=balance_ratio,
        balance_joint=balance_joint,
        saturated_ratio=saturated_share(muscles, during, letter, settings),
        unconverged_frames=int((~muscles.converged[during]).sum()),
        impossible_frames=int((short_of != "").sum()),
        short_of=_most_often(short_of[short_of != ""]),
    )


def why_unexplained(quality: StrideQuality, settings: QualitySettings) -> tuple[str, str]:
    """The stage at which a stride is lost by these figures, and why; ("", "") if it stands."""
    for what, value, limit in (
        ("force over the peak ground reaction", quality.residuals.force_ratio, settings.max_residual_force_ratio),
        (
            "moment over the peak ground reaction times height",
            quality.residuals.moment_ratio,
            settings.max_residual_moment_ratio,
        ),
    ):
        if value > limit:
            return "inverse_dynamics", f"the residual {what} is {value:.3g}, expected at most {limit:g}"
    why = _why_not_by_muscles(quality, settings)
    return ("static_optimization", why) if why else ("", "")


def _why_not_by_muscles(quality: StrideQuality, settings: QualitySettings) -> str:
    if quality.impossible_frames:
        return (
            f"in {quality.impossible_frames} frames no muscles and reserves within their bounds make what is asked, "
            f"most often for want at {quality.short_of}, expected none"
        )
    if quality.unconverged_frames:
        return (
            f"static optimization did not reach its optimum in {quality.unconverged_frames} frames, expected it in all"
        )
    limits = (
        (f"reserves at the {quality.reserve_joint} reach", quality.reserve_ratio, settings.max_reserve_ratio),
        (f"the imbalance at the {quality.balance_joint} reaches", quality.balance_ratio, settings.max_balance_ratio),
    )
    for what, value, limit in limits:
        if value > limit:
            return f"{what} {value:.1%} of the joint's peak moment, expected at most {limit:.0%}"
    if quality.saturated_ratio > settings.max_saturated_ratio:
        return (
            f"{quality.saturated_ratio:.1%} of the leg's muscles and frames are at full activation, "
            f"expected at most {settings.max_saturated_ratio:.0%}"
        )
    return ""


def reserve_share(
    muscles: MuscleForces, moments: GeneralizedForces, frames: np.ndarray, letter: str
) -> tuple[str, float]:
    """The joint of a leg (`letter` r or l) that muscles serve worst, and its reserves' share of its peak moment.

    `frames` chooses from those that both cover.
    """
    reserves = GeneralizedForces(
        time_s=muscles.time_s,
        names=muscles.actuator_coordinates,
        rotational=np.ones(len(muscles.actuator_coordinates), dtype=bool),
        values=muscles.actuator_force,
    )
    return _worst_share(reserves, moments, frames, letter)


def saturated_share(muscles: MuscleForces, frames: np.ndarray, letter: str, settings: QualitySettings) -> float:
    """The share of a leg's muscles and frames at full activation."""
    own = [index for index, name in enumerate(muscles.muscle_names) if name.endswith(f"_{letter}")]
    return float((muscles.activation[frames][:, own] >= settings.saturated_activation).mean())


def _worst_share(
    part: GeneralizedForces, whole: GeneralizedForces, frames: np.ndarray, letter: str
) -> tuple[str, float]:
    """The joint whose `part` has the largest peak against the peak of its `whole`, and that ratio."""
    shares = {}
    for joint, names in LOADED_JOINTS.items():
        name, _, leg = joint.rpartition("_")
        if leg == letter:
            shares[name] = _share(_peak(part, names, frames), _peak(whole, names, frames))
    worst = max(shares, key=lambda joint: shares[joint])
    return worst, float(shares[worst])


def _most_often(names: np.ndarray) -> str:
    distinct, counts = np.unique(names, return_counts=True)
    return str(distinct[np.argmax(counts)]) if len(distinct) else ""


def _share(part: float, whole: float) -> float:
    """`part` over `whole`; infinite where that can't be told, so that NaN or a zero never passes for explained."""
    if part == 0:
        return 0.0
    return part / whole if whole > 0 and np.isfinite(part) else float("inf")


def _peak(forces: GeneralizedForces, names: Sequence[str], frames: np.ndarray) -> float:
    present = [forces.column(name)[frames] for name in names if name in forces.names]
    return float(np.sqrt(np.sum(np.square(present), axis=0)).max()) if present else 0.0


def _residual_share(moments: GeneralizedForces, names: Sequence[str], frames: np.ndarray, whole: float) -> float:
    """A residual's root mean square over `whole`; NaN for a model that has no such coordinate."""
    present = [moments.column(name)[frames] for name in names if name in moments.names]
    if not present:
        return float("nan")
    return _share(float(np.sqrt(np.mean(np.sum(np.square(present), axis=0)))), whole)
