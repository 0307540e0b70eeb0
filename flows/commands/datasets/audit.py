"""`gait2hip audit`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import ReleaseArgument, plain_errors


def audit(
    release: ReleaseArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="PAGE", help="Also write an HTML page with the curves.")
    ] = None,
) -> None:
    """Say what looks wrong in a release: far outliers, signs, sides, body masses, implausible muscles."""
    with plain_errors():
        from reports.audit.release import audit_of, cycles_of_release
        from reports.audit.table import audit_text
        from warehouse.release.publish import open_release

        opened = open_release(release)
        cycles = cycles_of_release(opened)
        verdicts = audit_of(opened, cycles)
        typer.echo(audit_text(verdicts))
        if output is not None:
            from reports.pages.audit import audit_page
            from warehouse.files.storage import replace_file

            replace_file(output, audit_page(verdicts, cycles, f"Audit of {opened.manifest.name}").encode())
            typer.echo(f"wrote {output}")
