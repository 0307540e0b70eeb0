"""An evaluation on disk: figures for programs (JSON, Parquet) and a page with curves for people."""

import io
from pathlib import Path
from typing import TYPE_CHECKING

# Torch and matplotlib are loaded when something is evaluated, not before.
if TYPE_CHECKING:
    from models.evaluate import Evaluation
    from models.jobs import EvaluateJob
    from models.scorecard import Comparison
    from warehouse.pages.models import Table

FIGURES, TABLE, PAGE = "evaluation.json", "scores.parquet", "report.html"


def evaluate_into(job: "EvaluateJob", out: Path) -> "Evaluation":
    """Evaluates and writes a new folder, whole or not at all. ValueError, before any work, if it exists."""
    import pyarrow.parquet as pq

    from flows.model_sections import sections_of
    from models.jobs import evaluate_on_release
    from models.run import check_writable, write_folder
    from models.score_table import score_table
    from warehouse.pages.evaluation import evaluation_page

    check_writable(out)
    evaluation, tested = evaluate_on_release(job)
    sections = [section for one in tested for section in sections_of(one)]
    table = io.BytesIO()
    pq.write_table(score_table(evaluation), table)
    page = evaluation_page(evaluation.release, evaluation.subjects, _differences(evaluation), sections)
    contents = {FIGURES: evaluation.model_dump_json(indent=2).encode(), TABLE: table.getvalue(), PAGE: page.encode()}
    write_folder(out, contents)
    return evaluation


def _differences(evaluation: "Evaluation") -> "Table":
    from warehouse.pages.models import Table

    return Table(
        title="Who wins",
        header=["targets", "first", "second", "difference", "95 % interval", "unit", "first better on"],
        rows=[_row(found) for found in evaluation.between],
    )


def _row(found: "Comparison") -> list[str]:
    interval = found.interval
    return [
        found.kind,
        found.first,
        found.second,
        f"{found.difference:+.3f}",
        "few subjects" if interval is None else f"{interval.low:+.3f} to {interval.high:+.3f}",
        found.unit,
        f"{found.n_better} of {found.n_subjects}",
    ]
