"""Marker trajectories of one walk, from as recorded to as inverse kinematics reads them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.markers.ground_frame import ground_rotation, to_ground
from pipeline.markers.marker_leaps import without_leaps
from pipeline.markers.observed import observed_runs, segments_shown, used_labels, worst_gaps
from pipeline.markers.static_trial import StaticTrial
from pipeline.markers.swapped_labels import fix_swaps
from pipeline.records import Markers, Recording
from pipeline.session.profile import Profile
from pipeline.session.recipe import Recipe
from pipeline.session.same_person import check_segment_lengths
from pipeline.signals import HIGHEST_CUTOFF, fill_gaps, low_pass


@dataclass(frozen=True, slots=True, kw_only=True)
class Trajectories:
    """A walk's markers in the ground frame, over all frames: `recorded` with short gaps filled, `smooth` filtered too.

    `rotation` (3, 3) turned them from the laboratory's frame; `passes` are the runs of frames that show every leg
    segment, `shown` (T,) by segment those that show it.
    """

    rotation: np.ndarray
    recorded: Markers
    smooth: Markers
    passes: tuple[slice, ...]
    shown: Mapping[str, np.ndarray]
    warnings: tuple[str, ...]

    @property
    def window(self) -> slice:
        """The longest run of frames that show every leg segment, the first of equals."""
        return max(self.passes, key=lambda run: run.stop - run.start)


def trajectories(recording: Recording, static: StaticTrial, profile: Profile, recipe: Recipe) -> Trajectories:
    """Turn, relabel, fill and filter a walk's markers. TrialRejected if another person's, or showing too little.

    Of the recipe only [markers] and [scaling] are read: what sizes a body depends on nothing else.
    """
    cutoff_hz = recipe.markers.marker_cutoff_hz
    require_rate(recording.path.name, "markers", recording.point_rate_hz, "marker_cutoff_hz", cutoff_hz)
    pose = static.pose
    shape = {label: pose.marker(label)[0] for label in pose.labels}
    rotation = ground_rotation(recording, profile)
    markers, fixed = fix_swaps(
        to_ground(recording, rotation, used_labels(recording, profile)), shape, profile, recipe.scaling
    )
    markers, leapt = without_leaps(markers, recipe.markers)
    check_segment_lengths(recording, markers, pose, profile, recipe.scaling)
    filled = fill_gaps(markers.positions_m, markers.rate_hz, recipe.markers.max_gap_s)
    recorded = replace(markers, positions_m=filled)
    smooth = replace(markers, positions_m=low_pass(filled, markers.rate_hz, cutoff_hz))
    gaps, ahead = worst_gaps(smooth), faces_forward(smooth, profile)
    return Trajectories(
        rotation=rotation,
        recorded=recorded,
        smooth=smooth,
        passes=observed_runs(recording, smooth, profile, recipe.markers, ahead),
        shown=segments_shown(smooth, profile, recipe.markers),
        warnings=(
            *recording.warnings,
            *static.warnings,
            *fixed,
            *leapt,
            *((gaps,) if gaps else ()),
            *_ways_back(smooth, ahead),
        ),
    )


def faces_forward(markers: Markers, profile: Profile) -> np.ndarray:
    """In which frames (T,) the pelvis faces within a right angle of forward, or isn't seen.

    Steps are told along the forward axis: of somebody who comes back a strike would be taken for a toe off.
    """
    right, left = (markers.marker(label) for label in (profile.pelvis.right_anterior, profile.pelvis.left_anterior))
    # From left to right across the pelvis, z points to the right of whoever faces forward.
    return ~((right - left)[:, 2] < 0)


def _ways_back(markers: Markers, ahead: np.ndarray) -> tuple[str, ...]:
    if ahead.all():
        return ()
    at_s = markers.time_s[~ahead]
    return (
        f"the pelvis faces back from {at_s.min():.2f} to {at_s.max():.2f} s, {len(at_s)} frames, which are left out: "
        "give each way a recording of its own",
    )


def require_rate(source: str, what: str, rate_hz: float, setting: str, cutoff_hz: float) -> None:
    """TrialRejected if `what` was recorded too slowly for a cut-off of the recipe."""
    if not cutoff_hz < HIGHEST_CUTOFF * rate_hz:
        raise TrialRejected(
            "markers",
            f"{source}: {what} were recorded at {rate_hz:g} Hz, expected more than {cutoff_hz / HIGHEST_CUTOFF:.0f} Hz "
            f"for {setting} = {cutoff_hz:g}. Record faster, or lower it in a recipe of your own.",
        )
