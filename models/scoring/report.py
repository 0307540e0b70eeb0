"""The report of a test: a verdict, the baselines' scorecards, the model's, and how much its intervals cover."""

from collections.abc import Iterator, Sequence

from models.scoring.metrics import Interval
from models.scoring.scorecard import KindScore, ModelComparison, Scorecard, compare_scorecards, verdict_in_words
from warehouse.channels import PredictedKind
from warehouse.identity import VIRTUAL_PREFIX
from warehouse.settings_file import Checked


class Coverage(Checked):
    """The share of measured points and channels inside the model's intervals, by subject.

    `level` is the share they are to cover; `mean_width` is from their lower to their upper limit.
    """

    kind: PredictedKind
    unit: str
    level: float
    n_subjects: int
    mean_share: float
    lowest_share: float
    highest_share: float
    mean_width: float


class Report(Checked):
    """The test of a model and of the baselines on the same cycles. The model's scorecard is the last.

    `coverage` is empty where the model has no intervals.
    """

    verdict: str
    scorecards: tuple[Scorecard, ...]
    comparisons: tuple[ModelComparison, ...]
    coverage: tuple[Coverage, ...] = ()


def virtual_note(subjects: Sequence[str]) -> str:
    """The note that goes beside any figure from virtual people; "" where all are real."""
    virtual = sum(subject.startswith(VIRTUAL_PREFIX) for subject in subjects)
    if not virtual:
        return ""
    return " (virtual, not patients)" if virtual == len(subjects) else " (some virtual, not patients)"


def make_report(model: Scorecard, baselines: Sequence[Scorecard], coverage: tuple[Coverage, ...] = ()) -> Report:
    """The model's report beside these baselines. ValueError if they were scored on different subjects."""
    return Report(
        verdict=verdict_in_words(model, baselines) + virtual_note(_subjects(model)),
        scorecards=(*baselines, model),
        comparisons=tuple(one for baseline in baselines for one in compare_scorecards(model, baseline)),
        coverage=coverage,
    )


def _subjects(card: Scorecard) -> list[str]:
    return [row.subject for part in card.kinds for row in part.subjects]


def report_text(report: Report) -> str:
    """The report as plain text, the verdict on its first line."""
    return "\n".join(_lines(report))


def reports_text(reports: Sequence[Report], between: Sequence[ModelComparison]) -> str:
    """Several reports as plain text, all verdicts and the comparisons of models before the first table."""
    if len(reports) == 1:
        return report_text(reports[0])
    heads = [*(report.verdict for report in reports), *map(_comparison_line, between)]
    return "\n".join([*heads, *(f"\n{report_text(report)}" for report in reports)])


def _lines(report: Report) -> Iterator[str]:
    yield report.verdict
    for kind in dict.fromkeys(part.kind for card in report.scorecards for part in card.kinds):
        parts = {card.model: part for card in report.scorecards for part in card.kinds if part.kind == kind}
        yield from _table(kind, parts)
        yield from (_comparison_line(one) for one in report.comparisons if one.kind == kind)
        yield from (_coverage_line(one) for one in report.coverage if one.kind == kind)


def _table(kind: PredictedKind, parts: dict[str, KindScore]) -> Iterator[str]:
    unit = next(iter(parts.values())).unit
    yield ""
    yield f"{kind}, {unit}: mean over subjects [95 % interval] and their median; R² about one grand mean, as published"
    yield from _by_condition(parts)
    yield from _by_channel(parts)


def _by_condition(parts: dict[str, KindScore]) -> Iterator[str]:
    wide = max(20, *(len(model) + 2 for model in parts))
    heads = f"{'condition':<14}{'subjects':>9}{'cycles':>8}{'RMSE':>9}{'interval':>18}{'median':>9}{'R²':>8}"
    yield f"{'model':<{wide}}{heads}"
    for model, part in parts.items():
        for row in part.conditions:
            yield (
                f"{model:<{wide}}{row.condition:<14}{row.n_subjects:>9}{row.n_cycles:>8}{row.rmse:>9.3f}"
                f"{_range(row.rmse_interval):>18}{row.rmse_median:>9.3f}{_number(row.r2_one_mean):>8}"
            )


def _by_channel(parts: dict[str, KindScore]) -> Iterator[str]:
    columns = [
        [f"{model}: R², nRMSE", *(f"{_number(one.r2)}, {_number(one.nrmse)}" for one in part.channels)]
        for model, part in parts.items()
    ]
    names = ["channel", *(channel.name for channel in next(iter(parts.values())).channels)]
    for name, *cells in zip(names, *columns, strict=True):
        widths = (max(26, len(column[0]) + 2) for column in columns)
        yield f"{name:<28}" + "".join(f"{cell:>{wide}}" for cell, wide in zip(cells, widths, strict=True))


def _comparison_line(comparison: ModelComparison) -> str:
    return (
        f"{comparison.first} less {comparison.second}: {comparison.difference:+.3f} {comparison.unit} "
        f"{_range(comparison.interval)}, better on {comparison.n_better} of {comparison.n_subjects} subjects"
    )


def _coverage_line(coverage: Coverage) -> str:
    return (
        f"{coverage.level:.0%} intervals, {coverage.mean_width:.3f} {coverage.unit} wide, hold "
        f"{coverage.mean_share:.1%} of what was measured of {coverage.n_subjects} subjects "
        f"({coverage.lowest_share:.0%} to {coverage.highest_share:.0%})"
    )


def _range(interval: Interval | None) -> str:
    return "[few subjects]" if interval is None else f"[{interval.low:.3f}, {interval.high:.3f}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
