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
) -> None:
    """Train a model on a release, and test it on subjects it never saw."""
    with plain_errors():
        from models.jobs import TrainJob, train_on_release
        from models.report import render

        job = TrainJob(release=release, model=model, task=task, protocol=protocol, recipe=recipe, device=device)
        typer.echo(render(train_on_release(job, out)))
        typer.echo(f"\nwritten: {out}")
