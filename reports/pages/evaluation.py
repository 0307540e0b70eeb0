"""The page of an evaluation: the comparison of models, then each model's figures and curves."""

from collections.abc import Sequence

from reports.pages.models import ModelSection, PageTable
from reports.pages.render import render_page
from warehouse.identity import VIRTUAL_PREFIX


def evaluation_page(
    release: str, subjects: Sequence[str], differences: PageTable, models: Sequence[ModelSection]
) -> str:
    """The whole page as HTML. `subjects` are `cohort/subject`; `differences` compares pairs of models."""
    cohorts = sorted({name.rpartition("/")[0] for name in subjects})
    return render_page(
        "evaluation.html",
        title="Models on people they never saw",
        release=release,
        subjects=subjects,
        virtual=[name for name in cohorts if name.startswith(VIRTUAL_PREFIX)],
        differences=differences,
        models=models,
    )
