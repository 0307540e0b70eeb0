"""Curves over the gait cycle as SVG text: the same bytes for the same data."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.pages.curves import Band

_COLUMNS = 5
_PANEL_INCHES = (2.3, 1.9)
# Room for a panel's numbers and titles, and for the legend above all panels. Letting Matplotlib find it
# (`layout="constrained"`) takes three times as long as drawing.
_LEFT_INCHES, _RIGHT_INCHES, _BELOW_INCHES, _ABOVE_INCHES = 0.58, 0.14, 0.36, 0.24
_LEGEND_INCHES = 0.4
_VIEW_INCHES = (3.9, 7.0)
# Colours that colour-blind people can tell apart (Okabe and Ito 2008); a condition has the same colour in every panel.
_COLOUR_OF = {"slow": "#0072B2", "med": "#E69F00", "preferred": "#E69F00", "fast": "#009E73"}
_OTHER_COLOURS = ("#CC79A7", "#56B4E9", "#D55E00")


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One small diagram: title, unit, a band for each condition, and predicted mean curves by condition, if any.

    `others` and `flagged` are single cycles (N, P), drawn in grey and red over the bands.
    """

    title: str
    unit: str
    bands: Mapping[str, Band]
    predicted: Mapping[str, np.ndarray] = field(default_factory=dict)
    others: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))
    flagged: np.ndarray = field(default_factory=lambda: np.empty((0, 0)))


def draw_panels(panels: Sequence[Panel]) -> str:
    """All panels as one SVG figure: mean and standard deviation over the gait cycle, one colour per condition."""
    columns = min(_COLUMNS, len(panels))
    rows = -(-len(panels) // columns)
    width, height = _PANEL_INCHES
    across, down = columns * width, rows * height + _LEGEND_INCHES
    figure = Figure(figsize=(across, down))
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    figure.subplots_adjust(
        left=_LEFT_INCHES / across,
        right=1 - _RIGHT_INCHES / across,
        bottom=_BELOW_INCHES / down,
        top=1 - (_LEGEND_INCHES + _ABOVE_INCHES) / down,
        wspace=(_LEFT_INCHES + _RIGHT_INCHES) / (width - _LEFT_INCHES - _RIGHT_INCHES),
        hspace=(_BELOW_INCHES + _ABOVE_INCHES) / (height - _BELOW_INCHES - _ABOVE_INCHES),
    )
    for axis, panel in zip(axes, panels, strict=False):
        _draw(axis, panel)
    for axis in axes[len(panels) :]:
        axis.set_visible(False)
    for axis in axes[max(0, len(panels) - columns) : len(panels)]:
        axis.set_xlabel("gait cycle [%]", fontsize=8)
    handles, labels = axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper left", ncols=len(labels), frameon=False, fontsize=9)
    return _svg(figure)


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A standing person from one side: markers by label and lines between joints, (2,) metres across and up."""

    title: str
    measured: Mapping[str, np.ndarray]
    modelled: Mapping[str, np.ndarray]
    lines: Sequence[tuple[np.ndarray, np.ndarray]]


def draw_views(views: Sequence[View]) -> str:
    """All views as one SVG figure, in one scale: measured markers as circles with labels, modelled ones as crosses."""
    figure = Figure(figsize=(len(views) * _VIEW_INCHES[0], _VIEW_INCHES[1]), layout="constrained")
    for axis, view in zip(figure.subplots(1, len(views), squeeze=False).ravel(), views, strict=True):
        for start, end in view.lines:
            axis.plot([start[0], end[0]], [start[1], end[1]], color="0.6", linewidth=1.2, zorder=1)
        for label, place in view.measured.items():
            axis.plot(*place, "o", color="#0072B2", markersize=4, fillstyle="none", zorder=2)
            axis.annotate(label, place, xytext=(3, 2), textcoords="offset points", fontsize=4.5, color="0.35")
            if label in view.modelled:
                modelled = view.modelled[label]
                axis.plot(*modelled, "x", color="#D4000F", markersize=3.5, markeredgewidth=0.9, zorder=3)
        axis.set_aspect("equal")
        axis.set_title(view.title, fontsize=9, loc="left")
        axis.set_xlabel("m", fontsize=8)
        axis.tick_params(labelsize=7)
        axis.spines[["top", "right"]].set_visible(False)
    return _svg(figure)


def _draw(axis: Axes, panel: Panel) -> None:
    others = [condition for condition in panel.bands if condition not in _COLOUR_OF]
    colour_of = _COLOUR_OF | dict(zip(others, _OTHER_COLOURS * len(others), strict=False))
    for condition, band in panel.bands.items():
        colour = colour_of[condition]
        percent = np.linspace(0, 100, len(band.mean))
        axis.plot(percent, band.mean, color=colour, linewidth=1.6, label=condition)
        if condition in panel.predicted:
            axis.plot(percent, panel.predicted[condition], color=colour, linewidth=1.4, linestyle=(0, (4, 2)))
        axis.fill_between(percent, band.mean - band.sd, band.mean + band.sd, color=colour, alpha=0.18, linewidth=0)
    for cycles, colour, name in ((panel.others, "0.35", "own"), (panel.flagged, "#D4000F", "flagged")):
        if len(cycles):
            lines = axis.plot(np.linspace(0, 100, cycles.shape[1]), cycles.T, color=colour, linewidth=0.9)
            lines[0].set_label(name)
    axis.axhline(0, color="0.75", linewidth=0.8, zorder=0)
    axis.set_title(panel.title, fontsize=9, loc="left")
    axis.set_ylabel(panel.unit, fontsize=8)
    axis.set_xlim(0, 100)
    axis.tick_params(labelsize=7)
    axis.spines[["top", "right"]].set_visible(False)


def _svg(figure: Figure) -> str:
    # By default an SVG holds random names and the date.
    with matplotlib.rc_context({"svg.hashsalt": "gait2hip", "svg.fonttype": "none"}):
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    drawn = text.getvalue()
    return drawn[drawn.index("<svg") :]
