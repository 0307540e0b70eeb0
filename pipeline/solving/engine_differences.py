"""How far two engines' answers to one question are apart, and how far they may be.

A frame that either engine left unsolved is in no comparison, and is counted. A figure over nothing is NaN, which never
agrees. Shapes: T frames, U muscles.
"""

from dataclasses import dataclass

import numpy as np

from pipeline.records import Coordinates, GeneralizedForces, MuscleForces
from warehouse.channels import LOADED_JOINTS

# Engine `exact` keeps a limb at the previous optimum while that costs at most 5 % more.
_KEPT_LIMB = 1.05
# Markers nearer than a micrometre are met; the tool prints them with eight digits.
_MET_M2 = 1e-12
# The gastrocnemii of both legs are four of eighty muscles.
_MOST_CUT_SHORT = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One figure of the comparison. `limit` is the largest that agrees, None where it is only told."""

    what: str
    unit: str
    value: float
    limit: float | None

    @property
    def agrees(self) -> bool:
        """Whether it is within its limit; NaN never is."""
        return self.limit is None or self.value <= self.limit

    @property
    def empty(self) -> bool:
        """Whether there was nothing to compare, where there should have been."""
        return self.limit is not None and bool(np.isnan(self.value))


def of_kinematics(
    ours: Coordinates, theirs: Coordinates, our_objective: np.ndarray, their_objective: np.ndarray
) -> tuple[Difference, ...]:
    """The objectives (T,), and the legs' angles. Arms may lie in another optimum of nearly the same error."""
    legs = [name for coordinates in LOADED_JOINTS.values() for name in coordinates]
    columns = [ours.names.index(name) for name in legs if name in ours.names]
    apart = np.degrees(np.abs(ours.values - theirs.values)[:, columns])
    whole, worst = _ratios(our_objective + _MET_M2, their_objective + _MET_M2)
    what = "IK: squared errors, exact over tools"
    return (
        Difference(what=f"{what}, all frames", unit="", value=whole, limit=1.001),
        Difference(what=f"{what}, worst frame", unit="", value=worst, limit=_KEPT_LIMB),
        Difference(what="IK: legs' angles, median", unit="degrees", value=_median(apart), limit=0.1),
        Difference(what="IK: legs' angles, largest", unit="degrees", value=_largest(apart), limit=1.0),
    )


def of_moments(ours: GeneralizedForces, theirs: GeneralizedForces) -> tuple[Difference, ...]:
    """Moments and forces of the same motion."""
    apart = _largest(np.abs(ours.values - theirs.values))
    return (Difference(what="ID: moments and forces, largest", unit="N·m or N", value=apart, limit=1e-3),)


def of_paths(
    ours_m: np.ndarray, theirs_m: np.ndarray, arms_apart_m: np.ndarray, cut_short: np.ndarray
) -> tuple[Difference, ...]:
    """Muscle paths' lengths through their points and moment arms, (T, U) each.

    Arms aren't compared where OpenSim cuts a path short, (T, U); of its muscles and frames that may be few.
    """
    lengths, arms = 1e3 * _largest(np.abs(ours_m - theirs_m)), 1e3 * _largest(arms_apart_m[~cut_short])
    share = float(cut_short.mean()) if cut_short.size else np.nan
    return (
        Difference(what="paths: lengths through their points, largest", unit="mm", value=lengths, limit=0.001),
        Difference(what="paths: moment arms, largest", unit="mm", value=arms, limit=0.1),
        Difference(what="paths: share that the tool cuts short", unit="", value=share, limit=_MOST_CUT_SHORT),
    )


def of_muscles(
    ours: MuscleForces, theirs: MuscleForces, our_effort: np.ndarray, their_effort: np.ndarray
) -> tuple[Difference, ...]:
    """Efforts (T,) and forces, over the frames that both solved; the tool calls a frame solved short of its optimum."""
    both = ours.converged & theirs.converged
    apart = np.abs(ours.force_n - theirs.force_n)[both]
    whole, worst = _ratios(our_effort[both], their_effort[both])
    missed = float((theirs.converged & ~ours.converged).sum())
    what = "SO: effort, exact over tools"
    return (
        Difference(what="SO: frames that both solved", unit="", value=float(both.sum()), limit=None),
        Difference(what="SO: frames that exact could not solve", unit="", value=_unsolved(ours), limit=None),
        Difference(what="SO: frames that the tool could not solve", unit="", value=_unsolved(theirs), limit=None),
        Difference(what="SO: frames that only the tool solved", unit="", value=missed, limit=0.0),
        Difference(what=f"{what}, all frames", unit="", value=whole, limit=1.001),
        Difference(what=f"{what}, worst frame", unit="", value=worst, limit=1.01),
        Difference(what="SO: muscle forces, root mean square", unit="N", value=_root_mean_square(apart), limit=3.0),
        Difference(what="SO: muscle forces, largest", unit="N", value=_largest(apart), limit=None),
    )


def of_balance(balance: GeneralizedForces, solved: np.ndarray) -> Difference:
    """Muscles less inverse dynamics, over the frames that are solved (T,).

    The splines of static optimization end where its frames do, ten frames outside.
    """
    apart = _largest(np.abs(balance.values[solved]))
    return Difference(what="SO: exact's muscles less ID, largest", unit="N·m or N", value=apart, limit=0.1)


def of_corrections(
    moments: GeneralizedForces, as_opensim: GeneralizedForces, muscles: MuscleForces, as_the_tool: MuscleForces
) -> tuple[Difference, ...]:
    """What computing by the laws moves, where OpenSim is off: told, not judged."""
    turned, both = moments.rotational, muscles.converged & as_the_tool.converged
    apart = np.abs(moments.values - as_opensim.values)
    force = np.abs(muscles.force_n - as_the_tool.force_n)[both]
    what = "corrections move"
    return (
        Difference(what=f"{what} moments, largest", unit="N·m", value=_largest(apart[:, turned]), limit=None),
        Difference(what=f"{what} residual forces, largest", unit="N", value=_largest(apart[:, ~turned]), limit=None),
        Difference(
            what=f"{what} muscle forces, root mean square", unit="N", value=_root_mean_square(force), limit=None
        ),
        Difference(what=f"{what} muscle forces, largest", unit="N", value=_largest(force), limit=None),
    )


def _unsolved(muscles: MuscleForces) -> float:
    return float((~muscles.converged).sum())


def _ratios(ours: np.ndarray, theirs: np.ndarray) -> tuple[float, float]:
    """Of the sums over all frames, and of the worst frame."""
    if not len(ours):
        return np.nan, np.nan
    return float(ours.sum() / theirs.sum()), float((ours / theirs).max())


def _largest(values: np.ndarray) -> float:
    return float(values.max()) if values.size else np.nan


def _median(values: np.ndarray) -> float:
    return float(np.median(values)) if values.size else np.nan


def _root_mean_square(values: np.ndarray) -> float:
    return float(np.sqrt((values**2).mean())) if values.size else np.nan
