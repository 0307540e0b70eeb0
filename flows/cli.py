"""The command line `gait2hip`. Each command imports what it needs when it runs, so that `--help` answers at once."""

from typing import Annotated

import typer

from flows.commands.audit import audit
from flows.commands.diff import diff
from flows.commands.doctor import doctor
from flows.commands.evaluate import evaluate
from flows.commands.export import export
from flows.commands.export_model import export_model
from flows.commands.import_ import import_app
from flows.commands.ingest import ingest
from flows.commands.init_session import init_session
from flows.commands.inspect import inspect
from flows.commands.models import models_app
from flows.commands.predict import predict
from flows.commands.regenerate import regenerate
from flows.commands.release import release
from flows.commands.report import report
from flows.commands.status import status
from flows.commands.train import train
from flows.commands.verify import verify
from flows.commands.virtual import virtual

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="From a laboratory's C3D files to hip muscle forces and moments, in Parquet.",
)

# In the order in which `--help` lists them: the order in which they are needed.
for command in (
    virtual,
    init_session,
    inspect,
    ingest,
    status,
    report,
    regenerate,
    diff,
    verify,
    release,
    audit,
    export,
    train,
    evaluate,
    predict,
    export_model,
    doctor,
):
    app.command()(command)
app.add_typer(import_app, name="import")
app.add_typer(models_app, name="models")


def main() -> None:
    """The console script."""
    app()


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
