"""Curves that no walk has: constant, or jumping from frame to frame. N cycles, C channels, P samples."""

from collections.abc import Iterator

import numpy as np

from reports.audit.group import AuditGroup, verdicts_on
from reports.audit.others import FLOOR, Others
from reports.audit.verdict import AuditVerdict
from warehouse.channels import ALL_CHANNELS, FORCE_CHANNELS, MOMENT_CHANNELS

_TARGETS = [ALL_CHANNELS.index(name) for name in (*FORCE_CHANNELS, *MOMENT_CHANNELS)]
# A curve whose range is a smaller share of the others' is flat.
FLAT_LIMIT = 0.02
# Harmonics of the stride from this one up (about 30 Hz) hold no motion: markers and forces are filtered far below.
FIRST_HARMONIC = 30
# Their largest share of the curve's root mean square. Kinks, where a muscle switches off, give a tenth at most.
CHATTER_LIMIT = 0.2
# With fewer samples per cycle there are too few such harmonics.
LEAST_POINTS = 3 * FIRST_HARMONIC


def flat_curves(group: AuditGroup, others: Others) -> Iterator[AuditVerdict]:
    """Angles, forces and moments that hardly move over a cycle while the others' do."""
    ranges = np.ptp(group.cycles.curves, axis=2)
    usual = np.ptp(others.center, axis=2)[group.of_cycle]
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = ranges / usual
    # Constant curves are reported by `constant_curves`.
    wrong = (shares < FLAT_LIMIT) & (ranges > 0) & (usual > FLOOR)
    text = "its range is {score} of the range of {n_others} others' median"
    for channel in np.flatnonzero(wrong.any(axis=0)):
        scores, n_others = shares[:, channel], others.n[:, channel]
        yield from verdicts_on(
            group, "flat", ALL_CHANNELS[channel], wrong[:, channel], scores, FLAT_LIMIT, text, n_others
        )


def constant_curves(group: AuditGroup) -> Iterator[AuditVerdict]:
    """Angles, forces and moments that are one number throughout a cycle; this needs no others to compare with."""
    ranges = np.ptp(group.cycles.curves, axis=2)
    for channel in np.flatnonzero((ranges == 0).any(axis=0)):
        scores = ranges[:, channel]
        yield from verdicts_on(
            group, "flat", ALL_CHANNELS[channel], scores == 0, scores, 0.0, "it is one number throughout"
        )


def chattering(group: AuditGroup) -> Iterator[AuditVerdict]:
    """Targets with much power at frequencies beyond any motion; cycles need at least `LEAST_POINTS` samples."""
    assert group.cycles.curves.shape[2] >= LEAST_POINTS
    shares, sizes = _fast_parts(group.cycles.curves[:, _TARGETS])
    for index, channel in enumerate(_TARGETS):
        wrong = (shares[:, index] > CHATTER_LIMIT) & (sizes[:, index] > FLOOR[channel])
        text = f"harmonics {FIRST_HARMONIC} and up are {{score}} of the curve (root mean square)"
        yield from verdicts_on(group, "chatter", ALL_CHANNELS[channel], wrong, shares[:, index], CHATTER_LIMIT, text)


def _fast_parts(curves: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The fast harmonics' share of each curve, and their root mean square in its unit: (N, C, P) -> (N, C) twice."""
    n = curves.shape[2] - 1
    # A difference between end and beginning would be a jump in a Fourier series.
    drift = np.linspace(0, 1, n + 1, dtype=curves.dtype) * (curves[:, :, -1:] - curves[:, :, :1])
    periodic = (curves - drift)[:, :, :-1]
    periodic -= periodic.mean(axis=2, keepdims=True)
    # Subtracting the slow harmonics leaves the fast ones; a transform of all takes five times as long.
    waves = _slow_waves(n).astype(curves.dtype)
    fast = periodic - (periodic @ waves) @ waves.T
    sizes = np.sqrt((fast**2).mean(axis=2))
    with np.errstate(invalid="ignore", divide="ignore"):
        return sizes / np.sqrt((periodic**2).mean(axis=2)), sizes


def _slow_waves(n: int) -> np.ndarray:
    """Harmonics 1 to `FIRST_HARMONIC` - 1 at n samples of a cycle, orthonormal (n, 2 × (FIRST_HARMONIC - 1))."""
    angles = 2 * np.pi * np.outer(np.arange(n) / n, np.arange(1, FIRST_HARMONIC))
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=1) * np.sqrt(2 / n)
