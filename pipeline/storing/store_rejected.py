"""A rejected trial into the warehouse. Needs no OpenSim: a parent process stores what became of a dead worker."""

from collections.abc import Mapping

from pipeline.storing.job import Job, open_job
from pipeline.storing.stages import RETRY, StageAccount, to_json
from warehouse.errors import WarehouseError
from warehouse.files.lock import one_writer
from warehouse.files.read import stored
from warehouse.files.write import row_file, write_together
from warehouse.holdings.contents import trial_paths
from warehouse.outcome import Outcome


def record_rejection(
    session_file: str,
    trial: str,
    recipe_source: str,
    model_file: str | None,
    warehouse_root: str,
    stage: str,
    reason: str,
    log: str,
) -> Outcome:
    """Store that a trial gives nothing because its session's static trial was refused.

    It replaces what the trial gave before, and is kept under a key of its own, so that the next `ingest` tries again.
    """
    job = open_job(session_file, recipe_source, model_file, warehouse_root)
    return store_rejected(job, trial, stage, reason, log, {})


def record_crash(
    session_file: str,
    trial: str,
    recipe_source: str,
    model_file: str | None,
    warehouse_root: str,
    stage: str,
    reason: str,
    log: str,
) -> Outcome:
    """Store a rejection on behalf of a worker that could not: it died or hung, or the disk was full.

    It is kept under a key of its own, so that the next `ingest` tries the trial again. An accepted result that the
    warehouse holds stays: what could not be computed replaces nothing.
    """
    return store_failure(open_job(session_file, recipe_source, model_file, warehouse_root), trial, stage, reason, log)


def store_failure(job: Job, trial: str, stage: str, reason: str, log: str) -> Outcome:
    """Write a trial that could not be computed, to be tried again; an accepted result that is there stays."""
    key = job.session.trial_key(trial)
    with one_writer(job.warehouse, key):
        if _holds_accepted(job, trial):
            return Outcome(key=key, status="rejected", stage=stage, reason=f"{reason} The earlier result was kept.")
        return _write(job, trial, stage, reason, log, {})


def store_rejected(
    job: Job, trial: str, stage: str, reason: str, log: str, accounts: Mapping[str, StageAccount]
) -> Outcome:
    """Write a rejected trial's row, and take away what an earlier, accepted run of it left.

    Without accounts of its stages the trial is kept under a key of its own, so that the next run tries it again.
    """
    with one_writer(job.warehouse, job.session.trial_key(trial)):
        return _write(job, trial, stage, reason, log, accounts)


def _write(job: Job, trial: str, stage: str, reason: str, log: str, accounts: Mapping[str, StageAccount]) -> Outcome:
    key = job.session.trial_key(trial)
    row = row_file(
        job.warehouse,
        "trials",
        key,
        {
            **description(job, trial),
            "outcome": "rejected",
            "stage": stage,
            "reason": reason,
            "log": log or None,
            "n_cycles_right": 0,
            "n_cycles_left": 0,
            "warnings": [],
        },
        provenance_key=accounts["quality"].key if accounts else RETRY,
        recipe=job.recipe.name,
        made_from={"stages": to_json(accounts)},
    )
    files = trial_paths(job.warehouse, key)
    write_together(job.warehouse, (), row, obsolete=(*files.trial, files.cycles))
    return Outcome(key=key, status="rejected", stage=stage, reason=reason)


def _holds_accepted(job: Job, trial: str) -> bool:
    try:
        return bool(stored(job.warehouse, "trials", job.session.trial_key(trial)).summary["outcome"] == "accepted")
    except WarehouseError:
        return False


def description(job: Job, trial: str) -> dict[str, object]:
    """What a trial's row says of its recording, whatever became of it."""
    found = job.session.trial(trial)
    return {"condition": found.condition, "source": found.path.name}
