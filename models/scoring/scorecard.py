"""A model's scorecard: the published figures and those by channel, cohort and subject; and how two models compare.

Forces and moments have different units, so a scorecard has one part for each.
"""

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from models.data.channels import TASK_TARGETS, Channel
from models.data.cycles import Cycles, cohort_of
from models.scoring import metrics
from models.scoring.metrics import Interval
from warehouse.channels import PredictedKind
from warehouse.settings_file import Checked

EVERY_CONDITION = "all"
TARGET_KINDS: tuple[PredictedKind, ...] = ("forces", "moments")


class GroupScore(Checked):
    """Mean and median over subjects of each subject's figures over its cycles of one group.

    `r2_one_mean` is the published R², about one grand mean over all channels; None where it is undefined.
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

    kind: PredictedKind
    unit: str
    conditions: tuple[ConditionScore, ...]  # the first is of all conditions together
    cohorts: tuple[CohortScore, ...] = ()  # empty in reports written before there were cohort scores
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


class ModelComparison(Checked):
    """Two models on the same subjects: `first`'s RMSE less `second`'s, by subject, then the mean.

    A negative difference means that `first` is better.
    """

    kind: PredictedKind
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
    for kind in TARGET_KINDS:
        columns = [index for index, channel in enumerate(cycles.target_channels) if channel in TASK_TARGETS[kind]]
        if columns:
            channels = [cycles.target_channels[index] for index in columns]
            kinds.append(_kind_score(kind, channels, cycles, measured[..., columns], predicted[..., columns]))
    return Scorecard(model=model, kinds=tuple(kinds))


def compare_scorecards(first: Scorecard, second: Scorecard) -> tuple[ModelComparison, ...]:
    """Two models by subject, for each kind of target both predict. ValueError if their subjects differ."""
    others = {part.kind: part for part in second.kinds}
    return tuple(
        _compare_kind(first.model, part, second.model, others[part.kind]) for part in first.kinds if part.kind in others
    )


def verdict_in_words(scorecard: Scorecard, baselines: Sequence[Scorecard]) -> str:
    """Which baselines do better or as well, in words.

    A model beats another where the 95 % interval of their difference by subject lies below zero.
    """
    return "; ".join(_verdict_on_kind(scorecard, part, baselines) for part in scorecard.kinds)


def _verdict_on_kind(scorecard: Scorecard, part: KindScore, baselines: Sequence[Scorecard]) -> str:
    standings = [
        (_standing(_compare_kind(scorecard.model, part, baseline.model, other)), f"{baseline.model} ({other.rmse:.3f})")
        for baseline in baselines
        for other in baseline.kinds
        if other.kind == part.kind
    ]
    return f"{part.kind}: {scorecard.model} {part.rmse:.3f} {part.unit}{_against_baselines(standings)}"


_Standing = Literal["better", "worse", "equal", "unknown"]


def _standing(comparison: ModelComparison) -> _Standing:
    """Where the first model stands beside the second."""
    if comparison.interval is None:
        return "unknown"
    if comparison.interval.high < 0:
        return "better"
    return "worse" if comparison.interval.low > 0 else "equal"


def _against_baselines(standings: Sequence[tuple[_Standing, str]]) -> str:
    by: dict[_Standing, list[str]] = {"worse": [], "equal": [], "unknown": [], "better": []}
    for standing, baseline in standings:
        by[standing].append(baseline)
    words = {
        "worse": "it loses to",
        "equal": "it is no better and no worse than",
        "unknown": "too few subjects tell it from",
        "better": "it beats",
    }
    parts = ", ".join(f"{words[standing]} {' and '.join(names)}" for standing, names in by.items() if names)
    if not standings:
        return ", not compared with any baseline"
    if by["worse"]:
        return f" is NOT YET USEFUL, {parts}"
    if by["equal"] or by["unknown"]:
        return f" is NOT SHOWN TO BE USEFUL, {parts}"
    return f" beats {' and '.join(by['better'])}"


def _kind_score(
    kind: PredictedKind,
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
            ChannelScore(name=channel.name, rmse=float(rmse), nrmse=_or_none(nrmse), r2=_or_none(r2))
            for channel, rmse, nrmse, r2 in figures
        ),
        subjects=tuple(_subject_score(name, errors) for name, errors in by_subject.items()),
    )


def _group_figures(measured: np.ndarray, predicted: np.ndarray, subject: np.ndarray) -> dict[str, Any]:
    by_subject = list(metrics.errors_by_subject(measured, predicted, subject).values())
    rmse = np.array([errors.rmse for errors in by_subject])
    r2 = np.array([errors.r2_one_mean for errors in by_subject])
    return {
        "n_subjects": len(by_subject),
        "n_cycles": len(measured),
        "rmse": float(rmse.mean()),
        "rmse_interval": metrics.mean_interval(rmse),
        "rmse_median": float(np.median(rmse)),
        "mae": float(np.mean([errors.mae for errors in by_subject])),
        "r2_one_mean": _or_none(r2.mean()),
    }


def _compare_kind(first: str, ours: KindScore, second: str, theirs: KindScore) -> ModelComparison:
    names = [[row.subject for row in part.subjects] for part in (ours, theirs)]
    if names[0] != names[1]:
        raise ValueError(f"{first} was scored on {', '.join(names[0])} and {second} on {', '.join(names[1])}")
    difference = np.array([a.rmse - b.rmse for a, b in zip(ours.subjects, theirs.subjects, strict=True)])
    return ModelComparison(
        kind=ours.kind,
        unit=ours.unit,
        first=first,
        second=second,
        n_subjects=len(difference),
        n_better=int((difference < 0).sum()),
        difference=float(difference.mean()),
        interval=metrics.mean_interval(difference),
    )


def _subject_score(name: str, errors: metrics.Errors) -> SubjectScore:
    return SubjectScore(subject=name, rmse=errors.rmse, mae=errors.mae, r2_one_mean=_or_none(errors.r2_one_mean))


def _or_none(value: float) -> float | None:
    # JSON has no NaN.
    return float(value) if np.isfinite(value) else None
