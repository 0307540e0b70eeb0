"""How far joints of a sized model reach: beyond the generic one's ranges, so that no healthy leg meets a stop."""

from collections.abc import Sequence

import numpy as np

from pipeline.session.recipe import ScalingSettings


def reached_deg(coordinates: Sequence[str], settings: ScalingSettings) -> dict[str, float]:
    """The angle that each widened coordinate's range must hold, by its name."""
    reached = {
        "hip_flexion": -settings.hip_extension_deg,
        "knee_angle": -settings.knee_hyperextension_deg,
        "ankle_angle": settings.ankle_dorsiflexion_deg,
    }
    return {name: reached[name[:-2]] for name in coordinates if name[-2:] in ("_r", "_l") and name[:-2] in reached}


def widened(
    low: np.ndarray, high: np.ndarray, coordinates: Sequence[str], settings: ScalingSettings
) -> tuple[np.ndarray, np.ndarray]:
    """Both ends of ranges (Q,), radians, widened where they are narrower."""
    low, high = low.copy(), high.copy()
    for name, degrees in reached_deg(coordinates, settings).items():
        number = list(coordinates).index(name)
        low[number] = min(low[number], np.radians(degrees))
        high[number] = max(high[number], np.radians(degrees))
    return low, high
