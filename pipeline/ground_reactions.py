"""The ground's action on each foot at every marker frame, and where it isn't known."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.contacts import GRAVITY_M_S2, Contact, find_contacts, plates_in_ground
from pipeline.errors import TrialRejected
from pipeline.force_plates import centre_of_pressure
from pipeline.gait_events import GaitEvents, detect_events, in_stance
from pipeline.profile import Profile
from pipeline.recipe import GroundReactionSettings
from pipeline.records import SIDES, FootWrench, ForcePlate, Markers, Recording, Side
from pipeline.signals import low_pass
from pipeline.trajectories import Trajectories

# Events of the laboratory further than this from ours are worth a look.
EVENT_DIFFERENCE_S = 0.05


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundReactions:
    """What the plates and the feet tell of one walk.

    `impulse_error` is a stride's vertical impulse over body weight times duration, less one; NaN if none tells.
    """

    events: GaitEvents
    wrenches: dict[Side, FootWrench]
    impulse_error: float
    warnings: tuple[str, ...]


def ground_reactions(
    recording: Recording, tracks: Trajectories, profile: Profile, mass_kg: float, settings: GroundReactionSettings
) -> GroundReactions:
    """Contacts, gait events and wrenches, checked against the body's weight. TrialRejected if that fails."""
    _refuse_without_plates(recording)
    plates = plates_in_ground(recording, tracks.rotation)
    contacts = find_contacts(recording, plates, tracks.recorded, profile, mass_kg, settings)
    events = detect_events(recording, tracks.recorded, profile, contacts)
    wrenches = {
        side: foot_wrench(side, recording, plates, contacts, events, tracks.recorded, settings) for side in SIDES
    }
    errors = stride_impulse_errors(wrenches, events, mass_kg)
    late_s = events.laboratory_worst_s
    return GroundReactions(
        events=events,
        wrenches=wrenches,
        impulse_error=check_body_weight(recording, errors, mass_kg, settings),
        warnings=(
            *(f"plate contact at {contact.start_s:.2f} s: {contact.reason}" for contact in contacts if contact.reason),
            *(
                [f"the laboratory's own events differ by up to {late_s:+.3f} s"]
                if abs(late_s) > EVENT_DIFFERENCE_S
                else []
            ),
        ),
    )


def stride_impulse_errors(
    wrenches: dict[Side, FootWrench], events: GaitEvents, mass_kg: float
) -> dict[Side, list[float]]:
    """Vertical impulse of each known stance pair against body weight times the stride's duration, less one.

    A stride in steady walking gives the body as much momentum as gravity takes. It needs both feet's
    stances within it: one after the other where both are known.
    """
    errors: dict[Side, list[float]] = {side: [] for side in SIDES}
    for side in SIDES:
        other: Side = "left" if side == "right" else "right"
        strikes = events.times("foot_strike", side)
        for start, stop in pairwise(strikes):
            impulses = [_stance_impulse(wrenches[side], events, start)]
            following = [t for t in events.times("foot_strike", other) if start < t < stop]
            impulses += [_stance_impulse(wrenches[other], events, t) for t in following]
            if len(impulses) == 2 and all(value is not None for value in impulses):
                total = sum(value for value in impulses if value is not None)
                errors[side].append(total / (mass_kg * GRAVITY_M_S2 * (stop - start)) - 1)
    return errors


def check_body_weight(
    recording: Recording, errors: dict[Side, list[float]], mass_kg: float, settings: GroundReactionSettings
) -> float:
    """The median relative error over strides, NaN without one. TrialRejected if the mass can't be right."""
    values = [value for side in SIDES for value in errors[side]]
    if not values:
        return float("nan")
    error = float(np.median(values))
    if abs(error) > settings.max_impulse_error:
        raise TrialRejected(
            "ground_reactions",
            f"{recording.path.name}: over a stride the plates carry {1 + error:.2f} times the body's weight "
            f"({mass_kg} kg stated), expected 1 within {settings.max_impulse_error:.0%}. Check the mass in "
            "session.toml and "
            "the plates' calibration.",
        )
    return error


def check_standing(
    recording: Recording, plates: Sequence[ForcePlate], mass_kg: float, settings: GroundReactionSettings
) -> float:
    """Mean vertical force of quiet standing over body weight, less one; NaN if the plates weren't stood on.

    TrialRejected if both feet stood on plates and the stated mass disagrees.
    """
    body_n = mass_kg * GRAVITY_M_S2
    total = sum((plate.force_n[:, 1] for plate in plates), np.zeros(1))
    carried = float(np.median(total)) / body_n
    if carried < 0.8 and not _both_feet(plates, settings):
        return float("nan")
    if abs(carried - 1) > settings.max_standing_error:
        raise TrialRejected(
            "scaling",
            f"{recording.path.name}: standing on the plates weighs {carried * mass_kg:.1f} kg, but {mass_kg} kg "
            "are stated, "
            f"expected them within {settings.max_standing_error:.0%}. Check the mass in session.toml.",
        )
    return carried - 1


def _both_feet(plates: Sequence[ForcePlate], settings: GroundReactionSettings) -> bool:
    loaded = [plate for plate in plates if np.median(plate.force_n[:, 1]) > settings.contact_threshold_n]
    return len(loaded) >= 2


def _refuse_without_plates(recording: Recording) -> None:
    if not recording.plates:
        told = "; ".join(warning for warning in recording.warnings if "plate" in warning)
        why = f" ({told})" if told else ""
        raise TrialRejected(
            "ground_reactions",
            f"{recording.path.name}: holds no force plate{why}, expected at least one under a step: without ground "
            "reactions there are no moments. Export the plates with the walk (FORCE_PLATFORM and its analog channels), "
            "or leave the trial out.",
        )


def foot_wrench(
    side: Side,
    recording: Recording,
    plates: Sequence[ForcePlate],
    contacts: Sequence[Contact],
    events: GaitEvents,
    markers: Markers,
    settings: GroundReactionSettings,
) -> FootWrench:
    """One foot's wrench, low-pass filtered, at the marker frames, in the ground frame.

    A frame is known when the foot swings, or stands in a usable contact. A stance without one keeps its
    reason, so that no number is computed as if nothing acted on that foot.
    """
    own = [contact for contact in contacts if contact.side == side]
    usable = [contact for contact in own if contact.usable]
    point_m = _floor_point(plates)
    force_n, moment_nm = _summed(recording, plates, usable, point_m, settings)
    ratio = round(recording.analog_rate_hz / recording.point_rate_hz)
    at_frames = slice(None, len(markers.time_s) * ratio, ratio)
    force_n, moment_nm = force_n[at_frames], moment_nm[at_frames]
    reason = _reasons(side, own, events, markers)
    cop_m, free_moment_nm = _centre(force_n, moment_nm, point_m, settings.contact_threshold_n)
    return FootWrench(
        side=side,
        time_s=markers.time_s,
        point_m=point_m,
        force_n=force_n,
        moment_nm=moment_nm,
        cop_m=cop_m,
        free_moment_nm=free_moment_nm,
        known=reason == "",
        reason=reason,
    )


def _floor_point(plates: Sequence[ForcePlate]) -> np.ndarray:
    return np.mean([plate.corners_m.mean(axis=0) for plate in plates], axis=0) if plates else np.zeros(3)


def _summed(
    recording: Recording,
    plates: Sequence[ForcePlate],
    contacts: Sequence[Contact],
    point_m: np.ndarray,
    settings: GroundReactionSettings,
) -> tuple[np.ndarray, np.ndarray]:
    """Force and moment about `point_m` of the given contacts only, (S, 3) each, filtered."""
    samples = len(recording.analog)
    force_n, moment_nm = np.zeros((samples, 3)), np.zeros((samples, 3))
    time_s = recording.time_s[0] + np.arange(samples) / recording.analog_rate_hz
    by_number = {plate.number: plate for plate in plates}
    for contact in contacts:
        plate = by_number[contact.plate]
        during = (time_s >= contact.start_s - 1e-9) & (time_s < contact.stop_s - 1e-9)
        # Outside its contact a plate shows drift and other people's steps, not this foot.
        force_n[during] += plate.force_n[during]
        moment_nm[during] += plate.moment_nm[during] + np.cross(plate.origin_m - point_m, plate.force_n[during])
    if not contacts:
        return force_n, moment_nm
    rate, cutoff = recording.analog_rate_hz, settings.force_cutoff_hz
    return low_pass(force_n, rate, cutoff), low_pass(moment_nm, rate, cutoff)


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


def _reasons(side: Side, own: Sequence[Contact], events: GaitEvents, markers: Markers) -> np.ndarray:
    time_s = markers.time_s
    covered = np.zeros(len(time_s), dtype=bool)
    reason = np.full(len(time_s), "", dtype=object)
    reason[in_stance(events, side, time_s)] = "stance without a plate"
    for contact in own:
        during = (time_s >= contact.start_s - 1e-9) & (time_s < contact.stop_s - 1e-9)
        reason[during & ~covered] = contact.reason
        covered |= during if contact.usable else False
    return reason


def _stance_impulse(wrench: FootWrench, events: GaitEvents, strike_s: float) -> float | None:
    """Vertical impulse (N·s) of the stance that a strike begins; None unless it is known throughout."""
    offs = [t for t in events.times("foot_off", wrench.side) if t > strike_s]
    if not offs:
        return None
    # The filter spreads a stance's force over a little more than the stance: take in what it spread.
    spread_s = 0.1
    wide = (wrench.time_s > strike_s - spread_s) & (wrench.time_s < offs[0] + spread_s)
    during = (wrench.time_s >= strike_s) & (wrench.time_s <= offs[0])
    if not during.any() or not wrench.known[during].all():
        return None
    return float(np.trapezoid(wrench.force_n[wide, 1], wrench.time_s[wide]))
