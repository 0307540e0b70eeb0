"""A model's scorecard: the published figures, what they hide, and whether a simpler predictor does better.

Forces and moments have different units and never share a figure: a scorecard has one part for each.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from models.data.channels import TARGETS, Channel
from models.data.cycles import Cycles, cohort_of
from models.scoring import metrics
from models.scoring.metrics import Interval
from warehouse.settings_file import Checked

EVERY_CONDITION = "all"
KINDS: tuple[Literal["forces", "moments"], ...] = ("forces", "moments")


class GroupScore(Checked):
    """Each subject's figures over its cycles of one group, then their mean and median over subjects.

    `r2_one_mean` is the publication's R², about one grand mean over all channels. Null: it can't be told.
    """

    n_subjects: int
    n_cycles: int
    rmse: float
    rmse_interval: Interval | None
    rmse_median: float
    mae: float
    r2_one_mean: float | None


class ConditionScore(GroupScore):
    """The cycles of one condition, or of all."""

    condition: str


class CohortScore(GroupScore):
    """The cycles of one cohort."""

    cohort: str


class ChannelScore(Checked):
    """One channel over all cycles: R² about its own mean, RMSE also as a share of its mean curve's range."""

    name: str
    rmse: float
    nrmse: float | None
    r2: float | None


class SubjectScore(Checked):
    """One subject over all of its cycles."""

    subject: str
    rmse: float
    mae: float
    r2_one_mean: float | None


class KindScore(Checked):
    """All forces, or all moments. `pooled` takes all cycles together, so that subjects with many count more."""

    kind: Literal["forces", "moments"]
    unit: str
    conditions: tuple[ConditionScore, ...]  # the first is of every condition
    cohorts: tuple[CohortScore, ...] = ()  # reports written before cohorts were told apart have none
    pooled: SubjectScore
    channels: tuple[ChannelScore, ...]
    subjects: tuple[SubjectScore, ...]

    @property
    def rmse(self) -> float:
        """The mean over subjects of their RMSE: the publication's headline."""
        return self.conditions[0].rmse


class Scorecard(Checked):
    """One model on one set of subjects."""

    model: str
    kinds: tuple[KindScore, ...]


class Comparison(Checked):
    """Two models on the same subjects: their RMSE's difference, subject by subject. Negative: `first` is better."""

    kind: Literal["forces", "moments"]
    unit: str
    first: str
    second: str
    n_subjects: int
    n_better: int  # subjects on whom `first` has the smaller RMSE
    difference: float
    interval: Interval | None


def score(model: str, cycles: Cycles, predicted: np.ndarray) -> Scorecard:
    """The scorecard of predictions (N, P, K) of cycles with targets. ValueError without targets, or for NaN."""
    measured = cycles.measured()
    if predicted.shape != measured.shape or not np.isfinite(predicted).all():
        raise ValueError(f"{model} must predict finite numbers of the shape {measured.shape}, not {predicted.shape}")
    kinds = []
    for kind in KINDS:
        columns = [index for index, channel in enumerate(cycles.target_channels) if channel in TARGETS[kind]]
        if columns:
            channels = [cycles.target_channels[index] for index in columns]
            kinds.append(_kind_score(kind, channels, cycles, measured[..., columns], predicted[..., columns]))
    return Scorecard(model=model, kinds=tuple(kinds))


def compare(first: Scorecard, second: Scorecard) -> tuple[Comparison, ...]:
    """Paired by subject, for each kind that both have. ValueError if they were scored on different subjects."""
    others = {part.kind: part for part in second.kinds}
    return tuple(
        _compare_kind(first.model, part, second.model, others[part.kind]) for part in first.kinds if part.kind in others
    )


def verdict(scorecard: Scorecard, baselines: Sequence[Scorecard]) -> str:
    """Which simpler predictors do better or as well, in plain words.

    One model beats another where the 95 % interval of their difference by subject lies below zero.
    """
    return "; ".join(_verdict_on_kind(scorecard, part, baselines) for part in scorecard.kinds)


def _verdict_on_kind(scorecard: Scorecard, part: KindScore, baselines: Sequence[Scorecard]) -> str:
    outcomes = [
        (_outcome(_compare_kind(scorecard.model, part, baseline.model, other)), f"{baseline.model} ({other.rmse:.3f})")
        for baseline in baselines
        for other in baseline.kinds
        if other.kind == part.kind
    ]
    return f"{part.kind}: {scorecard.model} {part.rmse:.3f} {part.unit}{_judgement(outcomes)}"


Outcome = Literal["better", "worse", "equal", "unknown"]


def _outcome(found: Comparison) -> Outcome:
    if found.interval is None:
        return "unknown"
    if found.interval.high < 0:
        return "better"
    return "worse" if found.interval.low > 0 else "equal"


def _judgement(outcomes: Sequence[tuple[Outcome, str]]) -> str:
    by: dict[Outcome, list[str]] = {"worse": [], "equal": [], "unknown": [], "better": []}
    for outcome, rival in outcomes:
        by[outcome].append(rival)
    said = {
        "worse": "it loses to",
        "equal": "it is no better and no worse than",
        "unknown": "too few subjects tell it from",
        "better": "it beats",
    }
    parts = ", ".join(f"{said[outcome]} {' and '.join(rivals)}" for outcome, rivals in by.items() if rivals)
    if not outcomes:
        return ", not compared with any baseline"
    if by["worse"]:
        return f" is NOT YET USEFUL, {parts}"
    if by["equal"] or by["unknown"]:
        return f" is NOT SHOWN TO BE USEFUL, {parts}"
    return f" beats {' and '.join(by['better'])}"


def _kind_score(
    kind: Literal["forces", "moments"],
    channels: Sequence[Channel],
    cycles: Cycles,
    measured: np.ndarray,
    predicted: np.ndarray,
) -> KindScore:
    everyone = np.ones(len(measured), dtype=bool)
    rows = {EVERY_CONDITION: everyone} | {
        name: cycles.condition == name for name in sorted(set(cycles.condition.tolist()))
    }
    cohort = np.array([cohort_of(name) for name in cycles.subject.tolist()])
    by_subject = metrics.errors_by_subject(measured, predicted, cycles.subject)
    figures = zip(
        channels,
        metrics.channel_rmse(measured, predicted),
        metrics.channel_nrmse(measured, predicted),
        metrics.channel_r2(measured, predicted),
        strict=True,
    )
    return KindScore(
        kind=kind,
        unit=channels[0].unit,
        conditions=tuple(
            ConditionScore(
                condition=name, **_group_figures(measured[chosen], predicted[chosen], cycles.subject[chosen])
            )
            for name, chosen in rows.items()
        ),
        cohorts=tuple(
            CohortScore(
                cohort=name,
                **_group_figures(measured[cohort == name], predicted[cohort == name], cycles.subject[cohort == name]),
            )
            for name in sorted(set(cohort.tolist()))
        ),
        pooled=_subject_score("pooled", metrics.errors(measured, predicted)),
        channels=tuple(
            ChannelScore(name=channel.name, rmse=float(rmse), nrmse=_known(nrmse), r2=_known(r2))
            for channel, rmse, nrmse, r2 in figures
        ),
        subjects=tuple(_subject_score(name, found) for name, found in by_subject.items()),
    )


def _group_figures(measured: np.ndarray, predicted: np.ndarray, subject: np.ndarray) -> dict[str, Any]:
    found = list(metrics.errors_by_subject(measured, predicted, subject).values())
    rmse = np.array([one.rmse for one in found])
    r2 = np.array([one.r2_one_mean for one in found])
    return {
        "n_subjects": len(found),
        "n_cycles": len(measured),
        "rmse": float(rmse.mean()),
        "rmse_interval": metrics.mean_interval(rmse),
        "rmse_median": float(np.median(rmse)),
        "mae": float(np.mean([one.mae for one in found])),
        "r2_one_mean": _known(r2.mean()),
    }


def _compare_kind(first: str, ours: KindScore, second: str, theirs: KindScore) -> Comparison:
    names = [[row.subject for row in part.subjects] for part in (ours, theirs)]
    if names[0] != names[1]:
        raise ValueError(f"{first} was scored on {', '.join(names[0])} and {second} on {', '.join(names[1])}")
    difference = np.array([a.rmse - b.rmse for a, b in zip(ours.subjects, theirs.subjects, strict=True)])
    return Comparison(
        kind=ours.kind,
        unit=ours.unit,
        first=first,
        second=second,
        n_subjects=len(difference),
        n_better=int((difference < 0).sum()),
        difference=float(difference.mean()),
        interval=metrics.mean_interval(difference),
    )


def _subject_score(name: str, found: metrics.Errors) -> SubjectScore:
    return SubjectScore(subject=name, rmse=found.rmse, mae=found.mae, r2_one_mean=_known(found.r2_one_mean))


def _known(value: float) -> float | None:
    # JSON has no NaN: what can't be told is null.
    return float(value) if np.isfinite(value) else None
