"""Trained models as sections of a page: the learning room tests them, the warehouse's pages draw them."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

# Torch and matplotlib are loaded when a page with models is made, not before.
if TYPE_CHECKING:
    import numpy as np

    from models.jobs import Unseen
    from models.scorecard import KindScore
    from warehouse.pages.curves import Cycles
    from warehouse.pages.models import ModelSection, ScoreRow


def model_sections(runs: list[Path], release: str) -> list["ModelSection"]:
    """A section for each run and kind of target, tested on the release's subjects that the run was not trained on."""
    from models.jobs import on_unseen

    return [section for run in runs for section in _sections(on_unseen(run, release, "auto"))]


def _sections(unseen: "Unseen") -> Iterator["ModelSection"]:
    from models.report import virtual_note
    from warehouse.pages.dataset import by_speed
    from warehouse.pages.models import ModelSection, draw_predictions
    from warehouse.pages.titles import FORCES, MOMENTS

    names = [channel.name for channel in unseen.cycles.target_channels]
    measured, predicted = (_as_cycles(unseen, values) for values in (unseen.cycles.measured(), unseen.predicted))
    conditions = sorted(set(unseen.cycles.condition.tolist()), key=by_speed)
    for kind, titles in (("forces", FORCES), ("moments", MOMENTS)):
        shown = {name: title for name, title in titles.items() if name in names}
        parts = {card.model: part for card in unseen.report.scorecards for part in card.kinds if part.kind == kind}
        if not parts:
            continue
        unit = next(iter(parts.values())).unit
        yield ModelSection(
            title=f"Predicted hip {kind}: {unseen.model}{virtual_note(unseen.cycles.subjects)}",
            verdict=unseen.report.verdict,
            unit=unit,
            rows=[row for model, part in parts.items() for row in _rows(model, part)],
            figure=draw_predictions(measured, predicted, shown, unit, conditions),
        )


def _as_cycles(unseen: "Unseen", values_npk: "np.ndarray") -> "Cycles":
    import numpy as np

    from warehouse.pages.curves import Cycles

    channels = unseen.cycles.target_channels
    return Cycles(
        cohort=np.full(len(values_npk), ""),
        subject=unseen.cycles.subject,
        condition=unseen.cycles.condition,
        values={channel.name: values_npk[:, :, column] for column, channel in enumerate(channels)},
    )


def _rows(model: str, part: "KindScore") -> Iterator["ScoreRow"]:
    from warehouse.pages.models import ScoreRow

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
