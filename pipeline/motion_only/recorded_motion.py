"""The motion of a recorded walk, by the pipeline's own steps up to inverse kinematics; of plates, only up."""

from dataclasses import dataclass
from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.ground.cycles import LostStride, Stride, any_strides, frames_of
from pipeline.ground.observe_walk import strides_by_pass
from pipeline.ground.progression import with_headings
from pipeline.markers.static_trial import StaticTrial
from pipeline.markers.trajectories import Trajectories, trajectories
from pipeline.motion_only.kinematic_events import events_of_markers
from pipeline.osim.engines import load_engine
from pipeline.osim.models.shared_model import coordinate_ranges
from pipeline.recordings.read_recording import read_recording
from pipeline.records import Kinematics, Markers, Recording
from pipeline.session.same_person import check_subject_blocks
from pipeline.session.setup import SessionSetup
from pipeline.solving.judged_strides import JudgedStride, judged_by_motion, kept_strides, no_stride_stands
from pipeline.solving.leaps import Leap, leaps_of
from pipeline.solving.solution import joined_kinematics
from pipeline.solving.solve import joint_kinematics, known_over


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMotion:
    """One walk's motion over the frames that its strides need, at least one of which is kept.

    `passes` are the markers that `kinematics` follow, run by run.
    """

    recording: Recording
    tracks: Trajectories
    passes: tuple[Markers, ...]
    kinematics: Kinematics
    leaps: tuple[Leap, ...]
    judged: tuple[JudgedStride, ...]

    @property
    def strides(self) -> tuple[Stride, ...]:
        """The strides that are kept, the right leg's first."""
        return tuple(kept_strides(self.judged))


def recorded_motion(
    setup: SessionSetup, file: Path, static: StaticTrial, model: Path, directory: Path, known: Kinematics | None = None
) -> RecordedMotion:
    """Read a walk and solve its motion, unless `known` is the same. TrialRejected names the stage that refused it."""
    profile, recipe = setup.profile, setup.recipe
    recording = read_recording(file, needed=profile.required_labels)
    check_subject_blocks(recording, static.recording, setup.session.subject, recipe.scaling)
    tracks = trajectories(recording, static, profile, recipe)
    events = events_of_markers(recording, tracks.recorded, profile, recipe.ground_reactions)

    def over(frames: slice) -> tuple[tuple[Stride, ...], tuple[LostStride, ...]]:
        return any_strides(tracks.smooth.time_s[frames], events, recipe.cycles)

    whole, lost = strides_by_pass(tracks, over)
    found = [(run, with_headings(strides, tracks.smooth.cut(run), profile)) for run, strides in whole]
    if not found:
        raise TrialRejected(
            "cycles",
            f"{file.name}: no complete gait cycle, expected at least one of either leg: "
            f"{'; '.join(map(str, lost)) or 'under two strikes of each foot'}. Record a longer walk.",
        )
    complete = [stride for _, strides in found for stride in strides]
    passes = [_needed(tracks.smooth.cut(run), strides) for run, strides in found]
    engine = load_engine(recipe.model.engine)
    kinematics = joined_kinematics(
        [
            known_over(markers, known)
            or joint_kinematics(engine, model, markers, profile, recipe, directory / "ik" / str(number))
            for number, markers in enumerate(passes)
        ]
    )
    leaps = leaps_of(kinematics.coordinates, recipe.quality)
    judged = judged_by_motion([*lost, *complete], kinematics, leaps, coordinate_ranges(model), recipe.quality)
    if not kept_strides(judged):
        raise no_stride_stands(file.name, kinematics, judged)
    return RecordedMotion(
        recording=recording,
        tracks=tracks,
        passes=tuple(passes),
        kinematics=kinematics,
        leaps=leaps,
        judged=judged,
    )


def _needed(markers: Markers, strides: tuple[Stride, ...]) -> Markers:
    return markers.cut(frames_of(strides, markers.time_s))
