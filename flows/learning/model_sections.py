"""Trained models as sections of a page: the learning room tests them, the warehouse's pages draw them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# Torch and matplotlib are loaded when a page with models is made, not before.
if TYPE_CHECKING:
    import numpy as np

    from models.comparing.evaluate import EvaluatedRun
    from models.scoring.scorecard import KindScore
    from reports.pages.curves import PageCycles
    from reports.pages.models import ModelSection, PageTable, ScoreRow


def model_sections(runs: list[Path], release: str) -> list["ModelSection"]:
    """A section for each run and kind of target, tested on the release's subjects that the run was not trained on."""
    from models.comparing.evaluate import evaluate_run

    return [section for run in runs for section in sections_of(evaluate_run(run, release, "auto"))]


def sections_of(unseen: "EvaluatedRun") -> Iterator["ModelSection"]:
    """A section for each kind of target that the model predicts."""
    from models.scoring.report import virtual_note
    from reports.pages.dataset import by_speed
    from reports.pages.models import ModelSection, draw_predictions
    from reports.pages.titles import FORCE_TITLES, MOMENT_TITLES

    names = [channel.name for channel in unseen.cycles.target_channels]
    measured, predicted = (_as_cycles(unseen, values) for values in (unseen.cycles.measured(), unseen.predicted))
    conditions = sorted(set(unseen.cycles.condition.tolist()), key=by_speed)
    for kind, titles in (("forces", FORCE_TITLES), ("moments", MOMENT_TITLES)):
        shown = {name: title for name, title in titles.items() if name in names}
        parts = {card.model: part for card in unseen.report.scorecards for part in card.kinds if part.kind == kind}
        if not parts:
            continue
        unit = next(iter(parts.values())).unit
        yield ModelSection(
            title=f"Predicted hip {kind}: {unseen.name}{virtual_note(unseen.cycles.subjects)}",
            verdict=unseen.report.verdict,
            unit=unit,
            rows=[row for model, part in parts.items() for row in _rows(model, part)],
            figure=draw_predictions(measured, predicted, shown, unit, conditions),
            tables=[_channels(parts), _subjects(parts), _cohorts(parts)],
        )


def _as_cycles(unseen: "EvaluatedRun", values_npk: "np.ndarray") -> "PageCycles":
    import numpy as np

    from reports.pages.curves import PageCycles

    channels = unseen.cycles.target_channels
    return PageCycles(
        cohort=np.full(len(values_npk), ""),
        subject=unseen.cycles.subject,
        condition=unseen.cycles.condition,
        values={channel.name: values_npk[:, :, column] for column, channel in enumerate(channels)},
    )


def _rows(model: str, part: "KindScore") -> Iterator["ScoreRow"]:
    from reports.pages.models import ScoreRow

    for row in part.conditions:
        interval = row.rmse_interval
        yield ScoreRow(
            model=model,
            condition=row.condition,
            n_subjects=row.n_subjects,
            rmse=f"{row.rmse:.3f}",
            interval="few subjects" if interval is None else f"{interval.low:.3f} to {interval.high:.3f}",
            r2="-" if row.r2_one_mean is None else f"{row.r2_one_mean:.3f}",
        )


def _channels(parts: dict[str, "KindScore"]) -> "PageTable":
    from reports.pages.models import PageTable

    titles = [channel.name for channel in next(iter(parts.values())).channels]
    return PageTable(
        title="By channel: RMSE, R² about the channel's own mean, RMSE over its mean curve's range",
        header=["channel", *(f"{model}: {figure}" for model in parts for figure in ("RMSE", "R²", "nRMSE"))],
        rows=[
            [name, *(_number(value) for part in parts.values() for value in _of_channel(part, index))]
            for index, name in enumerate(titles)
        ],
    )


def _of_channel(part: "KindScore", index: int) -> tuple[float | None, ...]:
    channel = part.channels[index]
    return channel.rmse, channel.r2, channel.nrmse


def _subjects(parts: dict[str, "KindScore"]) -> "PageTable":
    from reports.pages.models import PageTable

    names = [one.subject for one in next(iter(parts.values())).subjects]
    return PageTable(
        title="By subject: RMSE",
        header=["subject", *parts],
        rows=[
            [name, *(_number(part.subjects[index].rmse) for part in parts.values())] for index, name in enumerate(names)
        ],
    )


def _cohorts(parts: dict[str, "KindScore"]) -> "PageTable":
    from reports.pages.models import PageTable

    names = [one.cohort for one in next(iter(parts.values())).cohorts]
    return PageTable(
        title="By cohort: RMSE, mean over its subjects",
        header=["cohort", "subjects", *parts],
        rows=[
            [
                name,
                str(next(iter(parts.values())).cohorts[index].n_subjects),
                *(_number(part.cohorts[index].rmse) for part in parts.values()),
            ]
            for index, name in enumerate(names)
        ],
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
