"""Foot strikes and toe offs: from force where a plate was hit, from the feet's motion elsewhere."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from scipy.signal import find_peaks

from pipeline.errors import TrialRejected
from pipeline.ground.contacts import PlateContact
from pipeline.records import SIDES, Event, Markers, Recording, Side
from pipeline.session.profile import Profile, foot_of
from pipeline.session.recipe import GroundReactionSettings

EventKind = Literal["foot_strike", "foot_off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GaitEvent:
    """One event, and whether force, kinematics or the laboratory's own event gave its time."""

    kind: EventKind
    side: Side
    time_s: float
    source: Literal["force", "kinematics", "laboratory"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GaitEvents:
    """All events in order of time, and their differences from the laboratory's own.

    `kinematic_bias_s` is, by kind, the median of kinematic less force times over this trial's plate contacts; it is
    subtracted from kinematic events. `laboratory_difference_s` is the median of ours less the laboratory's,
    `laboratory_worst_s` the largest; NaN if the recording has none.
    """

    events: tuple[GaitEvent, ...]
    kinematic_bias_s: dict[EventKind, float]
    laboratory_difference_s: float
    laboratory_worst_s: float

    def times(self, kind: EventKind, side: Side) -> np.ndarray:
        """The times of one side's events of a kind, ascending."""
        return np.array([e.time_s for e in self.events if e.kind == kind and e.side == side])


def detect_events(
    recording: Recording,
    markers: Markers,
    profile: Profile,
    contacts: Iterable[PlateContact],
    settings: GroundReactionSettings,
) -> GaitEvents:
    """Events of both feet. TrialRejected if a foot is seen too little, or does not swing as in walking.

    Kinematic events follow Zeni et al. (2008, Gait Posture 27:710): a foot strikes when its heel is
    furthest in front of the pelvis, and leaves when its toe is furthest behind. Where the time of such an event,
    set right by the trial's plates, lies outside the record, the laboratory's own event near it is taken.
    """
    contacts = tuple(contacts)
    motion = motion_events(recording.path.name, markers, profile, settings)
    force = {side: _from_force(contacts, markers, side) for side in SIDES}
    bias: dict[EventKind, float] = {
        "foot_strike": _bias("foot_strike", motion, force, settings),
        "foot_off": _bias("foot_off", motion, force, settings),
    }
    events: list[GaitEvent] = []
    for side in SIDES:
        measured = [one for one in contacts if one.side == side and one.usable and (one.strikes or one.leaves)]
        events += force[side]
        for event in motion[side]:
            shifted = replace(event, time_s=event.time_s - bias[event.kind])
            if not markers.time_s[0] <= shifted.time_s <= markers.time_s[-1]:
                near = _laboratorys(event, recording.events, settings)
                events += [near] if near and not _told_by_force(near, measured, settings) else []
            elif not _told_by_force(shifted, measured, settings):
                events.append(shifted)
    ordered = tuple(sorted(events, key=lambda event: (event.time_s, event.side)))
    median, worst = _compare(ordered, recording.events, settings)
    return GaitEvents(events=ordered, kinematic_bias_s=bias, laboratory_difference_s=median, laboratory_worst_s=worst)


def motion_events(
    source: str, markers: Markers, profile: Profile, settings: GroundReactionSettings
) -> dict[Side, list[GaitEvent]]:
    """Both feet's events as motion alone tells them. TrialRejected as by `detect_events`."""
    return {side: _from_motion(source, markers, profile, side, settings) for side in SIDES}


def refuse_left_early(
    contacts: Iterable[PlateContact],
    markers: Markers,
    motion: Mapping[Side, Sequence[GaitEvent]],
    settings: GroundReactionSettings,
) -> tuple[PlateContact, ...]:
    """The same contacts; one that ends long before its foot leaves the floor, as motion tells, is not usable."""
    frame_s = 1 / markers.rate_hz
    found = []
    for contact in contacts:
        if contact.side and contact.usable and contact.leaves and contact.stop_s < markers.time_s[-1] - frame_s:
            offs = [event.time_s for event in motion[contact.side] if event.kind == "foot_off"]
            later_s = min((off - contact.stop_s for off in offs), key=abs, default=0.0)
            if settings.max_early_leave_s < later_s < settings.min_strike_interval_s:
                contact = replace(
                    contact, reason=f"foot rolled off plate {contact.plate} {later_s:.2f} s before it left the floor"
                )
        found.append(contact)
    return tuple(found)


def in_stance(events: GaitEvents, side: Side, time_s: np.ndarray) -> np.ndarray:
    """Whether a foot is on the ground at each time (T,), by its own events alone.

    Before its first event the foot is in the phase that this event ends. Without events it is in stance throughout.
    """
    own = [event for event in events.events if event.side == side]
    if not own:
        return np.ones(len(time_s), dtype=bool)
    down = np.full(len(time_s), own[0].kind == "foot_off")
    for event in own:
        down[time_s >= event.time_s - 1e-9] = event.kind == "foot_strike"
    return down


def _from_force(contacts: tuple[PlateContact, ...], markers: Markers, side: Side) -> list[GaitEvent]:
    frame_s = 1 / markers.rate_hz
    events = []
    for contact in contacts:
        if contact.side != side or not contact.usable:
            continue  # neither start nor end of such a contact are the foot's
        if contact.strikes and contact.start_s > markers.time_s[0] + frame_s:
            events.append(GaitEvent(kind="foot_strike", side=side, time_s=contact.start_s, source="force"))
        if contact.leaves and contact.stop_s < markers.time_s[-1] - frame_s:
            events.append(GaitEvent(kind="foot_off", side=side, time_s=contact.stop_s, source="force"))
    return events


def _told_by_force(event: GaitEvent, measured: Iterable[PlateContact], settings: GroundReactionSettings) -> bool:
    """Whether an event lies so near to a measured contact that force alone tells it."""
    before_s, after_s = settings.max_contact_delay_s, settings.min_swing_s
    if event.kind == "foot_off":
        before_s, after_s = after_s, before_s
    return any(one.start_s - before_s < event.time_s < one.stop_s + after_s for one in measured)


def _laboratorys(event: GaitEvent, laboratory: Iterable[Event], settings: GroundReactionSettings) -> GaitEvent | None:
    """The laboratory's own event that is the same as this one, None without."""
    near = [
        theirs.time_s
        for theirs in laboratory
        if theirs.kind == event.kind
        and theirs.side == event.side
        and abs(theirs.time_s - event.time_s) < settings.max_event_pairing_s
    ]
    if not near:
        return None
    return replace(event, time_s=min(near, key=lambda time_s: abs(time_s - event.time_s)), source="laboratory")


def _from_motion(
    source: str, markers: Markers, profile: Profile, side: Side, settings: GroundReactionSettings
) -> list[GaitEvent]:
    pelvis = np.mean(
        [markers.marker(label)[:, 0] for label in (profile.pelvis.right_anterior, profile.pelvis.left_anterior)],
        axis=0,
    )
    foot = foot_of(profile, side)
    strikes = _peaks(source, markers, markers.middle(foot.heel)[:, 0] - pelvis, foot.heel, settings)
    offs = _peaks(source, markers, pelvis - markers.middle(foot.toe)[:, 0], foot.toe, settings)
    return [GaitEvent(kind="foot_strike", side=side, time_s=t, source="kinematics") for t in strikes] + [
        GaitEvent(kind="foot_off", side=side, time_s=t, source="kinematics") for t in offs
    ]


def _peaks(
    source: str, markers: Markers, reach_m: np.ndarray, labels: tuple[str, ...], settings: GroundReactionSettings
) -> list[float]:
    """Times at which a reach (T,) is largest, to a fraction of a frame."""
    seen = np.isfinite(reach_m)
    if seen.mean() < settings.min_foot_seen_ratio:
        raise TrialRejected(
            "gait_events",
            f"{source}: marker {' and '.join(labels)} and the pelvis are seen together in {seen.mean():.0%} of the "
            f"frames, expected at least {settings.min_foot_seen_ratio:.0%}: steps can't be found. Fill the gaps in the "
            "laboratory's software, or leave the trial out.",
        )
    signal = np.where(seen, reach_m, np.nanmin(reach_m))
    travel_m, least_m = float(np.ptp(signal)), settings.min_foot_travel_m
    if travel_m < least_m:
        raise TrialRejected(
            "gait_events",
            f"{source}: marker {' and '.join(labels)} moves {travel_m * 1e3:.0f} mm fore and aft of the pelvis, "
            f"expected at least {least_m * 1e3:.0f} mm: this is not a walk. Leave it out of session.toml's [trials].",
        )
    return farthest_times(markers.time_s, markers.rate_hz, signal, seen, settings)


def farthest_times(
    time_s: np.ndarray, rate_hz: float, reach: np.ndarray, seen: np.ndarray, settings: GroundReactionSettings
) -> list[float]:
    """Times of a reach's (T,) maxima, one a stride, to a fraction of a frame; frames not `seen` (T,) give none."""
    # The minimum is added at both ends, so that a maximum near an end is as prominent as others. A reach that still
    # grows at the end is no maximum.
    beyond = np.full(1, reach.min())
    peaks, _ = find_peaks(
        np.concatenate([beyond, reach, beyond]),
        distance=max(1, round(settings.min_strike_interval_s * rate_hz)),
        prominence=settings.min_reach_prominence * np.ptp(reach),
    )
    inner = [p - 1 for p in peaks if 1 < p < len(reach) and seen[p - 2 : p + 1].all()]
    return [float(time_s[p] + _vertex(reach[p - 1 : p + 2]) / rate_hz) for p in inner]


def _vertex(three: np.ndarray) -> float:
    """The maximum of the parabola through three equidistant samples, in samples from the middle one."""
    curvature = three[0] - 2 * three[1] + three[2]
    return float(0.5 * (three[0] - three[2]) / curvature) if curvature < 0 else 0.0


def _bias(
    kind: EventKind,
    motion: dict[Side, list[GaitEvent]],
    force: dict[Side, list[GaitEvent]],
    settings: GroundReactionSettings,
) -> float:
    pairs = [
        m.time_s - f.time_s
        for side in SIDES
        for f in force[side]
        for m in motion[side]
        if f.kind == m.kind == kind and abs(m.time_s - f.time_s) < settings.max_event_pairing_s
    ]
    return float(np.median(pairs)) if pairs else 0.0


def _compare(
    ours: tuple[GaitEvent, ...], laboratory: Iterable[Event], settings: GroundReactionSettings
) -> tuple[float, float]:
    """Ours less the laboratory's events: the median and the largest difference, NaN without any to compare."""
    differences = []
    for theirs in laboratory:
        same = [e.time_s - theirs.time_s for e in ours if e.kind == theirs.kind and e.side == theirs.side]
        close = [d for d in same if abs(d) < settings.min_strike_interval_s / 2]
        if close:
            differences.append(min(close, key=abs))
    if not differences:
        return float("nan"), float("nan")
    return float(np.median(differences)), float(max(differences, key=abs))
