"""Whether a challenger takes the champion's place: a rule stated beforehand, and the figures it was held against."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from models.comparing.evaluate import Evaluation
from models.scoring.scorecard import CohortScore, Comparison, ConditionScore, KindScore, Scorecard, compare
from warehouse.settings_file import Checked

Share = Annotated[float, Field(ge=0, lt=1)]


class Rule(Checked):
    """What a challenger must show on subjects that neither model has seen, for forces and for moments alike.

    margin: its mean RMSE is lower by this share of the champion's or more, and the 95 % interval of the difference by
    subject excludes zero. tolerance: on no condition and no cohort is it worse by more than this share.
    """

    margin: Share = 0.02
    tolerance: Share = 0.05


class GroupLine(Checked):
    """Both models' mean RMSE over the subjects of one group."""

    kind: Literal["forces", "moments"]
    unit: str
    grouping: Literal["condition", "cohort"]
    group: str
    n_subjects: int
    champion: float
    challenger: float


class Decision(Checked):
    """What was decided and why. `reasons` are what stood against it, or the one that nothing did."""

    promoted: bool
    reasons: tuple[str, ...]
    champion: str | None
    challenger: str
    release: str
    rule: Rule
    comparisons: tuple[Comparison, ...] = ()
    groups: tuple[GroupLine, ...] = ()


class Pending(Checked):
    """A decision yet to be carried out: the challenger's version, and the champion's that it was held against."""

    version: str
    champion_before: str | None
    decision: Decision


def first(challenger: str, release: str, rule: Rule) -> Decision:
    """Where there is no champion the challenger becomes it; its own report says how good it is."""
    return Decision(
        promoted=True,
        reasons=("there was no champion",),
        champion=None,
        challenger=challenger,
        release=release,
        rule=rule,
    )


def decide(evaluation: Evaluation, champion: str, challenger: str, rule: Rule) -> Decision:
    """Hold two evaluated models, by their names, against the rule. ValueError if they share no kind of target."""
    cards = dict(zip(evaluation.models, (report.scorecards[-1] for report in evaluation.reports), strict=True))
    comparisons = compare(cards[challenger], cards[champion])
    if not comparisons:
        raise ValueError(f"{challenger} and {champion} predict nothing in common: they can't be compared")
    groups = tuple(_groups(cards[champion], cards[challenger]))
    against = (
        *_too_little(comparisons, cards[champion], rule),
        *_worse(groups, rule),
        *_lost(cards, champion, challenger),
    )
    return Decision(
        promoted=not against,
        reasons=against or ("better by the margin, and worse nowhere beyond the tolerance",),
        champion=champion,
        challenger=challenger,
        release=evaluation.release,
        rule=rule,
        comparisons=comparisons,
        groups=groups,
    )


def render(decision: Decision) -> str:
    """The decision in words and its table in Markdown."""
    verdict = "promoted" if decision.promoted else f"{decision.champion} stays champion"
    lines = [f"{decision.challenger}: {verdict}: {'; '.join(decision.reasons)}", ""]
    if decision.groups:
        lines += ["| targets | group | subjects | champion | challenger | unit |", "|---|---|---|---|---|---|"]
        lines += [
            f"| {line.kind} | {line.grouping} {line.group} | {line.n_subjects} | {line.champion:.3f} | "
            f"{line.challenger:.3f} | {line.unit} |"
            for line in decision.groups
        ]
    return "\n".join(lines).rstrip()


def _too_little(comparisons: tuple[Comparison, ...], champion: Scorecard, rule: Rule) -> Iterator[str]:
    before = {part.kind: part.rmse for part in champion.kinds}
    for found in comparisons:
        asked = rule.margin * before[found.kind]
        if found.interval is None:
            yield f"{found.kind}: {found.n_subjects} subjects are too few to tell"
        elif found.interval.high >= 0:
            yield (
                f"{found.kind}: the difference, {found.difference:+.3f} {found.unit}, is not told from zero "
                f"[{found.interval.low:+.3f}, {found.interval.high:+.3f}]"
            )
        elif -found.difference < asked:
            yield f"{found.kind}: better by {-found.difference:.3f} {found.unit}, asked for is {asked:.3f}"


def _worse(groups: tuple[GroupLine, ...], rule: Rule) -> Iterator[str]:
    for line in groups:
        if line.challenger > line.champion * (1 + rule.tolerance):
            yield (
                f"{line.kind}: worse on {line.grouping} {line.group}, {line.challenger:.3f} instead of "
                f"{line.champion:.3f} {line.unit}"
            )


def _lost(cards: dict[str, Scorecard], champion: str, challenger: str) -> Iterator[str]:
    """Kinds of targets that only the champion predicts."""
    kept = {part.kind for part in cards[challenger].kinds}
    lost = [part.kind for part in cards[champion].kinds if part.kind not in kept]
    if lost:
        yield f"it does not predict {' and '.join(lost)}, which the champion does"


def _groups(champion: Scorecard, challenger: Scorecard) -> Iterator[GroupLine]:
    others = {part.kind: part for part in challenger.kinds}
    for part in champion.kinds:
        if part.kind in others:
            yield from _lines(part, others[part.kind])


def _lines(champion: KindScore, challenger: KindScore) -> Iterator[GroupLine]:
    def line(
        grouping: Literal["condition", "cohort"], group: str, of: ConditionScore | CohortScore, rmse: float
    ) -> GroupLine:
        return GroupLine(
            kind=champion.kind,
            unit=champion.unit,
            grouping=grouping,
            group=group,
            n_subjects=of.n_subjects,
            champion=of.rmse,
            challenger=rmse,
        )

    for ours, theirs in zip(champion.conditions, challenger.conditions, strict=True):
        yield line("condition", ours.condition, ours, theirs.rmse)
    for one, other in zip(champion.cohorts, challenger.cohorts, strict=True):
        yield line("cohort", one.cohort, one, other.rmse)
