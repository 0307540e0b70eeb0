"""`gait2hip inspect`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import plain_errors


def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording (.c3d, .trc), or a table (.mot, .sto).")],
    forces: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Ground reactions beside the markers: .mot, .sto, .xml.")
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write markers.parquet and plates.parquet there.")
    ] = None,
) -> None:
    """Print what a file holds: rates, labels, gaps, plates or forces and whose they are, events, subject, warnings."""
    with plain_errors():
        from pipeline.c3d.inspect_recording import export_recording
        from pipeline.recordings.describe_file import describe_file
        from pipeline.recordings.read_recording import read_recording

        typer.echo(describe_file(file, forces))
        if export is not None:
            export_recording(read_recording(file, forces), export)
            typer.echo(f"wrote {export / 'markers.parquet'} and {export / 'plates.parquet'}")
