"""One trial from its C3D file to the warehouse: what a worker does."""

import tempfile
from pathlib import Path

from pipeline.errors import TrialRejected
from pipeline.motion_only.process_motion import process_motion
from pipeline.own_model.standing import standing_subject
from pipeline.process_trial import process_trial
from pipeline.records import SubjectModel
from pipeline.solving.judged_strides import SolvedButRejected
from pipeline.storing.job import Job, open_job
from pipeline.storing.request import SessionRequest
from pipeline.storing.stages import keys_of, table_keys
from pipeline.storing.staleness import stored_outcome
from pipeline.storing.store_motion import store_motion
from pipeline.storing.store_rejected import store_failure, store_rejected
from pipeline.storing.store_solved import solved_files
from pipeline.storing.store_trial import store_accepted
from pipeline.storing.stored_kinematics import read_kinematics
from warehouse.files.read import read_scaled_model, read_table, stored
from warehouse.holdings.contents import is_session_fresh, is_trial_fresh
from warehouse.outcome import Outcome, Rejection

# A rejected trial's log keeps this many lines.
LOG_LINES = 30


def ingest_trial(request: SessionRequest, trial: str) -> Outcome:
    """Take one trial through the chain and store what became of it, unless the warehouse holds just that already.

    ValueError for what the user must correct before anything can run. What is wrong with the trial itself is
    an outcome: rejected, with the stage and the reason, in the warehouse too.
    """
    job = open_job(request)
    setup, key = job.setup, job.setup.session.trial_key(trial)
    with tempfile.TemporaryDirectory(prefix="gait2hip-") as name:
        directory = Path(name)
        try:
            accounts = job.trial_accounts(trial)
        except TrialRejected as unreadable:
            # A disk that is away, say: nothing is known against what the recording gave before.
            return store_failure(job, trial, Rejection(stage=unreadable.stage, reason=unreadable.reason))
        keys = keys_of(accounts)
        try:
            if is_trial_fresh(job.warehouse, key, table_keys(keys)):
                return stored_outcome(stored(job.warehouse, "trials", key))
            model = _subject_model(job, keys["session"], directory)
            static = standing_subject(setup)
            known = read_kinematics(job.warehouse, key, keys)
            listed = setup.session.trial(trial)
            if setup.session.kinematics_only:
                motion = process_motion(setup, listed, static, model, directory, known)
                return store_motion(job, trial, accounts, motion)
            result = process_trial(setup, listed, static, model, directory, known)
        except TrialRejected as rejected:
            rejection = Rejection(stage=rejected.stage, reason=rejected.reason, log=_log_tail(directory))
            solved = solved_files(job, trial, accounts, rejected) if isinstance(rejected, SolvedButRejected) else ()
            return store_rejected(job, trial, rejection, accounts, solved)
        return store_accepted(job, trial, accounts, result)


def _subject_model(job: Job, session_key: str, directory: Path) -> SubjectModel:
    """The session's scaled model as a file; ValueError if the warehouse doesn't hold one of these settings."""
    session = job.setup.session
    if not is_session_fresh(job.warehouse, session.key, session_key):
        raise ValueError(
            f"{session.file}: the warehouse holds no scaled model of this session by these settings. "
            "Run `gait2hip ingest`, which makes it first; if that has just run, the session has changed since."
        )
    file = directory / "scaled.osim"
    file.write_text(read_scaled_model(job.warehouse, session.key), "utf-8")
    told = read_table(job.warehouse, "body_figures", session.key)["warning"].to_pylist()
    return SubjectModel(file=file, scale_factors=_scale_factors(job), warnings=tuple(filter(None, told)))


def _scale_factors(job: Job) -> dict[str, tuple[float, float, float]]:
    table = read_table(job.warehouse, "scaling", job.setup.session.key)
    factors = zip(*(table[f"scale_{axis}"].to_pylist() for axis in "xyz"), strict=True)
    return dict(zip(table["body"].to_pylist(), factors, strict=True))


def _log_tail(directory: Path) -> str:
    """The last lines of the newest OpenSim log under a trial's directory; "" if OpenSim never ran."""
    logs = sorted(directory.rglob("opensim.log"), key=lambda path: path.stat().st_mtime)
    return "\n".join(logs[-1].read_text("utf-8", "replace").splitlines()[-LOG_LINES:]) if logs else ""
