"""How far the joints of somebody walking go."""

from functools import cache

import numpy as np

from pipeline.osim.rajagopal2016.tables import read_tables

# Highest values in walking, where the model goes further: none of the six adults of Schreiber and Moissenet (2019)
# takes an ankle beyond 19 degrees, and plantar flexors that are longer than that push off weakly.
WALKING_MAX_RAD = {"ankle_angle_r": np.radians(20.0), "ankle_angle_l": np.radians(20.0)}


@cache
def joint_ranges() -> dict[str, tuple[float, float]]:
    """Lowest and highest value of each clamped coordinate, radians or metres, by name."""
    return {
        row["name"]: (float(row["min"]), min(float(row["max"]), WALKING_MAX_RAD.get(row["name"], np.inf)))
        for row in read_tables()["coordinates"]
        if row["clamped"] == "true"
    }
