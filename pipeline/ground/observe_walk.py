"""What was measured of one walk: markers, ground reactions and complete strides, before any model is asked.

A recording may hold several passes: runs of frames that show every segment of the legs, with gaps between them.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.cycles import LostStride, Stride, frames_of, measured_strides
from pipeline.ground.floor import belt_velocity_m_s
from pipeline.ground.ground_reactions import GroundReactions, ground_reactions
from pipeline.ground.plate_lag import in_step
from pipeline.ground.plates.corrected_plates import with_corrected_plates
from pipeline.ground.progression import path_speed_m_s, with_headings
from pipeline.markers.observed import worst_gaps
from pipeline.markers.static_trial import StaticTrial
from pipeline.markers.trajectories import Trajectories, require_rate, trajectories
from pipeline.recordings.read_recording import read_recording
from pipeline.records import SIDES, FootWrench, ForcePlate, Markers, Recording, Side
from pipeline.session.recipe import Recipe
from pipeline.session.same_person import check_subject_blocks
from pipeline.session.session import Trial
from pipeline.session.setup import SessionSetup


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedWalk:
    """One pass over frames that show every segment: its complete `strides`. `lost` are the whole recording's others.

    `shares`: what each plate alone measured over its frames, in the laboratory's frame. `speed_m_s`: along the path, on
    the floor or the belt.
    """

    recording: Recording
    tracks: Trajectories
    ground: GroundReactions
    markers: Markers
    wrenches: Mapping[Side, FootWrench]
    strides: tuple[Stride, ...]
    lost: tuple[LostStride, ...]
    shares: tuple[ForcePlate, ...]
    speed_m_s: float

    @property
    def frames(self) -> slice:
        """The frames that the strides need."""
        return frames_of(self.strides, self.markers.time_s)


def observe_walk(setup: SessionSetup, trial: Trial, static: StaticTrial) -> ObservedWalk:
    """The pass of a trial with the most complete strides, the first of equals. TrialRejected as `observe_passes`."""
    return max(observe_passes(setup, trial, static), key=lambda walk: len(walk.strides))


def observe_passes(
    setup: SessionSetup, trial: Trial, static: StaticTrial, recording: Recording | None = None
) -> tuple[ObservedWalk, ...]:
    """Read a trial and make of it what the solves need: its passes that have a complete stride, in time.

    `recording`: the trial's, where it comes from elsewhere than its files' markers. TrialRejected names the stage that
    refused it, and why each stride is incomplete if all are.
    """
    recipe, subject = setup.recipe, setup.session.subject
    read = recording or read_recording(trial.path, trial.forces, setup.profile.required_labels)
    recording = in_step(with_corrected_plates(read, setup.plate_corrections), setup.plates_lag_s or 0.0)
    static = replace(static, recording=_corrected_where_there(static.recording, setup))
    check_subject_blocks(recording, static.recording, subject, recipe.scaling)
    _require_rates(recording, recipe)
    tracks = trajectories(recording, static, setup.profile, recipe)
    ground = ground_reactions(recording, tracks, static, setup.profile, subject.mass_kg, recipe)

    def over(frames: slice) -> tuple[tuple[Stride, ...], tuple[LostStride, ...]]:
        wrenches = {side: ground.wrenches[side].cut(frames) for side in SIDES}
        return measured_strides(tracks.smooth.time_s[frames], wrenches, ground.events, recipe.cycles)

    found, lost = strides_by_pass(tracks, over)
    if not found:
        raise TrialRejected("cycles", _why_no_stride(recording.path.name, lost, ground.wrenches, tracks))
    belt_m_s = belt_velocity_m_s(tracks.recorded, setup.profile, recipe.ground_reactions)
    return tuple(
        ObservedWalk(
            recording=recording,
            tracks=tracks,
            ground=ground,
            markers=(markers := tracks.smooth.cut(run)),
            wrenches={side: ground.wrenches[side].cut(run) for side in SIDES},
            strides=with_headings(strides, markers, setup.profile),
            lost=lost,
            shares=tuple(
                replace(plate, force_n=plate.force_n[run], moment_nm=plate.moment_nm[run]) for plate in ground.shares
            ),
            speed_m_s=path_speed_m_s(markers, setup.profile, strides, belt_m_s),
        )
        for run, strides in found
    )


def strides_by_pass(
    tracks: Trajectories, over: Callable[[slice], tuple[tuple[Stride, ...], tuple[LostStride, ...]]]
) -> tuple[list[tuple[slice, tuple[Stride, ...]]], tuple[LostStride, ...]]:
    """The passes that have complete strides, and the recording's other strides with why each is lost.

    `over` gives the complete and the incomplete strides over some frames.
    """
    found = [(run, strides) for run in tracks.passes if (strides := over(run)[0])]
    complete = {(stride.side, stride.start_s) for _, strides in found for stride in strides}
    seen, incomplete = over(slice(None))
    others: list[Stride | LostStride] = [*incomplete, *seen]
    lost = [_lost(stride, tracks) for stride in others if (stride.side, stride.start_s) not in complete]
    return found, tuple(lost)


def _lost(stride: Stride | LostStride, tracks: Trajectories) -> LostStride:
    """A stride that no pass holds: what its markers leave unseen and when, and why else it is incomplete."""
    time_s = tracks.smooth.time_s
    during = (time_s >= stride.start_s) & (time_s < stride.stop_s)
    hidden = {segment: time_s[during & ~shown] for segment, shown in tracks.shown.items()}
    unseen = [segment for segment, at_s in hidden.items() if len(at_s)]
    else_lost = stride.why if isinstance(stride, LostStride) else ""
    if not unseen:
        why = else_lost or "too few frames on end show every segment"
    else:
        at_s = np.concatenate([hidden[segment] for segment in unseen])
        who = ", ".join(unseen) if len(unseen) < len(hidden) else "all segments"
        why = f"too few markers are seen of {who} from {at_s.min():.2f} to {at_s.max():.2f} s"
        why += f"; {else_lost}" if else_lost else ""
    stage = "markers" if unseen or not else_lost else "cycles"
    return LostStride(side=stride.side, start_s=stride.start_s, stop_s=stride.stop_s, stage=stage, why=why)


def _corrected_where_there(recording: Recording, setup: SessionSetup) -> Recording:
    """The static trial's recording, which may hold fewer plates than the walks'."""
    numbers = {plate.number for plate in recording.plates}
    return with_corrected_plates(
        recording, {number: how for number, how in setup.plate_corrections.items() if number in numbers}
    )


def _require_rates(recording: Recording, recipe: Recipe) -> None:
    """TrialRejected if the recording is too slow for what its forces and coordinates are filtered by."""
    source, cutoff_hz = recording.path.name, recipe.inverse_dynamics.coordinate_cutoff_hz
    require_rate(source, "markers", recording.point_rate_hz, "coordinate_cutoff_hz", cutoff_hz)
    if recording.plates:
        cutoff_hz = recipe.ground_reactions.force_cutoff_hz
        require_rate(source, "forces", recording.analog_rate_hz, "force_cutoff_hz", cutoff_hz)


def _why_no_stride(
    source: str, lost: Sequence[LostStride], wrenches: Mapping[Side, FootWrench], tracks: Trajectories
) -> str:
    reasons = sorted({reason for side in SIDES for reason in wrenches[side].reason if reason})
    return (
        f"{source}: no complete gait cycle with a known ground reaction, expected at least one. "
        f"Strides: {'; '.join(map(str, lost)) or 'none seen'}. Feet: {'; '.join(reasons) or 'no stance'}. "
        f"Markers: {worst_gaps(tracks.smooth) or 'no gaps'}. Choose a walk in which a foot lands alone and wholly on a "
        "plate, or leave the trial out."
    )
