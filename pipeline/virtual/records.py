"""Records that the virtual laboratory's steps exchange: frozen, SI units, ground frame (x forward, y up, z right).

Shapes: T marker frames, S analog samples (a whole number a frame), M markers, Q coordinates.
"""

from collections.abc import Mapping, Sequence
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
    """A subject: segment_factors (x, y, z) scale the generic model's bodies, whose masses keep their proportions."""

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
    """The truth of one trial, before any instrument records it.

    coordinates, speeds and accelerations (T, Q) are sampled at the marker rate. moments are the inverse dynamics of
    these with these ground reactions, so that the pelvis' six are residuals. markers_m (T, M, 3). load is sampled at
    the analog rate, from the same instant.
    """

    coordinates: Coordinates
    speeds: np.ndarray
    accelerations: np.ndarray
    moments: GeneralizedForces
    marker_names: tuple[str, ...]
    markers_m: np.ndarray
    load: Mapping[Side, FootLoad]
    contacts: tuple[FootContact, ...]

    def middle(self, labels: Sequence[str]) -> np.ndarray:
        """The middle of some markers, (T, 3) in metres; ValueError if there is no such marker."""
        middle_m: np.ndarray = self.markers_m[:, [self.marker_names.index(label) for label in labels]].mean(axis=1)
        return middle_m
