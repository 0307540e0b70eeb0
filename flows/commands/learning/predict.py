"""`gait2hip predict`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import DeviceOption, plain_errors


def predict(
    source: Annotated[
        Path,
        typer.Argument(
            metavar="INPUT",
            help="A walk (.c3d, .trc, .mot, .csv), cycles (.npz, .csv) or a session.",
            show_default=False,
        ),
    ],
    run: Annotated[Path, typer.Option(metavar="RUN", help="A model's folder.", show_default=False)],
    out: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="OUT", help="A new .parquet, .csv or .sto file.", show_default=False),
    ],
    session: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Whose C3D file it is; default: the session.toml beside it."),
    ] = None,
    mass_kg: Annotated[
        float | None, typer.Option(metavar="M", help="Body mass, where the input doesn't say it.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="The pipeline's settings: a TOML file or a packaged recipe's name. Default: gait2hip60.",
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The musculoskeletal model (.osim), in place of the recipe's or the built-in one."
        ),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Predict the hip's muscle forces and moments from motion alone: no force plates are read.

    Over time in OUT and by gait cycle in a file beside it, with intervals, and whether the motion is one of those
    that the model has seen. Exit code 2: nothing could be predicted, and nothing is written.
    """
    with plain_errors():
        from flows.learning.prediction import PredictRequest, predict_file
        from flows.learning.prediction_input import InputRequest

        asked = InputRequest(path=source, session=session, mass_kg=mass_kg, recipe=recipe, model=model)
        for line in predict_file(PredictRequest(source=asked, run=run, out=out, device=device)):
            typer.echo(line)
