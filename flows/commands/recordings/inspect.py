"""`gait2hip inspect`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import plain_errors


def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write markers.parquet and plates.parquet there.")
    ] = None,
) -> None:
    """Print what a C3D file holds: rates, labels, gaps, plates, events, subject, warnings."""
    with plain_errors():
        from pipeline.c3d.inspect_recording import describe_recording, export_recording
        from pipeline.c3d.read_c3d import read_c3d

        recording = read_c3d(file)
        typer.echo(describe_recording(recording))
        if export is not None:
            export_recording(recording, export)
            typer.echo(f"wrote {export / 'markers.parquet'} and {export / 'plates.parquet'}")
