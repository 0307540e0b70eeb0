"""`gait2hip init-session`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import plain_errors


def init_session(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the session's recordings.")],
    subject: Annotated[str, typer.Option(metavar="ID", help="The subject's code; never a name.")],
    mass_kg: Annotated[float | None, typer.Option(metavar="M", help="Body mass, kilograms.")] = None,
    height_m: Annotated[float | None, typer.Option(metavar="H", help="Standing height, metres.")] = None,
    sex: Annotated[str | None, typer.Option(metavar="F|M", help="Sex, if recorded.")] = None,
    age_y: Annotated[float | None, typer.Option(metavar="A", help="Age in years, if recorded.")] = None,
    cohort: Annotated[str | None, typer.Option(metavar="C", help="The group the subject belongs to.")] = None,
    profile: Annotated[
        str | None,
        typer.Option(metavar="P", help="The laboratory's marker set: a packaged name or a TOML file."),
    ] = None,
    static: Annotated[str | None, typer.Option(metavar="FILE", help="The static trial's file name.")] = None,
    condition: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB=NAME", help="Which files were walked how: '*slow*=slow'. May be repeated."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="Where to write; default DIR/session.toml."),
    ] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Write again where a session file stands; that is kept beside it.")
    ] = False,
) -> None:
    """Inspect a folder of C3D and TRC files and write its session.toml, with what can't be known left to fill in.

    Nothing is written where an option is wrong. Exit code 2 says so.
    """
    with plain_errors():
        from pipeline.session.init_session import init_session as write_session
        from pipeline.session.stated_facts import SubjectFacts

        facts = SubjectFacts(id=subject, mass_kg=mass_kg, height_m=height_m, sex=sex, age_y=age_y)
        conditions = [_condition(text) for text in condition or ()]
        written = write_session(
            directory,
            subject=facts,
            cohort=cohort,
            profile=profile,
            static=static,
            conditions=conditions,
            output=output,
            force=force,
        )
        typer.echo(f"wrote {written.file}")
        if written.kept:
            typer.echo(f"the file that stood there is {written.kept}: what was edited in it is not carried over")
        for note in written.notes:
            typer.echo(note)
        for contradiction in written.contradictions:
            typer.echo(f"gait2hip: check: {contradiction}", err=True)
        if written.missing:
            typer.echo(f"to do: fill in {' and '.join(written.missing)} in {written.file}: nothing is assumed")
            return
        typer.echo(f"ready: gait2hip ingest {written.file} --warehouse DIR")
        typer.echo(f"plates and cameras of one time? gait2hip plates-lag {written.file}")


def _condition(text: str) -> tuple[str, str]:
    glob, separator, name = text.rpartition("=")
    if not (separator and glob and name):
        raise ValueError(f"--condition {text!r}: expected GLOB=NAME, as in '*slow*=slow'.")
    return glob, name
