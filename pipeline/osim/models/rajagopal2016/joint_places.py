"""Where the model's joints lie: what tells its bones from another model's."""

from functools import cache

import numpy as np

from pipeline.osim.models.rajagopal2016.tables import read_tables


@cache
def joint_places_m() -> dict[tuple[str, str], np.ndarray]:
    """The joints' places on their parents, (3,) metres by parent and child."""
    return {
        (row["parent"], row["child"]): np.array([float(row[f"parent_{axis}_m"]) for axis in "xyz"])
        for row in read_tables()["joints"]
    }
