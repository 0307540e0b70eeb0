"""How long a joint of the leg lies on the end of its range: the rest of the body moves in its place, unseen."""

from collections.abc import Mapping

import numpy as np

from pipeline.records import Coordinates, Side
from pipeline.session.recipe import QualitySettings
from warehouse.channels import LOADED_JOINTS

# A range's ends by coordinate, radians; infinite where it has none.
Ranges = Mapping[str, tuple[float, float]]


def most_at_range_end(
    side: Side, coordinates: Coordinates, during: np.ndarray, ranges: Ranges, settings: QualitySettings
) -> tuple[str, float]:
    """The leg's coordinate that is on its stop most often in some frames, and its share; ("", 0) if none ever is."""
    letter = side[0]
    near = np.radians(settings.range_end_deg)
    shares = {"": 0.0}
    for joint, names in LOADED_JOINTS.items():
        for name in names if joint.endswith(f"_{letter}") else ():
            if name in coordinates.names and name in ranges:
                low, high = ranges[name]
                values = coordinates.column(name)[during]
                shares[name] = float(((values < low + near) | (values > high - near)).mean())
    most = max(shares, key=lambda name: shares[name])
    return most, shares[most]
