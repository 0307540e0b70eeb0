"""Which foot stood on which plate, when, and whether the plates measured its whole reaction.

Everything here is in the ground frame. Shapes: S analog samples, T marker frames.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.errors import TrialRejected
from pipeline.ground.floor import belt_velocity_m_s, distance_to_edge_m, distance_to_foot_m, foot_beyond_m, on_floor
from pipeline.ground.plates.corrected_plates import corrected
from pipeline.records import SIDES, ForcePlate, Markers, Recording, Side
from pipeline.session.profile import PlateCorrection, Profile, foot_of
from pipeline.session.recipe import GroundReactionSettings
from pipeline.signals import debounced, runs

GRAVITY_M_S2 = 9.80665
# Gaps in a plate's readings that are filled: a force filtered at 6 Hz does not change in so short a time.
PLATE_GAP_S = 0.02
# A plate has its vertical channel's sign reversed if it pulls with more than the first share of body weight and never
# pushes with more than the second.
PULLED_BODY_WEIGHTS, PUSHED_BODY_WEIGHTS = 0.5, 0.2
# No plate or belt has a longer edge.
LONGEST_EDGE_M = 5.0
# A plate with no foot nearer than this, for at least so long, bears nothing: half of the time at most this share.
NO_FOOT_M, NO_FOOT_S, NO_FOOT_BODY_WEIGHTS = 0.1, 0.1, 0.1
# A centre of pressure further from a foot than this is nobody's.
FAR_AWAY_M = 1.0
# What brings a centre of pressure under the foot that is on the plate, and how it is said.
_MIRRORED = "its moments' sign reversed"
_MISREAD = (
    (PlateCorrection(reverse=("mx", "my", "mz")), _MIRRORED),
    (PlateCorrection(times={"mx": 1000, "my": 1000, "mz": 1000}), "its moments times 1000: N·m, not N·mm"),
    (PlateCorrection(reverse=("mx",)), "mx reversed"),
    (PlateCorrection(reverse=("my",)), "my reversed"),
    (PlateCorrection(exchange=(("mx", "my"),)), "mx and my exchanged"),
    (PlateCorrection(exchange=(("mx", "my"),), reverse=("mx",)), "mx and my exchanged and mx reversed"),
    (PlateCorrection(exchange=(("mx", "my"),), reverse=("my",)), "mx and my exchanged and my reversed"),
    (PlateCorrection(exchange=(("mx", "my"),), reverse=("mx", "my")), "mx and my exchanged and both reversed"),
    (PlateCorrection(times={"mx": 0.001, "my": 0.001, "mz": 0.001}), "its moments divided by 1000: N·mm, not N·m"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateContact:
    """One loading of one plate by one foot, or by nobody's foot.

    `reason` says why it doesn't measure `side`'s whole reaction, alone or with the plates beside it; "" if it does.
    `strikes`, `leaves`: whether its start is the foot's strike, and its stop the foot's leaving the floor. `partial`:
    whether it is refused because a part of the foot may have stood beside the plate. `over_edge_m`: how far the sole
    reached over the plate's edge while it bore weight, 0 if not.
    """

    plate: int
    start_s: float
    stop_s: float
    side: Side | None
    reason: str
    peak_n: float
    strikes: bool = True
    leaves: bool = True
    partial: bool = False
    over_edge_m: float = 0.0

    @property
    def usable(self) -> bool:
        """Whether what the plate measured is this foot's, with nothing missing and nothing else."""
        return self.side is not None and not self.reason

    @property
    def whole(self) -> bool:
        """Whether this one plate measured a whole stance."""
        return self.usable and self.strikes and self.leaves


@dataclass(frozen=True, slots=True, kw_only=True)
class _Feet:
    """The feet of a walk, and when each is on the floor, (T,) by side."""

    markers: Markers
    profile: Profile
    down: Mapping[Side, np.ndarray]
    settings: GroundReactionSettings
    body_n: float

    def ends(self, side: Side) -> tuple[np.ndarray, np.ndarray]:
        """Heel and toe, (T, 3) each."""
        foot = foot_of(self.profile, side)
        return self.markers.middle(foot.heel), self.markers.middle(foot.toe)


def plates_in_ground(recording: Recording, rotation: np.ndarray) -> tuple[ForcePlate, ...]:
    """The recording's plates with every vector turned into the ground frame, and gaps of a moment filled."""
    longest = PLATE_GAP_S * recording.analog_rate_hz
    return tuple(
        replace(
            plate,
            corners_m=plate.corners_m @ rotation.T,
            origin_m=rotation @ plate.origin_m,
            normal=rotation @ plate.normal,
            force_n=_without_short_gaps(plate.force_n, longest) @ rotation.T,
            moment_nm=_without_short_gaps(plate.moment_nm, longest) @ rotation.T,
        )
        for plate in recording.plates
    )


def _without_short_gaps(values: np.ndarray, longest: float) -> np.ndarray:
    """Each column (S, 3) with straight lines over gaps of so many samples at most; those at an end stay."""
    if np.isfinite(values).all():
        return values
    filled = values.copy()
    for column in filled.T:
        known = np.flatnonzero(np.isfinite(column))
        for start, stop in runs(~np.isfinite(column)):
            if start > 0 and stop < len(column) and stop - start <= longest:
                column[start:stop] = np.interp(np.arange(start, stop), known, column[known])
    return filled


def find_contacts(
    recording: Recording,
    plates: Iterable[ForcePlate],
    markers: Markers,
    profile: Profile,
    mass_kg: float,
    settings: GroundReactionSettings,
) -> tuple[PlateContact, ...]:
    """Every loading of every plate, assigned to the foot whose axis its centre of pressure follows.

    Loadings of plates side by side by one foot, none of which measured all, are usable together if the foot is
    wholly on these. TrialRejected if the centre of pressure is under a foot only with a plate's sign reversed: that
    is an error of the file, and guessing would give wrong moments.
    """
    plates = tuple(plates)
    belt_m_s = belt_velocity_m_s(markers, profile, settings)
    feet = _Feet(
        markers=markers,
        profile=profile,
        down={side: on_floor(markers, profile, side, settings, belt_m_s) for side in SIDES},
        settings=settings,
        body_n=mass_kg * GRAVITY_M_S2,
    )
    contacts: list[PlateContact] = []
    for plate in plates:
        _refuse_upside_down(recording, plate, feet.body_n)
        _refuse_endless(recording, plate)
        _refuse_loaded_without_feet(recording, plate, feet)
        for samples in _loadings(recording, plate, feet):
            found = _contacts_of(recording, plate, samples, feet)
            contacts += [_if_all_is_known(contact, recording, plate, samples) for contact in found]
    contacts.sort(key=lambda contact: (contact.start_s, contact.plate))
    return _joined(contacts, plates, feet)


def _loadings(recording: Recording, plate: ForcePlate, feet: _Feet) -> list[tuple[int, int]]:
    """Sample ranges in which the plate is loaded. Pauses as short as noise part two loadings if the foot changes there.

    In running both feet can be off the floor for less than noise may last.
    """
    settings, rate_hz = feet.settings, recording.analog_rate_hz
    above = _loaded(plate.force_n[:, 1], settings.contact_threshold_n)
    found: list[tuple[int, int]] = []
    for start, stop in runs(debounced(above, rate_hz, settings.debounce_s)):
        steady = [
            (start + first, start + last)
            for first, last in runs(above[start:stop])
            if last - first >= settings.debounce_s * rate_hz
        ]
        under = [_foot_under(recording, plate, piece, feet) for piece in steady]
        begin = start
        for (_, end), (next_begin, _), before, after in zip(steady, steady[1:], under, under[1:], strict=False):
            if before != after:
                found.append((begin, end))
                begin = next_begin
        found.append((begin, stop))
    return found


def _loaded(vertical_n: np.ndarray, threshold_n: float) -> np.ndarray:
    """Whether each sample bears more than a threshold; unknown ones do where what is known beside them does."""
    above = vertical_n > threshold_n
    for start, stop in runs(np.isnan(vertical_n)):
        above[start:stop] = above[max(start - 1, 0)] or above[min(stop, len(above) - 1)]
    return above


def _if_all_is_known(
    contact: PlateContact, recording: Recording, plate: ForcePlate, samples: tuple[int, int]
) -> PlateContact:
    unknown = np.isnan(np.hstack([plate.force_n, plate.moment_nm])[slice(*samples)]).any(axis=1)
    if not unknown.any() or contact.reason:
        return contact
    first_s = recording.time_s[0] + (samples[0] + int(np.argmax(unknown))) / recording.analog_rate_hz
    why = f"plate {plate.number} has no readings in {unknown.sum()} samples, first at {first_s:.2f} s"
    return replace(contact, reason=why)


def _foot_under(recording: Recording, plate: ForcePlate, samples: tuple[int, int], feet: _Feet) -> Side | None:
    at_frames, frames = _at_frames(recording, plate, samples, feet.markers)
    return _side_under(at_frames, frames, feet)[0] if len(frames) else None


def _at_frames(
    recording: Recording, plate: ForcePlate, samples: tuple[int, int], markers: Markers
) -> tuple[ForcePlate, np.ndarray]:
    """The plate at the marker frames of a range of samples, and those frames."""
    ratio = round(recording.analog_rate_hz / recording.point_rate_hz)
    frames = np.arange(-(-samples[0] // ratio), -(-samples[1] // ratio))
    frames = frames[frames < len(markers.time_s)]
    return replace(plate, force_n=plate.force_n[frames * ratio], moment_nm=plate.moment_nm[frames * ratio]), frames


def _contacts_of(recording: Recording, plate: ForcePlate, samples: tuple[int, int], feet: _Feet) -> list[PlateContact]:
    """What one loading is: a foot's contact, both feet's, or nobody's."""
    settings = feet.settings
    start_s, stop_s = (float(recording.time_s[0] + index / recording.analog_rate_hz) for index in samples)
    peak_n = float(np.nanmax(plate.force_n[slice(*samples), 1]))
    at_frames, frames = _at_frames(recording, plate, samples, feet.markers)
    one = PlateContact(plate=plate.number, start_s=start_s, stop_s=stop_s, side=None, reason="", peak_n=peak_n)
    if plate.foot is not None:
        return [_of_the_stated_foot(recording, at_frames, frames, one, feet)]
    standing = [side for side in SIDES if _stands_on(at_frames, frames, feet, side)]
    if len(standing) == 2:
        return [replace(one, side=side, reason=f"both feet on plate {plate.number}") for side in SIDES]
    small = peak_n < settings.min_peak_body_weights * feet.body_n or len(frames) < 3
    side, far_m = _side_under(at_frames, frames, feet)
    if side is None:
        nobodys = _nobodys(one, standing[0] if standing else None, far_m)
        if standing and not small:
            how = _misread(recording, at_frames, frames, feet, far_m)
            nobodys = replace(nobodys, reason=nobodys.reason + how)
        return [nobodys]
    if small:
        return [_small(one, side, frames, feet)]
    if not plate.has_edges:
        return [replace(one, side=side)]
    over_m = _over_edge_m(frames, [plate], feet, side)
    reason = _at_the_edge(at_frames, over_m, feet)
    return [replace(one, side=side, reason=reason, partial=bool(reason), over_edge_m=over_m)]


def _of_the_stated_foot(
    recording: Recording, plate: ForcePlate, frames: np.ndarray, contact: PlateContact, feet: _Feet
) -> PlateContact:
    """A loading of which the file says whose it is, and that it is all. TrialRejected if it follows the other foot."""
    assert plate.foot is not None
    if contact.peak_n < feet.settings.min_peak_body_weights * feet.body_n or len(frames) < 3:
        return _small(contact, plate.foot, frames, feet)
    cop_m, _ = centre_of_pressure(plate, feet.settings.contact_threshold_n)
    near = [side for side in SIDES if _farthest_m(plate, cop_m, frames, feet, side) <= feet.settings.max_cop_to_foot_m]
    if near and plate.foot not in near:
        raise TrialRejected(
            "ground_reactions",
            f"{recording.path.name}: {plate.name} is said to act on the {plate.foot} foot, and at "
            f"{feet.markers.time_s[frames[0]]:.2f} s it pushes under the {near[0]} one. Correct its columns' names, or "
            "`applied_to_body` in the ExternalLoads file.",
        )
    return replace(contact, side=plate.foot)


def _nobodys(contact: PlateContact, standing: Side | None, far_m: float) -> PlateContact:
    """A loading whose centre of pressure follows no foot."""
    plate = f"plate {contact.plate}"
    if standing is not None:
        return replace(
            contact,
            side=standing,
            reason=f"{plate}'s centre of pressure is {far_m * 1e3:.0f} mm from the {standing} foot, which is on it",
        )
    if not np.isfinite(far_m):
        return replace(contact, reason=f"no foot was seen while {plate} was loaded")
    return replace(
        contact,
        reason=f"no foot on {plate}, which bore up to {contact.peak_n:.0f} N {far_m:.2f} m from the nearest foot: "
        "a hand, a walking aid, or somebody else",
    )


def _small(contact: PlateContact, side: Side, frames: np.ndarray, feet: _Feet) -> PlateContact:
    """A loading by less than a step: of a foot that swings it is all that acts on it, of another one a part."""
    if feet.down[side][frames].sum() / feet.markers.rate_hz <= feet.settings.debounce_s:
        slight = contact.peak_n <= feet.settings.max_scuff_body_weights * feet.body_n
        reason = "" if slight else f"{side} foot scuffed plate {contact.plate} with {contact.peak_n:.0f} N in its swing"
        return replace(contact, side=side, reason=reason, strikes=False, leaves=False)
    return replace(
        contact,
        side=side,
        reason=f"{side} foot on plate {contact.plate} with only {contact.peak_n:.0f} N",
        partial=True,
    )


def _refuse_upside_down(recording: Recording, plate: ForcePlate, body_n: float) -> None:
    vertical = plate.force_n[:, 1]
    # Samples that the recording lacks are NaN.
    vertical = vertical[np.isfinite(vertical)]
    if not len(vertical):
        return
    if vertical.min() < -PULLED_BODY_WEIGHTS * body_n and vertical.max() < PUSHED_BODY_WEIGHTS * body_n:
        raise TrialRejected(
            "ground_reactions",
            f"{recording.path.name}: plate {plate.number} pulls the body down by up to {-vertical.min():.0f} N, "
            "expected it to push up. Its vertical channel has the opposite sign: correct FORCE_PLATFORM or the export.",
        )


def _refuse_endless(recording: Recording, plate: ForcePlate) -> None:
    edges_m = np.linalg.norm(plate.corners_m - np.roll(plate.corners_m, 1, axis=0), axis=1)
    if plate.has_edges and edges_m.max() > LONGEST_EDGE_M:
        raise TrialRejected(
            "ground_reactions",
            f"{recording.path.name}: plate {plate.number} is {edges_m.max():.4g} m long, expected at most "
            f"{LONGEST_EDGE_M:g} m. Its CORNERS are probably in another unit than POINT:UNITS says.",
        )


def _refuse_loaded_without_feet(recording: Recording, plate: ForcePlate, feet: _Feet) -> None:
    """TrialRejected for a plate that bears weight, or pulls, while no foot is near."""
    if not plate.has_edges:
        return
    far = np.ones(len(feet.markers.time_s), dtype=bool)
    for side in SIDES:
        for place_m in feet.ends(side):
            far &= distance_to_edge_m(place_m, plate.corners_m) < -NO_FOOT_M
    # Where this walker never comes near, somebody or something else may stand.
    if far.all() or far.sum() < NO_FOOT_S * feet.markers.rate_hz:
        return
    ratio = round(recording.analog_rate_hz / recording.point_rate_hz)
    load_n = float(np.nanmedian(plate.force_n[::ratio][: len(far)][far, 1]))
    if abs(load_n) > NO_FOOT_BODY_WEIGHTS * feet.body_n:
        raise TrialRejected(
            "ground_reactions",
            f"{recording.path.name}: plate {plate.number} bears {load_n:.0f} N while no foot is near it, expected "
            "about 0, unless somebody else stands there. Take the constant off in the laboratory's software "
            "(FORCE_PLATFORM:ZERO), or leave it out.",
        )


def _misread(recording: Recording, plate: ForcePlate, frames: np.ndarray, feet: _Feet, far_m: float) -> str:
    """With what correction the centre of pressure would lie under a foot, the nearest of all; "" if with none.

    TrialRejected if that is with its moments' sign reversed.
    """
    if not np.isfinite(far_m):
        return ""
    # A thousandth of a pressure's distance is the plate's middle: that says something only of one that is far away.
    tried = _MISREAD if far_m > FAR_AWAY_M else _MISREAD[:-1]
    found = [(*_side_under(corrected(plate, correction), frames, feet), how) for correction, how in tried]
    side, _, how = min(found, key=lambda one: one[1])
    if side is None:
        return ""
    if how == _MIRRORED:
        raise TrialRejected(
            "ground_reactions",
            f"{recording.path.name}: plate {plate.number}'s centre of pressure lies {far_m * 1e3:.0f} mm from the "
            "nearest foot, and under it only with its moments' sign reversed. Correct the plate's moment channels or "
            "its ORIGIN.",
        )
    return f", and is under it with {how}"


def _side_under(plate: ForcePlate, frames: np.ndarray, feet: _Feet) -> tuple[Side | None, float]:
    """The foot under which the centre of pressure stays, or None, and its distance from the nearer foot, metres."""
    cop_m, _ = centre_of_pressure(plate, feet.settings.contact_threshold_n)
    far_m = {side: _farthest_m(plate, cop_m, frames, feet, side) for side in SIDES}
    side = min(SIDES, key=lambda name: far_m[name])
    return (side if far_m[side] <= feet.settings.max_cop_to_foot_m else None), far_m[side]


def _farthest_m(plate: ForcePlate, cop_m: np.ndarray, frames: np.ndarray, feet: _Feet, side: Side) -> float:
    """The distance from a foot, metres, within which the share of the load lies that the settings ask for.

    Load by load, not frame by frame: the error of a centre of pressure is the moment's noise over the force, and is
    largest where it matters least.
    """
    heel_m, toe_m = feet.ends(side)
    far = distance_to_foot_m(cop_m, heel_m[frames], toe_m[frames])
    seen = np.isfinite(far)
    if not seen.any():
        return float("inf")
    order = np.argsort(far[seen])
    share = np.cumsum(plate.force_n[seen, 1][order])
    reached = np.searchsorted(share, feet.settings.min_cop_under_foot_ratio * share[-1])
    return float(far[seen][order][reached])


def _stands_on(plate: ForcePlate, frames: np.ndarray, feet: _Feet, side: Side) -> bool:
    """Whether a foot is on the floor with its heel or toe over the plate, for longer than noise."""
    if not plate.has_edges:
        return False
    over = np.zeros(len(frames), dtype=bool)
    for place_m in feet.ends(side):
        over |= distance_to_edge_m(place_m[frames], plate.corners_m) > 0
    return bool((feet.down[side][frames] & over).sum() / feet.markers.rate_hz > feet.settings.debounce_s)


def _over_edge_m(frames: np.ndarray, plates: Sequence[ForcePlate], feet: _Feet, side: Side) -> float:
    """How far a foot's sole reaches over the edge of these plates in those frames in which it is on the floor."""
    heel_m, toe_m = feet.ends(side)
    down = frames[feet.down[side][frames] & np.isfinite(heel_m + toe_m)[frames].all(axis=1)]
    return max((foot_beyond_m(heel_m[frame], toe_m[frame], plates)[0] for frame in down), default=float("inf"))


def _at_the_edge(plate: ForcePlate, over_m: float, feet: _Feet) -> str:
    cop_m, _ = centre_of_pressure(plate, feet.settings.edge_load_body_weights * feet.body_n)
    inside_m = float(np.nanmin(distance_to_edge_m(cop_m, plate.corners_m)))
    if inside_m >= feet.settings.edge_margin_m:
        return ""
    sole = f", its sole {over_m * 1e3:.0f} mm over it" if 0 < over_m < np.inf else ""
    return f"foot half off plate {plate.number} (centre of pressure {inside_m * 1e3:.0f} mm from its edge{sole})"


def _joined(contacts: Sequence[PlateContact], plates: Sequence[ForcePlate], feet: _Feet) -> tuple[PlateContact, ...]:
    """The same; a foot's partial contacts with plates side by side are usable where the foot is wholly on these."""
    found = list(contacts)
    for side in SIDES:
        own = [index for index, one in enumerate(found) if one.side == side and (one.partial or one.whole)]
        for group in _at_one_time(own, found):
            stance = [found[index] for index in group]
            if any(one.partial for one in stance) and _wholly_on(stance, plates, feet, side):
                first = min(group, key=lambda index: found[index].start_s)
                last = max(group, key=lambda index: found[index].stop_s)
                for index in group:
                    one = found[index]
                    found[index] = replace(
                        one,
                        reason="",
                        partial=False,
                        over_edge_m=0.0,
                        strikes=index == first,
                        leaves=index == last,
                    )
    return tuple(found)


def _at_one_time(indices: Sequence[int], contacts: Sequence[PlateContact]) -> list[list[int]]:
    """Groups of contacts, in order of their start, that overlap in time; those alone are left out."""
    groups: list[list[int]] = []
    for index in indices:
        if groups and contacts[index].start_s < max(contacts[one].stop_s for one in groups[-1]):
            groups[-1].append(index)
        else:
            groups.append([index])
    return [group for group in groups if len(group) > 1]


def _wholly_on(stance: Sequence[PlateContact], plates: Sequence[ForcePlate], feet: _Feet, side: Side) -> bool:
    """Whether a foot is on these contacts' plates alone in all frames of the stance in which it is on the floor."""
    under = [plate for plate in plates if plate.number in {one.plate for one in stance}]
    if not all(plate.has_edges for plate in under):
        return False
    time_s = feet.markers.time_s
    during = (time_s >= min(one.start_s for one in stance)) & (time_s <= max(one.stop_s for one in stance))
    return _over_edge_m(np.flatnonzero(during), under, feet, side) == 0
