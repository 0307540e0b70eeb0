"""`gait2hip doctor`."""

from typing import Annotated

import typer

from flows.commands.common import plain_errors

EXIT_PROBLEM = 1


def doctor(
    warehouse: Annotated[
        str | None, typer.Option(metavar="DIR", help="Look at this warehouse too: a folder, or s3://bucket/prefix.")
    ] = None,
) -> None:
    """Say whether this machine can do the work, and a warehouse is well; and what to do where not.

    Exit code 1 if there is a problem.
    """
    with plain_errors():
        from flows.doctor import examine, findings_in_words

        findings = list(examine(warehouse))
        typer.echo(findings_in_words(findings))
        if any(finding.state == "problem" for finding in findings):
            raise typer.Exit(EXIT_PROBLEM)
