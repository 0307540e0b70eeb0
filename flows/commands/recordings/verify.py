"""`gait2hip verify`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import plain_errors

EXIT_DISAGREE = 1
# The tools take up to a second a frame.
VERIFY_TIME_LIMIT_S = 3600.0


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
        from flows.absolute import absolute_model, absolute_recipe
        from flows.workers.call_outcome import value_of
        from flows.workers.worker_pool import WorkerPool
        from pipeline.session.session import session_file_of
        from pipeline.verify import render, verify_session

        # The worker has a working directory of its own. OpenSim's tools print as they go, and may bring it down.
        file = str(session_file_of(session).absolute())
        call = (verify_session, file, trial, absolute_recipe(recipe), absolute_model(model))
        with WorkerPool(1) as workers:
            verdict = value_of(workers.run(*call, time_limit_s=VERIFY_TIME_LIMIT_S))
        typer.echo(render(verdict))
        if not verdict.agrees:
            raise typer.Exit(EXIT_DISAGREE)
