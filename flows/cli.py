"""The command line `gait2hip`. Each command imports what it needs, so that `--help` answers at once."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From a laboratory's C3D files to hip muscle forces and moments, in Parquet.",
)

EXIT_CONFIGURATION = 2

WarehouseOption = Annotated[
    str, typer.Option("--warehouse", metavar="DIR", help="The warehouse: a folder, or s3://bucket/prefix.")
]


def main() -> None:
    """The console script."""
    app()


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Errors that name their cause print as they are, exit code 2; others keep their traceback."""
    from flows.local_prefect import PrefectNotStarted
    from pipeline.errors import TrialRejected
    from warehouse.errors import WarehouseError

    try:
        yield
    except (ValueError, WarehouseError, TrialRejected, PrefectNotStarted) as error:
        typer.echo(f"gait2hip: {error}", err=True)
        raise typer.Exit(EXIT_CONFIGURATION) from error


def _print_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"gait2hip {version('gait2hip')}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool,
        typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and exit."),
    ] = False,
) -> None:
    """Options that belong to no command."""


@app.command()
def init_session(
    directory: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the session's C3D files.")],
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
) -> None:
    """Inspect a folder of C3D files and write its session.toml, with what can't be known left to fill in."""
    with _plain_errors():
        from pipeline.init_session import SubjectFacts, missing_entries
        from pipeline.init_session import init_session as write_session

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
        )
        typer.echo(f"wrote {written}")
        missing = missing_entries(written)
        typer.echo(f"ready: gait2hip ingest {written} --warehouse DIR" if missing is None else f"to do: {missing}")


@app.command()
def ingest(
    sessions: Annotated[
        list[Path],
        typer.Argument(metavar="SESSION", help="Folders with a session.toml, or the files themselves."),
    ],
    warehouse: WarehouseOption,
    recipe: Annotated[
        str, typer.Option(metavar="FILE", help="The settings: a TOML file or a packaged recipe's name.")
    ] = "gait2hip60",
    model: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="The musculoskeletal model (.osim), in place of the recipe's or the built-in one."
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(metavar="N", min=1, help="Worker processes; default: one per core.")
    ] = None,
) -> None:
    """Take sessions through the chain into a warehouse; what is up to date is not done again.

    Exit code 0: finished, at least one trial accepted; 3: finished, none accepted;
    2: usage or configuration error (sessions that are configured right are run all the same).
    """
    with _plain_errors():
        from flows.report import print_report, progress_bar
        from flows.run_ingest import ingest as run

        with progress_bar() as on_progress:
            report = run(
                sessions,
                warehouse=warehouse,
                recipe=recipe,
                model=model,
                workers=workers or os.cpu_count() or 1,
                on_progress=on_progress,
            )
        print_report(report)
        raise typer.Exit(report.exit_code)


@app.command()
def inspect(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A recording.")],
    export: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Also write markers.parquet and plates.parquet there.")
    ] = None,
) -> None:
    """Print what a C3D file holds: rates, labels, gaps, plates, events, subject, warnings."""
    with _plain_errors():
        from pipeline.inspect_recording import describe
        from pipeline.inspect_recording import export as write_export
        from pipeline.read_c3d import read_c3d

        recording = read_c3d(file)
        typer.echo(describe(recording))
        if export is not None:
            write_export(recording, export)
            typer.echo(f"wrote {export / 'markers.parquet'} and {export / 'plates.parquet'}")


@app.command()
def status(warehouse: WarehouseOption) -> None:
    """Say what a warehouse holds: accepted and rejected trials, and why."""
    with _plain_errors():
        from warehouse import status as survey
        from warehouse.layout import Warehouse

        typer.echo(survey.render(survey.status(Warehouse(warehouse))))


def _condition(text: str) -> tuple[str, str]:
    glob, separator, name = text.rpartition("=")
    if not (separator and glob and name):
        raise ValueError(f"--condition {text!r}: expected GLOB=NAME, as in '*slow*=slow'.")
    return glob, name
