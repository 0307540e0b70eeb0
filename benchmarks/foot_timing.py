"""Feet against plates, without any model: when a heel stops and a toe leaves, and where the pressure lies.

One foot on one plate at a time. All laboratories' forces are first treated as the one that stored them smoothest did
(15 Hz, nothing below 50 N) and their markers at 10 Hz, so that what differs between laboratories is not their filters
alone: markers that were stored smoother stay so.
Shapes: T marker frames, S analog samples.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import butter, filtfilt

from pipeline.c3d.force_plates import centre_of_pressure
from pipeline.records import ForcePlate, Recording
from pipeline.signals import runs

MARKERS_HZ, FORCES_HZ, THRESHOLD_N = 10.0, 15.0, 50.0
SHORTEST_S, LONGEST_S = 0.15, 1.5
PHASES = (0.06, 0.5, 0.8, 0.94)


@dataclass(frozen=True, slots=True, kw_only=True)
class FootMarkers:
    """A foot's labels; the mean of several stands for one."""

    heel: tuple[str, ...]
    toe: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Footprint:
    """One stance.

    heel_s: where the heel's upward acceleration peaks as it lands, less the force's onset. toe_s: where the toe's
    forward acceleration peaks, less the force's end. NaN where there is no peak: a heel is also slowed before it lands,
    which is no event of the ground's. `along`: the centre of pressure at PHASES of the stance, from the heel's marker
    in shares of its distance from the toe's, which is length_m.
    """

    heel_s: float
    toe_s: float
    along: tuple[float, ...]
    length_m: float


def footprints(recording: Recording, feet: Sequence[FootMarkers]) -> Iterator[Footprint]:
    """Every stance of one foot alone on a plate that the markers show."""
    ratio = round(recording.analog_rate_hz / recording.point_rate_hz)
    tracks = [
        {name: _track(recording, labels) for name, labels in (("heel", foot.heel), ("toe", foot.toe))} for foot in feet
    ]
    for plate in recording.plates:
        smooth = _smooth(plate, recording.analog_rate_hz)
        up_n = smooth.force_n @ plate.normal
        for start, stop in runs(up_n > THRESHOLD_N):
            seconds = (stop - start) / recording.analog_rate_hz
            inside = start > 0 and stop < len(up_n)
            if inside and SHORTEST_S < seconds < LONGEST_S and up_n[start:stop].max() > 6 * THRESHOLD_N:
                found = [_footprint(recording, smooth, track, start, stop, ratio) for track in tracks]
                near = [one for one in found if one is not None]
                if len(near) == 1:
                    yield near[0]


def _track(recording: Recording, labels: tuple[str, ...]) -> np.ndarray:
    places = np.mean([recording.marker(label) for label in labels], axis=0)
    seen = np.isfinite(places).all(axis=1)
    smooth = np.full(places.shape, np.nan)
    if seen.sum() > 30:
        frames = np.flatnonzero(seen)
        whole = slice(frames[0], frames[-1] + 1)
        filled = np.column_stack([np.interp(np.arange(*whole.indices(len(seen))), frames, c[seen]) for c in places.T])
        smooth[whole] = filtfilt(*butter(4, MARKERS_HZ, fs=recording.point_rate_hz), filled, axis=0)
    return smooth


def _smooth(plate: ForcePlate, rate_hz: float) -> ForcePlate:
    filters = butter(2, FORCES_HZ, fs=rate_hz)
    return replace(
        plate,
        force_n=filtfilt(*filters, plate.force_n, axis=0),
        moment_nm=filtfilt(*filters, plate.moment_nm, axis=0),
    )


def _footprint(
    recording: Recording, plate: ForcePlate, track: Mapping[str, np.ndarray], start: int, stop: int, ratio: int
) -> Footprint | None:
    """None for a foot that did not stand there, or was not seen."""
    first, last = -(-start // ratio), stop // ratio
    middle = np.arange(round(first + 0.25 * (last - first)), round(first + 0.45 * (last - first)) + 1)
    heel, toe = track["heel"], track["toe"]
    if not (np.isfinite(heel[middle]).all() and np.isfinite(toe[middle]).all()):
        return None
    flat = np.eye(3) - np.outer(plate.normal, plate.normal)
    axis = flat @ (toe[middle] - heel[middle]).mean(axis=0)
    length = float(np.linalg.norm(axis))
    cop, _ = centre_of_pressure(plate, THRESHOLD_N)
    # A foot on a belt travels with it.
    drift = (heel[middle[-1]] - heel[middle[0]]) / max(len(middle) - 1, 1)
    frames = np.array([first + phase * (last - first) for phase in PHASES])
    at = np.round(frames * ratio).astype(int).clip(start, stop - 1)
    foot_then = heel[middle].mean(axis=0) + np.outer(frames - middle.mean(), drift)
    along = (cop[at] - foot_then) @ axis / length**2
    aside = np.linalg.norm((cop[at] - foot_then) @ flat.T - np.outer(along, axis), axis=1)
    if not (np.abs(along - 0.5) < 1.0).all() or np.median(aside) > 0.07:
        return None
    rate = recording.point_rate_hz
    return Footprint(
        heel_s=_peak_s(heel @ plate.normal, start / ratio, rate, -0.04, 0.08),
        toe_s=_peak_s(toe @ (axis / length), stop / ratio, rate, -0.15, 0.1),
        along=tuple(float(value) for value in along),
        length_m=length,
    )


def _peak_s(places: np.ndarray, near_frame: float, rate_hz: float, before_s: float, after_s: float) -> float:
    """Where the acceleration has its highest peak, less `near_frame`, seconds; NaN if it has none in the window."""
    acceleration = np.gradient(np.gradient(places)) * rate_hz**2
    window = np.arange(round(near_frame + before_s * rate_hz), round(near_frame + after_s * rate_hz) + 1)
    if (
        window[0] < 1
        or window[-1] >= len(places) - 1
        or not np.isfinite(acceleration[window[0] - 1 : window[-1] + 2]).all()
    ):
        return float("nan")
    before, here, after = acceleration[window - 1], acceleration[window], acceleration[window + 1]
    peaks = np.flatnonzero((here > before) & (here >= after))
    if not len(peaks):
        return float("nan")
    best = peaks[np.argmax(here[peaks])]
    beside = (before[best] - after[best]) / (2 * (before[best] - 2 * here[best] + after[best]))
    return float((window[best] + beside - near_frame) / rate_hz)
