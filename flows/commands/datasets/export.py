"""`gait2hip export`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import plain_errors


def export(
    release: Annotated[str, typer.Argument(metavar="RELEASE", help="The release's folder, or s3://bucket/prefix.")],
    output: Annotated[Path, typer.Option("--output", "-o", metavar="DIR", help="Where to write.")],
    format_: Annotated[
        str, typer.Option("--format", metavar="npz|csv|mot", help="npz: as the published training scripts read it.")
    ] = "npz",
) -> None:
    """Write a release for other people's programs."""
    with plain_errors():
        from warehouse.interchange.export import export_release, parse_format

        exported = export_release(release, parse_format(format_), output)
        files = exported.files
        shown = ", ".join(file.name for file in files[:3]) + (", …" if len(files) > 3 else "")
        typer.echo(f"wrote {len(files)} files into {output}: {shown}")
        if exported.left_out:
            typer.echo(f"left out {len(exported.left_out)} times, a cycle of a file or a file of a cycle:")
            for told in exported.left_out:
                typer.echo(f"  {told}")
