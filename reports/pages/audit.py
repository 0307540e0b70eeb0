"""The page of an audit: every verdict, and the flagged curves beside those of the others."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

import numpy as np

from reports.audit.curves import AuditCycles, median_curves, nan_median
from reports.audit.others import spread_of
from reports.audit.table import audit_summary
from reports.audit.verdict import VERDICT_KINDS, WHY, Audit, AuditVerdict
from reports.pages.curves import Band
from reports.pages.figures import Panel, draw_panels
from reports.pages.render import render_page
from reports.pages.titles import FORCE_TITLES, INPUT_TITLES, MOMENT_TITLES
from warehouse.channels import ALL_CHANNELS
from warehouse.identity import VIRTUAL_PREFIX
from warehouse.release.columns import release_columns

_TITLES = {**INPUT_TITLES, **{name: f"{title} moment" for name, title in MOMENT_TITLES.items()}, **FORCE_TITLES}
_UNITS = {column.name: column.unit for column in release_columns()}
# The channels drawn for a verdict on all inputs, or on all targets.
_EXAMPLES = {
    "inputs": ("hip_flexion_r", "hip_flexion_l", "hip_adduction_r", "knee_angle_r", "knee_angle_l"),
    "targets": (*MOMENT_TITLES, "force_glmed", "force_iliopsoas"),
}
# Nobody reads a page with more diagrams.
_MOST_PANELS = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Flagged:
    """One subject's verdicts and their diagrams (SVG); `n_hidden` diagrams were left out."""

    subject: str
    verdicts: Sequence[AuditVerdict]
    figure: str
    n_hidden: int


def audit_page(audit: Audit, cycles: AuditCycles, title: str) -> str:
    """The whole page as HTML; `cycles` are the audited ones."""
    return render_page(
        "audit.html",
        title=title,
        virtual=sorted({cohort for cohort in cycles.cohort.tolist() if cohort.startswith(VIRTUAL_PREFIX)}),
        summary=audit_summary(audit),
        not_judged=audit.not_judged,
        reasons=[
            (kind, WHY[kind]) for kind in VERDICT_KINDS if any(verdict.kind == kind for verdict in audit.verdicts)
        ],
        flagged=list(_flagged(audit, cycles)),
    )


def _flagged(audit: Audit, cycles: AuditCycles) -> Iterator[Flagged]:
    left = _MOST_PANELS
    by_subject = sorted(audit.verdicts, key=lambda verdict: verdict.subject)
    for subject, group in groupby(by_subject, key=lambda verdict: verdict.subject):
        verdicts = list(group)
        places = _places(verdicts, cycles)
        panels = [_panel(verdicts, cycles, *place) for place in places[:left]]
        left -= len(panels)
        yield Flagged(
            subject=subject,
            verdicts=verdicts,
            figure=draw_panels(panels) if panels else "",
            n_hidden=len(places) - len(panels),
        )


def _places(verdicts: Sequence[AuditVerdict], cycles: AuditCycles) -> list[tuple[str, str, str]]:
    """The subject, condition and channel of each diagram that the verdicts need, without repeats."""
    places = dict.fromkeys(
        (verdict.subject, condition, channel)
        for verdict in verdicts
        for condition in ([verdict.condition] if verdict.condition else _conditions(cycles, verdict.subject))
        for channel in _EXAMPLES.get(verdict.channel, (verdict.channel,))
    )
    return list(places)


def _conditions(cycles: AuditCycles, subject: str) -> list[str]:
    return sorted(set(cycles.condition[cycles.subject == subject].tolist()))


def _panel(verdicts: Sequence[AuditVerdict], cycles: AuditCycles, subject: str, condition: str, channel: str) -> Panel:
    own = (cycles.subject == subject) & (cycles.condition == condition)
    others = (cycles.cohort == subject.partition("/")[0]) & (cycles.condition == condition) & ~own
    meant = np.logical_or.reduce([_meant(cycles, v) for v in verdicts if _is_about(v, condition, channel)])
    values = cycles.curves[:, ALL_CHANNELS.index(channel)]
    return Panel(
        title=f"{_TITLES[channel]}, {condition}",
        unit=_UNITS[channel],
        bands={"others": _band_of(cycles.take(others), channel)} if others.any() else {},
        others=values[own & ~meant],
        flagged=values[own & meant],
    )


def _is_about(verdict: AuditVerdict, condition: str, channel: str) -> bool:
    return verdict.condition in (None, condition) and channel in _EXAMPLES.get(verdict.channel, (verdict.channel,))


def _meant(cycles: AuditCycles, verdict: AuditVerdict) -> np.ndarray:
    """The cycles (N,) that a verdict is about."""
    chosen = cycles.subject == verdict.subject
    for name in ("condition", "session", "trial", "side", "cycle"):
        word = getattr(verdict, name)
        if word is not None:
            chosen = chosen & (getattr(cycles, name) == word)
    return np.asarray(chosen)


def _band_of(others: AuditCycles, channel: str) -> Band:
    """Median and spread of the others' median cycles, so that one faulty subject doesn't show."""
    subjects, medians = median_curves(others.subject, others.curves[:, ALL_CHANNELS.index(channel)])
    center = nan_median(medians)
    return Band(
        mean=center,
        sd=spread_of(medians) if len(subjects) > 1 else np.full_like(center, np.nan),
        n_subjects=len(subjects),
        n_cycles=len(others),
    )
