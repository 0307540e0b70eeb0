"""`gait2hip diff`."""

from typing import Annotated

import typer

from flows.commands.common import existing_warehouse, plain_errors


def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="A warehouse: a folder, or s3://bucket/prefix.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="The warehouse to compare it with.")],
) -> None:
    """Say how much inputs and targets differ between two warehouses, channel by channel, over the cycles both hold."""
    with plain_errors():
        from warehouse.holdings import diff as comparison

        found = comparison.diff_warehouses(existing_warehouse(old), existing_warehouse(new))
        typer.echo(comparison.diff_text(found))
