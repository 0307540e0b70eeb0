"""Ranges of joint angles in walking."""

from functools import cache

import numpy as np

from pipeline.osim.models.rajagopal2016.tables import read_tables

# Upper limits in walking, below the model's: the six adults of Schreiber and Moissenet (2019) stay below 19 degrees of
# dorsiflexion, beyond which plantar flexors are too long to push off well, and below 16 degrees of hip adduction.
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
