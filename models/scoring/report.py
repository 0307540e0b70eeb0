"""What a test says: a verdict first, then the baselines' scorecards, then the model's."""

from collections.abc import Iterator, Sequence
from typing import Literal

from models.scoring.metrics import Interval
from models.scoring.scorecard import Comparison, KindScore, Scorecard, compare, verdict
from warehouse.identity import VIRTUAL_PREFIX
from warehouse.settings_file import Checked


class Coverage(Checked):
    """How much of what was measured lay inside the model's intervals: its share of points and channels, by subject.

    `level` is what they are made to hold; `mean_width` is from their lower to their upper limit.
    """

    kind: Literal["forces", "moments"]
    unit: str
    level: float
    n_subjects: int
    mean_share: float
    lowest_share: float
    highest_share: float
    mean_width: float


class Report(Checked):
    """A model's test beside its baselines', all on the same cycles. The model's scorecard is the last.

    `coverage` is empty where the model has no intervals.
    """

    verdict: str
    scorecards: tuple[Scorecard, ...]
    comparisons: tuple[Comparison, ...]
    coverage: tuple[Coverage, ...] = ()


def virtual_note(subjects: Sequence[str]) -> str:
    """What has to be said beside any figure that was had from virtual people; "" where all are real."""
    virtual = sum(subject.startswith(VIRTUAL_PREFIX) for subject in subjects)
    if not virtual:
        return ""
    return " (virtual, not patients)" if virtual == len(subjects) else " (some virtual, not patients)"


def make_report(model: Scorecard, baselines: Sequence[Scorecard], coverage: tuple[Coverage, ...] = ()) -> Report:
    """ValueError if they were scored on different subjects."""
    return Report(
        verdict=verdict(model, baselines) + virtual_note(_subjects(model)),
        scorecards=(*baselines, model),
        comparisons=tuple(found for baseline in baselines for found in compare(model, baseline)),
        coverage=coverage,
    )


def _subjects(card: Scorecard) -> list[str]:
    return [one.subject for part in card.kinds for one in part.subjects]


def render(report: Report) -> str:
    """The report as plain text, the verdict on its first line."""
    return "\n".join(_lines(report))


def render_together(reports: Sequence[Report], between: Sequence[Comparison]) -> str:
    """Several reports as plain text, every verdict before the first table, and who is better than whom."""
    if len(reports) == 1:
        return render(reports[0])
    heads = [*(report.verdict for report in reports), *map(_comparison, between)]
    return "\n".join([*heads, *(f"\n{render(report)}" for report in reports)])


def _lines(report: Report) -> Iterator[str]:
    yield report.verdict
    for kind in dict.fromkeys(part.kind for card in report.scorecards for part in card.kinds):
        parts = {card.model: part for card in report.scorecards for part in card.kinds if part.kind == kind}
        yield from _table(kind, parts)
        for found in report.comparisons:
            if found.kind == kind:
                yield _comparison(found)
        yield from (_coverage(found) for found in report.coverage if found.kind == kind)


def _table(kind: Literal["forces", "moments"], parts: dict[str, KindScore]) -> Iterator[str]:
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


def _comparison(found: Comparison) -> str:
    return (
        f"{found.first} less {found.second}: {found.difference:+.3f} {found.unit} {_range(found.interval)}, "
        f"better on {found.n_better} of {found.n_subjects} subjects"
    )


def _coverage(found: Coverage) -> str:
    return (
        f"{found.level:.0%} intervals, {found.mean_width:.3f} {found.unit} wide, hold {found.mean_share:.1%} of what "
        f"was measured of {found.n_subjects} subjects ({found.lowest_share:.0%} to {found.highest_share:.0%})"
    )


def _range(interval: Interval | None) -> str:
    return "[few subjects]" if interval is None else f"[{interval.low:.3f}, {interval.high:.3f}]"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
