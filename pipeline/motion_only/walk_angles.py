"""A walk as a predictor reads it: ten joint angles over time, cut at foot strikes into cycles of either leg.

Nothing here needs force plates. T frames, N cycles, P points of each, C = 10 angles in the order of INPUT_COORDINATES.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.ground.cycles import Stride, find_strides
from pipeline.ground.gait_events import GaitEvents
from pipeline.records import SIDES, Side
from pipeline.session.recipe import CycleSettings
from warehouse.channels import INPUT_COORDINATES, mirrored
from warehouse.resample import monotone_cubic

# For each angle of a cycle that is read as a right leg's, the column it is measured in.
_COLUMNS: dict[Side, list[int]] = {
    "right": list(range(len(INPUT_COORDINATES))),
    "left": [INPUT_COORDINATES.index(mirrored(name)) for name in INPUT_COORDINATES],
}


@dataclass(frozen=True, slots=True, kw_only=True)
class WalkAngles:
    """One walk: `angles_deg` (T, C) at increasing `time_s` (T,), NaN where not known, and its complete strides.

    `refused` says why other strides are not complete, `warnings` what was repaired before.
    """

    source: str
    time_s: np.ndarray
    angles_deg: np.ndarray
    strides: tuple[Stride, ...]
    refused: tuple[str, ...]
    warnings: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        expected = (len(self.time_s), len(INPUT_COORDINATES))
        if self.angles_deg.shape != expected:
            raise ValueError(f"{self.source}: angles have the shape {self.angles_deg.shape}, expected {expected}.")

    def cycles_deg(self, points: int) -> np.ndarray:
        """Every stride's angles (N, P, C), the striding leg's named as the right's."""
        cut = [self._cycle(stride, points) for stride in self.strides]
        return np.stack(cut) if cut else np.empty((0, points, len(INPUT_COORDINATES)))

    def _cycle(self, stride: Stride, points: int) -> np.ndarray:
        angles = self.angles_deg[:, _COLUMNS[stride.side]]
        known = np.isfinite(angles).all(axis=1) & _near(stride, self.time_s)
        # A strike between two frames at either end of what is known: the last value is held, for under one frame.
        at = np.linspace(stride.start_s, stride.stop_s, points).clip(self.time_s[known][0], self.time_s[known][-1])
        return monotone_cubic(self.time_s[known], angles[known], at)


def complete_strides(
    source: str, time_s: np.ndarray, angles_deg: np.ndarray, events: GaitEvents, settings: CycleSettings
) -> tuple[tuple[Stride, ...], tuple[str, ...]]:
    """Both legs' strides whose angles are all known, and why each other is not."""
    strides: list[Stride] = []
    refused: list[str] = []
    for side in SIDES:
        candidates, why = find_strides(side, time_s, np.full(len(time_s), "", dtype=object), events, settings)
        refused += map(str, why)
        for stride in candidates:
            unknown = _unknown_angles(stride, time_s, angles_deg)
            if unknown:
                refused.append(f"{side} stride at {stride.start_s:.2f} s: NaN in {', '.join(unknown)}")
            else:
                strides.append(stride)
    return tuple(strides), tuple(f"{source}: {why}" for why in refused)


def over_time(time_s: np.ndarray, strides: Sequence[Stride], curves: np.ndarray) -> np.ndarray:
    """Curves of one leg's cycles (N, P, K), back on its frames: (T, K), NaN in frames of none of them."""
    points, channels = curves.shape[1:]
    values = np.full((len(time_s), channels), np.nan)
    for stride, curve in zip(strides, curves, strict=True):
        during = (time_s >= stride.start_s) & (time_s <= stride.stop_s)
        phase = (time_s[during] - stride.start_s) / stride.duration_s
        values[during] = monotone_cubic(np.linspace(0, 1, points), curve, phase)
    return values


def _unknown_angles(stride: Stride, time_s: np.ndarray, angles_deg: np.ndarray) -> list[str]:
    during = (time_s >= stride.start_s) & (time_s <= stride.stop_s)
    lacking = ~np.isfinite(angles_deg[during]).all(axis=0)
    return [name for name, lacks in zip(INPUT_COORDINATES, lacking, strict=True) if lacks]


def _near(stride: Stride, time_s: np.ndarray) -> np.ndarray:
    # One frame beyond each end where there is one, so that the ends are interpolated, not held.
    frame_s = float(np.median(np.diff(time_s)))
    near: np.ndarray = (time_s > stride.start_s - 1.5 * frame_s) & (time_s < stride.stop_s + 1.5 * frame_s)
    return near
