"""`gait2hip evaluate`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import DeviceOption, ReleaseArgument, plain_errors


def evaluate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="A model's folder.", show_default=False)],
    release: ReleaseArgument,
    out: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Write the report there too, as JSON."),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Test a model, without retraining, on a release's subjects that it was not trained on."""
    with plain_errors():
        from models.jobs import evaluate_on_release
        from models.report import render

        typer.echo(render(evaluate_on_release(run, release, device, out)))
