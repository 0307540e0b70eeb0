"""`gait2hip status`."""

import typer

from flows.commands.common import WarehouseOption, plain_errors


def status(warehouse: WarehouseOption) -> None:
    """Say what a warehouse holds: accepted and rejected trials, and why."""
    with plain_errors():
        from warehouse import status as survey
        from warehouse.layout import Warehouse

        typer.echo(survey.render(survey.status(Warehouse(warehouse))))
