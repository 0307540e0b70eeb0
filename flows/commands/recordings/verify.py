"""`gait2hip verify`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import plain_errors

EXIT_DISAGREE = 1
# The tools take up to a second a frame.
TIME_LIMIT_S = 3600.0


def verify(
    session: Annotated[
        Path, typer.Argument(metavar="SESSION", help="A folder with a session.toml, or the file itself.")
    ],
    trial: Annotated[str | None, typer.Option(metavar="T", help="The trial's name; default: the first one.")] = None,
    recipe: Annotated[
        str, typer.Option(metavar="FILE", help="The settings: a TOML file or a packaged recipe's name.")
    ] = "gait2hip60",
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The musculoskeletal model (.osim), in place of the recipe's or the built-in one."
        ),
    ] = None,
) -> None:
    """Solve one trial by both engines, OpenSim's tools and ours, and say how far they are apart.

    Exit code 0: they agree; 1: they don't; 2: usage or configuration error, or a trial that can't be used.
    """
    with plain_errors():
        from flows.workers.worker_process import Raised, Returned, run
        from pipeline.session.session import session_file_of
        from pipeline.verify import render, verify_session

        # The worker has a working directory of its own. OpenSim's tools print as they go, and may bring it down.
        model_file = None if model is None else str(model.absolute())
        settings = str(Path(recipe).absolute()) if Path(recipe).is_file() else recipe
        file = str(session_file_of(session).absolute())
        outcome = run(verify_session, file, trial, settings, model_file, time_limit_s=TIME_LIMIT_S)
        if isinstance(outcome, Raised):
            raise ValueError(outcome.message)
        if not isinstance(outcome, Returned):
            raise ValueError(f"OpenSim did not finish: {outcome}")
        typer.echo(render(outcome.value))
        if not outcome.value.agrees:
            raise typer.Exit(EXIT_DISAGREE)
