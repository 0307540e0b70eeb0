"""Steps of muscle paths from one frame to the next, which no muscle makes.

OpenSim's rule, which both engines follow: a path wraps around a surface while its ends lie outside of it. An end that
enters the surface makes the path straight at once, and its moment arm and force step with it. Points that come and go
do the same. Where a length is smooth, it changes from frame to frame by the mean of its speeds there times the time
between: the trapezoidal rule, whose error goes with the third power of that time. A step shows as the rest.
"""

import numpy as np

from pipeline.session.recipe import QualitySettings
from pipeline.solving.engine import LaidMuscles


def path_step_warnings(laid: LaidMuscles, settings: QualitySettings) -> tuple[str, ...]:
    """One sentence that counts each muscle's steps, with the largest and its time; the numbers stay as they are."""
    step = np.abs(unexplained_change_m(laid))
    steps = step >= settings.min_path_step_m
    muscles = [
        f"{name} in {_frames(int(steps[:, i].sum()))} (by {1e3 * step[:, i].max():.1f} mm at "
        f"{laid.time_s[step[:, i].argmax()]:.2f} s)"
        for i, name in enumerate(laid.muscle_names)
        if steps[:, i].any()
    ]
    if not muscles:
        return ()
    return (
        f"muscle paths step from one frame to the next: {', '.join(muscles)}. An end of the path enters or leaves a "
        "surface that it wraps around, or a point comes or goes: the muscle's moment arm and force step with it, and "
        "others' forces too",
    )


def _frames(count: int) -> str:
    return f"{count} frame" if count == 1 else f"{count} frames"


def unexplained_change_m(laid: LaidMuscles) -> np.ndarray:
    """How much more each length changes from frame to frame than its speeds there say, (T - 1, U); 0 over a gap."""
    span_s = np.diff(laid.time_s)[:, None]
    speed_m_s = (laid.lengthening_m_s[1:] + laid.lengthening_m_s[:-1]) / 2
    change: np.ndarray = np.diff(laid.length_m, axis=0) - speed_m_s * span_s
    # Between two passes of a recording frames are missing.
    return np.where(span_s < 1.5 * span_s.min(), change, 0.0)
