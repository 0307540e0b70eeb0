"""`gait2hip train`."""

from typing import Annotated

import typer

from flows.commands.common import DeviceOption, ReleaseArgument, RunOutOption, plain_errors


def train(
    release: ReleaseArgument,
    out: RunOutOption,
    model: Annotated[str, typer.Option(help="mean_curve, ridge, lstm, transformer or mamba.", show_default=False)],
    task: Annotated[str, typer.Option(help="forces, moments or both.", show_default=False)],
    protocol: Annotated[str, typer.Option(help="gait2hip60, holdout or loso.")] = "gait2hip60",
    recipe: Annotated[str, typer.Option(help="A training recipe's name, or a .toml file.")] = "gait2hip60",
    device: DeviceOption = "auto",
    memory_mb: Annotated[
        int, typer.Option(min=0, metavar="MB", help="Cycles that take more stay on disk while it trains.")
    ] = 2048,
    tracking_uri: Annotated[
        str | None,
        typer.Option(metavar="URI", help="MLflow's server or database; default: sqlite:///mlruns.db, if installed."),
    ] = None,
    no_track: Annotated[bool, typer.Option("--no-track", help="Tell MLflow nothing.")] = False,
) -> None:
    """Train a model on a release, and test it on subjects it never saw.

    Interrupted (Ctrl-C, SIGTERM), it keeps what was learned; the same command goes on from there.
    """
    with plain_errors():
        from flows.learning.train import train_and_track, train_untracked
        from models.scoring.report import report_text
        from models.training.train import TrainRequest

        job = TrainRequest(
            release=release,
            model=model,
            task=task,
            protocol=protocol,
            recipe=recipe,
            device=device,
            memory_mb=memory_mb,
        )
        uri = _where(tracking_uri, no_track)
        report = train_untracked(job, out) if uri is None else train_and_track(job, out, uri)[0]
        typer.echo(report_text(report))
        typer.echo(f"\nwritten: {out}" + ("" if uri is None else f"; tracked: {uri}"))


def _where(tracking_uri: str | None, no_track: bool) -> str | None:
    """Where to track; None for nowhere. ValueError if both options were given."""
    from flows.learning.tracking import DEFAULT_URI, is_installed

    if no_track and tracking_uri is not None:
        raise ValueError("--no-track and --tracking-uri contradict each other: give one of them.")
    if tracking_uri is None and not no_track and not is_installed():
        typer.echo("not tracked: MLflow is not installed (pip install 'gait2hip[track]')", err=True)
        return None
    return None if no_track else tracking_uri or DEFAULT_URI
