"""`gait2hip import`: one command for each kind of file that others publish."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import WarehouseOption, plain_errors
from flows.commands.learning.import_checkpoint import checkpoint


def gait2hip60(
    warehouse: WarehouseOption,
    npz: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="Gait2Hip_MF60.npz (forces), Gait2Hip_JM60.npz (moments) or both; repeat it."
        ),
    ] = None,
    archive: Annotated[
        Path | None, typer.Option(metavar="ZIP|DIR", help="The archive of trials (.mot, .sto), with --subjects.")
    ] = None,
    subjects: Annotated[
        Path | None, typer.Option(metavar="CSV", help="The archive's subjects: subject_id, height_m, weight_kg.")
    ] = None,
    cohort: Annotated[str, typer.Option(metavar="C", help="The cohort to import into.")] = "gait2hip60",
) -> None:
    """Take the published data set's gait cycles into a warehouse, to cut releases from them."""
    with plain_errors():
        from warehouse.interchange.import_archive import import_archive
        from warehouse.interchange.import_npz import import_npz
        from warehouse.layout import Warehouse

        if bool(npz) == (archive is not None) or (archive is None) != (subjects is None):
            raise ValueError("import gait2hip60: give --npz FILE, or --archive ZIP|DIR and --subjects CSV.")
        if archive is not None and subjects is not None:
            n_accepted, n_rejected = import_archive(Warehouse(warehouse), archive, subjects, cohort)
            typer.echo(f"{n_accepted} accepted, {n_rejected} rejected, in {warehouse}, cohort {cohort}")
        else:
            n_cycles = import_npz(Warehouse(warehouse), npz or [], cohort)
            typer.echo(f"{n_cycles} gait cycles imported into {warehouse}, cohort {cohort}")


import_app = typer.Typer(no_args_is_help=True, help="Take in what others publish: data sets, trained models.")
for command in (gait2hip60, checkpoint):
    import_app.command()(command)
