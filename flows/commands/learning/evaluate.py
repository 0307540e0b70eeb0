"""`gait2hip evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import DeviceOption, plain_errors


def evaluate(
    runs: Annotated[list[Path], typer.Argument(metavar="RUN", help="Models' folders.", show_default=False)],
    release: Annotated[
        str, typer.Option(metavar="RELEASE", help="The release's folder, or s3://…", show_default=False)
    ],
    cohort: Annotated[
        list[str] | None, typer.Option(metavar="COHORT", help="Only this cohort; may be repeated.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Write a new folder too: JSON, Parquet and a page."),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Test models, without retraining, on those of a release's subjects that none of them was trained on."""
    with plain_errors():
        from flows.learning.evaluation import evaluate_into
        from models.comparing.evaluate import EvaluateRequest, evaluate_on_release
        from models.scoring.report import reports_text

        job = EvaluateRequest(runs=tuple(runs), release=release, cohorts=tuple(cohort or ()), device=device)
        evaluation = evaluate_on_release(job)[0] if out is None else evaluate_into(job, out)
        typer.echo(reports_text(evaluation.reports, evaluation.between))
        if out is not None:
            typer.echo(f"\nwritten: {out}")
