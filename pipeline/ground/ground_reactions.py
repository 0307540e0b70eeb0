"""The ground's reaction on each foot at every marker frame, and where it isn't known."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.body_weight import check_mass, other_masses_in_files, weigh_standing, weigh_walking
from pipeline.ground.contacts import GRAVITY_M_S2, PlateContact, find_contacts, plates_in_ground
from pipeline.ground.foot_wrench import foot_wrench, plate_shares
from pipeline.ground.gait_events import GaitEvents, detect_events, motion_events, refuse_left_early
from pipeline.ground.smoothed_forces import smoothing_warnings
from pipeline.markers.static_trial import StaticTrial
from pipeline.markers.trajectories import Trajectories
from pipeline.records import SIDES, FootWrench, ForcePlate, Recording, Side
from pipeline.session.profile import Profile, foot_of
from pipeline.session.recipe import GroundReactionSettings, Recipe

# The filter spreads a stance's force over a little more than the stance: the impulse takes in what it spread.
FILTER_SPREAD_S = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundReactions:
    """Gait events and ground reactions of one walk.

    `impulse_error` is a stride's vertical impulse over body weight times duration, less one; NaN if no stride has both
    feet on plates. `shares`: what each plate alone measured, of `plate_shares`.
    """

    events: GaitEvents
    wrenches: dict[Side, FootWrench]
    impulse_error: float
    shares: tuple[ForcePlate, ...]
    warnings: tuple[str, ...]


def ground_reactions(
    recording: Recording,
    tracks: Trajectories,
    static: StaticTrial,
    profile: Profile,
    mass_kg: float,
    recipe: Recipe,
) -> GroundReactions:
    """Contacts, gait events and wrenches, checked against the body's weight. TrialRejected if that fails."""
    _refuse_without_plates(recording)
    settings = recipe.ground_reactions
    plates = plates_in_ground(recording, tracks.rotation)
    contacts = refuse_left_early(
        find_contacts(recording, plates, tracks.recorded, profile, mass_kg, settings),
        tracks.recorded,
        motion_events(recording.path.name, tracks.recorded, profile, settings),
        settings,
    )
    events = detect_events(recording, tracks.recorded, profile, contacts, settings)
    wrenches = {
        side: foot_wrench(side, foot_of(profile, side), recording, plates, contacts, events, tracks.recorded, settings)
        for side in SIDES
    }
    helped = [contact for contact in contacts if contact.side is None]
    errors = [e for found in stride_impulse_errors(wrenches, events, mass_kg, helped).values() for e in found]
    weighings = (weigh_standing(static, profile, mass_kg, recipe), weigh_walking(errors, mass_kg, settings))
    late_s = events.laboratory_worst_s
    return GroundReactions(
        events=events,
        wrenches=wrenches,
        impulse_error=float(np.median(errors)) if errors else float("nan"),
        shares=plate_shares(recording, contacts, tracks.recorded, settings),
        warnings=(
            *check_mass(recording.path.name, mass_kg, [one for one in weighings if one], settings),
            *other_masses_in_files((recording, static.recording), mass_kg, settings),
            *(f"plate contact at {contact.start_s:.2f} s: {contact.reason}" for contact in contacts if contact.reason),
            *_over_edges(contacts, settings),
            *smoothing_warnings(recording, plates, contacts, mass_kg, settings),
            *(
                [f"the laboratory's own events differ by up to {late_s:+.3f} s"]
                if abs(late_s) > settings.max_event_difference_s
                else []
            ),
        ),
    )


def _over_edges(contacts: Sequence[PlateContact], settings: GroundReactionSettings) -> list[str]:
    """Which usable contacts may lack a part of their load, since the sole reaches over the plate's edge."""
    return [
        f"plate contact at {one.start_s:.2f} s: the {one.side} sole reaches {one.over_edge_m * 1e3:.0f} mm over the "
        f"edge of plate {one.plate}, and a part of its load may be missing"
        for one in contacts
        if one.usable and settings.edge_margin_m < one.over_edge_m < np.inf
    ]


def stride_impulse_errors(
    wrenches: dict[Side, FootWrench], events: GaitEvents, mass_kg: float, helped: Sequence[PlateContact] = ()
) -> dict[Side, list[float]]:
    """Vertical impulse of each stride over body weight times its duration, less one; zero in steady walking.

    Only strides count whose stance and whose following stance of the other foot are known throughout, and during which
    nothing but feet touched a plate: `helped` are contacts by something else.
    """
    errors: dict[Side, list[float]] = {side: [] for side in SIDES}
    for side in SIDES:
        other: Side = "left" if side == "right" else "right"
        strikes = events.times("foot_strike", side)
        for start, stop in pairwise(strikes):
            if any(contact.start_s < stop and start < contact.stop_s for contact in helped):
                continue
            impulses = [_stance_impulse(wrenches[side], events, start)]
            following = [t for t in events.times("foot_strike", other) if start < t < stop]
            impulses += [_stance_impulse(wrenches[other], events, t) for t in following]
            if len(impulses) == 2 and all(value is not None for value in impulses):
                total = sum(value for value in impulses if value is not None)
                errors[side].append(total / (mass_kg * GRAVITY_M_S2 * (stop - start)) - 1)
    return errors


def _refuse_without_plates(recording: Recording) -> None:
    if recording.plates:
        return
    told = "; ".join(warning for warning in recording.warnings if "plate" in warning)
    why = f" ({told})" if told else ""
    found, advice = (
        ("holds no force plate", "Export the plates with the walk (FORCE_PLATFORM and its analog channels)")
        if recording.reader == "c3d"
        else ("has no ground reactions beside it", "Name them as the trial's `forces`, or `STEM_grf.mot`")
    )
    raise TrialRejected(
        "ground_reactions",
        f"{recording.path.name}: {found}{why}, expected at least one under a step: without ground reactions there are "
        f"no moments. {advice}, set `kinematics_only = true` in session.toml where joint angles suffice, or leave the "
        "trial out.",
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
