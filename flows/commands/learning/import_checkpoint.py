"""`gait2hip import checkpoint`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import RunOutOption, plain_errors


def checkpoint(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A published .pt checkpoint.", show_default=False)],
    out: RunOutOption,
) -> None:
    """Import a published Gait2Hip-60 checkpoint; nothing that its file may carry is run."""
    with plain_errors():
        from models.predicting.import_published import import_published
        from models.predicting.trained_run import write_run

        run = import_published(file)
        write_run(out, run)
        typer.echo(f"{run.config.model.name}, {run.config.task}, {run.config.points} points a cycle: {out}")
