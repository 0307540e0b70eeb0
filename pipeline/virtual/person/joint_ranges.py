"""How far the joints of somebody walking go."""

from functools import cache

import numpy as np

from pipeline.osim.models.rajagopal2016.tables import read_tables

# Highest values in walking, where the model goes further: none of the six adults of Schreiber and Moissenet (2019)
# takes an ankle beyond 19 degrees, where plantar flexors are too long to push off well, or adducts a hip beyond 16.
WALKING_MAX_RAD = {
    f"{name}_{side}": np.radians(degrees)
    for name, degrees in (("ankle_angle", 20.0), ("hip_adduction", 18.0))
    for side in "rl"
}


@cache
def joint_ranges() -> dict[str, tuple[float, float]]:
    """Lowest and highest value of each clamped coordinate, radians or metres, by name."""
    return {
        row["name"]: (float(row["min"]), min(float(row["max"]), WALKING_MAX_RAD.get(row["name"], np.inf)))
        for row in read_tables()["coordinates"]
        if row["clamped"] == "true"
    }
