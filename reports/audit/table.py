"""An audit as text: a summary, and a table that reads well in a terminal and in Markdown."""

from collections import Counter
from collections.abc import Iterator

from reports.audit.verdict import VERDICT_KINDS, WHY, Audit, AuditVerdict

_SHOWN = 40
_HEAD = ("what", "where", "channel", "how far", "limit", "found")


def audit_summary(audit: Audit) -> str:
    """One line: how many verdicts of each kind, on how many subjects."""
    of = f"{audit.n_subjects} subjects, {audit.n_cycles} cycles"
    if audit.n_compared == 0:
        found = f"{len(audit.verdicts)} verdicts" if audit.verdicts else "nothing beyond what physiology allows"
        return f"nobody to compare with: {of}, {found}"
    if not audit.verdicts:
        alone = 0 if audit.n_compared is None else audit.n_subjects - audit.n_compared
        return f"nothing suspicious in {of}" + (f"; {alone} subjects had nobody to compare with" if alone else "")
    counts = Counter(verdict.kind for verdict in audit.verdicts)
    kinds = ", ".join(f"{counts[kind]} {kind}" for kind in VERDICT_KINDS if counts[kind])
    return f"{len(audit.verdicts)} verdicts on {len(audit.subjects)} of {of}: {kinds}"


def audit_text(audit: Audit) -> str:
    """The whole audit as text: summary, verdicts as a table, why each kind matters, and what was not judged."""
    return "\n".join([audit_summary(audit), *_verdicts(audit), *_reasons(audit), *_not_judged(audit)])


def _verdicts(audit: Audit) -> Iterator[str]:
    if not audit.verdicts:
        return
    rows = [_HEAD, *(_row(verdict) for verdict in audit.verdicts[:_SHOWN])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    yield ""
    for number, row in enumerate(rows):
        yield "| " + " | ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    if len(audit.verdicts) > _SHOWN:
        yield ""
        yield f"… and {len(audit.verdicts) - _SHOWN} more: see audit.json in the release, or the page."


def _row(verdict: AuditVerdict) -> tuple[str, ...]:
    return (
        verdict.kind,
        verdict.where,
        verdict.channel,
        f"{verdict.score:.3g}",
        f"{verdict.limit:.3g}",
        verdict.found,
    )


def _reasons(audit: Audit) -> Iterator[str]:
    kinds = {verdict.kind for verdict in audit.verdicts}
    if kinds:
        yield ""
    yield from (f"- {kind}: {WHY[kind]}" for kind in VERDICT_KINDS if kind in kinds)


def _not_judged(audit: Audit) -> Iterator[str]:
    if audit.not_judged:
        yield ""
        yield "Not judged:"
        yield from (f"- {what}." for what in audit.not_judged)
