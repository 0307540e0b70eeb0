"""What an engine makes of one walk."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np

from pipeline.records import SIDES, FootWrench, GeneralizedForces, JointLoads, Kinematics, MuscleForces, Side
from pipeline.solving.engine import LaidMuscles, MuscleSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Solution:
    """Kinematics and moments over all given frames; muscles, paths, balance and joint loads over `frames` of them.

    `balance` is what muscles and actuators give, less what inverse dynamics asks. `loading_feet` names the feet whose
    ground reactions each coordinate's moment and each muscle's force depends on, `feet_pressing` those of each joint's
    contact force. `frames` are indices. Between two passes of one recording frames are missing.
    """

    kinematics: Kinematics
    moments: GeneralizedForces
    muscles: MuscleForces
    laid: LaidMuscles
    muscle_source: MuscleSource
    balance: GeneralizedForces
    loads: JointLoads
    frames: np.ndarray
    loading_feet: Mapping[str, frozenset[Side]]
    feet_pressing: Mapping[str, frozenset[Side]]


def joined_solution(passes: Sequence[Solution]) -> Solution:
    """The passes of one recording as one solution, in time."""
    first = passes[0]
    if len(passes) == 1:
        return first
    before = np.cumsum([0, *(len(one.moments.time_s) for one in passes[:-1])])
    return replace(
        first,
        kinematics=joined_kinematics([one.kinematics for one in passes]),
        moments=_over_time([one.moments for one in passes], "time_s", "values"),
        muscles=_over_time(
            [one.muscles for one in passes],
            *("time_s", "activation", "force_n", "actuator_force", "converged", "short_of"),
        ),
        laid=_over_time([one.laid for one in passes], "time_s", "length_m", "lengthening_m_s", "wrenches", "direct"),
        balance=_over_time([one.balance for one in passes], "time_s", "values"),
        loads=_over_time([one.loads for one in passes], "time_s", "in_distal_n", "in_proximal_n"),
        frames=np.concatenate([one.frames + start for one, start in zip(passes, before, strict=True)]),
    )


def joined_kinematics(passes: Sequence[Kinematics]) -> Kinematics:
    """The passes of one recording as one motion, in time; they show the same markers."""
    return Kinematics(
        coordinates=_over_time([one.coordinates for one in passes], "time_s", "values"),
        marker_names=passes[0].marker_names,
        marker_error_m=np.concatenate([one.marker_error_m for one in passes]),
    )


def joined_wrenches(passes: Sequence[Mapping[Side, FootWrench]]) -> dict[Side, FootWrench]:
    """The passes' wrenches, one after the other."""
    fields = ("time_s", "force_n", "moment_nm", "cop_m", "free_moment_nm", "known", "reason")
    return {side: _over_time([wrenches[side] for wrenches in passes], *fields) for side in SIDES}


_Record = TypeVar("_Record", bound=Any)


def _over_time(parts: Sequence[_Record], *fields: str) -> _Record:
    """Records of one kind, one after the other: `fields` hold a row for each frame, and others are the same in all."""
    rows = {name: np.concatenate([getattr(part, name) for part in parts]) for name in fields}
    together: _Record = replace(parts[0], **rows)
    return together
