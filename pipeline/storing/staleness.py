"""Which of a session's trials are up to date, and why the others are not."""

from dataclasses import dataclass
from typing import Literal

from pipeline.errors import TrialRejected
from pipeline.storing.another_person import refuse_another_person
from pipeline.storing.job import Job, open_job
from pipeline.storing.request import SessionRequest
from pipeline.storing.stages import RETRY, Facts, StageAccount, keys_of, table_keys, what_changed
from warehouse.errors import MissingFile, WarehouseError
from warehouse.files.read import stored
from warehouse.holdings.contents import are_tables_fresh, is_session_fresh
from warehouse.identity import TrialKey
from warehouse.metadata import Stored
from warehouse.outcome import Outcome, Rejection


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialState:
    """Where a trial stands against today's recordings, settings, model and code.

    fresh: accepted, and would come out the same. rejected: so too. stale: would come out otherwise, or is to be tried
    again. missing: never done. unreachable: its files can't be read now. `changes` says why, by stage, for stale ones;
    `reason` in one line for all but fresh ones. `outcome` is what the warehouse holds of a fresh or rejected one.
    """

    key: TrialKey
    state: Literal["fresh", "rejected", "stale", "missing", "unreachable"]
    reason: str = ""
    stages: tuple[str, ...] = ()
    outcome: Outcome | None = None

    @property
    def to_do(self) -> bool:
        """Whether regenerating computes it."""
        return self.state in ("stale", "missing")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionState:
    """Whether a session's scaled model and tables are up to date, and the state of each of its trials, in its order."""

    scaled: bool
    trials: tuple[TrialState, ...]


def session_state(request: SessionRequest) -> SessionState:
    """The state of a session and of every trial it names.

    ValueError if it can't be run as configured, or would overwrite another person's.
    """
    job = open_job(request)
    if not request.replace:
        refuse_another_person(job)
    try:
        facts = job.session_facts()
    except TrialRejected as rejected:
        return SessionState(
            scaled=False, trials=tuple(_unreachable(job, trial.name, rejected) for trial in job.setup.session.trials)
        )
    return SessionState(
        scaled=is_session_fresh(job.warehouse, job.setup.session.key, job.session_accounts(facts)["session"].key),
        trials=tuple(_trial_state(job, trial.name, facts) for trial in job.setup.session.trials),
    )


def _unreachable(job: Job, trial: str, why: TrialRejected) -> TrialState:
    return TrialState(key=job.setup.session.trial_key(trial), state="unreachable", reason=why.reason)


def _trial_state(job: Job, trial: str, facts: Facts) -> TrialState:
    key = job.setup.session.trial_key(trial)
    try:
        accounts = job.trial_accounts(trial, facts)
    except TrialRejected as rejected:
        return _unreachable(job, trial, rejected)
    try:
        row = stored(job.warehouse, "trials", key)
    except MissingFile:
        return TrialState(key=key, state="missing", reason="not done yet", stages=tuple(accounts))
    except WarehouseError as error:
        return TrialState(key=key, state="stale", reason=str(error), stages=tuple(accounts))
    if row.key == RETRY:
        return TrialState(key=key, state="stale", reason="is to be tried again", stages=tuple(accounts))
    # The session's own row is not what a trial is made of.
    accounts.pop("session")
    changes = what_changed(row.made_from.get("stages", {}), accounts)
    if changes:
        return TrialState(key=key, state="stale", reason=_in_one_line(changes), stages=tuple(changes))
    return _undisturbed(job, row, accounts)


def _undisturbed(job: Job, row: Stored, accounts: dict[str, StageAccount]) -> TrialState:
    """Nothing it is made of has changed: fresh or rejected, unless its files or its session's are gone."""
    key = TrialKey(**row.identity)
    keys = keys_of(accounts)
    if row.summary["outcome"] == "rejected":
        outcome = stored_outcome(row)
        return TrialState(key=key, state="rejected", reason=str(outcome.rejection), outcome=outcome)
    if not are_tables_fresh(job.warehouse, row, table_keys(keys)):
        return TrialState(key=key, state="stale", reason="some of its tables are gone or of another run")
    return TrialState(key=key, state="fresh", outcome=stored_outcome(row))


def stored_outcome(row: Stored) -> Outcome:
    """What became of a trial that is up to date, as its row has it."""
    rejection = None
    if row.summary["outcome"] == "rejected":
        rejection = Rejection(stage=row.summary["stage"], reason=row.summary["reason"])
    n_cycles = row.summary["n_cycles_right"] + row.summary["n_cycles_left"]
    return Outcome(
        key=TrialKey(**row.identity),
        rejection=rejection,
        fresh=True,
        n_cycles=n_cycles,
        kinematics_only=row.summary["outcome"] == "kinematics",
    )


def _in_one_line(changes: dict[str, tuple[str, ...]]) -> str:
    """What began it: stages that only follow others are left to the list of stages."""
    causes = [cause for why in changes.values() for cause in why if not cause.startswith("follows ")]
    return "; ".join(dict.fromkeys(causes))
