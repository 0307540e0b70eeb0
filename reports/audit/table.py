"""An audit as text: a summary, and a table that a terminal and Markdown both show."""

from collections import Counter
from collections.abc import Iterator

from reports.audit.verdict import VERDICT_KINDS, WHY, Audit, AuditVerdict

_SHOWN = 40
_HEAD = ("what", "where", "channel", "how far", "limit", "found")


def audit_summary(found: Audit) -> str:
    """One line: how many verdicts of which kinds on how many subjects."""
    of = f"{found.n_subjects} subjects, {found.n_cycles} cycles"
    if not found.verdicts:
        return f"nothing suspicious in {of}"
    counts = Counter(verdict.kind for verdict in found.verdicts)
    kinds = ", ".join(f"{counts[kind]} {kind}" for kind in VERDICT_KINDS if counts[kind])
    return f"{len(found.verdicts)} verdicts on {len(found.subjects)} of {of}: {kinds}"


def audit_text(found: Audit) -> str:
    """The summary, the verdicts as a table, why each kind matters, and what could not be judged."""
    return "\n".join([audit_summary(found), *_verdicts(found), *_reasons(found), *_not_judged(found)])


def _verdicts(found: Audit) -> Iterator[str]:
    if not found.verdicts:
        return
    rows = [_HEAD, *(_row(verdict) for verdict in found.verdicts[:_SHOWN])]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    yield ""
    for number, row in enumerate(rows):
        yield "| " + " | ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
    if len(found.verdicts) > _SHOWN:
        yield ""
        yield f"… and {len(found.verdicts) - _SHOWN} more: see audit.json in the release, or the page."


def _row(verdict: AuditVerdict) -> tuple[str, ...]:
    return (
        verdict.kind,
        verdict.where,
        verdict.channel,
        f"{verdict.score:.3g}",
        f"{verdict.limit:.3g}",
        verdict.found,
    )


def _reasons(found: Audit) -> Iterator[str]:
    kinds = {verdict.kind for verdict in found.verdicts}
    if kinds:
        yield ""
    yield from (f"- {kind}: {WHY[kind]}" for kind in VERDICT_KINDS if kind in kinds)


def _not_judged(found: Audit) -> Iterator[str]:
    if found.not_judged:
        yield ""
        yield "Not judged:"
        yield from (f"- {what}." for what in found.not_judged)
