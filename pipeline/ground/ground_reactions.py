"""The ground's reaction on each foot at every marker frame, and where it isn't known."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.contacts import GRAVITY_M_S2, find_contacts, plates_in_ground
from pipeline.ground.foot_wrench import foot_wrench
from pipeline.ground.gait_events import GaitEvents, detect_events
from pipeline.markers.trajectories import Trajectories
from pipeline.records import SIDES, FootWrench, ForcePlate, Recording, Side
from pipeline.session.profile import Profile, foot_of
from pipeline.session.recipe import GroundReactionSettings, ScalingSettings

# The filter spreads a stance's force over a little more than the stance: the impulse takes in what it spread.
FILTER_SPREAD_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundReactions:
    """Gait events and ground reactions of one walk.

    `impulse_error` is a stride's vertical impulse over body weight times duration, less one; NaN if no stride has both
    feet on plates.
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
    events = detect_events(recording, tracks.recorded, profile, contacts, settings)
    wrenches = {
        side: foot_wrench(side, foot_of(profile, side), recording, plates, contacts, events, tracks.recorded, settings)
        for side in SIDES
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
                if abs(late_s) > settings.max_event_difference_s
                else []
            ),
        ),
    )


def stride_impulse_errors(
    wrenches: dict[Side, FootWrench], events: GaitEvents, mass_kg: float
) -> dict[Side, list[float]]:
    """Vertical impulse of each stride over body weight times its duration, less one; zero in steady walking.

    Only strides count whose stance and whose following stance of the other foot are known throughout.
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
            "session.toml and the plates' calibration.",
        )
    return error


def check_standing(
    recording: Recording, plates: Sequence[ForcePlate], mass_kg: float, settings: ScalingSettings
) -> float:
    """Mean vertical force of quiet standing over body weight, less one; NaN if the plates weren't stood on.

    TrialRejected if both feet stood on plates and the stated mass disagrees.
    """
    body_n = mass_kg * GRAVITY_M_S2
    total = sum((plate.force_n[:, 1] for plate in plates), np.zeros(1))
    carried = float(np.median(total)) / body_n
    loaded = sum(bool(np.median(plate.force_n[:, 1]) > settings.min_foot_body_weights * body_n) for plate in plates)
    if carried < settings.min_standing_body_weights and loaded < 2:
        return float("nan")
    if abs(carried - 1) > settings.max_standing_error:
        raise TrialRejected(
            "scaling",
            f"{recording.path.name}: standing on the plates weighs {carried * mass_kg:.1f} kg, but {mass_kg} kg are "
            f"stated, expected them within {settings.max_standing_error:.0%}. Check the mass in session.toml.",
        )
    return carried - 1


def _refuse_without_plates(recording: Recording) -> None:
    if not recording.plates:
        told = "; ".join(warning for warning in recording.warnings if "plate" in warning)
        why = f" ({told})" if told else ""
        raise TrialRejected(
            "ground_reactions",
            f"{recording.path.name}: holds no force plate{why}, expected at least one under a step: without ground "
            "reactions there are no moments. Export the plates with the walk (FORCE_PLATFORM and its analog channels), "
            "set `kinematics_only = true` in session.toml where joint angles suffice, or leave the trial out.",
        )


def _stance_impulse(wrench: FootWrench, events: GaitEvents, strike_s: float) -> float | None:
    """Vertical impulse (N·s) of the stance that a strike begins; None unless it is known throughout."""
    offs = [t for t in events.times("foot_off", wrench.side) if t > strike_s]
    if not offs:
        return None
    wide = (wrench.time_s > strike_s - FILTER_SPREAD_S) & (wrench.time_s < offs[0] + FILTER_SPREAD_S)
    during = (wrench.time_s >= strike_s) & (wrench.time_s <= offs[0])
    if not during.any() or not wrench.known[during].all():
        return None
    return float(np.trapezoid(wrench.force_n[wide, 1], wrench.time_s[wide]))
