"""Fills a warehouse as ingest does, with made-up results: two sessions of two trials, stored as real ones are.

`python -m tests.faults.made_up_ingest ROOT RECIPE`: each session and each trial in a worker process of its own.
`start` gives a group of processes that do the same without a program's start: in a fraction of a second.
"""

import multiprocessing
import os
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.process import BaseProcess

import numpy as np

from flows.workers.call_outcome import CallOutcome, value_of
from flows.workers.worker_pool import WorkerPool
from pipeline.storing.stages import STAGES, table_keys
from tests.warehouse.samples import BODY_FIGURES, SESSION_ROW, SIZING, cycles_columns, frame_tables, trial_row
from warehouse.files.lock import one_writer
from warehouse.files.write import row_file, scaled_model_file, table_file, write_together
from warehouse.holdings.contents import is_session_fresh, is_trial_fresh
from warehouse.holdings.sources import SessionSource, remember_source
from warehouse.identity import SessionKey, TrialKey
from warehouse.layout import Warehouse
from warehouse.provenance import stable_hash

SESSIONS = tuple(SessionKey(cohort="adults", subject=subject, session="v1") for subject in ("S1", "S2"))
TRIALS = tuple(session.of_trial(trial) for session in SESSIONS for trial in ("t1", "t2"))
TIME_LIMIT_S = 60.0


def store_session(root: str, key: SessionKey) -> None:
    """As `pipeline.storing.prepare_session` does."""
    warehouse, made_by = Warehouse(root), {"provenance_key": stable_hash(str(key)), "recipe": "made-up"}
    bodies = {"body": ["pelvis"], "scale_x": [1.0], "scale_y": [1.1], "scale_z": [0.9], "mass_kg": [10.0]}
    files = [
        scaled_model_file(warehouse, key, "<OpenSimDocument/>" * 20_000),
        table_file(warehouse, "scaling", key, bodies, **made_by),
        table_file(warehouse, "static_markers", key, {"marker": ["RASI"], "error_m": [np.nan]}, **made_by),
        table_file(warehouse, "sizing", key, SIZING, **made_by),
        table_file(warehouse, "body_figures", key, BODY_FIGURES, **made_by),
        row_file(warehouse, "subjects", key, {"sex": "F"}, **made_by),
    ]
    with one_writer(warehouse, key):
        if not is_session_fresh(warehouse, key, made_by["provenance_key"]):
            write_together(warehouse, files, row_file(warehouse, "sessions", key, SESSION_ROW, **made_by))
    remember_source(warehouse, SessionSource(key=key, session_file="session.toml", recipe="made-up", model=None))


def store_trial(root: str, key: TrialKey, recipe: str) -> None:
    """As `pipeline.storing.store_trial` does. Another recipe gives other forces and cycles."""
    warehouse, stages = Warehouse(root), {name: {"key": stable_hash([name, recipe])} for name in STAGES}
    made_by = table_keys({name: entry["key"] for name, entry in stages.items()})
    units = {table: units for table, (_, units) in frame_tables().items()}
    columns = {table: columns for table, (columns, _) in frame_tables().items()}
    columns |= {"cycles": cycles_columns(n_right=2 + len(recipe))}
    files = [
        table_file(
            warehouse, table, key, content, provenance_key=made_by[table], recipe=recipe, units=units.get(table, {})
        )
        for table, content in columns.items()
    ]
    row = row_file(
        warehouse,
        "trials",
        key,
        trial_row(n_cycles_right=2 + len(recipe)),
        provenance_key=made_by["trials"],
        recipe=recipe,
        made_from={"stages": stages},
    )
    with one_writer(warehouse, key):
        if not is_trial_fresh(warehouse, key, made_by):
            write_together(warehouse, files, row)


def start(root: str, recipe: str) -> BaseProcess:
    """The leader of a new process group, with a worker for each session; end it by `os.killpg`, or let it end."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.made_up_ingest"])
    leader = context.Process(target=_lead, args=(root, recipe))
    leader.start()
    return leader


def _lead(root: str, recipe: str) -> None:
    os.setsid()
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=_store_all, args=(root, recipe, session)) for session in SESSIONS]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.exit(sum(abs(worker.exitcode or 0) for worker in workers))


def _store_all(root: str, recipe: str, session: SessionKey) -> None:
    store_session(root, session)
    for trial in TRIALS:
        if trial.session_key == session:
            store_trial(root, trial, recipe)


def all_at_once(function: Callable[..., None], *arguments: tuple[object, ...]) -> list[BaseProcess]:
    """A process for each call, all of them running."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.made_up_ingest"])
    processes = [context.Process(target=function, args=each) for each in arguments]
    for process in processes:
        process.start()
    return processes


def store_trial_after(pause_s: float, root: str, key: TrialKey, recipe: str) -> None:
    """`store_trial`, later."""
    time.sleep(pause_s)
    store_trial(root, key, recipe)


def main(root: str, recipe: str, pause_s: str = "0") -> None:
    """Sessions first, then trials, each after a pause, by two worker processes."""
    with WorkerPool(2, ["tests.faults.made_up_ingest"]) as pool, ThreadPoolExecutor(2) as threads:

        def run(function: Callable[..., None], *args: object) -> CallOutcome:
            return pool.run(function, *args, time_limit_s=TIME_LIMIT_S)

        calls = [threads.submit(run, store_session, root, session) for session in SESSIONS]
        _require_done([call.result() for call in calls])
        calls = [threads.submit(run, store_trial_after, float(pause_s), root, trial, recipe) for trial in TRIALS]
        _require_done([call.result() for call in calls])


def _require_done(outcomes: list[CallOutcome]) -> None:
    for outcome in outcomes:
        value_of(outcome)


if __name__ == "__main__":
    # Workers import what they run by its name.
    from tests.faults import made_up_ingest

    made_up_ingest.main(*sys.argv[1:])
