"""`gait2hip plates-lag`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import plain_errors


def plates_lag(
    sessions: Annotated[
        list[Path],
        typer.Argument(metavar="SESSION", help="Folders with a session.toml, or the files themselves."),
    ],
    recipe: Annotated[
        str, typer.Option(metavar="FILE", help="The settings: a TOML file or a packaged recipe's name.")
    ] = "gait2hip60",
) -> None:
    """Say how late the force plates are against the cameras, as far as walks tell; nothing is written.

    One line a session, and one for all where the same lag is stated: sessions of one laboratory.
    """
    with plain_errors():
        from pipeline.errors import TrialRejected
        from pipeline.session.session import load_session, session_file_of

        files = [session_file_of(session).absolute() for session in sessions]

        from pipeline.osim.log import quiet
        from pipeline.plates_in_time import lag_in_words, lag_of_session, lag_of_sessions

        quiet()
        found = []
        for file in files:
            session = load_session(file)
            if session.kinematics_only or all(trial.is_solved for trial in session.trials):
                why = "asks for kinematics only" if session.kinematics_only else "has joint coordinates, and no markers"
                typer.echo(f"{file}: nothing tells how late the plates are: the session {why}")
                continue
            try:
                lag = lag_of_session(file, recipe)
            except TrialRejected as rejected:
                typer.echo(f"{file}: no body, rejected at {rejected.stage}: {rejected.reason}")
                continue
            found.append(lag)
            typer.echo(f"{file}: {lag_in_words(lag)}")
        together = lag_of_sessions(found) if len(found) > 1 else None
        if together:
            typer.echo(f"all {len(found)} sessions: {lag_in_words(together)}")
