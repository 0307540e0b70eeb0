"""Gait cycles: one foot's strike to its next, resampled, with targets only where that foot's ground reaction is known."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy.interpolate import PchipInterpolator

from pipeline.gait_events import GaitEvents
from pipeline.recipe import CycleSettings
from pipeline.records import Side


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One resampled cycle: `channels` hold (P,) arrays, sampled at `phase` (P,) from 0 to 1."""

    side: Side
    start_s: float
    duration_s: float
    toe_off_phase: float
    phase: np.ndarray
    channels: Mapping[str, np.ndarray]


def cut_cycles(
    side: Side,
    time_s: np.ndarray,
    channels: Mapping[str, np.ndarray],
    known: np.ndarray,
    events: GaitEvents,
    settings: CycleSettings,
) -> tuple[tuple[Cycle, ...], tuple[str, ...]]:
    """The cycles of one leg, and why each other stride gave none.

    `known` (T,) says at which frames every channel (T,) is trustworthy for this leg. A stride is cut when all
    its frames are known, it has a toe off, and it lasts as long as walking does.
    """
    strikes = events.times("foot_strike", side)
    cycles, refused = [], []
    for start, stop in zip(strikes[:-1], strikes[1:], strict=True):
        offs = [t for t in events.times("foot_off", side) if start < t < stop]
        why = _unfit(time_s, known, start, stop, offs, settings)
        if why:
            refused.append(f"{side} stride at {start:.2f} s: {why}")
            continue
        cycles.append(_resampled(side, time_s, channels, known, start, stop, offs[0], settings.cycle_points))
    return tuple(cycles), tuple(refused)


def _unfit(
    time_s: np.ndarray,
    known: np.ndarray,
    start: float,
    stop: float,
    offs: list[float],
    settings: CycleSettings,
) -> str:
    if not settings.min_stride_s <= stop - start <= settings.max_stride_s:
        return f"lasts {stop - start:.2f} s, walking takes {settings.min_stride_s}-{settings.max_stride_s} s"
    if len(offs) != 1:
        return f"has {len(offs)} toe offs"
    frames = (time_s >= start - 1e-9) & (time_s < stop - 1e-9)
    frame_s = time_s[1] - time_s[0]
    if not frames.any() or time_s[frames][0] - start > frame_s or stop - time_s[frames][-1] > 1.5 * frame_s:
        return "is not wholly recorded"
    if not known[frames].all():
        return "its ground reaction is not known throughout"
    return ""


def _resampled(
    side: Side,
    time_s: np.ndarray,
    channels: Mapping[str, np.ndarray],
    known: np.ndarray,
    start: float,
    stop: float,
    toe_off: float,
    points: int,
) -> Cycle:
    # One known frame beyond each end where there is one, so that the ends are interpolated, not held.
    frames = np.flatnonzero((time_s > start - 1.5 / _rate(time_s)) & (time_s < stop + 1.5 / _rate(time_s)) & known)
    phase = np.linspace(0, 1, points)
    # The last frame before a strike off the plates ends what is known: its value is held, for under one frame.
    at = np.clip(start + phase * (stop - start), time_s[frames[0]], time_s[frames[-1]])
    # Monotone cubic interpolation: straight lines stay straight, and no force overshoots below zero.
    values = PchipInterpolator(time_s[frames], np.stack([channels[name][frames] for name in channels], axis=1))(at)
    return Cycle(
        side=side,
        start_s=float(start),
        duration_s=float(stop - start),
        toe_off_phase=float((toe_off - start) / (stop - start)),
        phase=phase,
        channels={name: values[:, index] for index, name in enumerate(channels)},
    )


def _rate(time_s: np.ndarray) -> float:
    return float(1 / (time_s[1] - time_s[0]))
