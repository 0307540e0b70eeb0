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
    release: Annotated[
        str | None, typer.Option(metavar="RELEASE", help="The release on whose unseen subjects models are tested.")
    ] = None,
    run: Annotated[
        list[Path] | None, typer.Option(metavar="RUN", help="A trained model to show; may be repeated.")
    ] = None,
) -> None:
    """Write one HTML page: who walked how, mean curves by condition, trained models, quality, rejections."""
    with plain_errors():
        from reports.pages.dataset import dataset_page
        from warehouse.files.storage import replace_file
        from warehouse.layout import Warehouse

        if bool(run) != (release is not None):
            raise ValueError("--run and --release belong together: a model is tested on a release's subjects.")
        sections = []
        if run and release:
            from flows.learning.model_sections import model_sections

            sections = model_sections(run, release)
        page = dataset_page(Warehouse(warehouse), title or f"Gait data in {warehouse}", sections)
        replace_file(output, page.encode())
        typer.echo(f"wrote {output}")
