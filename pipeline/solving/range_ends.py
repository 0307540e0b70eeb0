"""Strides in which a joint of the leg lies on the end of its range: the rest of the body moves in its place, unseen."""

from collections.abc import Mapping, Sequence

import numpy as np

from pipeline.errors import TrialRejected
from pipeline.ground.cycles import Stride
from pipeline.records import Coordinates
from pipeline.session.recipe import QualitySettings
from warehouse.channels import LOADED_JOINTS

# A range's ends by coordinate, radians; infinite where it has none.
Ranges = Mapping[str, tuple[float, float]]


def keep_within_ranges(
    strides: Sequence[Stride], coordinates: Coordinates, ranges: Ranges, source: str, settings: QualitySettings
) -> tuple[tuple[Stride, ...], tuple[str, ...]]:
    """The strides whose leg keeps off its stops, and a sentence for each that touches one or is left out.

    TrialRejected("inverse_kinematics", …) if none is left.
    """
    kept, told, refused = [], [], []
    for stride in strides:
        during = (coordinates.time_s >= stride.start_s - 1e-9) & (coordinates.time_s < stride.stop_s - 1e-9)
        name, share = _most_at_end(stride.side[0], coordinates, during, ranges, settings)
        where = f"{stride.side} stride at {stride.start_s:.2f} s"
        at = f"{where}: {name} lies on an end of its range in {share:.0%} of frames"
        if share > settings.max_range_end_ratio:
            refused.append(f"{at}, expected at most {settings.max_range_end_ratio:.0%}")
            continue
        kept.append(stride)
        if share > 0:
            told.append(at)
    if not kept:
        raise TrialRejected(
            "inverse_kinematics",
            f"{source}: {'; '.join(refused)}. Look at the sized body (standing pose, markers of pelvis and leg). "
            "Where the person moves so, widen the range in the recipe's [scaling] section.",
        )
    return tuple(kept), (*told, *refused)


def _most_at_end(
    letter: str, coordinates: Coordinates, during: np.ndarray, ranges: Ranges, settings: QualitySettings
) -> tuple[str, float]:
    """The leg's coordinate that is on its stop most often, and the share of frames; ("", 0) if none ever is."""
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
