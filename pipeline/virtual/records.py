"""What the virtual laboratory hands from step to step: frozen, SI units, ground frame (x forward, y up, z right).

Shapes: T marker frames, S analog samples (a whole number a frame), M markers, Q coordinates.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from pipeline.records import Coordinates, GeneralizedForces, Sex, Side

Cohort = Literal["healthy", "hip-disease"]
Condition = Literal["slow", "med", "fast"]

MARKER_RATE_HZ = 100.0
ANALOG_RATE_HZ = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualSubject:
    """A body: segment_factors (x, y, z) by body of the generic model size it; the mass is spread as in that model."""

    subject_id: str
    cohort: Cohort
    sex: Sex
    age_y: float
    mass_kg: float
    height_m: float
    segment_factors: Mapping[str, tuple[float, float, float]]


@dataclass(frozen=True, slots=True, kw_only=True)
class FootLoad:
    """The ground's true action on one foot: force_n (S, 3), at cop_m (S, 3) on the floor, free_moment_nm (S,) about up.

    Zero force and NaN centre of pressure while the foot is in the air.
    """

    force_n: np.ndarray
    cop_m: np.ndarray
    free_moment_nm: np.ndarray


@dataclass(frozen=True, slots=True, kw_only=True)
class FootContact:
    """One foot on the floor, from strike to off, in the performance's time."""

    side: Side
    strike_s: float
    off_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Performance:
    """One trial as it truly was, before any instrument saw it.

    coordinates, speeds and accelerations (T, Q) at the marker rate; moments are inverse dynamics of exactly these with
    exactly these ground reactions, so that the pelvis' six are what the dynamics leave over. markers_m (T, M, 3).
    load is sampled at the analog rate from the same first instant.
    """

    coordinates: Coordinates
    speeds: np.ndarray
    accelerations: np.ndarray
    moments: GeneralizedForces
    marker_names: tuple[str, ...]
    markers_m: np.ndarray
    load: Mapping[Side, FootLoad]
    contacts: tuple[FootContact, ...]
