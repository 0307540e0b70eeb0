"""Foot strikes and toe offs from motion alone, as a walk without force plates has them."""

from dataclasses import replace

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.gait_events import EventKind, GaitEvent, GaitEvents, detect_events, farthest_times
from pipeline.records import SIDES, Markers, Recording, Side
from pipeline.session.profile import Profile
from pipeline.session.recipe import GroundReactionSettings
from warehouse.channels import INPUT_COORDINATES

# How much later than its heel is farthest forward a foot bears 20 N, over the stride's duration: the median of 27 plate
# contacts of six adults at two speeds and of three children, half of them between 0.040 and 0.050
# (`python -m benchmarks.kinematic_events SESSION…`).
STRIKE_DELAY = 0.044
# Thigh, shank, and the ankle's height and distances from heel and from the metatarsals' heads, over body height:
# Drillis and Contini (1966), as in Winter (2009), fig. 4.1. Of the foot's length, 0.152, the ankle has a quarter behind
# it, and the metatarsals' heads are as far in front of it as half.
THIGH, SHANK, ANKLE_HEIGHT, ANKLE_TO_HEEL, ANKLE_TO_TOE = 0.245, 0.246, 0.039, 0.038, 0.076
# A foot that swings less than this share of body height fore and aft of the hip doesn't walk: 0.1 m, as for markers.
SMALLEST_SWING = 0.06


def events_of_markers(
    recording: Recording, markers: Markers, profile: Profile, settings: GroundReactionSettings
) -> GaitEvents:
    """Events as heels and toes tell them (Zeni et al. 2008, Gait Posture 27:710), strikes set to when the foot bears.

    TrialRejected if a foot is seen too little, or does not swing as in walking.
    """
    return _delayed(detect_events(recording, markers, profile, (), settings), markers.time_s[-1])


def events_of_angles(
    source: str, time_s: np.ndarray, angles_deg: np.ndarray, settings: GroundReactionSettings
) -> GaitEvents:
    """Events as ten joint angles (T, 10) tell them: the same rule, for an average leg under a pelvis that keeps still.

    NaN tells nothing. TrialRejected if a leg does not swing as in walking.
    """
    events = [event for side in SIDES for event in _of_leg(source, time_s, angles_deg, side, settings)]
    events.sort(key=lambda event: (event.time_s, event.side))
    of_motion = GaitEvents(
        events=tuple(events),
        kinematic_bias_s={},
        laboratory_difference_s=float("nan"),
        laboratory_worst_s=float("nan"),
    )
    return _delayed(of_motion, time_s[-1])


def _of_leg(
    source: str, time_s: np.ndarray, angles_deg: np.ndarray, side: Side, settings: GroundReactionSettings
) -> list[GaitEvent]:
    heel, toe = _reach(angles_deg, side)
    seen = np.isfinite(heel)
    swing = np.ptp(heel[seen]) if seen.any() else 0.0
    if swing < SMALLEST_SWING:
        raise TrialRejected(
            "gait_events",
            f"{source}: by these angles the {side} heel swings {swing:.1%} of body height fore and aft, expected at "
            f"least {SMALLEST_SWING:.0%}: this is not a walk, or the angles are in another unit than stated.",
        )
    rate_hz = 1 / float(np.median(np.diff(time_s)))
    reaches: dict[EventKind, np.ndarray] = {"foot_strike": heel, "foot_off": -toe}
    return [
        GaitEvent(kind=kind, side=side, time_s=at, source="kinematics")
        for kind, reach in reaches.items()
        for at in farthest_times(time_s, rate_hz, np.where(seen, reach, np.nanmin(reach)), seen, settings)
    ]


def _reach(angles_deg: np.ndarray, side: Side) -> tuple[np.ndarray, np.ndarray]:
    """How far heel and toe (T,) are in front of the hip, over body height, in the sagittal plane."""
    letter = side[0]
    columns = [INPUT_COORDINATES.index(f"{name}_{letter}") for name in ("hip_flexion", "knee_angle", "ankle_angle")]
    hip, knee, ankle = np.radians(angles_deg[:, columns]).T
    foot = hip - knee + ankle
    ankle_ahead = THIGH * np.sin(hip) + SHANK * np.sin(hip - knee) + ANKLE_HEIGHT * np.sin(foot)
    return ankle_ahead - ANKLE_TO_HEEL * np.cos(foot), ankle_ahead + ANKLE_TO_TOE * np.cos(foot)


def _delayed(events: GaitEvents, end_s: float) -> GaitEvents:
    """Strikes set from where the heel is farthest forward to when the foot bears; one beyond the record is dropped.

    A foot that strikes once has no stride to tell the delay by, and none to cut: its strike is left out.
    """
    strikes = {side: events.times("foot_strike", side) for side in SIDES}
    delay_s = {side: STRIKE_DELAY * float(np.median(np.diff(at))) for side, at in strikes.items() if len(at) > 1}
    moved = [
        replace(event, time_s=event.time_s + delay_s[event.side]) if event.kind == "foot_strike" else event
        for event in events.events
        if event.kind == "foot_off" or event.side in delay_s
    ]
    kept = (event for event in moved if event.time_s <= end_s)
    return replace(events, events=tuple(sorted(kept, key=lambda event: (event.time_s, event.side))))
