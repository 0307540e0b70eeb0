"""`gait2hip virtual`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import plain_errors


def virtual(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="A new or empty folder for the sessions.")],
    subjects: Annotated[int, typer.Option(metavar="N", help="How many people who never were.")],
    conditions: Annotated[
        str, typer.Option(metavar="C,C", help="How they walk: some of slow, med, fast (78, 115, 135 steps/min).")
    ] = "slow,med,fast",
    trials: Annotated[int, typer.Option(metavar="K", help="Walks per subject and condition.")] = 4,
    cohort: Annotated[
        str, typer.Option(metavar="healthy|hip-disease", help="Who they are; virtual, not patients.")
    ] = "healthy",
    seed: Annotated[int, typer.Option(metavar="S", help="Another seed, other people; the same, the same files.")] = 1,
    blemishes: Annotated[
        str,
        typer.Option(metavar="default|none|FILE", help="What is wrong with the recordings: a word, or a TOML file."),
    ] = "default",
) -> None:
    """Write sessions of a virtual laboratory as C3D files, the truth beside them. Virtual, not patients."""
    with plain_errors():
        from pipeline.virtual.request import NOTE, checked_request

        request = checked_request(
            directory,
            cohort=cohort,
            subjects=subjects,
            conditions=conditions,
            trials=trials,
            seed=seed,
            blemishes=blemishes,
        )
        from pipeline.osim.log import quiet
        from pipeline.virtual.make_laboratory import make_laboratory

        quiet()
        typer.echo(f"{request.cohort_name} ({NOTE}): {subjects} sessions in {directory}")
        make_laboratory(request, on_session=lambda folder: typer.echo(f"wrote {folder}"))
        typer.echo(f"ready: gait2hip ingest {directory}/*/* --warehouse DIR")
