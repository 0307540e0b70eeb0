"""Steady motion of a whole body: a Fourier series for each coordinate, and the same way forward in each cycle.

Shapes: P phases (cycles since phase 0), Q coordinates in the model's order, K terms (see harmonics.py).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from pipeline.virtual.gait.harmonics import derivative_basis

FORWARD = "pelvis_tx"
# The patella's own coordinate follows the knee's.
FOLLOWERS = {"knee_angle_r_beta": "knee_angle_r", "knee_angle_l_beta": "knee_angle_l"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodicMotion:
    """terms (K, Q) in radians and metres; the pelvis also travels stride_m forward each period_s."""

    names: tuple[str, ...]
    terms: np.ndarray
    period_s: float
    stride_m: float

    @property
    def harmonics(self) -> int:
        """The highest multiple of the stride's frequency."""
        return (len(self.terms) - 1) // 2

    def at(self, phase: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Coordinates, speeds and accelerations, (P, Q) each, per second."""
        values, speeds, accelerations = (
            derivative_basis(phase, self.harmonics, order) @ self.terms / self.period_s**order for order in range(3)
        )
        forward = self.names.index(FORWARD)
        values[:, forward] += self.stride_m * phase
        speeds[:, forward] += self.stride_m / self.period_s
        return values, speeds, accelerations

    def moved(self, columns: Sequence[int], by: np.ndarray) -> "PeriodicMotion":
        """The motion with `by` (K, F) added to the terms of these coordinates and of those that follow them."""
        terms = self.terms.copy()
        terms[:, columns] += by
        return replace(self, terms=follow(self.names, terms))


def follow(names: Sequence[str], terms: np.ndarray) -> np.ndarray:
    """The terms (K, Q), with each follower's replaced by its leader's."""
    followed = terms.copy()
    for follower, leader in FOLLOWERS.items():
        followed[:, names.index(follower)] = terms[:, names.index(leader)]
    return followed
