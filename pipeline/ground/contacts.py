"""Which foot stood on which plate, when, and whether the plate measured its whole reaction.

Everything here is in the ground frame. Shapes: S analog samples, T marker frames.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.errors import TrialRejected
from pipeline.records import SIDES, ForcePlate, Markers, Recording, Side
from pipeline.session.profile import Profile, foot_of
from pipeline.session.recipe import GroundReactionSettings
from pipeline.signals import debounced, runs

GRAVITY_M_S2 = 9.80665
# The toes reach beyond the second metatarsal's head by about this share of its distance from the heel.
TOE_OVERHANG = 0.35
# A plate has its vertical channel's sign reversed if it pulls with more than the first share of body weight and never
# pushes with more than the second.
PULLED_BODY_WEIGHTS, PUSHED_BODY_WEIGHTS = 0.5, 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateContact:
    """One loading of one plate. `reason` says why it doesn't measure `side`'s whole reaction, "" if it does."""

    plate: int
    start_s: float
    stop_s: float
    side: Side | None
    reason: str
    peak_n: float

    @property
    def usable(self) -> bool:
        """Whether the plate measured this foot's whole reaction and nothing else."""
        return self.side is not None and not self.reason


def plates_in_ground(recording: Recording, rotation: np.ndarray) -> tuple[ForcePlate, ...]:
    """The recording's plates with every vector turned into the ground frame."""
    return tuple(
        replace(
            plate,
            corners_m=plate.corners_m @ rotation.T,
            origin_m=rotation @ plate.origin_m,
            normal=rotation @ plate.normal,
            force_n=plate.force_n @ rotation.T,
            moment_nm=plate.moment_nm @ rotation.T,
        )
        for plate in recording.plates
    )


def find_contacts(
    recording: Recording,
    plates: Iterable[ForcePlate],
    markers: Markers,
    profile: Profile,
    mass_kg: float,
    settings: GroundReactionSettings,
) -> tuple[PlateContact, ...]:
    """Every loading of every plate, assigned to the foot whose axis its centre of pressure follows.

    TrialRejected if the centre of pressure is under a foot only with a plate's sign reversed: that is an error of the
    file, and guessing would give wrong moments.
    """
    contacts = []
    for plate in plates:
        _refuse_upside_down(recording, plate, mass_kg)
        loaded = debounced(
            plate.force_n[:, 1] > settings.contact_threshold_n, recording.analog_rate_hz, settings.debounce_s
        )
        for start, stop in runs(loaded):
            contacts.append(_contact(recording, plate, (start, stop), markers, profile, mass_kg, settings))
    return tuple(sorted(contacts, key=lambda contact: (contact.start_s, contact.plate)))


def distance_to_foot_m(points_m: np.ndarray, heel_m: np.ndarray, toe_m: np.ndarray) -> np.ndarray:
    """Horizontal distance (T,) from points (T, 3) to the foot's axis, heel to the toes' tips; NaN where unseen."""
    ground = [0, 2]
    heel, point = heel_m[:, ground], points_m[:, ground]
    axis = (toe_m[:, ground] - heel) * (1 + TOE_OVERHANG)
    along = np.sum((point - heel) * axis, axis=1) / np.sum(axis * axis, axis=1)
    nearest = heel + np.clip(along, 0, 1)[:, None] * axis
    return np.linalg.norm(point - nearest, axis=1)


def distance_to_edge_m(points_m: np.ndarray, corners_m: np.ndarray) -> np.ndarray:
    """Horizontal distance (T,) from points (T, 3) inwards to the nearest edge of a plate; negative outside it."""
    corners = corners_m[:, [0, 2]]
    centre = corners.mean(axis=0)
    distances = []
    for index in range(4):
        start, stop = corners[index], corners[(index + 1) % 4]
        edge = (stop - start) / np.linalg.norm(stop - start)
        inward = np.array([-edge[1], edge[0]])
        inward = inward * np.sign((centre - start) @ inward)
        distances.append((points_m[:, [0, 2]] - start) @ inward)
    return np.min(distances, axis=0)


def _refuse_upside_down(recording: Recording, plate: ForcePlate, mass_kg: float) -> None:
    vertical = plate.force_n[:, 1]
    body_n = mass_kg * GRAVITY_M_S2
    if vertical.min() < -PULLED_BODY_WEIGHTS * body_n and vertical.max() < PUSHED_BODY_WEIGHTS * body_n:
        raise TrialRejected(
            "ground_reactions",
            f"{recording.path.name}: plate {plate.number} pulls the body down by up to {-vertical.min():.0f} N, "
            "expected it to push up. Its vertical channel has the opposite sign: correct FORCE_PLATFORM or the export.",
        )


def _contact(
    recording: Recording,
    plate: ForcePlate,
    samples: tuple[int, int],
    markers: Markers,
    profile: Profile,
    mass_kg: float,
    settings: GroundReactionSettings,
) -> PlateContact:
    start_s, stop_s = (recording.time_s[0] + index / recording.analog_rate_hz for index in samples)
    ratio = round(recording.analog_rate_hz / recording.point_rate_hz)
    frames = np.arange(-(-samples[0] // ratio), -(-samples[1] // ratio))
    frames = frames[frames < len(markers.time_s)]
    peak_n = float(plate.force_n[slice(*samples), 1].max())
    body_n = mass_kg * GRAVITY_M_S2
    at_frames = replace(plate, force_n=plate.force_n[frames * ratio], moment_nm=plate.moment_nm[frames * ratio])
    side: Side | None = None
    if peak_n < settings.min_peak_body_weights * body_n or len(frames) < 3:
        # The edge of a foot on a second plate takes a part of its load, which the first plate then lacks.
        side = _side_under(at_frames, frames, markers, profile, settings)[0]
        reason = f"plate {plate.number} carried only {peak_n:.0f} N"
    else:
        side, reason = _nearest_side(recording, at_frames, frames, markers, profile, settings)
        reason = reason or _unusable(at_frames, frames, markers, profile, side, body_n, settings)
    return PlateContact(plate=plate.number, start_s=start_s, stop_s=stop_s, side=side, reason=reason, peak_n=peak_n)


def _nearest_side(
    recording: Recording,
    plate: ForcePlate,
    frames: np.ndarray,
    markers: Markers,
    profile: Profile,
    settings: GroundReactionSettings,
) -> tuple[Side | None, str]:
    side, far_m = _side_under(plate, frames, markers, profile, settings)
    if side is not None:
        return side, ""
    if not np.isfinite(far_m):
        return None, f"no foot was seen while plate {plate.number} was loaded"
    mirrored = replace(plate, moment_nm=-plate.moment_nm)
    if _side_under(mirrored, frames, markers, profile, settings)[0] is not None:
        raise TrialRejected(
            "ground_reactions",
            f"{recording.path.name}: plate {plate.number}'s centre of pressure lies {far_m * 1e3:.0f} mm from the "
            "nearest foot, and under it only with its moments' sign reversed. Correct the plate's moment channels or "
            "its ORIGIN.",
        )
    return None, f"plate {plate.number}'s centre of pressure is {far_m * 1e3:.0f} mm from the nearest foot"


def _side_under(
    plate: ForcePlate, frames: np.ndarray, markers: Markers, profile: Profile, settings: GroundReactionSettings
) -> tuple[Side | None, float]:
    """The foot under which the centre of pressure stays, or None, and its distance from the nearer foot, metres."""
    cop_m, _ = centre_of_pressure(plate, settings.contact_threshold_n)
    far_m = {side: _farthest_m(cop_m, frames, markers, profile, side, settings) for side in SIDES}
    side = min(SIDES, key=lambda name: far_m[name])
    return (side if far_m[side] <= settings.max_cop_to_foot_m else None), far_m[side]


def _farthest_m(
    cop_m: np.ndarray,
    frames: np.ndarray,
    markers: Markers,
    profile: Profile,
    side: Side,
    settings: GroundReactionSettings,
) -> float:
    """The centre of pressure's distance from a foot, metres: the quantile that the settings ask for."""
    foot = foot_of(profile, side)
    far = distance_to_foot_m(cop_m, markers.middle(foot.heel)[frames], markers.middle(foot.toe)[frames])
    seen = far[np.isfinite(far)]
    return float(np.quantile(seen, settings.min_cop_under_foot_ratio)) if len(seen) else float("inf")


def _unusable(
    plate: ForcePlate,
    frames: np.ndarray,
    markers: Markers,
    profile: Profile,
    side: Side | None,
    body_n: float,
    settings: GroundReactionSettings,
) -> str:
    cop_m, _ = centre_of_pressure(plate, settings.edge_load_body_weights * body_n)
    inside = distance_to_edge_m(cop_m, plate.corners_m)
    if np.nanmin(inside) < settings.edge_margin_m:
        return f"foot half off plate {plate.number} (centre of pressure {np.nanmin(inside) * 1e3:.0f} mm from its edge)"
    other: Side = "left" if side == "right" else "right"
    both = on_floor(markers, profile, other, settings)[frames] & _over(plate, frames, markers, profile, other)
    if both.sum() / markers.rate_hz > settings.debounce_s:
        return f"both feet on plate {plate.number}"
    return ""


def on_floor(markers: Markers, profile: Profile, side: Side, settings: GroundReactionSettings) -> np.ndarray:
    """Whether the heel or the toe of a foot is low and slow, (T,) boolean."""
    foot = foot_of(profile, side)
    down = np.zeros(len(markers.time_s), dtype=bool)
    for labels in (foot.heel, foot.toe):
        place = markers.middle(labels)
        if np.isfinite(place[:, 1]).any():
            speed = np.linalg.norm(np.gradient(place, 1 / markers.rate_hz, axis=0), axis=1)
            low = place[:, 1] < np.nanmin(place[:, 1]) + settings.on_floor_height_m
            down |= low & (speed < settings.on_floor_speed_m_s)
    return down


def _over(plate: ForcePlate, frames: np.ndarray, markers: Markers, profile: Profile, side: Side) -> np.ndarray:
    foot = foot_of(profile, side)
    over = np.zeros(len(frames), dtype=bool)
    for labels in (foot.heel, foot.toe):
        over |= distance_to_edge_m(markers.middle(labels)[frames], plate.corners_m) > 0
    return over
