"""One trial of a session that asks for kinematics only: the chain up to inverse kinematics, and cycles of angles.

Of plates only the floor's direction is read, and nothing is known of moments and forces: what comes out is never mixed
with what trials with ground reactions give.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from pipeline.anatomy.joint_angles import joint_angles
from pipeline.errors import TrialRejected
from pipeline.ground.cycles import Cycle, Stride, resample_stride
from pipeline.ground.floor import belt_velocity_m_s
from pipeline.ground.progression import path_speed_m_s, turns_in_words
from pipeline.markers.static_trial import StaticTrial
from pipeline.motion_only.recorded_motion import RecordedMotion, recorded_motion
from pipeline.records import Coordinates, JointAngles, Kinematics, Recording, SubjectModel
from pipeline.session.session import Trial
from pipeline.session.setup import SessionSetup
from pipeline.solving.judged_strides import JudgedStride, lost_strides_told, motion_notes
from pipeline.solving.leaps import leap_warnings
from pipeline.solving.targets import inputs_deg


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionResult:
    """One trial's motion: `cycles` hold the ten angles of each stride that is kept, the right leg's first."""

    recording: Recording
    kinematics: Kinematics
    angles: JointAngles
    cycles: tuple[Cycle, ...]
    judged: tuple[JudgedStride, ...]
    speed_m_s: float
    warnings: tuple[str, ...]


def process_motion(
    setup: SessionSetup,
    trial: Trial,
    static: StaticTrial,
    model: SubjectModel,
    directory: Path,
    known: Kinematics | None = None,
) -> MotionResult:
    """A recording in, its motion out. TrialRejected names the stage that refused it.

    `known` are kinematics that were solved before from just these markers, model and settings; None solves them.
    """
    if trial.is_solved:
        raise TrialRejected(
            "read_recording",
            f"{trial.path.name}: holds joint coordinates already, and the session asks for kinematics only: nothing is "
            "left to solve. Leave `kinematics_only` out where there are ground reactions; `gait2hip predict` takes the "
            "file as it is.",
        )
    motion = recorded_motion(setup, trial.path, static, model.file, directory, known)
    coordinates = motion.kinematics.coordinates
    angles = joint_angles(model.file, model.scale_factors, coordinates)
    complete = [one.stride for one in motion.judged if isinstance(one.stride, Stride)]
    points = setup.recipe.cycles.cycle_points
    return MotionResult(
        recording=motion.recording,
        kinematics=motion.kinematics,
        angles=angles,
        cycles=tuple(_cycle(stride, coordinates, points) for stride in motion.strides),
        judged=motion.judged,
        speed_m_s=_speed_m_s(motion, setup),
        warnings=(
            *motion.tracks.warnings,
            *lost_strides_told(motion.judged),
            *turns_in_words(motion.strides),
            *motion_notes(motion.judged, setup.recipe.quality),
            *leap_warnings(motion.leaps, complete),
            *angles.warnings,
            *model.warnings,
        ),
    )


def _cycle(stride: Stride, coordinates: Coordinates, points: int) -> Cycle:
    everywhere = np.ones(len(coordinates.time_s), dtype=bool)
    return resample_stride(stride, coordinates.time_s, inputs_deg(coordinates, stride.side), everywhere, points)


def _speed_m_s(motion: RecordedMotion, setup: SessionSetup) -> float:
    """Mean speed along the path, on the floor or the belt."""
    belt_m_s = belt_velocity_m_s(motion.tracks.recorded, setup.profile, setup.recipe.ground_reactions)
    speeds = [path_speed_m_s(markers, setup.profile, motion.strides, belt_m_s) for markers in motion.passes]
    return float(np.average(speeds, weights=[len(markers.time_s) for markers in motion.passes]))
