"""Gait cycles: a foot's strike to its next, resampled, with targets only where its ground reaction is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.ground.gait_events import GaitEvents
from pipeline.records import SIDES, FootWrench, Side
from pipeline.session.recipe import CycleSettings
from warehouse.resample import monotone_cubic


@dataclass(frozen=True, slots=True, kw_only=True)
class Stride:
    """From a foot strike to the next of the same foot.

    `heading_change_deg`: how far the walker turns to the left over it; NaN where not known.
    """

    side: Side
    start_s: float
    stop_s: float
    toe_off_s: float
    heading_change_deg: float = float("nan")

    @property
    def duration_s(self) -> float:
        """How long the stride takes."""
        return self.stop_s - self.start_s

    def frames(self, time_s: np.ndarray) -> np.ndarray:
        """Which of some frames (T,) belong to the stride: from its first strike to just before its second."""
        during: np.ndarray = (time_s >= self.start_s - 1e-9) & (time_s < self.stop_s - 1e-9)
        return during

    def margin_s(self, time_s: np.ndarray) -> float:
        """How far the stride lies inside the run of observed frames (T,) around it, seconds."""
        breaks = np.flatnonzero(np.diff(time_s) > 1.5 * np.diff(time_s).min())
        first_s, last_s = time_s[np.r_[0, breaks + 1]], time_s[np.r_[breaks, -1]]
        margins_s = np.minimum(self.start_s - first_s, last_s - self.stop_s)
        return float(margins_s.max())

    @property
    def toe_off_phase(self) -> float:
        """When the foot leaves the floor, as a share of the stride."""
        return (self.toe_off_s - self.start_s) / self.duration_s


@dataclass(frozen=True, slots=True, kw_only=True)
class LostStride:
    """A stride that gives no cycle: the stage that it was lost at, and why."""

    side: Side
    start_s: float
    stop_s: float
    stage: str
    why: str

    def __str__(self) -> str:
        return f"{self.side} stride at {self.start_s:.2f} s: {self.why}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cycle:
    """One resampled stride: `channels` hold (P,) arrays, sampled at `phase` (P,) from 0 to 1."""

    stride: Stride
    phase: np.ndarray
    channels: Mapping[str, np.ndarray]


def find_strides(
    side: Side, time_s: np.ndarray, unknown: np.ndarray, events: GaitEvents, settings: CycleSettings
) -> tuple[tuple[Stride, ...], tuple[LostStride, ...]]:
    """The complete strides of one leg, and why each other one isn't complete.

    `unknown` (T,) says why this leg's data can't be used in a frame, "" where it can. A stride is complete if all its
    frames can be used, it has one toe off, and its duration is within the settings' limits.
    """
    strikes = events.times("foot_strike", side)
    strides, refused = [], []
    for start, stop in pairwise(strikes):
        offs = [t for t in events.times("foot_off", side) if start < t < stop]
        why = _unfit(time_s, unknown, start, stop, offs, settings)
        if why:
            refused.append(LostStride(side=side, start_s=float(start), stop_s=float(stop), stage="cycles", why=why))
        else:
            strides.append(Stride(side=side, start_s=float(start), stop_s=float(stop), toe_off_s=float(offs[0])))
    return tuple(strides), tuple(refused)


def measured_strides(
    time_s: np.ndarray, wrenches: Mapping[Side, FootWrench], events: GaitEvents, settings: CycleSettings
) -> tuple[tuple[Stride, ...], tuple[LostStride, ...]]:
    """Both legs' complete strides with known ground reactions of their own foot, and why each other one isn't."""
    strides: list[Stride] = []
    refused: list[LostStride] = []
    for side in SIDES:
        complete, why = find_strides(side, time_s, wrenches[side].reason, events, settings)
        strides += complete
        refused += why
    return tuple(strides), tuple(refused)


def any_strides(
    time_s: np.ndarray, events: GaitEvents, settings: CycleSettings
) -> tuple[tuple[Stride, ...], tuple[LostStride, ...]]:
    """Both legs' complete strides, whatever is known of the ground's reactions, and why each other one isn't."""
    nowhere = np.full(len(time_s), "", dtype=object)
    found = [find_strides(side, time_s, nowhere, events, settings) for side in SIDES]
    return tuple(s for strides, _ in found for s in strides), tuple(s for _, lost in found for s in lost)


def frames_of(strides: Sequence[Stride], time_s: np.ndarray) -> slice:
    """From just before the first stride to just after the last."""
    frame_s = time_s[1] - time_s[0]
    during = np.flatnonzero(
        (time_s > min(stride.start_s for stride in strides) - 1.5 * frame_s)
        & (time_s < max(stride.stop_s for stride in strides) + 1.5 * frame_s)
    )
    return slice(int(during[0]), int(during[-1]) + 1)


def resample_stride(
    stride: Stride, time_s: np.ndarray, channels: Mapping[str, np.ndarray], known: np.ndarray, points: int
) -> Cycle:
    """A stride's channels (T,) at `points` equal steps between two foot strikes, from known frames only."""
    frame_s = time_s[1] - time_s[0]
    # One more known frame at each end, where there is one, so that the ends are interpolated.
    near = (time_s > stride.start_s - 1.5 * frame_s) & (time_s < stride.stop_s + 1.5 * frame_s)
    frames = np.flatnonzero(near & known)
    phase = np.linspace(0, 1, points)
    # Before a strike off the plates the last known frame is held, for less than one frame.
    at = np.clip(stride.start_s + phase * stride.duration_s, time_s[frames[0]], time_s[frames[-1]])
    values = monotone_cubic(time_s[frames], np.stack([channels[name][frames] for name in channels], axis=1), at)
    return Cycle(stride=stride, phase=phase, channels={name: values[:, index] for index, name in enumerate(channels)})


def _unfit(
    time_s: np.ndarray,
    unknown: np.ndarray,
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
    reasons = dict.fromkeys(reason for reason in unknown[frames] if reason)
    if reasons:
        return f"its ground reaction is not known throughout: {', '.join(reasons)}"
    return ""
