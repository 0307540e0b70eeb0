"""Whether what the plates gave is what the motion needs, and if not, what is wrong with which plate.

By Newton's laws the plates' whole force is the body's mass times the acceleration of its mass centre and its weight,
and their moment about the mass centre is the rate of the angular momentum about it. Of each plate some corrections are
tried: where one leaves far less of force and moment than what is stated does, that is what is wrong.

Shapes: T marker frames; components are along the ground frame's axes: forward, up, right.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.ground.plates.corrected_plates import axes_of, corrected
from pipeline.records import ForcePlate
from pipeline.session.profile import PlateCorrection
from pipeline.session.recipe import InverseDynamicsSettings

# What true walks leave of each component, root mean square: force over body weight, moment over body weight times the
# mass centre's height. Half of 36 walks of 23 people, children and patients among them, leave less.
USUAL_FORCE, USUAL_MOMENT = (0.03, 0.06, 0.022), (0.011, 0.006, 0.023)
# A plate is judged over frames in which it bears more than this share of body weight, if they last so long.
LEAST_SHARE, LEAST_S = 0.2, 0.15
# At the ends of a motion its accelerations are extrapolated.
END_S = 0.05
# A free moment smaller than this, over body weight, root mean square, tells no sign and changes no moment.
LEAST_FREE_MOMENT_M = 0.001
# One plate's tells its sign by itself beyond this. Below, it changes the hip's moment by less than 0.05 N·m/kg.
OWN_FREE_MOMENT_M = 0.0025
# The pressure under a foot that rolls travels further than this over a stance: 52 mm at least under 64 plates. Over a
# part of one it may not.
STILL_M, STILL_S = 0.015, 0.4
# A pressure that lies further off than this turns the body about the vertical as much as free moments do: their sign is
# not told by it.
IN_PLACE_M = 0.02
# A motion explains what was measured if it leaves less than this many times what is usual, root mean square over all
# components; what it does not explain, for want of markers on the trunk above all, it can't judge.
EXPLAINED = 4.0
# So, too, sideways, where force and motion have less than this to do with each other.
LEAST_CORRELATION = 0.3
# A plate bears alone if it bears more than this share of all that is measured.
ALONE_SHARE = 0.9
_WAYS = (("backward", "forward"), ("to the left", "to the right"))
COMPONENTS = ("forward", "up", "sideways")


@dataclass(frozen=True, slots=True, kw_only=True)
class NeededWrench:
    """What a motion needs from the ground: force_n (T, 3), and moment_nm (T, 3) about the mass centre (T, 3)."""

    time_s: np.ndarray
    force_n: np.ndarray
    moment_nm: np.ndarray
    mass_centre_m: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenWrench:
    """What the plates gave: force_n and moment_nm about the ground frame's origin, (T, 3); known (T,): all of it.

    `shares`: what each plate gave, in the laboratory's frame; `rotation` (3, 3) turns it into the ground's.
    """

    force_n: np.ndarray
    moment_nm: np.ndarray
    known: np.ndarray
    shares: Sequence[ForcePlate]
    rotation: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateFault:
    """A correction with which a plate explains the motion. `drop`: by how much less it leaves, log of mean squares."""

    plate: int
    correction: PlateCorrection
    what: str
    drop: float

    def __str__(self) -> str:
        return f"plate {self.plate}: {self.what}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateAgreement:
    """How plates and motion agree, by component: correlation and gain (measured over needed); NaN where too little.

    `free_moment_gain`: what the motion needs about the vertical over what the plates' free moments are; 1 if they
    agree. `vertical`: each plate's vertical force over what the motion needs while it bears alone, less one; `shift_m`
    (2,): how far forward and to the right of where the motion needs it its pressure acts then. `travel_m`: how far its
    pressure moves.
    """

    correlation: Mapping[str, float]
    gain: Mapping[str, float]
    free_moment_gain: float
    vertical: Mapping[int, float]
    shift_m: Mapping[int, np.ndarray]
    travel_m: Mapping[int, float]
    faults: tuple[PlateFault, ...] = ()


_FREE_REVERSED = "the free moment explains the motion with its sign reversed"
_FREE_OR_PLACE = "the free moment's sign, or the place of its pressure, contradicts the motion"


def _fault(what: str, **how: object) -> tuple[PlateCorrection, str]:
    return PlateCorrection.model_validate(how), what


@cache
def _candidates(axes: str) -> tuple[tuple[PlateCorrection, str], ...]:
    """What is tried of a plate, and how it is said. `axes`: its channels' letters, the vertical's last: "xyz"."""
    (fx, fy, fz), (mx, my, mz) = ([f"{what}{letter}" for letter in axes] for what in "fm")
    signs = ((False, False), (True, False), (False, True), (True, True))

    def exchanged(what: str, one: str, other: str) -> Iterator[tuple[PlateCorrection, str]]:
        for sign in signs:
            names = [name for name, reverse in zip((one, other), sign, strict=True) if reverse]
            also = f" and {' and '.join(names)} reversed" if names else ""
            yield _fault(
                f"{what} the motion with {one} and {other} exchanged{also}",
                exchange=((one, other),),
                reverse=tuple(names),
            )

    return (
        _fault("{first} explains the motion with its sign reversed", reverse=(fx,)),
        _fault("{second} explains the motion with its sign reversed", reverse=(fy,)),
        _fault("the horizontal force explains the motion with both its signs reversed", reverse=(fx, fy)),
        _fault("the vertical force explains the motion with its sign reversed", reverse=(fz,)),
        _fault(
            "force and moment explain the motion with all signs reversed: they are what the foot does to the plate",
            reverse=("fx", "fy", "fz", "mx", "my", "mz"),
        ),
        *exchanged("the horizontal force explains", fx, fy),
        _fault(
            "the moments explain the motion times 1000: they are in N·m where N·mm is stated",
            times={"mx": 1000, "my": 1000, "mz": 1000},
        ),
        _fault(
            "the moments explain the motion divided by 1000: they are in N·mm where N·m is stated",
            times={"mx": 0.001, "my": 0.001, "mz": 0.001},
        ),
        _fault("the moment about {first_axis} explains the motion with its sign reversed", reverse=(mx,)),
        _fault("the moment about {second_axis} explains the motion with its sign reversed", reverse=(my,)),
        _fault(f"the moments explain the motion with {mx} and {my} reversed", reverse=(mx, my)),
        _fault(_FREE_REVERSED, reverse=("free_moment",)),
        _fault("the moment about the vertical explains the motion with its sign reversed", reverse=(mz,)),
        *exchanged("the moments explain", mx, my),
        _fault("the plate explains the motion turned by half a turn", reverse=(fx, fy, mx, my)),
    )


def _letters(share: ForcePlate) -> str:
    """The letters of a plate's channels, the vertical's last: of files of ground reactions that is often y."""
    vertical = int(np.abs(share.normal @ axes_of(share)).argmax())
    return "xyz".replace("xyz"[vertical], "") + "xyz"[vertical]


FREE_MOMENT = PlateCorrection(reverse=("free_moment",))


def why_plates_refused(agreement: PlateAgreement, settings: InverseDynamicsSettings) -> str:
    """What is wrong with the plates, and what to do; "" if nothing is beyond a limit."""
    still = {plate for plate, far_m in agreement.travel_m.items() if far_m < STILL_M}
    faults = [
        fault
        for fault in agreement.faults
        # A pressure that stands still spoils whatever else might explain the motion, unless its moments are small.
        if fault.drop >= settings.min_fault_drop and (fault.plate not in still or fault.correction.times)
    ]
    if faults:
        told = "; ".join(map(str, faults))
        lines = ", ".join(f"[plates.{fault.plate}] {_as_setting(fault.correction)}" for fault in faults)
        return (
            f"the plates do not agree with the motion. {told[0].upper()}{told[1:]}. Correct the export or "
            f"FORCE_PLATFORM; if the laboratory confirms it, write {lines} in session.toml or in its profile"
        )
    told = "; ".join(_out_of_place(agreement, settings.max_vertical_difference, settings.max_pressure_shift_m))
    if told:
        return (
            f"the plates do not agree with the motion. {told[0].upper()}{told[1:]}. Check the plate's calibration, its "
            "ORIGIN and CORNERS, and whether it was moved"
        )
    return ""


def plate_warnings(agreement: PlateAgreement, settings: InverseDynamicsSettings) -> list[str]:
    """What a person should know of plates that are not refused."""
    return [
        *(
            f"{fault}: look at its channels, ORIGIN and CORNERS"
            if fault.what == _FREE_OR_PLACE
            else f"{fault}, hardly better than as it is stated: look at its channels"
            for fault in agreement.faults
        ),
        *_out_of_place(agreement, settings.report_vertical_difference, settings.report_pressure_shift_m),
    ]


def _out_of_place(agreement: PlateAgreement, vertical: float, shift_m: float) -> list[str]:
    """Which plates' vertical force, or place of it, is further from the motion's needs than these limits."""
    return [
        *_unlike_others(agreement, vertical),
        *(
            f"plate {plate}: its pressure lies {abs(far_m) * 1e3:.0f} mm too far {ways[int(far_m > 0)]} for the motion"
            for plate, at_m in agreement.shift_m.items()
            for far_m, ways in zip(at_m, _WAYS, strict=True)
            if abs(far_m) > shift_m
        ),
        *(
            f"plate {plate}: its pressure stands still, within {far_m * 1e3:.0f} mm, under a foot that rolls"
            for plate, far_m in agreement.travel_m.items()
            if far_m < STILL_M
        ),
    ]


def _unlike_others(agreement: PlateAgreement, limit: float) -> list[str]:
    """Of plates whose vertical force is unlike the others', the one that is furthest from the motion's needs.

    A plate by itself is held against what the motion needs, of which the stated mass is a part.
    """
    if not agreement.vertical:
        return []
    unlike = {}
    for number, off in agreement.vertical.items():
        rest = [value for other, value in agreement.vertical.items() if other != number]
        unlike[number] = off - (float(np.median(rest)) if rest else 0.0)
    # Of two plates the one that is further from the motion's needs.
    plate = max(unlike, key=lambda number: (round(abs(unlike[number]), 6), abs(agreement.vertical[number])))
    apart = unlike[plate]
    if abs(apart) <= limit:
        return []
    way = "more" if apart > 0 else "less"
    than = "the other plates', by the motion's needs" if len(unlike) > 1 else "the motion needs"
    return [f"plate {plate}: the vertical force is {abs(apart):.0%} {way} than {than}"]


def _as_setting(correction: PlateCorrection) -> str:
    """A correction as TOML has it."""
    parts = []
    if correction.exchange:
        parts.append(f"exchange = {json.dumps(correction.exchange)}")
    if correction.times:
        parts.append("times = { " + ", ".join(f"{name} = {value:g}" for name, value in correction.times.items()) + " }")
    if correction.reverse:
        parts.append(f"reverse = {json.dumps(correction.reverse)}")
    return "; ".join(parts)


class _Compared:
    """A motion's needs beside what the plates gave, each component over what is usual."""

    def __init__(self, needed: NeededWrench, given: GivenWrench, weight_n: float) -> None:
        rate_hz = (len(needed.time_s) - 1) / (needed.time_s[-1] - needed.time_s[0])
        inner = (needed.time_s >= needed.time_s[0] + END_S) & (needed.time_s <= needed.time_s[-1] - END_S)
        lever_m = float(needed.mass_centre_m[:, 1].mean())
        self.needed, self.given, self.weight_n = needed, given, weight_n
        everything = np.hstack([given.force_n, given.moment_nm, needed.force_n, needed.moment_nm])
        self.known = given.known & inner & np.isfinite(everything).all(axis=1)
        self.least, self.rate_hz = math.ceil(LEAST_S * rate_hz), rate_hz
        self.scale = weight_n * np.array([1.0, 1, 1, lever_m, lever_m, lever_m])
        self.stated = self.left(given.force_n, given.moment_nm)

    def left(self, force_n: np.ndarray, moment_nm: np.ndarray) -> np.ndarray:
        """What is left of each component (T, 6) by these forces and moments about the origin, N and N·m."""
        about = moment_nm - np.cross(self.needed.mass_centre_m, force_n)
        return np.hstack([force_n - self.needed.force_n, about - self.needed.moment_nm])

    def up_n(self, share: ForcePlate) -> np.ndarray:
        """A plate's force out of the floor, (T,)."""
        up: np.ndarray = share.force_n @ share.normal
        return up

    def frames(self, share: ForcePlate) -> np.ndarray:
        """The frames (T,) that judge a plate; none if they are too few."""
        frames = self.known & (np.abs(self.up_n(share)) > LEAST_SHARE * self.weight_n)
        return frames & (frames.sum() >= self.least)

    def alone(self, share: ForcePlate) -> np.ndarray:
        """The frames (T,) in which a plate bears nearly all; none if they are too few."""
        up_n = self.up_n(share)
        frames = self.frames(share) & (up_n > ALONE_SHARE * self.given.force_n[:, 1])
        return frames & (frames.sum() >= self.least)

    def changes(self, share: ForcePlate, corrections: Sequence[PlateCorrection], frames: np.ndarray) -> np.ndarray:
        """What each correction of a plate adds to what is left, (C, N, 6), in some frames."""
        rotation, axes = self.given.rotation, axes_of(share)
        at = replace(share, force_n=share.force_n[frames], moment_nm=share.moment_nm[frames])
        others = [corrected(at, correction, axes) for correction in corrections]
        force = np.stack([other.force_n - at.force_n for other in others]) @ rotation.T
        moment = np.stack([other.moment_nm - at.moment_nm for other in others]) @ rotation.T
        lever_m = rotation @ share.origin_m - self.needed.mass_centre_m[frames]
        return np.concatenate([force, moment + np.cross(lever_m, force)], axis=2)

    def drops(self, share: ForcePlate) -> np.ndarray:
        """By how much less each candidate leaves; minus infinity where that is too much anyhow."""
        frames = self.frames(share)
        return self._drop(frames, self.changes(share, [how for how, _ in _candidates(_letters(share))], frames))

    def drop_elsewhere(self, share: ForcePlate) -> float:
        """The same for a plate that lies elsewhere on the floor, as far off as explains the motion best."""
        frames = self.frames(share)
        force_n = share.force_n[frames] @ self.given.rotation.T
        turned = np.stack([np.cross(way, force_n) for way in np.eye(3)[[0, 2]]]) / (USUAL_MOMENT * self.scale[3:])
        left = self.stated[frames, 3:] / (USUAL_MOMENT * self.scale[3:])
        far_m, *_ = np.linalg.lstsq(turned.reshape(2, -1).T, -left.ravel(), rcond=None)
        change = np.hstack([np.zeros_like(force_n), np.cross([far_m[0], 0.0, far_m[1]], force_n)])
        return float(self._drop(frames, change[None])[0])

    def _drop(self, frames: np.ndarray, changes: np.ndarray) -> np.ndarray:
        """By how much less is left with each of some changes (C, N, 6), (C,)."""
        usual = np.array([*USUAL_FORCE, *USUAL_MOMENT]) * self.scale
        before = (self.stated[frames] / usual) ** 2
        after = (((self.stated[frames] + changes) / usual) ** 2).mean(axis=1)
        drop = np.log((before.mean(axis=0) + 1) / (after + 1)).sum(axis=1)
        return np.where(after.mean(axis=1) < EXPLAINED**2, drop, -math.inf)

    def explained(self, frames: np.ndarray) -> bool:
        """Whether the motion explains what was measured, as it is stated."""
        usual = np.array([*USUAL_FORCE, *USUAL_MOMENT]) * self.scale
        return bool(np.mean((self.stated[frames] / usual) ** 2) < EXPLAINED**2)


def judge_plates(
    needed: NeededWrench, given: GivenWrench, weight_n: float, settings: InverseDynamicsSettings
) -> PlateAgreement:
    """The figures of each component, and the plates that something else than what is stated explains."""
    compared = _Compared(needed, given, weight_n)
    judged = [share for share in given.shares if compared.frames(share).any()]
    shift_m = {share.number: _shift_m(compared, frames) for share in judged if (frames := compared.alone(share)).any()}
    faults = [
        one
        for share in judged
        if (one := _most_likely(compared, share)).drop >= settings.report_fault_drop
        # A plate that lies elsewhere is told by how far.
        and one.drop > compared.drop_elsewhere(share)
    ]
    free_gain = _free_moment_gain(compared, judged, LEAST_FREE_MOMENT_M)
    # A force out of place, or of another sign, turns the body about the vertical too.
    grave = any(one.drop >= settings.min_fault_drop for one in faults)
    if not grave and not any((np.abs(at_m) > settings.report_pressure_shift_m).any() for at_m in shift_m.values()):
        free = [
            _unless_out_of_place(_free_reversed(share), shift_m, settings)
            for share in _free_reversed_of(compared, judged, free_gain, settings)
        ]
        faults = free or faults
    alone = {share.number: frames for share in given.shares if (frames := compared.alone(share)).any()}
    return PlateAgreement(
        correlation={name: _correlation(compared, axis) for axis, name in enumerate(COMPONENTS)},
        gain={name: _gain(compared, axis) for axis, name in enumerate(COMPONENTS)},
        free_moment_gain=free_gain,
        vertical={number: _vertical(compared, frames) for number, frames in alone.items()},
        shift_m=shift_m,
        travel_m={share.number: _travel_m(compared, share) for share in judged},
        faults=tuple(faults),
    )


def _most_likely(compared: _Compared, share: ForcePlate) -> PlateFault:
    drops = compared.drops(share)
    correction, what = _candidates(_letters(share))[int(np.argmax(drops))]
    return PlateFault(
        plate=share.number,
        correction=correction,
        what=_in_words(what, share, compared.given.rotation),
        drop=float(drops.max()),
    )


def _free_moment_gain(compared: _Compared, shares: Sequence[ForcePlate], least_m: float) -> float:
    """What the motion needs about the vertical over these plates' free moments; NaN if they are too small to tell."""
    free, needed = [np.zeros(0)], [np.zeros(0)]
    for share in shares:
        frames = compared.frames(share)
        free.append(-compared.changes(share, [FREE_MOMENT], frames)[0, :, 4] / 2)
        needed.append(free[-1] - compared.stated[frames, 4])
    gave, needs = np.concatenate(free), np.concatenate(needed)
    if not len(gave) or not compared.explained(compared.known):
        return math.nan
    if np.sqrt(np.mean(gave**2)) < least_m * compared.weight_n:
        return math.nan
    return float(needs @ gave / (gave @ gave))


def _free_reversed_of(
    compared: _Compared, shares: Sequence[ForcePlate], gain: float, settings: InverseDynamicsSettings
) -> Sequence[ForcePlate]:
    """The plates whose free moment is reversed: those that tell by themselves, or all if they tell it together."""
    least = settings.min_free_moment_gain
    own = [share for share in shares if _free_moment_gain(compared, [share], OWN_FREE_MOMENT_M) < least]
    return own or (shares if gain < least else ())


def _free_reversed(share: ForcePlate) -> PlateFault:
    return PlateFault(plate=share.number, correction=FREE_MOMENT, what=_FREE_REVERSED, drop=math.inf)


def _vertical(compared: _Compared, alone: np.ndarray) -> float:
    return float(compared.given.force_n[alone, 1].mean() / compared.needed.force_n[alone, 1].mean() - 1)


def _shift_m(compared: _Compared, alone: np.ndarray) -> np.ndarray:
    if not compared.explained(alone):
        return np.full(2, np.nan)
    up_n, left_nm = compared.given.force_n[alone, 1], compared.stated[alone, 3:]
    shift_m = np.array([left_nm[:, 2] @ up_n, -left_nm[:, 0] @ up_n]) / (up_n @ up_n)
    return np.where([True, _correlation(compared, 2) > LEAST_CORRELATION], shift_m, np.nan)


def _unless_out_of_place(
    fault: PlateFault, shift_m: Mapping[int, np.ndarray], settings: InverseDynamicsSettings
) -> PlateFault:
    """The fault, or a word about it: of a pressure that lies elsewhere no free moment has a sign that is told."""
    at_m = shift_m.get(fault.plate)
    if fault.correction != FREE_MOMENT or at_m is None or (np.abs(at_m) < IN_PLACE_M).all():
        return fault
    return replace(fault, what=_FREE_OR_PLACE, drop=settings.report_fault_drop)


def _travel_m(compared: _Compared, share: ForcePlate) -> float:
    """How far the centre of pressure moves over the frames that judge a plate, the outer twentieths of it left out.

    NaN where they are too few for a foot to roll.
    """
    cop_m, _ = centre_of_pressure(share)
    at_m = cop_m[compared.frames(share)] @ compared.given.rotation.T
    at_m = at_m[np.isfinite(at_m).all(axis=1)]
    if len(at_m) < STILL_S * compared.rate_hz:
        return math.nan
    return float(np.linalg.norm(np.ptp(np.percentile(at_m, (5, 95), axis=0), axis=0)[[0, 2]]))


def _correlation(compared: _Compared, axis: int) -> float:
    known = compared.known
    if known.sum() < compared.least:
        return float("nan")
    return float(np.corrcoef(compared.given.force_n[known, axis], compared.needed.force_n[known, axis])[0, 1])


def _gain(compared: _Compared, axis: int) -> float:
    known = compared.known
    if known.sum() < compared.least:
        return float("nan")
    given, needed = compared.given.force_n[known, axis], compared.needed.force_n[known, axis]
    return float(given @ needed / (needed @ needed))


def _in_words(what: str, share: ForcePlate, rotation: np.ndarray) -> str:
    """The sentence with the plate's own axes named by the walk."""
    axes, letters = rotation @ axes_of(share), _letters(share)
    names = {}
    for which, letter in zip(("first", "second"), letters, strict=False):
        way = int(np.abs(axes[:, "xyz".index(letter)]).argmax())
        names[which] = f"{('the fore-aft', 'the vertical', 'the sideways')[way]} force (f{letter})"
        names[f"{which}_axis"] = f"{('the fore-aft', 'the vertical', 'the sideways')[way]} axis (m{letter})"
    return what.format(**names)
