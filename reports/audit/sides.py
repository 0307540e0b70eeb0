"""Signs and sides: curves that run against the others', or half a cycle late."""

from collections.abc import Iterator, Mapping
from itertools import pairwise

import numpy as np

from reports.audit.curves import nan_median
from reports.audit.group import AuditGroup, agreed_channels, verdicts_on
from reports.audit.others import FLOOR, Others, correlations
from reports.audit.verdict import AuditVerdict
from warehouse.channels import ALL_CHANNELS, FORCE_CHANNELS, INPUT_COORDINATES, MOMENT_CHANNELS

SIGN_LIMIT = -0.5
SIDES_LIMIT = 0.5
_SETS: Mapping[str, np.ndarray] = {
    name: np.isin(ALL_CHANNELS, channels)
    for name, channels in {"inputs": INPUT_COORDINATES, "targets": (*FORCE_CHANNELS, *MOMENT_CHANNELS)}.items()
}
# The shape of a curve whose range is below this many times the smallest difference that matters is chance.
_MOVES = 4.0


def exchanged_sides(group: AuditGroup, others: Others) -> Iterator[AuditVerdict]:
    """Cycles whose inputs, or targets, fit the others' better when shifted by half a cycle."""
    gain = _gain_of_half_a_cycle(group, others)
    agreed = agreed_channels(group, others)
    for name, channels in _SETS.items():
        scores = _known_mean(gain[:, channels & agreed])
        text = f"correlation of {name} with the others' rises by {{score}} when they are shifted by half a cycle"
        yield from verdicts_on(group, "sides", name, scores > SIDES_LIMIT, scores, SIDES_LIMIT, text)


def flipped_signs(group: AuditGroup, others: Others) -> Iterator[AuditVerdict]:
    """Cycles that run against the others' median in a channel on which the others agree."""
    correlation = correlations(group.cycles.curves, others.center[group.of_cycle])
    for channel in np.flatnonzero(agreed_channels(group, others)):
        scores = correlation[:, channel]
        text = "correlation of {score} with the median of {n_others} others"
        wrong, n_others = scores < SIGN_LIMIT, others.n[:, channel]
        yield from verdicts_on(group, "sign", ALL_CHANNELS[channel], wrong, scores, SIGN_LIMIT, text, n_others)


def disagreeing_legs(group: AuditGroup) -> Iterator[AuditVerdict]:
    """Subjects whose right and left cycles run against each other; only the others could tell which leg is wrong."""
    for subject in group.subjects:
        of_subject = group.cycles.take(group.cycles.subject == subject)
        legs = [nan_median(of_subject.curves[of_subject.side == side]) for side in _sides(of_subject.side)]
        for right, left in pairwise(legs):
            moves = np.minimum(np.ptp(right, axis=1), np.ptp(left, axis=1)) > _MOVES * FLOOR
            against = correlations(right, left)
            for channel in np.flatnonzero(moves & (against < SIGN_LIMIT)):
                yield AuditVerdict(
                    kind="left and right",
                    subject=subject,
                    condition=group.condition,
                    channel=ALL_CHANNELS[channel],
                    score=float(against[channel]),
                    limit=SIGN_LIMIT,
                    found=f"correlation of {against[channel]:.3g} between the two legs' median cycles",
                )


def _sides(sides: np.ndarray) -> list[str]:
    return sorted(set(sides.tolist()), reverse=True)


def _gain_of_half_a_cycle(group: AuditGroup, others: Others) -> np.ndarray:
    center = others.center[group.of_cycle]
    # The last sample is the same event as the first, one cycle later.
    later = np.roll(group.cycles.curves[:, :, :-1], (center.shape[2] - 1) // 2, axis=2)
    return correlations(later, center[:, :, :-1]) - correlations(group.cycles.curves, center)


def _known_mean(values: np.ndarray) -> np.ndarray:
    known = np.isfinite(values)
    with np.errstate(invalid="ignore"):
        return np.asarray(np.where(known, values, 0).sum(axis=1) / known.sum(axis=1))
