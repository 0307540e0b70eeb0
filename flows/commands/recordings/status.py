"""`gait2hip status`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import WarehouseOption, plain_errors


def status(
    warehouse: WarehouseOption,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Compare with other settings than each session was ingested with."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Compare with another musculoskeletal model (.osim).")
    ] = None,
) -> None:
    """Say what a warehouse holds: accepted and rejected trials, why, and with what warnings; what is stale and why."""
    with plain_errors():
        from flows.ingesting.bodies import sizing_lines
        from flows.ingesting.regenerate import check_settings, plan_regeneration, states_in_words
        from flows.ingesting.report import print_refusals
        from flows.ingesting.warnings_in_words import warning_lines
        from warehouse.holdings import status as contents
        from warehouse.holdings.sources import read_sources
        from warehouse.holdings.told import stored_warnings
        from warehouse.layout import Warehouse

        check_settings(recipe, model)
        where = Warehouse(warehouse)
        found = contents.warehouse_status(where)
        typer.echo(contents.status_text(found))
        warnings = warning_lines(
            stored_warnings(where, [trial.key for trial in (*found.accepted, *found.of_kinematics)])
        )
        if warnings:
            typer.echo("\n" + "\n".join(warnings))
        if not read_sources(where):
            typer.echo("\nWhether it is up to date can't be told: it does not know where its sessions' recordings are.")
            return
        plan = plan_regeneration(warehouse, recipe=recipe, model=model)
        typer.echo(f"\nagainst today's recordings, settings, model and code: {states_in_words(plan)}")
        for line in sizing_lines(where, [session.key for session in plan.sessions]):
            typer.echo(line)
        print_refusals("can't be checked", plan.refused)
