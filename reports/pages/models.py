"""A trained model on a page: its verdict, its scorecard, and its curves beside the measured ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.pages.curves import PageCycles, band
from reports.pages.figures import Panel, draw_panels


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreRow:
    """One line of a scorecard, as text."""

    model: str
    condition: str
    n_subjects: int
    rmse: str
    interval: str
    r2: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PageTable:
    """A table, as text."""

    title: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelSection:
    """One trained model: `figure` is SVG, `tables` are collapsed below it."""

    title: str
    verdict: str
    unit: str
    rows: Sequence[ScoreRow]
    figure: str
    tables: Sequence[PageTable] = ()


def draw_predictions(
    measured: PageCycles, predicted: PageCycles, titles: Mapping[str, str], unit: str, conditions: Sequence[str]
) -> str:
    """Measured bands and predicted mean curves of the same cycles, by condition, as SVG."""
    panels = []
    for channel, title in titles.items():
        known = {condition: _of(measured, condition) for condition in conditions}
        guessed = {condition: _of(predicted, condition) for condition in conditions}
        panels.append(
            Panel(
                title=title,
                unit=unit,
                bands={condition: band(cycles, channel) for condition, cycles in known.items()},
                predicted={condition: band(cycles, channel).mean for condition, cycles in guessed.items()},
            )
        )
    return draw_panels(panels)


def _of(cycles: PageCycles, condition: str) -> PageCycles:
    return cycles.take(cycles.condition == condition)
