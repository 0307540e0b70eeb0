"""What commands share: options, and how an error is told."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from warehouse.layout import Warehouse

EXIT_USAGE = 2
# Neither the caller nor the recordings are to blame.
EXIT_FAULT = 4

ReleaseArgument = Annotated[
    str, typer.Argument(metavar="RELEASE", help="The release's folder, or s3://…", show_default=False)
]

DeviceOption = Annotated[str, typer.Option("--device", help="Where networks run: auto, cpu or cuda.")]

RunOutOption = Annotated[
    Path, typer.Option("--output", "-o", metavar="RUN", help="The folder to make.", show_default=False)
]

WarehouseOption = Annotated[
    str, typer.Option("--warehouse", metavar="DIR", help="The warehouse: a folder, or s3://bucket/prefix.")
]

WorkersOption = Annotated[
    int | None, typer.Option("--workers", metavar="N", min=1, help="Worker processes; default: one per core.")
]

PrefectOption = Annotated[
    bool, typer.Option("--no-prefect", help="Run the same without Prefect, on plain threads: a quick look.")
]

DaskOption = Annotated[
    str | None, typer.Option("--dask", metavar="tcp://…", help="Use the workers of this Dask cluster instead.")
]


def existing_warehouse(root: str) -> "Warehouse":
    """The warehouse that is there. WarehouseError if nothing was ever stored at `root`, for a slip in its name."""
    from warehouse.errors import WarehouseError
    from warehouse.files.storage import describe_os_errors
    from warehouse.layout import Warehouse, table_directory

    warehouse = Warehouse(root)
    with describe_os_errors("read", root):
        found = warehouse.filesystem.get_file_info(table_directory(warehouse, "trials")).type.name
    if found != "Directory":
        raise WarehouseError(
            f"there is no warehouse at {root}, or nothing has been stored in it yet. Give the folder that "
            "`gait2hip ingest` wrote to."
        )
    return warehouse


@contextmanager
def plain_errors() -> Iterator[None]:
    """Errors that name their cause print as they are, exit code 2; others keep their traceback.

    What a worker process reports as a fault of ours is printed with its log, exit code 4.
    """
    from flows.prefect_server.local_prefect import PrefectNotStarted
    from flows.workers.call_outcome import WorkerFault
    from pipeline.errors import TrialRejected
    from warehouse.errors import WarehouseError

    try:
        yield
    except (ValueError, WarehouseError, TrialRejected, PrefectNotStarted) as error:
        typer.echo(f"gait2hip: {error}", err=True)
        raise typer.Exit(EXIT_USAGE) from error
    except WorkerFault as fault:
        typer.echo(f"gait2hip: {fault.reason}\n{fault.log}".rstrip(), err=True)
        raise typer.Exit(EXIT_FAULT) from fault
