"""Markers that leap away and back within a few frames, which no skin does: a reflection, or another marker's label.

Filtered, such a leap moves a joint for a quarter of a second, and a percentile over a stride's frames doesn't see it.
"""

from dataclasses import replace
from itertools import pairwise

import numpy as np

from pipeline.records import Markers
from pipeline.session.recipe import MarkerSettings


def without_leaps(markers: Markers, settings: MarkerSettings) -> tuple[Markers, tuple[str, ...]]:
    """The same with each marker missing between a leap and its way back, and a sentence for each.

    A leap is faster than `max_marker_speed_m_s` from one frame to the next, and so is its way back, at most `max_gap_s`
    later. One that only goes on at such a speed doesn't leap: from before to after it moves by less than half of it.
    """
    positions_m, told = markers.positions_m.copy(), []
    farthest_m = settings.max_marker_speed_m_s / markers.rate_hz
    step_m = np.linalg.norm(np.diff(markers.positions_m, axis=0), axis=2)
    for column, label in enumerate(markers.labels):
        leaps = np.flatnonzero(step_m[:, column] > farthest_m)
        for away, back in pairwise(leaps):
            n_away = int(back - away)
            moved_m = np.linalg.norm(positions_m[back + 1, column] - positions_m[away, column])
            if n_away <= settings.max_gap_s * markers.rate_hz and moved_m < 0.5 * farthest_m * (n_away + 1):
                positions_m[away + 1 : back + 1, column] = np.nan
                size_mm, at_s = 1e3 * step_m[away, column], markers.time_s[away + 1]
                told.append(
                    f"{label} leaps by {size_mm:.0f} mm at {at_s:.2f} s and back {n_away / markers.rate_hz:.2f} s "
                    "later: read as missing there"
                )
    return replace(markers, positions_m=positions_m), tuple(told)
