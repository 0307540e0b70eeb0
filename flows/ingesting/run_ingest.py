"""`gait2hip ingest` from plan to report: what is checked first, then the flow."""

import contextlib
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from flows.ingesting.ingest import STEPS, IngestReport, Listener, Plan, plan_ingest, steps_of
from flows.prefect_server.local_prefect import start_prefect
from warehouse.errors import WarehouseError
from warehouse.files.storage import remove_leftovers
from warehouse.holdings.runs import IngestRun, remember_run
from warehouse.layout import Warehouse


def ingest(
    sessions: Sequence[Path],
    *,
    warehouse: str,
    recipe: str,
    model: Path | None,
    workers: int,
    on_progress: Callable[[int], Listener],
    only: Sequence[str] = (),
    steps: str = STEPS,
    cluster: str = "",
) -> IngestReport:
    """Run sessions as a Prefect flow and report what became of each trial.

    `only` are patterns of trials (`flows.ingesting.selection`), none meaning all; `cluster` a Dask scheduler's address,
    whose workers are used in place of this machine's. `on_progress` is told the number of trials and
    gives what is called with each outcome. ValueError if no session can be run as configured, WarehouseError if the
    warehouse can't be written, PrefectNotStarted.
    """
    plan = plan_ingest(
        sessions, warehouse=warehouse, recipe=recipe, model=model, only=only, steps=steps, cluster=cluster
    )
    if not plan.runs:
        # A wrong recipe or model has every session say the same.
        raise ValueError("\n\n".join(dict.fromkeys(refusal.reason for refusal in plan.refused)))
    return run_plan(plan, workers=workers, on_progress=on_progress)


def run_plan(plan: Plan, *, workers: int, on_progress: Callable[[int], Listener]) -> IngestReport:
    """Run a plan of at least one session and note how long it took. Arguments and errors as of `ingest`."""
    root = plan.runs[0].warehouse
    steps_of(plan.runs[0].steps).check_warehouse(root)
    # Of runs that were killed; what the warehouse's folders hold of them goes with the next file written there.
    remove_leftovers(Path(tempfile.gettempdir()))
    start_prefect()
    # Prefect reads its settings when it is first imported.
    from flows.ingesting.ingest_flow import run_flow

    began, clock_s = datetime.now(UTC), time.perf_counter()
    report = run_flow(plan, workers=workers, listener=on_progress(plan.n_trials))
    run = IngestRun(
        began=began.isoformat(timespec="milliseconds"),
        n_computed=sum(not outcome.fresh for outcome in report.outcomes),
        n_fresh=sum(outcome.fresh for outcome in report.outcomes),
        seconds=round(time.perf_counter() - clock_s, 3),
        workers=workers,
    )
    if run.n_computed:
        # A disk that is full now has made trials fail, and they have said so.
        with contextlib.suppress(WarehouseError):
            remember_run(Warehouse(root), run, os.getpid())
    return report
