"""`gait2hip regenerate`."""

import os
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import (
    EXIT_USAGE,
    DaskOption,
    PrefectOption,
    WarehouseOption,
    WorkersOption,
    plain_errors,
)


def regenerate(
    warehouse: WarehouseOption,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="FILE", help="Other settings than each session was ingested with: a file or packaged name."
        ),
    ] = None,
    model: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Another musculoskeletal model (.osim) than each was ingested with."),
    ] = None,
    only: Annotated[
        list[str] | None,
        typer.Option(metavar="GLOB", help="COHORT/SUBJECT/SESSION/TRIAL or its beginning, with *; may be repeated."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Say what would be done and why, and do nothing.")] = False,
    workers: WorkersOption = None,
    dask: DaskOption = None,
    no_prefect: PrefectOption = False,
) -> None:
    """Compute again exactly what a changed recording, setting, model or version, or damage, has made stale.

    Exit codes as of `ingest`; 0 if there was nothing to do, 2 if a session can't be run.
    """
    with plain_errors():
        from flows.ingesting.regenerate import check_settings, plan_in_words, plan_regeneration, stale_part
        from flows.ingesting.report import print_refusals, print_report, progress_bar
        from flows.ingesting.run_plan import run_plan
        from warehouse.holdings.damage import replace_damaged, verified_in_words, verify_warehouse
        from warehouse.holdings.runs import last_run
        from warehouse.holdings.told import stored_warnings
        from warehouse.layout import Warehouse

        check_settings(recipe, model)
        count = workers or os.cpu_count() or 1
        where = Warehouse(warehouse)
        verified = verify_warehouse(where, {})
        if not verified.is_well:
            typer.echo(verified_in_words(where, verified))
        plan = plan_regeneration(warehouse, recipe=recipe, model=model, only=only or (), damaged=verified.damaged)
        typer.echo(plan_in_words(plan, last_run(where), count))
        print_refusals("can't be run", plan.refused)
        if not dry_run:
            replace_damaged(where, verified)
        stale = stale_part(plan)
        if dry_run or not stale.sessions:
            raise typer.Exit(EXIT_USAGE if plan.refused else 0)
        with progress_bar() as on_progress:
            report = run_plan(
                stale, workers=count, on_progress=on_progress, cluster=dask or "", with_prefect=not no_prefect
            )
        print_report(report, stored_warnings(where, report.computed))
        raise typer.Exit(report.exit_code)
