"""What was measured of one walk: markers, ground reactions and complete strides, before any model is asked."""

from collections.abc import Mapping
from dataclasses import dataclass

from pipeline.errors import TrialRejected
from pipeline.ground.cycles import Stride, frames_of, measured_strides
from pipeline.ground.floor import belt_velocity_m_s
from pipeline.ground.ground_reactions import GroundReactions, ground_reactions
from pipeline.ground.plate_lag import in_step
from pipeline.ground.progression import path_speed_m_s, with_headings
from pipeline.markers.observed import worst_gaps
from pipeline.markers.static_trial import StaticTrial
from pipeline.markers.trajectories import Trajectories, require_rate, trajectories
from pipeline.recordings.read_recording import read_recording
from pipeline.records import SIDES, FootWrench, Markers, Recording, Side
from pipeline.session.recipe import Recipe
from pipeline.session.same_person import check_subject_blocks
from pipeline.session.session import Trial
from pipeline.session.setup import SessionSetup
from warehouse.channels import TURN_DEG


@dataclass(frozen=True, slots=True, kw_only=True)
class ObservedWalk:
    """A walk over the frames that show every segment; `strides` are complete, `refused` says why others are not.

    `speed_m_s`: along the path, on the floor or the belt.
    """

    recording: Recording
    tracks: Trajectories
    ground: GroundReactions
    markers: Markers
    wrenches: Mapping[Side, FootWrench]
    strides: tuple[Stride, ...]
    refused: tuple[str, ...]
    speed_m_s: float

    @property
    def frames(self) -> slice:
        """The frames that the strides need."""
        return frames_of(self.strides, self.markers.time_s)

    @property
    def turns(self) -> tuple[str, ...]:
        """Which strides turn, and how far."""
        return tuple(
            f"{stride.side} stride at {stride.start_s:.2f} s turns {abs(stride.heading_change_deg):.0f}° to the "
            f"{'left' if stride.heading_change_deg > 0 else 'right'}: releases leave it out unless asked for turns"
            for stride in self.strides
            if abs(stride.heading_change_deg) > TURN_DEG
        )


def observe_walk(
    setup: SessionSetup, trial: Trial, static: StaticTrial, recording: Recording | None = None
) -> ObservedWalk:
    """Read a trial and make of it what the solves need. TrialRejected names the stage that refused it.

    `recording`: the trial's, where it comes from elsewhere than its files' markers.
    """
    recipe, subject = setup.recipe, setup.session.subject
    read = recording or read_recording(trial.path, trial.forces, setup.profile.required_labels)
    recording = in_step(read, setup.plates_lag_s or 0.0)
    check_subject_blocks(recording, static.recording, subject, recipe.scaling)
    _require_rates(recording, recipe)
    tracks = trajectories(recording, static, setup.profile, recipe)
    ground = ground_reactions(recording, tracks, static, setup.profile, subject.mass_kg, recipe)

    markers = tracks.smooth.cut(tracks.window)
    wrenches = {side: ground.wrenches[side].cut(tracks.window) for side in SIDES}
    strides, refused = measured_strides(markers.time_s, wrenches, ground.events, recipe.cycles)
    if not strides:
        raise TrialRejected("cycles", _why_no_stride(recording.path.name, refused, wrenches, tracks))
    belt_m_s = belt_velocity_m_s(tracks.recorded, setup.profile, recipe.ground_reactions)
    return ObservedWalk(
        recording=recording,
        tracks=tracks,
        ground=ground,
        markers=markers,
        wrenches=wrenches,
        strides=with_headings(strides, markers, setup.profile),
        refused=tuple(refused),
        speed_m_s=path_speed_m_s(markers, setup.profile, strides, belt_m_s),
    )


def _require_rates(recording: Recording, recipe: Recipe) -> None:
    """TrialRejected if the recording is too slow for what its forces and coordinates are filtered by."""
    source, cutoff_hz = recording.path.name, recipe.inverse_dynamics.coordinate_cutoff_hz
    require_rate(source, "markers", recording.point_rate_hz, "coordinate_cutoff_hz", cutoff_hz)
    if recording.plates:
        cutoff_hz = recipe.ground_reactions.force_cutoff_hz
        require_rate(source, "forces", recording.analog_rate_hz, "force_cutoff_hz", cutoff_hz)


def _why_no_stride(
    source: str, refused: tuple[str, ...], wrenches: Mapping[Side, FootWrench], tracks: Trajectories
) -> str:
    reasons = sorted({reason for side in SIDES for reason in wrenches[side].reason if reason})
    return (
        f"{source}: no complete gait cycle with a known ground reaction, expected at least one. "
        f"Strides: {'; '.join(refused) or 'none seen'}. Feet: {'; '.join(reasons) or 'no stance'}. "
        f"Markers: {worst_gaps(tracks.smooth) or 'no gaps'}. Choose a walk in which a foot lands alone and wholly on a "
        "plate, or leave the trial out."
    )
