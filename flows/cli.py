"""The command line `gait2hip`. Each command imports what it needs when it runs, so that `--help` answers at once."""

from typing import Annotated

import typer

from flows.commands.datasets.audit import audit
from flows.commands.datasets.diff import diff
from flows.commands.datasets.export import export
from flows.commands.datasets.import_ import import_app
from flows.commands.datasets.release import release
from flows.commands.datasets.report import report
from flows.commands.doctor import doctor
from flows.commands.learning.evaluate import evaluate
from flows.commands.learning.export_model import export_model
from flows.commands.learning.models import models_app
from flows.commands.learning.predict import predict
from flows.commands.learning.train import train
from flows.commands.recordings.ingest import ingest
from flows.commands.recordings.init_session import init_session
from flows.commands.recordings.inspect import inspect
from flows.commands.recordings.plates_lag import plates_lag
from flows.commands.recordings.profile import profile
from flows.commands.recordings.regenerate import regenerate
from flows.commands.recordings.status import status
from flows.commands.recordings.verify import verify
from flows.commands.recordings.virtual import virtual
from flows.commands.serve import serve

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
    profile,
    plates_lag,
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
    serve,
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
