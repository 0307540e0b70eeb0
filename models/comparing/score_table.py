"""An evaluation's figures as a table: one row for each model, kind of target and group of cycles."""

from collections.abc import Iterator

import pyarrow as pa

from models.comparing.evaluate import Evaluation
from models.scoring.metrics import Interval
from models.scoring.report import Report
from models.scoring.scorecard import GroupScore, KindScore

# Figures have the unit of their row; R² and nRMSE have none.
_COLUMNS: tuple[tuple[str, pa.DataType, str], ...] = (
    ("run", pa.string(), "the evaluated run in whose report this row stands"),
    ("model", pa.string(), "whose predictions these are: the run's, or a baseline's"),
    ("kind", pa.string(), "forces or moments"),
    ("unit", pa.string(), "of rmse and mae, and of their interval and median"),
    ("grouping", pa.string(), "what the row is about: all, condition, cohort, channel, subject or pooled"),
    ("group", pa.string(), "which one"),
    ("n_subjects", pa.int64(), "subjects; null for one subject, one channel and pooled"),
    ("n_cycles", pa.int64(), "gait cycles; null likewise"),
    ("rmse", pa.float64(), "root mean square error: mean over subjects; over all cycles for channel and pooled"),
    ("rmse_low", pa.float64(), "lower end of its 95 % bootstrap interval over subjects; null for fewer than three"),
    ("rmse_high", pa.float64(), "upper end"),
    ("rmse_median", pa.float64(), "median over subjects"),
    ("mae", pa.float64(), "mean absolute error, as rmse"),
    (
        "r2_one_mean",
        pa.float64(),
        "R² about one grand mean over all channels, as published: flattering",
    ),
    ("r2", pa.float64(), "R² about the channel's own mean; channels only"),
    ("nrmse", pa.float64(), "rmse as a share of the range of the channel's mean curve; channels only"),
)

SCHEMA = pa.schema([pa.field(name, kind, metadata={"description": meaning}) for name, kind, meaning in _COLUMNS])


def score_table(evaluation: Evaluation) -> pa.Table:
    """All reports' scorecards, in their order."""
    rows = [
        row
        for name, report in zip(evaluation.models, evaluation.reports, strict=True)
        for row in _report_rows(name, report)
    ]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _report_rows(run: str, report: Report) -> Iterator[dict[str, object]]:
    for card in report.scorecards:
        for part in card.kinds:
            about = {"run": run, "model": card.model, "kind": part.kind, "unit": part.unit}
            yield from ({**about, **row} for row in _kind_rows(part))


def _kind_rows(part: KindScore) -> Iterator[dict[str, object]]:
    every, *conditions = part.conditions
    yield {"grouping": "all", "group": every.condition, **_figures(every)}
    yield from ({"grouping": "condition", "group": one.condition, **_figures(one)} for one in conditions)
    yield from ({"grouping": "cohort", "group": one.cohort, **_figures(one)} for one in part.cohorts)
    for channel in part.channels:
        figures = {"rmse": channel.rmse, "r2": channel.r2, "nrmse": channel.nrmse}
        yield {"grouping": "channel", "group": channel.name, **figures}
    for grouping, ones in (("subject", part.subjects), ("pooled", (part.pooled,))):
        for one in ones:
            figures = {"rmse": one.rmse, "mae": one.mae, "r2_one_mean": one.r2_one_mean}
            yield {"grouping": grouping, "group": one.subject, **figures}


def _figures(group: GroupScore) -> dict[str, object]:
    interval: Interval | None = group.rmse_interval
    return {
        "n_subjects": group.n_subjects,
        "n_cycles": group.n_cycles,
        "rmse": group.rmse,
        "rmse_low": None if interval is None else interval.low,
        "rmse_high": None if interval is None else interval.high,
        "rmse_median": group.rmse_median,
        "mae": group.mae,
        "r2_one_mean": group.r2_one_mean,
    }
