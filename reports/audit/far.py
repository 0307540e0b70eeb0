"""What is far from all others: subjects, single cycles, levels of curves, targets that are out of scale."""

from collections.abc import Iterable, Iterator

import numpy as np

from reports.audit.curves import nan_median
from reports.audit.group import AuditGroup, verdicts_on
from reports.audit.others import LEAST_OTHERS, Others, distance_limit, distances
from reports.audit.verdict import AuditVerdict
from warehouse.channels import ALL_CHANNELS, FORCE_CHANNELS, INPUT_COORDINATES, MOMENT_CHANNELS

_TARGETS = np.array([ALL_CHANNELS.index(name) for name in (*FORCE_CHANNELS, *MOMENT_CHANNELS)])
# Twice the others' forces and moments per body mass in most channels is not a style of walking: the adults' walks that
# this is tested on are within 0.7-1.6 of each other.
SCALE_LIMIT = 2.0
# How far a curve's mean may be from the others', in degrees and N·m/kg. In the tests healthy people differ by up to 14
# degrees (hip flexion, which depends on the placement of the pelvis markers) and 0.1 N·m/kg: a multiple of so wide a
# spread would miss a wrong zero. A muscle force has no zero that could be wrong.
OFFSET_LIMITS = {**dict.fromkeys(INPUT_COORDINATES, 20.0), **dict.fromkeys(MOMENT_CHANNELS, 0.3)}
# The mean over all targets scatters less than the most unusual of them: its limit is this share of one channel's.
TOGETHER = 0.6
_NORMAL = 1.4826


def out_of_scale(group: AuditGroup, others: Others) -> Iterator[AuditVerdict]:
    """Subjects whose targets are larger or smaller than the others' by a factor, the median of the channels' factors.

    Each session has its own body mass: if only some of a subject's sessions are out of scale, these are named.
    """
    for index, subject in enumerate(group.subjects):
        center, n_others = others.center[index, _TARGETS], others.n[index, _TARGETS]
        factors = {session: _factor(curves, center) for session, curves in _sessions(group, index)}
        wrong = [session for session, factor in factors.items() if _excess(factor) > SCALE_LIMIT]
        for session in wrong if len(wrong) < len(factors) else [None]:
            factor = _farthest(factors.values()) if session is None else factors[session]
            yield AuditVerdict(
                kind="scale",
                subject=subject,
                condition=group.condition,
                session=session,
                channel="targets",
                score=_excess(factor),
                limit=SCALE_LIMIT,
                found=f"targets are {factor:.3g} times those of the {n_others[n_others >= LEAST_OTHERS].min()} others",
            )


def off_level(group: AuditGroup, others: Others) -> Iterator[AuditVerdict]:
    """Subjects whose angle or moment, averaged over the cycle, is far above or below the others' median cycle."""
    offsets = group.medians.mean(axis=-1) - others.center.mean(axis=-1)
    for channel, at_most in OFFSET_LIMITS.items():
        of_channel = offsets[:, ALL_CHANNELS.index(channel)]
        unit = "degrees" if channel in INPUT_COORDINATES else "N·m/kg"
        for subject in np.flatnonzero(np.abs(of_channel) > at_most):
            n_others = others.n[subject, ALL_CHANNELS.index(channel)]
            yield AuditVerdict(
                kind="offset",
                subject=group.subjects[subject],
                condition=group.condition,
                channel=channel,
                score=float(np.abs(of_channel[subject])),
                limit=at_most,
                found=f"its mean is {of_channel[subject]:+.3g} {unit} from that of the median of {n_others} others",
            )


def _sessions(group: AuditGroup, index: int) -> Iterator[tuple[str, np.ndarray]]:
    """Each of a subject's sessions with its median targets."""
    of_subject = group.of_cycle == index
    for session in sorted(set(group.cycles.session[of_subject].tolist())):
        chosen = of_subject & (group.cycles.session == session)
        yield session, nan_median(group.cycles.curves[chosen][:, _TARGETS])


def _factor(curves: np.ndarray, center: np.ndarray) -> float:
    """The factor between curves (C, P) and the others', median over the channels; 1 if none can be compared."""
    with np.errstate(invalid="ignore", divide="ignore"):
        factors = (curves * center).sum(axis=-1) / (center**2).sum(axis=-1)
    known = factors[np.isfinite(factors)]
    return float(np.median(known)) if len(known) else 1.0


def _excess(factor: float) -> float:
    """How far a factor is from 1, as a factor of at least 1; 1 for opposite signs, which are not a matter of scale."""
    return max(factor, 1 / factor) if factor > 0 else 1.0


def _farthest(factors: Iterable[float]) -> float:
    return max(factors, key=_excess)


def far_subjects(group: AuditGroup, others: Others) -> Iterator[AuditVerdict]:
    """Subjects whose median cycle is far from the others', channel by channel."""
    far, at_most = distances(group.medians, others.center, others.spread), others.limit
    for subject, channel in np.argwhere(far > at_most):
        yield AuditVerdict(
            kind="subject",
            subject=group.subjects[subject],
            condition=group.condition,
            channel=ALL_CHANNELS[channel],
            score=float(far[subject, channel]),
            limit=float(at_most[subject, channel]),
            found=f"{far[subject, channel]:.3g} robust SD from the median of {others.n[subject, channel]} others",
        )


def far_altogether(group: AuditGroup, others: Others) -> Iterator[AuditVerdict]:
    """Subjects whose targets together are far from the others': root mean square over the known channels."""
    far = distances(group.medians, others.center, others.spread)[:, _TARGETS]
    for subject, distance, n in zip(group.subjects, far, others.n[:, _TARGETS], strict=True):
        known = np.isfinite(distance)
        if not known.any():
            continue
        # The channel known by the fewest others has the least certain spread.
        n_others = int(n[known].min())
        score, at_most = float(np.sqrt((distance[known] ** 2).mean())), TOGETHER * float(distance_limit(n_others))
        if score > at_most:
            yield AuditVerdict(
                kind="subject",
                subject=subject,
                condition=group.condition,
                channel="targets",
                score=score,
                limit=at_most,
                found=f"{score:.3g} robust SD from the median of {n_others} others, all targets together",
            )


def far_cycles(group: AuditGroup, others: Others) -> Iterator[AuditVerdict]:
    """Cycles that are far from the others' median in a channel in which their subject is not."""
    of_cycle, at_most = group.of_cycle, others.limit
    spread = np.sqrt(others.spread**2 + within_subjects(group) ** 2)
    far = distances(group.cycles.curves, others.center[of_cycle], spread[of_cycle])
    subject_far = distances(group.medians, others.center, others.spread) > at_most
    wrong = (far > at_most[of_cycle]) & ~subject_far[of_cycle]
    for channel in np.flatnonzero(wrong.any(axis=0)):
        yield from verdicts_on(
            group,
            "cycle",
            ALL_CHANNELS[channel],
            wrong[:, channel],
            far[:, channel],
            at_most[:, channel],
            "{score} robust SD from the median of {n_others} others",
            others.n[:, channel],
        )


def within_subjects(group: AuditGroup) -> np.ndarray:
    """The robust standard deviation of subjects' cycles about their own median (C, P).

    NaN for a channel in which no subject has two known cycles.
    """
    of_cycle = group.of_cycle
    known = np.isfinite(group.cycles.curves).all(axis=-1)
    n_known = np.stack([known[of_cycle == subject].sum(axis=0) for subject in range(len(group.subjects))])[of_cycle]
    several = known & (n_known > 1)
    # The median of n cycles moves with each of them by about 1/n, which makes deviations too small.
    followed = np.sqrt(n_known / np.maximum(n_known - 1, 1))
    deviations = np.abs(group.cycles.curves - group.medians[of_cycle]) * followed[:, :, None]
    return _NORMAL * nan_median(np.where(several[:, :, None], deviations, np.nan))


def without_repeats(group: AuditGroup, others: Others) -> list[str]:
    """The channels that can be judged by subject but not by cycle: no subject has more than one known cycle."""
    judged = np.isfinite(others.center).all(axis=-1).any(axis=0)
    repeated = np.isfinite(within_subjects(group)).all(axis=-1)
    return [name for name, alone in zip(ALL_CHANNELS, judged & ~repeated, strict=True) if alone]
