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
    """Say what a warehouse holds: accepted and rejected trials and why, and what is stale and why."""
    with plain_errors():
        from flows.ingesting.bodies import sizing_lines
        from flows.ingesting.regenerate import plan_regeneration, states_in_words
        from warehouse.holdings import status as contents
        from warehouse.holdings.sources import read_sources
        from warehouse.layout import Warehouse

        where = Warehouse(warehouse)
        typer.echo(contents.status_text(contents.warehouse_status(where)))
        if not read_sources(where):
            typer.echo("\nWhether it is up to date can't be told: it does not know where its sessions' recordings are.")
            return
        plan = plan_regeneration(warehouse, recipe=recipe, model=model)
        typer.echo(f"\nagainst today's recordings, settings, model and code: {states_in_words(plan)}")
        for line in sizing_lines(where, [session.key for session in plan.sessions]):
            typer.echo(line)
        for refusal in plan.refused:
            typer.echo(f"gait2hip: can't be checked: {refusal.reason}", err=True)
