"""The page of a dataset: what was accepted and rejected, and the curves a biomechanist looks at first."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from reports.pages.curves import PageCycles, band, page_cycles
from reports.pages.figures import Panel, draw_panels
from reports.pages.models import ModelSection
from reports.pages.render import render_page
from reports.pages.titles import ANGLE_TITLES, LOAD_TITLES, SECTIONS
from warehouse.channels import TURN_DEG
from warehouse.files import read
from warehouse.holdings.status import WarehouseStatus, warehouse_status
from warehouse.identity import VIRTUAL_PREFIX
from warehouse.layout import Warehouse
from warehouse.release.build import stored_trials
from warehouse.release.origin import mixture
from warehouse.release.selection import with_cycles
from warehouse.schemas import schema_of

# The hip's contact force is shown in % of body weight.
PERCENT_PER_N_KG = 100 / 9.80665
# Figures of quality in a trial's row: column, title, factor, unit and decimals to show it with.
QUALITY = (
    ("marker_rms_max_m", "marker error, RMS of the worst frame", 1e3, "mm", 1),
    ("marker_error_max_m", "marker error, worst marker of the worst frame", 1e3, "mm", 1),
    ("residual_force_ratio", "residual force over peak ground reaction", 100, "%", 1),
    ("residual_moment_ratio", "residual moment over that peak × height", 100, "%", 2),
    ("reserve_ratio_max", "largest reserve over its joint's peak moment", 100, "%", 2),
    ("vertical_impulse_ratio", "vertical impulse over body weight × time", 100, "%", 1),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConditionRow:
    """One cohort in one condition: counts of subjects, trials and cycles, mean cadence and speed (NaN if not known)."""

    cohort: str
    condition: str
    n_subjects: int
    n_accepted: int
    n_rejected: int
    n_cycles: int
    cadence_per_min: float
    speed_m_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The distribution of a figure of quality over the accepted trials, as text."""

    title: str
    unit: str
    median: str
    high: str
    largest: str


def dataset_page(warehouse: Warehouse, title: str, models: Sequence[ModelSection] = ()) -> str:
    """The whole page as HTML, `models` and their scorecards at its end.

    A cohort that was made in more than one way gets no curves; the page says what differs. WarehouseError if there is
    no warehouse, or its tables can't be read.
    """
    status = warehouse_status(warehouse)
    rows = _trial_rows(warehouse, status)
    return render_page(
        "dataset.html",
        title=title,
        virtual=sorted({trial.key.cohort for trial in status.trials if trial.key.cohort.startswith(VIRTUAL_PREFIX)}),
        status=status,
        groups=[_group(rows, *which) for which in _groups(status)],
        cohorts=list(_cohorts(warehouse)),
        quality=list(_quality(rows)),
        models=models,
        warnings=[(_name(row), text) for row in rows for text in row["warnings"]],
    )


def _trial_rows(warehouse: Warehouse, status: WarehouseStatus) -> list[dict]:
    return [read.read_row(warehouse, "trials", trial.key) for trial in status.trials]


def _name(row: dict) -> str:
    return "/".join(row[part] for part in ("cohort", "subject", "session", "trial"))


def _groups(status: WarehouseStatus) -> list[tuple[str, str]]:
    return sorted({(trial.key.cohort, trial.condition) for trial in status.trials})


def _group(rows: Sequence[dict], cohort: str, condition: str) -> ConditionRow:
    members = [row for row in rows if (row["cohort"], row["condition"]) == (cohort, condition)]
    accepted = [row for row in members if row["outcome"] == "accepted"]
    return ConditionRow(
        cohort=cohort,
        condition=condition,
        n_subjects=len({row["subject"] for row in members}),
        n_accepted=len(accepted),
        n_rejected=sum(row["outcome"] == "rejected" for row in members),
        n_cycles=sum(row["n_cycles_right"] + row["n_cycles_left"] for row in accepted),
        cadence_per_min=_mean(accepted, "cadence_steps_per_min"),
        speed_m_s=_mean(accepted, "walking_speed_m_s"),
    )


def _mean(rows: Sequence[dict], column: str) -> float:
    known = [row[column] for row in rows if row[column] is not None]
    return float(np.mean(known)) if known else float("nan")


def _cohorts(warehouse: Warehouse) -> Iterator[dict[str, object]]:
    """Each cohort with gait cycles, with its curves or with the reason why there are none."""
    trials = with_cycles(stored_trials(warehouse), "both", turns=True)
    for cohort in sorted({trial.key.cohort for trial in trials}):
        members = [trial for trial in trials if trial.key.cohort == cohort]
        # A mean over two pipelines looks like a curve, but means nothing.
        mixed = mixture(members)
        yield {
            "name": cohort,
            "virtual": cohort.startswith(VIRTUAL_PREFIX),
            "n_subjects": len({trial.subject_id for trial in members}),
            "mixed": mixed.splitlines() if mixed else [],
            "figures": [] if mixed else _figures(warehouse, cohort),
        }


def _figures(warehouse: Warehouse, cohort: str) -> list[tuple[str, str]]:
    """The cohort's figures by their headings; the contact force's only if any cycle has it."""
    columns = [column for _, titles in SECTIONS for column in titles]
    keys = ("cohort", "subject", "condition", "sample", "heading_change_deg")
    table = read.cycles_as_right(warehouse, columns=[*keys, *columns], cohort=cohort)
    # A turn is no part of a mean over straight walks; older cycles don't say.
    stored = page_cycles(table.filter(pa.array(~(np.abs(table["heading_change_deg"].to_numpy()) > TURN_DEG))), columns)
    if not len(stored.cohort):
        return []
    loads = {column: PERCENT_PER_N_KG * stored.values[column] for column in LOAD_TITLES}
    cycles = replace(stored, values={**stored.values, **loads})
    with_loads = any(np.isfinite(values).any() for values in loads.values())
    members = {condition: cycles.where(cohort, condition) for condition in sorted(set(cycles.condition), key=by_speed)}
    sections = [(heading, titles) for heading, titles in SECTIONS if titles is not LOAD_TITLES or with_loads]
    return [(heading, draw_panels(list(_panels(members, titles)))) for heading, titles in sections]


def by_speed(condition: str) -> tuple[int, str]:
    """Sort key of conditions: by speed, unknown ones last by name."""
    known = ("slow", "preferred", "med", "fast")
    return (known.index(condition) if condition in known else len(known), condition)


def _panels(members: dict[str, PageCycles], titles: dict[str, str]) -> Iterator[Panel]:
    for column, title in titles.items():
        bands = {condition: band(cycles, column) for condition, cycles in members.items()}
        yield Panel(title=title, unit=_unit(column), bands=bands)


def _unit(column: str) -> str:
    if column in ANGLE_TITLES:
        return "degree"
    if column in LOAD_TITLES:
        return "% body weight"
    return next(known.unit for known in schema_of("cycles").columns if known.name == column)


def _quality(rows: Sequence[dict]) -> Iterator[Spread]:
    accepted = [row for row in rows if row["outcome"] == "accepted"]
    for column, title, factor, unit, decimals in QUALITY:
        values = factor * np.array([row[column] for row in accepted if row[column] is not None])
        if len(values):
            shown = (f"{x:.{decimals}f}" for x in (np.median(values), np.quantile(values, 0.95), values.max()))
            median, high, largest = shown
            yield Spread(title=title, unit=unit, median=median, high=high, largest=largest)
