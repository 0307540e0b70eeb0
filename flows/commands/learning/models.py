"""`gait2hip models`: which trained model is the champion, and who decides otherwise."""

from typing import Annotated

import typer

from flows.commands.common import plain_errors

models_app = typer.Typer(no_args_is_help=True, help="Which trained model is in use: list, promote, rollback.")

TaskOption = Annotated[str, typer.Option(help="forces, moments or both.", show_default=False)]
TrackingOption = Annotated[
    str | None, typer.Option(metavar="URI", help="MLflow's server or database; default: sqlite:///mlruns.db.")
]


@models_app.command("list")
def list_(task: TaskOption, tracking_uri: TrackingOption = None) -> None:
    """List every registered version, its verdict, and which is champion."""
    with plain_errors():
        from flows.learning import tracking

        uri, name = tracking_uri or tracking.DEFAULT_URI, tracking.registered_name(task)
        roles = {
            found.number: role
            for role in (tracking.CHALLENGER, tracking.CHAMPION)
            if (found := tracking.called(uri, name, role)) is not None
        }
        known = tracking.versions(uri, name)
        if not known:
            raise ValueError(f"no model is registered as {name} at {uri}: `gait2hip serve` registers what it retrains.")
        for version in known:
            run, verdict = tracking.verdict_of(uri, version)
            typer.echo(f"{version.number:>4}  {roles.get(version.number, ''):<10}  {run}  {verdict}")


@models_app.command()
def promote(
    version: Annotated[str, typer.Argument(metavar="VERSION", help="The version's number, as `list` shows it.")],
    task: TaskOption,
    tracking_uri: TrackingOption = None,
) -> None:
    """Make a version the champion, whatever the rule says."""
    with plain_errors():
        from flows.learning import tracking

        uri, name = tracking_uri or tracking.DEFAULT_URI, tracking.registered_name(task)
        tracking.crown(uri, tracking.version_of(uri, name, version))
        typer.echo(f"version {version} of {name} is the champion")


@models_app.command()
def rollback(task: TaskOption, tracking_uri: TrackingOption = None) -> None:
    """Make the version that the champion followed the champion again."""
    with plain_errors():
        from flows.learning import tracking

        uri, name = tracking_uri or tracking.DEFAULT_URI, tracking.registered_name(task)
        typer.echo(f"version {tracking.roll_back(uri, name).number} of {name} is the champion")
