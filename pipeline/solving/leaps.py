"""Leaps of a motion from one frame to the next that nobody makes: between two optima of inverse kinematics, mostly.

Where markers hardly tell a limb's pose, two poses fit nearly as well, and the better one may change within a walk.
"""

from collections.abc import Iterator

import numpy as np

from pipeline.records import Coordinates
from pipeline.session.recipe import QualitySettings


def leap_warnings(coordinates: Coordinates, settings: QualitySettings) -> tuple[str, ...]:
    """One sentence for each coordinate that leaps, with its largest leap and its time; the numbers stay as they are."""
    return tuple(_sentences(coordinates, settings))


def _sentences(coordinates: Coordinates, settings: QualitySettings) -> Iterator[str]:
    span_s = np.diff(coordinates.time_s)
    for name, rotational, values in zip(coordinates.names, coordinates.rotational, coordinates.values.T, strict=True):
        step = np.abs(np.diff(values))
        fastest = settings.max_speed_rad_s if rotational else settings.max_speed_m_s
        # A motion that is fast throughout has no leaps.
        leaps = np.flatnonzero((step > fastest * span_s) & (step > settings.min_leap_ratio * np.median(step)))
        if len(leaps):
            worst = leaps[np.argmax(step[leaps])]
            size = f"{np.degrees(step[worst]):.0f} degrees" if rotational else f"{step[worst]:.2f} m"
            more = f", and leaps at {len(leaps) - 1} other times" if len(leaps) > 1 else ""
            yield (
                f"{name} leaps by {size} from one frame to the next at {coordinates.time_s[worst]:.2f} s{more}: nobody "
                "moves so fast. Two poses fit the markers there nearly as well, or markers jump; moments and forces "
                "near it are not to be trusted"
            )
