"""A rejected trial into the warehouse. Needs no OpenSim: a parent process stores what became of a dead worker."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from pipeline.storing.job import Job, open_job
from pipeline.storing.request import SessionRequest
from pipeline.storing.stages import RETRY, StageAccount, to_json
from warehouse.errors import WarehouseError
from warehouse.files.lock import one_writer
from warehouse.files.read import stored
from warehouse.files.write import NewFile, row_file, write_together
from warehouse.holdings.contents import trial_paths
from warehouse.outcome import Outcome, Rejection


def record_rejection(request: SessionRequest, trial: str, rejection: Rejection) -> Outcome:
    """Store that a trial gives nothing because its session's static trial was refused.

    It replaces what the trial gave before, and is kept under a key of its own, so that the next `ingest` tries again.
    """
    return store_rejected(open_job(request), trial, rejection, {})


def record_crash(request: SessionRequest, trial: str, rejection: Rejection) -> Outcome:
    """Store a rejection on behalf of a worker that could not: it died or hung, or the disk was full.

    It is kept under a key of its own, so that the next `ingest` tries the trial again. An accepted result that the
    warehouse holds stays: what could not be computed replaces nothing.
    """
    return store_failure(open_job(request), trial, rejection)


def store_failure(job: Job, trial: str, rejection: Rejection) -> Outcome:
    """Write a trial that could not be computed, to be tried again; an accepted result that is there stays."""
    key = job.setup.session.trial_key(trial)
    with one_writer(job.warehouse, key):
        if _holds_result(job, trial):
            return Outcome(
                key=key, rejection=replace(rejection, reason=f"{rejection.reason} The earlier result was kept.")
            )
        return _write(job, trial, rejection, {})


def store_rejected(
    job: Job,
    trial: str,
    rejection: Rejection,
    accounts: Mapping[str, StageAccount],
    solved: Sequence[NewFile] = (),
) -> Outcome:
    """Write a rejected trial's row, with what was `solved` of it, and take away what an earlier run of it left.

    Without accounts of its stages the trial is kept under a key of its own, so that the next run tries it again.
    """
    with one_writer(job.warehouse, job.setup.session.trial_key(trial)):
        return _write(job, trial, rejection, accounts, solved)


def _write(
    job: Job,
    trial: str,
    rejection: Rejection,
    accounts: Mapping[str, StageAccount],
    solved: Sequence[NewFile] = (),
) -> Outcome:
    key = job.setup.session.trial_key(trial)
    row = row_file(
        job.warehouse,
        "trials",
        key,
        {
            **description(job, trial),
            "outcome": "rejected",
            "stage": rejection.stage,
            "reason": rejection.reason,
            "log": rejection.log or None,
            "n_cycles_right": 0,
            "n_cycles_left": 0,
            "warnings": [],
        },
        provenance_key=accounts["quality"].key if accounts else RETRY,
        recipe=job.setup.recipe.name,
        made_from={"stages": to_json(accounts)},
    )
    paths = trial_paths(job.warehouse, key)
    left = {*paths.obsolete("rejected"), *paths.rejected} - {file.path for file in solved}
    write_together(job.warehouse, solved, row, obsolete=sorted(left))
    return Outcome(key=key, rejection=rejection)


def _holds_result(job: Job, trial: str) -> bool:
    try:
        row = stored(job.warehouse, "trials", job.setup.session.trial_key(trial))
    except WarehouseError:
        return False
    return bool(row.summary["outcome"] != "rejected")


def description(job: Job, trial: str) -> dict[str, object]:
    """What a trial's row says of its recording, whatever became of it."""
    listed = job.setup.session.trial(trial)
    return {"condition": listed.condition, "source": listed.path.name}
