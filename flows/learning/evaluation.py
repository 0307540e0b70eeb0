"""An evaluation on disk: figures for programs (JSON, Parquet) and a page with curves for people."""

import hashlib
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flows.learning import tracking
from warehouse.files.storage import scratch_folder
from warehouse.provenance import file_sha256
from warehouse.release.manifest import release_folder
from warehouse.release.publish import open_release

# Torch and matplotlib are loaded when something is evaluated, not before.
if TYPE_CHECKING:
    from models.comparing.evaluate import EvaluateRequest, Evaluation
    from models.scoring.scorecard import ModelComparison
    from reports.pages.models import PageTable

FIGURES, TABLE, PAGE = "evaluation.json", "scores.parquet", "report.html"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateOrder:
    """What to test again and again, on what, and where the pages go.

    `runs` are folders; `champion_of` is a task whose champion in MLflow is tested beside them, "" for none.
    """

    runs: tuple[Path, ...]
    champion_of: str
    tracking_uri: str
    release: str
    cohorts: tuple[str, ...]
    device: str
    pages: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """What became of it, in words; `folder` is None where there was nobody to test."""

    folder: Path | None
    words: str


def evaluate_anew(order: EvaluateOrder) -> Evaluated:
    """Evaluate into a folder that is called after what it follows from: the same models on the same data once.

    ValueError or WarehouseError as `evaluate_into`, or if MLflow can't be asked.
    """
    with scratch_folder("gait2hip-evaluate") as directory:
        champion = _champion(order, directory)
        lacking = f"there is no champion of {order.champion_of} yet" if order.champion_of and not champion else ""
        runs = [*order.runs, *champion]
        if not runs:
            return Evaluated(folder=None, words=f"{lacking}: nothing to test")
        folder = order.pages / f"evaluation-{_digest(order, runs)}"
        new = not folder.exists()
        words = _evaluated(order, runs, folder) if new else f"nothing has changed since {folder} was written"
        return Evaluated(folder=folder, words=f"{lacking}\n{words}".lstrip())


def _champion(order: EvaluateOrder, directory: Path) -> list[Path]:
    """The champion's run, fetched, in a folder called after it; [] if there is none."""
    if not order.champion_of:
        return []
    name = tracking.registered_name(order.champion_of)
    champion = tracking.called(order.tracking_uri, name, tracking.CHAMPION)
    if champion is None:
        return []
    fetched = tracking.fetch(order.tracking_uri, champion, directory)
    return [fetched.rename(directory / f"champion, version {champion.number}")]


def _digest(order: EvaluateOrder, runs: Sequence[Path]) -> str:
    parts = [release_folder(open_release(order.release).manifest), *sorted(order.cohorts)]
    for run in runs:
        parts += [run.name, *(file_sha256(file) for file in sorted(run.iterdir()) if file.is_file())]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _evaluated(order: EvaluateOrder, runs: Sequence[Path], folder: Path) -> str:
    from models.comparing.evaluate import EvaluateRequest
    from models.scoring.report import reports_text

    job = EvaluateRequest(runs=tuple(runs), release=order.release, cohorts=order.cohorts, device=order.device)
    evaluation = evaluate_into(job, folder)
    return f"{folder / PAGE}\n{reports_text(evaluation.reports, evaluation.between)}"


def evaluate_into(job: "EvaluateRequest", out: Path) -> "Evaluation":
    """Evaluates and writes a new folder, whole or not at all. ValueError, before any work, if it exists."""
    import pyarrow.parquet as pq

    from flows.learning.model_sections import sections_of
    from models.comparing.evaluate import evaluate_on_release
    from models.comparing.score_table import score_table
    from models.predicting.new_files import refuse_unwritable, write_new_folder
    from reports.pages.evaluation import evaluation_page

    refuse_unwritable(out)
    evaluation, tested = evaluate_on_release(job)
    sections = [section for one in tested for section in sections_of(one)]
    table = io.BytesIO()
    pq.write_table(score_table(evaluation), table)
    page = evaluation_page(evaluation.release, evaluation.subjects, _differences(evaluation), sections)
    contents = {FIGURES: evaluation.model_dump_json(indent=2).encode(), TABLE: table.getvalue(), PAGE: page.encode()}
    write_new_folder(out, contents)
    return evaluation


def _differences(evaluation: "Evaluation") -> "PageTable":
    from reports.pages.models import PageTable

    return PageTable(
        title="Who wins",
        header=["targets", "first", "second", "difference", "95 % interval", "unit", "first better on"],
        rows=[_row(comparison) for comparison in evaluation.between],
    )


def _row(comparison: "ModelComparison") -> list[str]:
    interval = comparison.interval
    return [
        comparison.kind,
        comparison.first,
        comparison.second,
        f"{comparison.difference:+.3f}",
        "few subjects" if interval is None else f"{interval.low:+.3f} to {interval.high:+.3f}",
        comparison.unit,
        f"{comparison.n_better} of {comparison.n_subjects}",
    ]
