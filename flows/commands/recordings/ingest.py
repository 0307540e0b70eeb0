"""`gait2hip ingest`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import DaskOption, PrefectOption, WarehouseOption, WorkersOption, plain_errors


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
    replace: Annotated[
        bool, typer.Option("--replace", help="Sessions may take the place of stored ones of another person.")
    ] = False,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    no_prefect: PrefectOption = False,
) -> None:
    """Take sessions through the chain into a warehouse; what is up to date is not done again.

    Exit code 0: finished, at least one trial accepted; 3: finished, none accepted;
    2: usage or configuration error, or a result that could not be stored (the rest is run all the same).
    """
    with plain_errors():
        from flows.ingesting.bodies import body_lines
        from flows.ingesting.plan import plan_ingest
        from flows.ingesting.report import print_report, progress_bar
        from flows.ingesting.run_plan import run_plan
        from warehouse.holdings.told import stored_warnings
        from warehouse.layout import Warehouse

        with progress_bar() as on_progress:
            plan = plan_ingest(sessions, warehouse=warehouse, recipe=recipe, model=model, replace=replace)
            report = run_plan(
                plan,
                workers=workers or os.cpu_count() or 1,
                on_progress=on_progress,
                cluster=dask or "",
                with_prefect=not no_prefect,
            )
        warehouse_of_run = Warehouse(plan.warehouse)
        print_report(report, stored_warnings(warehouse_of_run, report.computed))
        bodies = body_lines(warehouse_of_run, report.outcomes)
        if bodies:
            typer.echo("sized bodies, each figure's worst and its limit:")
        for line in bodies:
            typer.echo(f"  {line}")
        raise typer.Exit(report.exit_code)
