"""Each stride's fate: judged by its motion, then by what dynamics and muscles leave unexplained, and lost or kept.

A stride that fails is lost, not its walk; a walk is rejected if none of its strides stands.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from pipeline.errors import TrialRejected
from pipeline.ground.cycles import LostStride, Stride
from pipeline.records import SIDES, FootWrench, Kinematics, Side
from pipeline.session.recipe import QualitySettings
from pipeline.session.session import Subject
from pipeline.solving.leaps import Leap
from pipeline.solving.motion_quality import MotionQuality, motion_quality, notes_of, why_not_followed
from pipeline.solving.quality import StrideQuality, judge_stride, why_unexplained
from pipeline.solving.range_ends import Ranges
from pipeline.solving.solution import Solution


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedStride:
    """A stride and its figures, None where it was lost before; `stage` and `why` say what it was lost by, "" if kept.

    `number` counts the strides of its foot in the recording, kept or lost, from 1.
    """

    stride: Stride | LostStride
    number: int
    motion: MotionQuality | None = None
    forces: StrideQuality | None = None
    stage: str = ""
    why: str = ""

    @property
    def kept(self) -> bool:
        """Whether it gives a cycle."""
        return not self.stage

    def __str__(self) -> str:
        between = f"{self.stride.start_s:.2f}-{self.stride.stop_s:.2f} s"
        return f"stride {self.number} of the {self.stride.side} foot ({between})"


class SolvedButRejected(TrialRejected):
    """A trial that gives no targets though its motion was solved: a person may want to look at it."""

    def __init__(self, stage: str, reason: str, kinematics: Kinematics, judged: Sequence[JudgedStride]) -> None:
        super().__init__(stage, reason)
        self.kinematics = kinematics
        self.judged = tuple(judged)


def judged_by_motion(
    strides: Sequence[Stride | LostStride],
    kinematics: Kinematics,
    leaps: Sequence[Leap],
    ranges: Ranges,
    settings: QualitySettings,
) -> tuple[JudgedStride, ...]:
    """Every stride that was seen, in time, judged by how the solved motion follows its markers."""
    judged = []
    for one in numbered(strides):
        if isinstance(one.stride, Stride):
            motion = motion_quality(one.stride, kinematics, ranges, leaps, settings)
            why = why_not_followed(motion, settings)
            judged.append(replace(one, motion=motion, stage="inverse_kinematics" if why else "", why=why))
        else:
            judged.append(one)
    return tuple(judged)


def judged_by_forces(
    judged: Sequence[JudgedStride],
    solution: Solution,
    wrenches: Mapping[Side, FootWrench],
    subject: Subject,
    settings: QualitySettings,
) -> tuple[JudgedStride, ...]:
    """The same, those that stood judged by what dynamics and muscles leave unexplained."""
    again = []
    for one in judged:
        if one.kept and isinstance(one.stride, Stride):
            forces = judge_stride(one.stride, solution, wrenches, subject, settings)
            stage, why = why_unexplained(forces, settings)
            again.append(replace(one, forces=forces, stage=stage, why=why))
        else:
            again.append(one)
    return tuple(again)


def kept_strides(judged: Sequence[JudgedStride]) -> list[Stride]:
    """The strides that stand, the right leg's first."""
    kept = [one.stride for one in judged if one.kept and isinstance(one.stride, Stride)]
    return sorted(kept, key=lambda stride: (SIDES.index(stride.side), stride.start_s))


def numbered(strides: Sequence[Stride | LostStride]) -> tuple[JudgedStride, ...]:
    """Strides before they are judged, in time; incomplete ones are lost already."""
    seen: Counter[Side] = Counter()
    judged = []
    for stride in sorted(strides, key=lambda stride: (stride.start_s, stride.side)):
        seen[stride.side] += 1
        lost = stride if isinstance(stride, LostStride) else None
        judged.append(
            JudgedStride(
                stride=stride,
                number=seen[stride.side],
                stage=lost.stage if lost else "",
                why=lost.why if lost else "",
            )
        )
    return tuple(judged)


def motion_notes(judged: Sequence[JudgedStride], settings: QualitySettings) -> tuple[str, ...]:
    """What a person should know of the motion in strides that are kept."""
    return tuple(
        f"{one}: {note}" for one in judged if one.kept and one.motion for note in notes_of(one.motion, settings)
    )


def lost_strides_told(judged: Sequence[JudgedStride]) -> tuple[str, ...]:
    """A sentence for each stride that is left out of an accepted trial, with how many are kept."""
    n_kept = sum(one.kept for one in judged)
    rest = f"{n_kept} other{'s' if n_kept > 1 else ''} kept"
    return tuple(f"{one} is left out: {one.why}; {rest}" for one in judged if not one.kept)


def no_stride_stands(source: str, kinematics: Kinematics, judged: Sequence[JudgedStride]) -> SolvedButRejected:
    """Why a trial gives nothing: every stride's reason, at the stage at which most complete strides were lost."""
    stages = Counter(one.stage for one in judged if isinstance(one.stride, Stride))
    stage = max(_ADVICE, key=lambda name: stages[name])
    advice = " ".join(text for name, text in _ADVICE.items() if name in stages)
    told = "; ".join(f"{one}: {one.why}" for one in judged)
    return SolvedButRejected(stage, f"{source}: no stride can be used. {_capital(told)}. {advice}", kinematics, judged)


# The later stage first: of equals, the one that the strides came furthest to.
_ADVICE = {
    "static_optimization": (
        "Where muscles can't give the measured moment: a wrong or late force, or a fast or heavy walker. Tendons are "
        "rigid here, so that a runner's calves shorten too fast for their strength: a recipe with "
        "use_muscle_physiology = false leaves that out. Where the optimum was not reached: name an activation_exponent "
        "nearer to 2 in the recipe."
    ),
    "inverse_dynamics": "Look for a wrong mass, a force that was not measured, or plates out of place.",
    "inverse_kinematics": (
        "Look for exchanged or displaced markers, a profile that doesn't fit the laboratory, or a sized body that is "
        "wrong. Where a person's joint goes beyond a range, widen it in the recipe's [scaling] section."
    ),
}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
