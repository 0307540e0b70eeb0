"""What the subject weighs by the plates, standing and walking, and whether the stated mass agrees."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.contacts import GRAVITY_M_S2, plates_in_ground
from pipeline.ground.floor import foot_beyond_m
from pipeline.markers.ground_frame import ground_rotation
from pipeline.markers.static_trial import StaticTrial
from pipeline.records import SIDES, ForcePlate, Markers, Recording
from pipeline.session.profile import Profile, foot_of
from pipeline.session.recipe import GroundReactionSettings, Recipe

# Two weighings contradict each other beyond this many standard deviations of their difference.
CONTRADICTION_SDS = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Weighing:
    """One way in which the plates weighed the subject, and how sure it is.

    `sd` and `limit` are relative: a standard deviation, and how far the stated mass may be from it. `aside` says why it
    tells nothing, "" if it does.
    """

    how: str
    mass_kg: float
    sd: float
    limit: float
    aside: str = ""


def weigh_standing(static: StaticTrial, profile: Profile, mass_kg: float, recipe: Recipe) -> Weighing | None:
    """The subject's weight in the static trial, None if no plate was stood on.

    It is set aside if a foot isn't wholly on loaded plates: they carry a part of it only.
    """
    if not static.stands or not all(plate.has_edges for plate in static.recording.plates):
        return None
    settings = recipe.scaling
    plates = plates_in_ground(static.recording, ground_rotation(static.recording, profile))
    known = {plate.number: plate.force_n[np.isfinite(plate.force_n[:, 1]), 1] for plate in plates}
    loads_n = {number: float(np.median(vertical_n)) if len(vertical_n) else 0.0 for number, vertical_n in known.items()}
    least_n = settings.min_foot_body_weights * mass_kg * GRAVITY_M_S2
    loaded = [plate for plate in plates if loads_n[plate.number] > least_n]
    if not loaded:
        return None
    return Weighing(
        how="standing",
        mass_kg=sum(loads_n.values()) / GRAVITY_M_S2,
        sd=recipe.ground_reactions.plates_mass_sd,
        limit=settings.max_standing_error,
        aside=_over_an_edge(loaded, static.pose, profile),
    )


def weigh_walking(errors: Sequence[float], mass_kg: float, settings: GroundReactionSettings) -> Weighing | None:
    """The subject's weight over strides whose vertical impulse is off by `errors`, relative; None without one."""
    if not errors:
        return None
    return Weighing(
        how="walking",
        mass_kg=mass_kg * (1 + float(np.median(errors))),
        sd=float(np.hypot(settings.plates_mass_sd, settings.stride_mass_sd / np.sqrt(len(errors)))),
        limit=settings.max_impulse_error,
    )


def check_mass(
    source: str, mass_kg: float, weighings: Sequence[Weighing], settings: GroundReactionSettings
) -> list[str]:
    """What a person should know of the stated mass. TrialRejected if the plates weigh another.

    Whole strides must carry the walker's weight, whatever standing weighs: moments are of the walk's force.
    Weighings that agree are averaged by their certainty. Of two that contradict each other, the less sure one is set
    aside.
    """
    for walking in weighings:
        if walking.how == "walking":
            _refuse_another_mass(source, mass_kg, [walking])
    weighings = _contradictions_aside(weighings)
    believed = [one for one in weighings if not one.aside]
    if believed:
        _refuse_another_mass(source, mass_kg, believed)
    told = [
        f"{one.how} weighs {one.mass_kg:.1f} ± {one.sd * one.mass_kg:.1f} kg, {_against(one.mass_kg, mass_kg)} "
        f"the {mass_kg:g} kg stated{f'; it is set aside: {one.aside}' if one.aside else ''}"
        for one in weighings
        if abs(one.mass_kg / mass_kg - 1) > settings.report_mass_difference
    ]
    if not believed:
        told.append(
            "neither standing nor over a stride were both feet wholly on plates: the stated mass could not be checked "
            "against the ground's force"
        )
    return told


def other_masses_in_files(
    recordings: Sequence[Recording], mass_kg: float, settings: GroundReactionSettings
) -> list[str]:
    """Which recordings state a mass that is far from the session's, which is used."""
    stated: dict[float, list[str]] = {}
    for recording in recordings:
        mass = recording.subject.mass_kg
        if mass is not None and abs(mass / mass_kg - 1) > settings.report_mass_difference:
            stated.setdefault(mass, []).append(recording.path.name)
    return [
        f"the mass stated in {', '.join(names)} is {mass:.4g} kg, {_against(mass, mass_kg)} session.toml's "
        f"{mass_kg:g} kg, which is used"
        for mass, names in stated.items()
    ]


def _contradictions_aside(weighings: Sequence[Weighing]) -> list[Weighing]:
    """The same, the less sure of two that contradict each other set aside."""
    believed = [one for one in weighings if not one.aside]
    if len(believed) < 2:
        return list(weighings)
    surer, other = sorted(believed, key=lambda one: one.sd * one.mass_kg)[:2]
    sd_kg = np.hypot(surer.sd * surer.mass_kg, other.sd * other.mass_kg)
    if abs(surer.mass_kg - other.mass_kg) <= CONTRADICTION_SDS * sd_kg:
        return list(weighings)
    why = f"{surer.how} weighs {surer.mass_kg:.1f} kg, which is surer"
    return [replace(one, aside=why) if one is other else one for one in weighings]


def _refuse_another_mass(source: str, mass_kg: float, believed: Sequence[Weighing]) -> None:
    certainty = np.array([1 / (one.sd * one.mass_kg) ** 2 for one in believed])
    weighed_kg = float(certainty @ [one.mass_kg for one in believed] / certainty.sum())
    limit = min(one.limit for one in believed)
    if abs(weighed_kg / mass_kg - 1) > limit:
        how = ", ".join(f"{one.how} {one.mass_kg:.1f} ± {one.sd * one.mass_kg:.1f} kg" for one in believed)
        raise TrialRejected(
            "ground_reactions",
            f"{source}: the plates weigh {weighed_kg:.1f} kg ({how}), {_against(weighed_kg, mass_kg)} the "
            f"{mass_kg:g} kg stated, expected the same within {limit:.0%}. Check the mass in session.toml, the plates' "
            "calibration, and whether something else bore a part of the weight.",
        )


def _over_an_edge(plates: Sequence[ForcePlate], pose: Markers, profile: Profile) -> str:
    """Which foot isn't wholly on these plates, and by how much; "" if both are."""
    for side in SIDES:
        foot = foot_of(profile, side)
        if not set(foot.labels) <= set(pose.labels):
            return f"the {side} foot's place is not known"
        beyond_m, nearest = foot_beyond_m(pose.middle(foot.heel)[0], pose.middle(foot.toe)[0], plates)
        if beyond_m > 0:
            return f"the {side} foot reaches {beyond_m * 1e3:.0f} mm over the edge of plate {nearest}"
    return ""


def _against(value: float, expected: float) -> str:
    off = value / expected - 1
    return f"{abs(off):.1%} {'more' if off > 0 else 'less'} than"
