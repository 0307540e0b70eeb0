"""One foot's wrench at every marker frame: what its plates measured, filtered like the markers.

A low-pass filter spreads each stance's force over a few frames before the strike and after the toe off, together with
the motion that it causes. Where a stance was not measured its motion is spread but its force is not, and the hip's
moment at the end of a cycle would be wrong by a tenth of its range. So before filtering, an unmeasured stance gets a
stand-in: this foot's measured contact of the same trial, moved to its place and time. Only what the filter spreads into
swing is kept of it. No frame of the unmeasured stance itself becomes known.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.ground.contacts import PlateContact
from pipeline.ground.gait_events import GaitEvent, GaitEvents, in_stance
from pipeline.records import FootWrench, ForcePlate, Markers, Recording, Side
from pipeline.session.profile import FootLabels
from pipeline.session.recipe import GroundReactionSettings
from pipeline.signals import low_pass

# The wrench is filtered from this long before the recording to this long after it: longer than the filter's memory.
BEYOND_RECORD_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class _Step:
    """A contact's raw wrench about a floor point, (N, 3) each, from `start_s` on."""

    start_s: float
    force_n: np.ndarray
    moment_nm: np.ndarray


def foot_wrench(
    side: Side,
    foot: FootLabels,
    recording: Recording,
    plates: Sequence[ForcePlate],
    contacts: Sequence[PlateContact],
    events: GaitEvents,
    markers: Markers,
    settings: GroundReactionSettings,
) -> FootWrench:
    """One foot's wrench, low-pass filtered, at the marker frames, in the ground frame.

    A frame is known if the foot swings, or stands in a usable contact. Other frames have a reason, and a force of zero
    that must not be used: nothing is computed as if no force acted on that foot.
    """
    own = [contact for contact in contacts if contact.side == side]
    point_m = _floor_point(plates)
    measured = {contact: _step(recording, plates, contact, point_m) for contact in own if contact.usable}
    whole = {contact: step for contact, step in measured.items() if contact.whole}
    stand_ins = [
        stand_in
        for event in events.events
        if event.side == side and event.source != "force" and whole
        for stand_in in _stand_in(event, whole, foot, markers, settings)
    ]
    reason = _reasons(side, own, events, markers)
    known = reason == ""
    force_n, moment_nm = _filtered(list(measured.values()), stand_ins, recording, markers, settings)
    lost = known & ~(np.isfinite(force_n).all(axis=1) & np.isfinite(moment_nm).all(axis=1))
    reason[lost], known = "the plate's readings are unknown", known & ~lost
    force_n[~known], moment_nm[~known] = 0.0, 0.0
    cop_m, free_moment_nm = _centre(force_n, moment_nm, point_m, settings.contact_threshold_n)
    return FootWrench(
        side=side,
        time_s=markers.time_s,
        point_m=point_m,
        force_n=force_n,
        moment_nm=moment_nm,
        cop_m=cop_m,
        free_moment_nm=free_moment_nm,
        known=known,
        reason=reason,
    )


def plate_shares(
    recording: Recording, contacts: Sequence[PlateContact], markers: Markers, settings: GroundReactionSettings
) -> tuple[ForcePlate, ...]:
    """What each plate alone measured of usable contacts, filtered, at the marker frames, in the laboratory's frame.

    Together they are the feet's wrenches, but for the stand-ins of stances that were not measured.
    """
    shares = []
    for plate in recording.plates:
        own = [one for one in contacts if one.plate == plate.number and one.usable]
        if own:
            steps = [_step(recording, recording.plates, contact, plate.origin_m) for contact in own]
            force_n, moment_nm = _filtered(steps, [], recording, markers, settings)
            shares.append(replace(plate, force_n=force_n, moment_nm=moment_nm))
    return tuple(shares)


def _floor_point(plates: Sequence[ForcePlate]) -> np.ndarray:
    return np.mean([plate.surface_m for plate in plates], axis=0)


def _step(recording: Recording, plates: Sequence[ForcePlate], contact: PlateContact, point_m: np.ndarray) -> _Step:
    # Outside its contacts a plate's signal is drift, or another foot.
    plate = next(plate for plate in plates if plate.number == contact.plate)
    start, stop = (
        round((time_s - recording.time_s[0]) * recording.analog_rate_hz) for time_s in (contact.start_s, contact.stop_s)
    )
    force_n = plate.force_n[start:stop]
    return _Step(
        start_s=contact.start_s,
        force_n=force_n,
        moment_nm=plate.moment_nm[start:stop] + np.cross(plate.origin_m - point_m, force_n),
    )


def _stand_in(
    event: GaitEvent,
    measured: dict[PlateContact, _Step],
    foot: FootLabels,
    markers: Markers,
    settings: GroundReactionSettings,
) -> list[_Step]:
    """The near half of this foot's nearest measured contact, moved to the start or end of an unmeasured stance.

    Empty if the markers show too little of that stance: then its motion isn't spread either.
    """
    begins, seen_s = event.kind == "foot_strike", settings.min_seen_stance_s
    shown_s = markers.time_s[-1] - event.time_s if begins else event.time_s - markers.time_s[0]
    if shown_s < seen_s:
        return []
    contact = min(measured, key=lambda one: abs(one.start_s - event.time_s))
    step = measured[contact]
    half = len(step.force_n) // 2
    near = slice(None, half) if begins else slice(half, None)
    start_s, inward_s = (contact.start_s, seen_s) if begins else (contact.stop_s, -seen_s)
    # The marker at the loaded end of the foot, while on the floor, tells how far the foot has moved on.
    labels = foot.heel if begins else foot.toe
    moved_m = _place_m(markers, labels, event.time_s + inward_s) - _place_m(markers, labels, start_s + inward_s)
    if not np.isfinite(moved_m).all():
        return []
    force_n = step.force_n[near]
    later_s = event.time_s - start_s
    first_s = step.start_s if begins else step.start_s + half * (contact.stop_s - contact.start_s) / len(step.force_n)
    return [
        _Step(
            start_s=first_s + later_s,
            force_n=force_n,
            moment_nm=step.moment_nm[near] + np.cross(moved_m * np.array([1.0, 0.0, 1.0]), force_n),
        )
    ]


def _place_m(markers: Markers, labels: tuple[str, ...], time_s: float) -> np.ndarray:
    place: np.ndarray = markers.middle(labels)[int(np.argmin(np.abs(markers.time_s - time_s)))]
    return place


def _filtered(
    measured: Sequence[_Step],
    stand_ins: Sequence[_Step],
    recording: Recording,
    markers: Markers,
    settings: GroundReactionSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Filtered force and moment of all steps, (T, 3) each, at marker frames. A measured contact replaces a stand-in."""
    rate_hz = recording.analog_rate_hz
    beyond = round(BEYOND_RECORD_S * rate_hz)
    total = np.zeros((len(recording.analog) + 2 * beyond, 6))
    for step in stand_ins:
        _add(step, total, recording, beyond)
    alone = np.zeros_like(total)
    for step in measured:
        _add(step, alone, recording, beyond)
    total = np.where(np.any(alone != 0, axis=1, keepdims=True), alone, total)
    if measured:
        total = low_pass(total, rate_hz, settings.force_cutoff_hz)
    ratio = round(rate_hz / recording.point_rate_hz)
    at_frames = total[beyond : beyond + len(markers.time_s) * ratio : ratio]
    return at_frames[:, :3], at_frames[:, 3:]


def _add(step: _Step, total: np.ndarray, recording: Recording, beyond: int) -> None:
    """Add a step's wrench to the samples (S, 6) that begin `beyond` samples before the recording; in place."""
    wrench = np.hstack([step.force_n, step.moment_nm])
    start = round((step.start_s - recording.time_s[0]) * recording.analog_rate_hz) + beyond
    within = slice(max(start, 0), min(start + len(wrench), len(total)))
    total[within] += wrench[within.start - start : within.stop - start]


def _centre(
    force_n: np.ndarray, moment_nm: np.ndarray, point_m: np.ndarray, threshold_n: float
) -> tuple[np.ndarray, np.ndarray]:
    floor = ForcePlate(
        number=0,
        type=0,
        corners_m=point_m + np.array([[1.0, 0, 1], [1, 0, -1], [-1, 0, -1], [-1, 0, 1]]),
        origin_m=point_m,
        normal=np.array([0.0, 1.0, 0.0]),
        force_n=force_n,
        moment_nm=moment_nm,
    )
    return centre_of_pressure(floor, threshold_n)


def _reasons(side: Side, own: Sequence[PlateContact], events: GaitEvents, markers: Markers) -> np.ndarray:
    """Why each frame's reaction is not known, (T,); "" where it is."""
    time_s = markers.time_s
    reason = np.full(len(time_s), "", dtype=object)
    reason[in_stance(events, side, time_s)] = "stance without a plate"
    # Unusable contacts last: where one carries a part of the load, another one doesn't measure the whole reaction.
    for contact in sorted(own, key=lambda one: not one.usable):
        reason[(time_s >= contact.start_s - 1e-9) & (time_s < contact.stop_s - 1e-9)] = contact.reason
    return reason
