"""How late the plates are against the cameras, and a recording brought to one time.

Amplifiers, converters and filters delay a force by some milliseconds that no file states, and every joint moment away
from the ground is wrong by the body's travel in that time (Lemaire & Kuo 2024, bioRxiv 2024.06.24.600392: delays of
the order of 10 ms occur, and residual forces grow by almost 1 % of body weight a millisecond). Newton's laws tell the
delay: the plates' whole force and its moment must be what the motion needs, at the same time.

Shapes: T marker frames, S analog samples. The ground frame is x forward, y up, z right.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.interpolate import CubicSpline

from pipeline.errors import TrialRejected
from pipeline.records import Coordinates, FootWrench, ForcePlate, GeneralizedForces, Recording, Side

# What is compared: the force forward and up, and the moment that pitches the body. Sideways there is too little force,
# and what little there is comes from how the trunk sways.
MEASURES = ("forward", "up", "pitch")
# Delays that are tried. Instruments delay by less than half of it.
LONGEST_LAG_S = 0.06
_STEP_S = 0.001
# Of delays times frames, so many are compared at a time: a long recording would take much memory.
_MOST_AT_ONCE = 100_000
# Of less than this nothing is told.
SHORTEST_EVIDENCE_S = 0.3
# A lag that is beyond this with one-sided 95 % confidence is told.
NOTABLE_LAG_S = 0.005
CONFIDENCE_SDS = 1.645
_FORCES, _TILT = ("pelvis_tx", "pelvis_ty", "pelvis_tz"), "pelvis_tilt"


@dataclass(frozen=True, slots=True, kw_only=True)
class WholeBody:
    """What a motion needs from the ground and what the plates gave, at evenly spaced times.

    needed_n, given_n (T, 3). needed_nm (T,): the pitching moment about the mass centre, mass_centre_m (T, 3); given_nm
    (T,): the one about the ground frame's origin. known (T,): the plates measured all that acts on both feet.
    """

    time_s: np.ndarray
    needed_n: np.ndarray
    needed_nm: np.ndarray
    mass_centre_m: np.ndarray
    given_n: np.ndarray
    given_nm: np.ndarray
    known: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class PlateLag:
    """How late the plates are, seconds (negative: early).

    `random_s`: one standard error of it, of what is random in a walk. `by_measure`: the lag of each of `MEASURES` by
    itself and its standard error, NaN where it has no optimum.
    """

    lag_s: float
    random_s: float
    by_measure: Mapping[str, tuple[float, float]]

    @property
    def se_s(self) -> float:
        """One standard error of the lag: that of the measures' mean, which is wider the more they disagree.

        No less than what is random in the walk. What a wrong body, skin or soft tissue does to each measure is in it;
        what it does to all of them alike is not.
        """
        _, of_measures_s = weighted_mean(list(self.by_measure.values()))
        return self.random_s if math.isnan(of_measures_s) else max(self.random_s, of_measures_s)

    @property
    def notable(self) -> bool:
        """Whether the lag is beyond `NOTABLE_LAG_S` for certain."""
        return abs(self.lag_s) - CONFIDENCE_SDS * self.se_s > NOTABLE_LAG_S


def weighted_mean(estimates: Sequence[tuple[float, float]]) -> tuple[float, float]:
    """The mean of estimates (value, standard error) of one thing, and its standard error. NaN takes no part.

    The error is widened by the Birge ratio, where estimates scatter by more than they say: the square root of
    chi-squared a degree of freedom (Birge 1932, Phys Rev 40:207; the scale factor of the Particle Data Group's
    reviews). NaN of nothing.
    """
    known = [(value, se) for value, se in estimates if not math.isnan(value)]
    if not known:
        return float("nan"), float("nan")
    weights = [1 / se**2 for _, se in known]
    mean = sum(w * value for w, (value, _) in zip(weights, known, strict=True)) / sum(weights)
    chi2 = sum(w * (value - mean) ** 2 for w, (value, _) in zip(weights, known, strict=True))
    ratio = max(1.0, math.sqrt(chi2 / max(1, len(known) - 1)))
    return mean, ratio / math.sqrt(sum(weights))


def in_step(recording: Recording, plates_lag_s: float) -> Recording:
    """The recording with its plates taken earlier by `plates_lag_s`, so that force and motion are of one time.

    Whole frames of which the plates then know nothing are cut off at the end (at the start for plates that are early).
    Other analog channels are cut, not moved. TrialRejected if nothing is left.
    """
    if plates_lag_s == 0:
        return recording
    ratio = round(recording.analog_rate_hz / recording.point_rate_hz)
    later = plates_lag_s * recording.analog_rate_hz
    first = math.ceil(max(0.0, -later) / ratio - 1e-9)
    stop = len(recording.time_s) - math.ceil(max(0.0, later) / ratio - 1e-9)
    if stop <= first:
        raise TrialRejected(
            "read_c3d",
            f"{recording.path.name}: holds {len(recording.time_s)} frames, and plates_lag_s={plates_lag_s:g} leaves "
            "none that both cameras and plates recorded. Correct plates_lag_s, or leave the trial out.",
        )
    frames, samples = slice(first, stop), slice(first * ratio, stop * ratio)
    at = np.arange(samples.start, samples.stop) + later
    return replace(
        recording,
        time_s=recording.time_s[frames],
        markers_m=recording.markers_m[frames],
        analog=recording.analog[samples],
        plates=tuple(sampled_plate(plate, at) for plate in recording.plates),
        model_outputs={
            label: replace(output, values=output.values[frames]) for label, output in recording.model_outputs.items()
        },
        warnings=(
            *recording.warnings,
            f"the plates are taken {plates_lag_s * 1e3:g} ms earlier than recorded, as plates_lag_s says",
        ),
    )


def sampled_plate(plate: ForcePlate, at: np.ndarray) -> ForcePlate:
    """A plate's signals at fractional samples `at` (N,). Linear: an unloaded plate stays so until the foot lands.

    Beyond the recording's ends the last sample stands.
    """
    samples = np.arange(len(plate.force_n))

    def read(values: np.ndarray) -> np.ndarray:
        return np.column_stack([np.interp(at, samples, column) for column in values.T])

    return replace(plate, force_n=read(plate.force_n), moment_nm=read(plate.moment_nm))


def whole_body(
    moments: GeneralizedForces,
    coordinates: Coordinates,
    mass_centre_m: np.ndarray,
    wrenches: Mapping[Side, FootWrench],
) -> WholeBody | None:
    """What inverse dynamics says of the whole body: what the plates gave, and its residuals at the pelvis beside it.

    The pelvis' translations are along the ground's axes and its tilt is about the ground's z, as in all of OpenSim's
    walking models. None for a model whose pelvis has other coordinates.
    """
    if not {*_FORCES, _TILT} <= set(moments.names):
        return None
    each = list(wrenches.values())
    given_n = np.sum([wrench.force_n for wrench in each], axis=0)
    given_nm = np.sum([_pitch(wrench.point_m, wrench.force_n) + wrench.moment_nm[:, 2] for wrench in each], axis=0)
    residual_n = np.column_stack([moments.column(name) for name in _FORCES])
    pelvis_m = np.column_stack([coordinates.column(name) for name in _FORCES])
    about_pelvis_nm = given_nm - _pitch(pelvis_m, given_n) + moments.column(_TILT)
    needed_n = given_n + residual_n
    return WholeBody(
        time_s=moments.time_s,
        needed_n=needed_n,
        needed_nm=about_pelvis_nm - _pitch(mass_centre_m - pelvis_m, needed_n),
        mass_centre_m=mass_centre_m,
        given_n=given_n,
        given_nm=given_nm,
        known=np.logical_and.reduce([wrench.known for wrench in each]),
    )


def plate_lag(body: WholeBody, cutoff_hz: float) -> PlateLag | None:
    """The delay at which plates and motion agree best; None if too little is known or explained, or none is the best.

    Gaussian likelihood of what is left of each of `MEASURES`, each with a variance of its own that is estimated with
    the delay. Left out of each is what has nothing to do with time: a force's constant error, and a constant distance
    of the force's line from the body. A motion that leaves more of a force than there was tells no time, nor does a
    lag that a single measure tells: nothing says how far it may be off. Signals that
    were low-passed at `cutoff_hz` hold two independent values a period of it, which gives the standard error from the
    likelihood's curvature. It is the motion that is moved, which is known throughout: unknown reactions never enter.
    """
    rate_hz = (len(body.time_s) - 1) / (body.time_s[-1] - body.time_s[0])
    inner = (body.time_s >= body.time_s[0] + LONGEST_LAG_S) & (body.time_s <= body.time_s[-1] - LONGEST_LAG_S)
    frames = np.flatnonzero(body.known & inner)
    if len(frames) < SHORTEST_EVIDENCE_S * rate_hz:
        return None
    lags = np.arange(-round(LONGEST_LAG_S / _STEP_S), round(LONGEST_LAG_S / _STEP_S) + 1) * _STEP_S
    columns = [body.needed_n[:, :2], body.needed_nm, body.mass_centre_m[:, :2]]
    motion = CubicSpline(body.time_s, np.column_stack(columns))
    blocks = np.array_split(lags, math.ceil(len(lags) * len(frames) / _MOST_AT_ONCE))
    left = np.concatenate([_left_over(body, frames, motion(body.time_s[frames] - some[:, None])) for some in blocks])
    independent = 2 * cutoff_hz * len(frames) / rate_hz
    # Made-up signals may leave nothing at all.
    cost = independent / 2 * np.log(left + 1e-9 * left.max(axis=0))
    lag_s, random_s = _optimum(lags, cost.sum(axis=1))
    at_best = left[int(np.argmin(cost.sum(axis=1)))]
    if math.isnan(lag_s) or (at_best[:2] > body.given_n[frames, :2].var(axis=0)).any():
        return None
    by_measure = {name: _optimum(lags, cost[:, index]) for index, name in enumerate(MEASURES)}
    if sum(not math.isnan(each_s) for each_s, _ in by_measure.values()) < 2:
        return None
    return PlateLag(lag_s=lag_s, random_s=random_s, by_measure=by_measure)


def lag_warnings(lag: PlateLag | None, stated_s: float | None) -> list[str]:
    """What a person should know: plates that are late or early beyond doubt, once a stated lag is taken off."""
    if lag is None or not lag.notable:
        return []
    way = "late" if lag.lag_s > 0 else "early"
    found = f"the plates seem {abs(lag.lag_s) * 1e3:.0f} ± {lag.se_s * 1e3:.0f} ms {way} against the cameras"
    if stated_s is None:
        return [
            f"{found}, which changes hip moments most; nothing was shifted. If other walks agree (`gait2hip "
            "plates-lag`), state plates_lag_s in the session or the profile"
        ]
    return [
        f"{found} with the stated plates_lag_s = {stated_s:g} taken off, expected within {NOTABLE_LAG_S * 1e3:g} ms: "
        "look at its size and its sign, which is positive for plates that are late"
    ]


def _left_over(body: WholeBody, frames: np.ndarray, motion: np.ndarray) -> np.ndarray:
    """Mean square of what is left of each of `MEASURES`, (L, 3), at L delays.

    `motion` (L, N, 5) is the body's, N frames at the delayed times: forces needed forward and up, the moment needed,
    and where the mass centre is.
    """
    given_n = body.given_n[frames]
    forward, up = given_n[:, 0] - motion[..., 0], given_n[:, 1] - motion[..., 1]
    pitch = body.given_nm[frames] - _pitch(motion[..., 3:], given_n) - motion[..., 2]
    # A force's line that lies a constant distance off turns the body by that distance times the force upwards.
    off = given_n[:, 1]
    turned = pitch - off * (pitch @ off / (off @ off))[:, None]
    return np.column_stack([forward.var(axis=1), up.var(axis=1), (turned**2).mean(axis=1)])


def _optimum(lags: np.ndarray, cost: np.ndarray) -> tuple[float, float]:
    """Where a cost is least, between the samples, and the standard error; NaN if that is at an end."""
    at = int(np.argmin(cost))
    if at in (0, len(cost) - 1):
        return float("nan"), float("nan")
    before, here, after = cost[at - 1 : at + 2]
    bend = before - 2 * here + after
    return float(lags[at] + _STEP_S * (before - after) / (2 * bend)), float(_STEP_S / math.sqrt(bend))


def _pitch(at_m: np.ndarray, force_n: np.ndarray) -> np.ndarray:
    """The moment about z (...) of forces (..., 2 or 3) at points (..., 2 or 3)."""
    moment: np.ndarray = at_m[..., 0] * force_n[..., 1] - at_m[..., 1] * force_n[..., 0]
    return moment
