"""Leaps of a motion from one frame to the next that nobody makes: between two optima of inverse kinematics, mostly.

Where markers hardly tell a limb's pose, two poses fit nearly as well, and the better one may change within a walk.
"""

from collections.abc import Iterator

import numpy as np

from pipeline.records import Coordinates

# Several times what limbs turn at in fast walking (a knee: 8 rad/s) and what a pelvis travels at.
FASTEST_RAD_S, FASTEST_M_S = 25.0, 10.0
# A leap is this many times the coordinate's usual step, too: a motion that is fast throughout is another matter.
FAR_OUTSIDE = 10.0


def leap_warnings(coordinates: Coordinates) -> tuple[str, ...]:
    """One sentence for each coordinate that leaps, with its largest leap and its time; the numbers stay as they are."""
    return tuple(_sentences(coordinates))


def _sentences(coordinates: Coordinates) -> Iterator[str]:
    span_s = np.diff(coordinates.time_s)
    for name, rotational, values in zip(coordinates.names, coordinates.rotational, coordinates.values.T, strict=True):
        step = np.abs(np.diff(values))
        fastest = FASTEST_RAD_S if rotational else FASTEST_M_S
        leaps = np.flatnonzero((step > fastest * span_s) & (step > FAR_OUTSIDE * np.median(step)))
        if len(leaps):
            worst = leaps[np.argmax(step[leaps])]
            size = f"{np.degrees(step[worst]):.0f} degrees" if rotational else f"{step[worst]:.2f} m"
            more = f", and leaps at {len(leaps) - 1} other times" if len(leaps) > 1 else ""
            yield (
                f"{name} leaps by {size} from one frame to the next at {coordinates.time_s[worst]:.2f} s{more}: nobody "
                "moves so fast. Two poses fit the markers there nearly as well, or markers jump; moments and forces "
                "near it are not to be trusted"
            )
