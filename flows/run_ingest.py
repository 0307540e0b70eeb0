"""`gait2hip ingest` from plan to report: what is checked first, then the flow."""

from collections.abc import Callable, Sequence
from pathlib import Path

from flows.ingest import STEPS, IngestReport, Listener, plan_ingest, steps_of
from flows.local_prefect import start_prefect


def ingest(
    sessions: Sequence[Path],
    *,
    warehouse: str,
    recipe: str,
    model: Path | None,
    workers: int,
    on_progress: Callable[[int], Listener],
    steps: str = STEPS,
) -> IngestReport:
    """Run sessions as a Prefect flow and report what became of each trial.

    `on_progress` is told the number of trials and gives what is called with each outcome. ValueError if no
    session can be run as configured, WarehouseError if the warehouse can't be written, PrefectNotStarted.
    """
    plan = plan_ingest(sessions, warehouse=warehouse, recipe=recipe, model=model, steps=steps)
    if not plan.runs:
        # A wrong recipe or model has every session say the same.
        raise ValueError("\n\n".join(dict.fromkeys(refusal.reason for refusal in plan.refused)))
    steps_of(steps).check_warehouse(plan.runs[0].warehouse)
    start_prefect()
    # Prefect reads its settings when it is first imported.
    from flows.ingest_flow import run_flow

    return run_flow(plan, workers=workers, listener=on_progress(plan.n_trials))
