"""Where ranges of motion begin in a sized model: beyond the generic one's, so that no healthy leg meets a stop."""

from collections.abc import Sequence

import numpy as np

from pipeline.session.recipe import ScalingSettings


def lowest_deg(coordinates: Sequence[str], settings: ScalingSettings) -> dict[str, float]:
    """The least angle of each coordinate that is widened, by its name."""
    least = {"hip_flexion": -settings.hip_extension_deg, "knee_angle": -settings.knee_hyperextension_deg}
    return {name: least[name[:-2]] for name in coordinates if name[-2:] in ("_r", "_l") and name[:-2] in least}


def widened(low: np.ndarray, coordinates: Sequence[str], settings: ScalingSettings) -> np.ndarray:
    """Lower ends of ranges (Q,), radians, widened where they are narrower."""
    wide = low.copy()
    for name, degrees in lowest_deg(coordinates, settings).items():
        number = list(coordinates).index(name)
        wide[number] = min(wide[number], np.radians(degrees))
    return wide
