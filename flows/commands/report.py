"""`gait2hip report`."""

from pathlib import Path
from typing import Annotated

import typer

from flows.commands.common import WarehouseOption, plain_errors


def report(
    warehouse: WarehouseOption,
    output: Annotated[Path, typer.Option("--output", "-o", metavar="FILE", help="The page to write, .html.")],
    title: Annotated[
        str | None, typer.Option(metavar="TEXT", help="The page's title; default: the folder's name.")
    ] = None,
) -> None:
    """Write one HTML page about a warehouse: who walked how, mean curves by condition, quality, rejections."""
    with plain_errors():
        from warehouse.layout import Warehouse
        from warehouse.pages.dataset import dataset_page

        page = dataset_page(Warehouse(warehouse), title or f"Gait data in {warehouse}")
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(page, "utf-8")
        typer.echo(f"wrote {output}")
