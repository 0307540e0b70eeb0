"""Whether a challenger replaces the champion: a rule set beforehand, and the figures that decided."""

from collections.abc import Iterator
from typing import Annotated, Literal

from pydantic import Field

from models.comparing.evaluate import Evaluation
from models.scoring.scorecard import (
    CohortScore,
    ConditionScore,
    KindScore,
    ModelComparison,
    Scorecard,
    compare_scorecards,
)
from warehouse.channels import PredictedKind
from warehouse.settings_file import Checked

_Share = Annotated[float, Field(ge=0, lt=1)]


class PromotionRule(Checked):
    """What a challenger must show on subjects unseen by both models, for forces and for moments.

    `margin`: its mean RMSE must be lower by at least this share of the champion's, and the 95 % interval of the
    difference by subject must exclude zero. `tolerance`: in no condition and no cohort may its RMSE be higher by more
    than this share.
    """

    margin: _Share = 0.02
    tolerance: _Share = 0.05


class GroupScores(Checked):
    """Both models' mean RMSE over the subjects of one group."""

    kind: PredictedKind
    unit: str
    grouping: Literal["condition", "cohort"]
    group: str
    n_subjects: int
    champion: float
    challenger: float


class Decision(Checked):
    """Whether the challenger is promoted, and why: the reasons against it, or the one reason for it."""

    promoted: bool
    reasons: tuple[str, ...]
    champion: str | None
    challenger: str
    release: str
    rule: PromotionRule
    comparisons: tuple[ModelComparison, ...] = ()
    groups: tuple[GroupScores, ...] = ()


class PendingDecision(Checked):
    """A decision not yet carried out: the challenger's version, and that of the champion it was compared with."""

    version: str
    champion_before: str | None
    decision: Decision


def first_champion(challenger: str, release: str, rule: PromotionRule) -> Decision:
    """The decision where there is no champion: the challenger is promoted."""
    return Decision(
        promoted=True,
        reasons=("there was no champion",),
        champion=None,
        challenger=challenger,
        release=release,
        rule=rule,
    )


def decide(evaluation: Evaluation, champion: str, challenger: str, rule: PromotionRule) -> Decision:
    """Compares two evaluated models, by their names, by the rule. ValueError if they share no kind of target."""
    cards = dict(zip(evaluation.models, (report.scorecards[-1] for report in evaluation.reports), strict=True))
    comparisons = compare_scorecards(cards[challenger], cards[champion])
    if not comparisons:
        raise ValueError(f"{challenger} and {champion} predict nothing in common: they can't be compared")
    groups = tuple(_groups(cards[champion], cards[challenger]))
    against = (
        *_margin_missed(comparisons, cards[champion], rule),
        *_beyond_tolerance(groups, rule),
        *_missing_kinds(cards, champion, challenger),
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


def decision_text(decision: Decision) -> str:
    """The decision in words and its table in Markdown."""
    outcome = "promoted" if decision.promoted else f"{decision.champion} stays champion"
    lines = [f"{decision.challenger}: {outcome}: {'; '.join(decision.reasons)}", ""]
    if decision.groups:
        lines += ["| targets | group | subjects | champion | challenger | unit |", "|---|---|---|---|---|---|"]
        lines += [
            f"| {line.kind} | {line.grouping} {line.group} | {line.n_subjects} | {line.champion:.3f} | "
            f"{line.challenger:.3f} | {line.unit} |"
            for line in decision.groups
        ]
    return "\n".join(lines).rstrip()


def _margin_missed(comparisons: tuple[ModelComparison, ...], champion: Scorecard, rule: PromotionRule) -> Iterator[str]:
    before = {part.kind: part.rmse for part in champion.kinds}
    for one in comparisons:
        margin = rule.margin * before[one.kind]
        if one.interval is None:
            yield f"{one.kind}: {one.n_subjects} subjects are too few to tell"
        elif one.interval.high >= 0:
            yield (
                f"{one.kind}: the difference, {one.difference:+.3f} {one.unit}, is not told from zero "
                f"[{one.interval.low:+.3f}, {one.interval.high:+.3f}]"
            )
        elif -one.difference < margin:
            yield f"{one.kind}: better by {-one.difference:.3f} {one.unit}, asked for is {margin:.3f}"


def _beyond_tolerance(groups: tuple[GroupScores, ...], rule: PromotionRule) -> Iterator[str]:
    for line in groups:
        if line.challenger > line.champion * (1 + rule.tolerance):
            yield (
                f"{line.kind}: worse on {line.grouping} {line.group}, {line.challenger:.3f} instead of "
                f"{line.champion:.3f} {line.unit}"
            )


def _missing_kinds(cards: dict[str, Scorecard], champion: str, challenger: str) -> Iterator[str]:
    """The kinds of targets that only the champion predicts."""
    kept = {part.kind for part in cards[challenger].kinds}
    lost = [part.kind for part in cards[champion].kinds if part.kind not in kept]
    if lost:
        yield f"it does not predict {' and '.join(lost)}, which the champion does"


def _groups(champion: Scorecard, challenger: Scorecard) -> Iterator[GroupScores]:
    others = {part.kind: part for part in challenger.kinds}
    for part in champion.kinds:
        if part.kind in others:
            yield from _lines(part, others[part.kind])


def _lines(champion: KindScore, challenger: KindScore) -> Iterator[GroupScores]:
    def line(
        grouping: Literal["condition", "cohort"], group: str, of: ConditionScore | CohortScore, rmse: float
    ) -> GroupScores:
        return GroupScores(
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
