"""How far the built-in model's joints go."""

from functools import cache

from pipeline.osim.rajagopal2016.tables import read_tables


@cache
def joint_ranges() -> dict[str, tuple[float, float]]:
    """Lowest and highest value of each clamped coordinate, radians or metres, by name."""
    return {
        row["name"]: (float(row["min"]), float(row["max"]))
        for row in read_tables()["coordinates"]
        if row["clamped"] == "true"
    }
