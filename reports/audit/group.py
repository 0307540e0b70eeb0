"""Cycles that can be compared with each other: one cohort in one condition. N cycles, S subjects, C channels."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from reports.audit.curves import AuditCycles, median_curves
from reports.audit.others import LEAST_OTHERS, Others, correlations, others_of
from reports.audit.verdict import AuditVerdict, VerdictKind

# Channels in which subjects correlate less can't tell a sign or a side.
_AGREED = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditGroup:
    """One cohort in one condition: its cycles, each subject's median cycle (S, C, P), and each subject's others.

    `subjects` are in the order of `medians`; `others` is None if there are too few.
    """

    cohort: str
    condition: str
    cycles: AuditCycles
    subjects: tuple[str, ...]
    medians: np.ndarray
    others: Others | None

    @property
    def of_cycle(self) -> np.ndarray:
        """Each cycle's subject as an index into `subjects` (N,)."""
        return np.searchsorted(self.subjects, self.cycles.subject)


def make_group(cohort: str, condition: str, cycles: AuditCycles) -> AuditGroup:
    """The group made of cycles of one cohort and condition."""
    subjects, medians = median_curves(cycles.subject, cycles.curves)
    enough = len(subjects) > LEAST_OTHERS
    return AuditGroup(
        cohort=cohort,
        condition=condition,
        cycles=cycles,
        subjects=tuple(subjects),
        medians=medians,
        others=others_of(medians) if enough else None,
    )


def agreed_channels(group: AuditGroup, others: Others) -> np.ndarray:
    """The channels (C,) whose curve most subjects share: the median correlation with the others is high."""
    correlation = correlations(group.medians, others.center)
    known = np.isfinite(correlation).any(axis=0)
    typical = np.full(correlation.shape[1], np.nan)
    typical[known] = np.nanmedian(correlation[:, known], axis=0)
    return np.asarray(np.nan_to_num(typical) > _AGREED)


def verdicts_on(
    group: AuditGroup,
    kind: VerdictKind,
    channel: str,
    wrong: np.ndarray,
    scores: np.ndarray,
    limits: np.ndarray | float,
    text: str,
    n_others: np.ndarray | int = 0,
) -> Iterator[AuditVerdict]:
    """A verdict on each wrong cycle (N,) of one channel; one on a leg or a subject if all of its cycles are wrong.

    `limits` and `n_others` are per subject (S,) or the same for all. `text` says what was found, with `{score}`
    and `{n_others}` as placeholders; of several cycles, the score farthest from the limit is reported.
    """
    limits, n_others = (np.broadcast_to(values, len(group.subjects)) for values in (limits, n_others))
    for index in sorted(set(group.of_cycle[wrong].tolist())):
        subject, limit = group.subjects[index], float(limits[index])
        of_subject = group.cycles.subject == subject
        for side, chosen in _wholes(group.cycles, of_subject, wrong):
            score = _farthest(scores[chosen], limit)
            whole = len(chosen) > 1 or not (of_subject & ~wrong).any()
            one = None if whole else int(chosen[0])
            yield AuditVerdict(
                kind=kind,
                subject=subject,
                condition=group.condition,
                session=None if one is None else str(group.cycles.session[one]),
                trial=None if one is None else str(group.cycles.trial[one]),
                side=side,
                cycle=None if one is None else int(group.cycles.cycle[one]),
                channel=channel,
                score=score,
                limit=limit,
                found=text.format(score=f"{score:.3g}", n_others=n_others[index]),
            )


def _wholes(cycles: AuditCycles, of_subject: np.ndarray, wrong: np.ndarray) -> Iterator[tuple[str | None, np.ndarray]]:
    """All of a subject's cycles if all are wrong, else all of a leg's, else each wrong one; with the leg's name."""
    if not (of_subject & ~wrong).any():
        sides = sorted(set(cycles.side[of_subject].tolist()))
        yield (sides[0] if len(sides) == 1 else None), np.flatnonzero(of_subject)
        return
    for side in sorted(set(cycles.side[of_subject].tolist())):
        of_leg = of_subject & (cycles.side == side)
        if not (of_leg & ~wrong).any():
            yield side, np.flatnonzero(of_leg)
        else:
            yield from ((side, np.array([index])) for index in np.flatnonzero(of_leg & wrong))


def _farthest(scores: np.ndarray, limit: float) -> float:
    return float(scores[np.argmax(np.abs(scores - limit))])
