"""Leaps of a motion from one frame to the next that nobody makes: between two optima of inverse kinematics, mostly.

Where markers hardly tell a limb's pose, two poses fit nearly as well, and the better one may change within a walk. A
stride in which pelvis or legs leap gives no targets. An arm's leap is only told: no hip moment depends on it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.ground.cycles import Stride
from pipeline.records import Coordinates
from pipeline.session.recipe import QualitySettings
from pipeline.solving.quality import RESIDUAL_FORCES, RESIDUAL_MOMENTS
from warehouse.channels import LOADED_JOINTS

# What a cycle's angles and its targets are made of.
OF_TARGETS = frozenset(
    (*RESIDUAL_FORCES, *RESIDUAL_MOMENTS, *(name for names in LOADED_JOINTS.values() for name in names))
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leap:
    """A coordinate's leap from the frame at `time_s` to the next, radians or metres."""

    name: str
    time_s: float
    size: float
    rotational: bool

    def __str__(self) -> str:
        size = f"{np.degrees(self.size):.0f} degrees" if self.rotational else f"{self.size:.2f} m"
        return f"{self.name} leaps by {size} from one frame to the next at {self.time_s:.2f} s"


def leaps_of(coordinates: Coordinates, settings: QualitySettings) -> tuple[Leap, ...]:
    """Every leap, coordinate after coordinate and in time; the numbers stay as they are."""
    return tuple(_leaps(coordinates, settings))


def leap_within(stride: Stride, leaps: Sequence[Leap]) -> Leap | None:
    """The first leap in a stride of what its targets are made of."""
    during = (leap for leap in leaps if leap.name in OF_TARGETS and stride.start_s <= leap.time_s < stride.stop_s)
    return next(during, None)


def leap_warnings(leaps: Sequence[Leap], strides: Sequence[Stride]) -> tuple[str, ...]:
    """One sentence for each coordinate that leaps and costs none of these strides, with its largest leap."""
    told: dict[str, list[Leap]] = {}
    for leap in leaps:
        if not any(leap_within(stride, [leap]) for stride in strides):
            told.setdefault(leap.name, []).append(leap)
    return tuple(_sentence(of_one) for of_one in told.values())


def _sentence(leaps: list[Leap]) -> str:
    worst = max(leaps, key=lambda leap: leap.size)
    count = len(leaps) - 1
    more = f", and at {count} other time{'s' if count > 1 else ''}" if count else ""
    return (
        f"{worst}{more}: nobody moves so fast. Two poses fit the markers there nearly as well, or markers jump; what "
        "is stored of this joint near it is not to be trusted"
    )


def _leaps(coordinates: Coordinates, settings: QualitySettings) -> Iterator[Leap]:
    span_s = np.diff(coordinates.time_s)
    # Between two passes of a recording frames are missing.
    beside = span_s < 1.5 * span_s.min()
    for name, rotational, values in zip(coordinates.names, coordinates.rotational, coordinates.values.T, strict=True):
        step = np.abs(np.diff(values))
        fastest = settings.max_speed_rad_s if rotational else settings.max_speed_m_s
        # A motion that is fast throughout has no leaps.
        usual = np.median(step[beside])
        for frame in np.flatnonzero(beside & (step > fastest * span_s) & (step > settings.min_leap_ratio * usual)):
            yield Leap(
                name=name,
                time_s=float(coordinates.time_s[frame]),
                size=float(step[frame]),
                rotational=bool(rotational),
            )
