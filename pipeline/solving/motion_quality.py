"""How well the model follows the markers in a stride, and the gates of its motion: markers, leaps, ends of ranges."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.ground.cycles import Stride
from pipeline.records import Kinematics
from pipeline.session.recipe import QualitySettings
from pipeline.solving.leaps import Leap, leap_within
from pipeline.solving.range_ends import Ranges, most_at_range_end


@dataclass(frozen=True, slots=True, kw_only=True)
class MotionQuality:
    """How well a stride's motion fits the markers that it is judged by, metres.

    `marker_rms_m` is the root mean square over markers, `marker_error_m` the error of the `worst_marker`, each at the
    recipe's percentile over the stride's frames. `peak_m` is the largest error of any frame: of `peak_marker` at
    `peak_s`, when the other markers had the root mean square `others_m`; `peak_frames` are beyond the limit.
    `range_end_ratio` is the share of frames in which `range_end_of` lies on an end of its range. `leap` is of pelvis or
    legs.
    """

    marker_rms_m: float
    marker_error_m: float
    worst_marker: str
    peak_m: float
    peak_marker: str
    peak_s: float
    peak_frames: int
    others_m: float
    range_end_ratio: float
    range_end_of: str
    leap: Leap | None


def motion_quality(
    stride: Stride, kinematics: Kinematics, ranges: Ranges, leaps: Sequence[Leap], settings: QualitySettings
) -> MotionQuality:
    """One stride's figures over its own frames."""
    time_s = kinematics.coordinates.time_s
    during = stride.frames(time_s)
    range_end_of, range_end_ratio = most_at_range_end(stride.side, kinematics.coordinates, during, ranges, settings)
    leap = leap_within(stride, leaps)
    if not kinematics.marker_names:
        unknown = dict.fromkeys(("marker_rms_m", "marker_error_m", "peak_m", "peak_s", "others_m"), float("nan"))
        return MotionQuality(
            **unknown,
            worst_marker="",
            peak_marker="",
            peak_frames=0,
            range_end_ratio=range_end_ratio,
            range_end_of=range_end_of,
            leap=leap,
        )
    error_m, rms_m = kinematics.marker_error_m[during], kinematics.marker_rms_m[during]
    seen = np.isfinite(error_m).any(axis=0)
    usual_m = np.full(error_m.shape[1], np.nan)
    usual_m[seen] = np.nanpercentile(error_m[:, seen], settings.marker_percentile, axis=0)
    worst = int(np.nanargmax(usual_m))
    peak = np.unravel_index(int(np.nanargmax(error_m)), error_m.shape)
    others_m = np.delete(error_m[peak[0]], peak[1])
    return MotionQuality(
        marker_rms_m=float(np.percentile(rms_m, settings.marker_percentile)),
        marker_error_m=float(usual_m[worst]),
        worst_marker=kinematics.marker_names[worst],
        peak_m=float(error_m[peak]),
        peak_marker=kinematics.marker_names[peak[1]],
        peak_s=float(time_s[during][peak[0]]),
        peak_frames=int((error_m > settings.max_marker_error_m).any(axis=1).sum()),
        others_m=float(np.sqrt(np.nanmean(others_m**2))) if np.isfinite(others_m).any() else float("nan"),
        range_end_ratio=range_end_ratio,
        range_end_of=range_end_of,
        leap=leap,
    )


def why_not_followed(quality: MotionQuality, settings: QualitySettings) -> str:
    """Why a stride is lost by these figures; "" if it stands."""
    percentile = f"in the {settings.marker_percentile:g}th percentile of frames"
    if quality.marker_error_m > settings.max_marker_error_m:
        return (
            f"marker {quality.worst_marker} is {_mm(quality.marker_error_m)} off {percentile}, expected at most "
            f"{_mm(settings.max_marker_error_m)} ({_peak(quality)})"
        )
    if quality.marker_rms_m > settings.max_marker_rms_m:
        return (
            f"markers are {_mm(quality.marker_rms_m)} off {percentile}, root mean square, expected at most "
            f"{_mm(settings.max_marker_rms_m)} ({_peak(quality)})"
        )
    if quality.leap:
        return f"{quality.leap}: nobody moves so fast. Two poses fit the markers nearly as well, or markers jump"
    if quality.range_end_ratio > settings.max_range_end_ratio:
        return f"{_at_range_end(quality)}, expected at most {settings.max_range_end_ratio:.0%}"
    return ""


def notes_of(quality: MotionQuality, settings: QualitySettings) -> tuple[str, ...]:
    """What a person should know of a stride that stands: a marker off in a few frames, a joint on its stop."""
    notes = []
    if quality.peak_frames:
        notes.append(
            f"{_peak(quality)}, beyond {_mm(settings.max_marker_error_m)} in {_frames(quality.peak_frames)}: "
            "too few to leave the stride out"
        )
    if quality.range_end_ratio > 0:
        notes.append(_at_range_end(quality))
    return tuple(notes)


def _at_range_end(quality: MotionQuality) -> str:
    return f"{quality.range_end_of} lies on an end of its range in {quality.range_end_ratio:.0%} of frames"


def _peak(quality: MotionQuality) -> str:
    return (
        f"{quality.peak_marker} {_mm(quality.peak_m)} at {quality.peak_s:.2f} s, other markers {_mm(quality.others_m)}"
    )


def _mm(length_m: float) -> str:
    return f"{1e3 * length_m:.0f} mm"


def _frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"
