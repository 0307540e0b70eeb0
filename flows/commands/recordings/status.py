"""`gait2hip status`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import WarehouseOption, plain_errors

EXIT_DAMAGED = 1


def status(
    warehouse: WarehouseOption,
    recipe: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Compare with other settings than each session was ingested with."),
    ] = None,
    model: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Compare with another musculoskeletal model (.osim).")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read every file to its last byte, and name what is damaged.")
    ] = False,
) -> None:
    """Say what a warehouse holds: accepted and rejected trials, why, and with what warnings; what is stale and why.

    Exit code 1 if --verify finds damage.
    """
    with plain_errors():
        from flows.ingesting.bodies import sizing_lines
        from flows.ingesting.regenerate import check_settings, plan_regeneration, states_in_words
        from flows.ingesting.report import print_refusals
        from flows.ingesting.warnings_in_words import warning_lines
        from warehouse.holdings import status as contents
        from warehouse.holdings.damage import verified_in_words, verify_warehouse
        from warehouse.holdings.sources import read_sources
        from warehouse.holdings.told import stored_warnings
        from warehouse.layout import Warehouse
        from warehouse.release.publish import damaged_releases

        check_settings(recipe, model)
        where = Warehouse(warehouse)
        found = contents.warehouse_status(where)
        typer.echo(contents.status_text(found))
        warnings = warning_lines(
            stored_warnings(where, [trial.key for trial in (*found.accepted, *found.of_kinematics)])
        )
        if warnings:
            typer.echo("\n" + "\n".join(warnings))
        verified = verify_warehouse(where, damaged_releases(where)) if verify else None
        if verified:
            typer.echo(f"\n{verified_in_words(where, verified)}")
        if not read_sources(where):
            typer.echo("\nWhether it is up to date can't be told: it does not know where its sessions' recordings are.")
            raise typer.Exit(EXIT_DAMAGED if verified and not verified.is_well else 0)
        damaged = verified.damaged if verified else None
        plan = plan_regeneration(warehouse, recipe=recipe, model=model, damaged=damaged)
        typer.echo(f"\nagainst today's recordings, settings, model and code: {states_in_words(plan)}")
        for line in sizing_lines(where, [session.key for session in plan.sessions]):
            typer.echo(line)
        print_refusals("can't be checked", plan.refused)
        raise typer.Exit(EXIT_DAMAGED if verified and not verified.is_well else 0)
