"""The chain's functions as `flows.ingesting.ingest` calls them; each imports what it needs when it is called.

`flows.ingesting.ingest` knows this module by its name, so that a flow's parameters stay plain values. `prepare_session`
and `process_trial` run in worker processes; the others in the process that keeps the batch together, which
never loads OpenSim.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.session.session import Session
    from pipeline.storing.staleness import SessionState
    from warehouse.outcome import Outcome, SessionOutcome

# What a worker needs: the fork server imports it once. The command line is what its main module imports.
PRELOAD = ("pipeline.storing.prepare_session", "pipeline.process_trial", "pipeline.osim.exact.engine", "flows.cli")


def load_session(session: str, recipe: str, model: str | None, warehouse: str) -> "Session":
    """The session in a folder or file, checked with all it is run with; ValueError says what is wrong."""
    from pipeline.session.session import session_file_of
    from pipeline.storing.job import open_job

    return open_job(str(session_file_of(Path(session))), recipe, model, warehouse).session


def session_state(session: str, recipe: str, model: str | None, warehouse: str) -> "SessionState":
    """Which of a session's trials are up to date; ValueError if it can't be run as configured."""
    from pipeline.storing.job import open_job
    from pipeline.storing.staleness import session_state as state

    return state(open_job(session, recipe, model, warehouse))


def check_warehouse(root: str) -> None:
    """WarehouseError if nothing can be written there."""
    from warehouse.files.storage import check_warehouse_writable
    from warehouse.layout import Warehouse

    check_warehouse_writable(Warehouse(root))


def prepare_session(session: str, recipe: str, model: str | None, warehouse: str) -> "SessionOutcome":
    """Scale the session's model, if it isn't fresh."""
    from pipeline.storing.prepare_session import prepare_session as prepare

    return prepare(session, recipe, model, warehouse)


def process_trial(session: str, trial: str, recipe: str, model: str | None, warehouse: str) -> "Outcome":
    """Take one trial through the chain, if it isn't fresh, and store what became of it."""
    from pipeline.process_trial import process_trial as process

    return process(session, trial, recipe, model, warehouse)


def record_rejection(
    session: str,
    trial: str,
    recipe: str,
    model: str | None,
    warehouse: str,
    stage: str,
    reason: str,
    log: str,
) -> "Outcome":
    """Store the rejection of a trial whose session can't be prepared."""
    from pipeline.storing.store_rejected import record_rejection as record

    return record(session, trial, recipe, model, warehouse, stage, reason, log)


def record_crash(
    session: str,
    trial: str,
    recipe: str,
    model: str | None,
    warehouse: str,
    stage: str,
    reason: str,
    log: str,
) -> "Outcome":
    """Store the rejection of a trial whose own process could not."""
    from pipeline.storing.store_rejected import record_crash as record

    return record(session, trial, recipe, model, warehouse, stage, reason, log)
