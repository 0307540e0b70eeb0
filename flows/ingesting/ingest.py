"""Recordings to warehouse: what `gait2hip ingest` does, without Prefect. `flows.ingesting.ingest_flow` schedules it.

A session is prepared (its model scaled) before its trials; each of these calls runs in a worker process of
its own. A trial is accepted or rejected, and either is stored; a session whose configuration is wrong is
refused, and nothing of it is stored. Neither stops the others.
"""

import importlib
import os
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from flows.ingesting.selection import check_patterns, is_selected
from flows.workers import worker_process
from flows.workers.worker_process import Crashed, ProcessOutcome, Raised, Returned, Stopped, TimedOut
from warehouse.errors import WarehouseError
from warehouse.identity import SessionKey
from warehouse.outcome import Outcome

if TYPE_CHECKING:
    from flows.workers.dask_workers import Cluster

STEPS = "flows.ingesting.steps"

# OpenSim's tools take about 0.15 s a frame, and a walk has hundreds of frames: what runs longer hangs.
TIME_LIMIT_S = 3600.0

EXIT_ACCEPTED = 0
EXIT_CONFIGURATION = 2
EXIT_NONE_ACCEPTED = 3

# The stage of a trial whose result the disk did not take.
STORING = "storing"

_LIBRARIES = ("c3d", "ezc3d", "opensim", "scipy")

# The caller's faults and the store's, as opposed to the recording's and to ours.
_CONFIGURATION_ERRORS = ("ValueError", "WarehouseError")


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionRun:
    """One session to ingest, in plain values. Paths are absolute: a worker has a directory of its own.

    `steps` is the name of the module that has the chain's functions (`flows.ingesting.steps`). `cluster` is a Dask
    scheduler's address; "" means processes of this machine.
    """

    session_file: str
    key: SessionKey
    trials: tuple[str, ...]
    recipe: str
    model: str | None
    warehouse: str
    steps: str
    cluster: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A session that was not run because its configuration is wrong."""

    session: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The sessions to run and the sessions refused; `only` are the patterns that chose the trials."""

    runs: tuple[SessionRun, ...]
    refused: tuple[Refusal, ...]
    only: tuple[str, ...] = ()

    @property
    def n_trials(self) -> int:
        """Trials to run, over all sessions."""
        return sum(len(run.trials) for run in self.runs)


@dataclass(frozen=True, slots=True, kw_only=True)
class Preparation:
    """What became of a session's scaling. Its trials run only if it is ready."""

    state: Literal["ready", "rejected", "crashed", "refused", "stopped"]
    stage: str = ""
    reason: str = ""
    log: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IngestReport:
    """What became of every trial, in the order of their keys, and the sessions that were refused."""

    outcomes: tuple[Outcome, ...]
    refused: tuple[Refusal, ...]

    @property
    def accepted(self) -> tuple[Outcome, ...]:
        """Trials that gave targets."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "accepted")

    @property
    def rejected(self) -> tuple[Outcome, ...]:
        """Trials that did not."""
        return tuple(outcome for outcome in self.outcomes if outcome.status == "rejected")

    @property
    def rejections_by_stage(self) -> dict[str, int]:
        """How many trials each stage rejected, most first."""
        return dict(Counter(outcome.stage or "" for outcome in self.rejected).most_common())

    @property
    def exit_code(self) -> int:
        """2 if a session was refused or a result not stored (the rest was run), else 0 if any was accepted, else 3."""
        if self.refused or STORING in self.rejections_by_stage:
            return EXIT_CONFIGURATION
        return EXIT_ACCEPTED if self.accepted else EXIT_NONE_ACCEPTED


# Called with each finished trial's outcome; with None where its session was refused.
Listener = Callable[[Outcome | None], None]


def plan_ingest(
    sessions: Sequence[Path],
    *,
    warehouse: str,
    recipe: str,
    model: Path | None,
    only: Sequence[str] = (),
    steps: str = STEPS,
    cluster: str = "",
) -> Plan:
    """Check everything that can be checked without running anything.

    A session that can't run as configured is refused; one that is named twice runs once. `only` are patterns of the
    trials to run (`flows.ingesting.selection`); none means all. `cluster` is as of `SessionRun`. ValueError if what
    ingest needs is not installed.
    """
    _require_installed()
    check_patterns(only)
    recipe = str(Path(recipe).absolute()) if Path(recipe).is_file() else recipe
    model_file = None if model is None else str(model.absolute())
    root = warehouse if "://" in warehouse else str(Path(warehouse).expanduser().absolute())
    runs: dict[SessionKey, SessionRun] = {}
    refused: list[Refusal] = []
    for path in dict.fromkeys(str(path.absolute()) for path in sessions):
        try:
            run = replace(_session_run(path, recipe, model_file, root, only, steps), cluster=cluster)
            _refuse_same_key(run, runs.get(run.key))
        except ValueError as error:
            refused.append(Refusal(session=path, reason=str(error)))
        else:
            runs[run.key] = run
    return Plan(runs=tuple(runs.values()), refused=tuple(refused), only=tuple(only))


def run_preparation(run: SessionRun) -> Preparation:
    """Scale the session's model in a worker process."""
    outcome = _run_step(run, "prepare_session", run.session_file)
    match outcome:
        case Returned(value=value) if value.accepted:
            return Preparation(state="ready")
        case Returned(value=value):
            return Preparation(state="rejected", stage=value.stage, reason=value.reason)
        case Stopped():
            return Preparation(state="stopped")
        case Raised() if not set(_CONFIGURATION_ERRORS).isdisjoint(outcome.type_names):
            return Preparation(state="refused", reason=outcome.message)
        case _:
            reason, log = _explained(outcome)
            return Preparation(state="crashed", stage="prepare_session", reason=reason, log=log)


def run_trial(run: SessionRun, trial: str, preparation: Preparation) -> Outcome | None:
    """Take one trial through the chain in a worker; None if its session is refused or the run stopped."""
    if preparation.state in ("refused", "stopped"):
        return None
    if preparation.state == "rejected":
        return _store("record_rejection", run, trial, preparation.stage, preparation.reason, preparation.log)
    if preparation.state == "crashed":
        return _store("record_crash", run, trial, preparation.stage, preparation.reason, preparation.log)
    outcome = _run_step(run, "process_trial", run.session_file, trial)
    match outcome:
        case Returned(value=value):
            return value
        case Stopped():
            return None
        case Raised() if "WarehouseError" in outcome.type_names:
            # A disk that filled up, say: the message says what to do, and nothing of the trial's is at fault.
            return _store("record_crash", run, trial, STORING, outcome.message, outcome.log_tail)
        case _:
            reason, log = _explained(outcome)
            return _store("record_crash", run, trial, "process_trial", reason, log)


def failed_trial(run: SessionRun, trial: str, error: BaseException) -> Outcome:
    """The outcome of a trial that not even the code around its worker process survived."""
    reason = f"{type(error).__name__}: {error}"
    return Outcome(key=run.key.of_trial(trial), status="rejected", stage="ingest", reason=reason)


def cluster_of(run: SessionRun) -> "Cluster":
    """The Dask cluster that a session runs on, connected. ValueError if it can't be."""
    # Here, so that Dask is needed only where a cluster is.
    try:
        from flows.workers.dask_workers import connect
    except ImportError as error:
        raise ValueError(f"--dask needs Dask's scheduler ({error}). Install: pip install 'gait2hip[dask]'.") from error
    return connect(run.cluster, tuple(steps_of(run.steps).PRELOAD))


def steps_of(name: str) -> Any:
    """The module that has the chain's functions."""
    return importlib.import_module(name)


def _require_installed() -> None:
    missing = [name for name in _LIBRARIES if find_spec(name) is None]
    if missing:
        raise ValueError(f"{', '.join(missing)} not installed. Install: pip install 'gait2hip[pipeline,flows]'.")


def _session_run(
    path: str, recipe: str, model: str | None, warehouse: str, only: Sequence[str], steps: str
) -> SessionRun:
    session = steps_of(steps).load_session(path, recipe, model, warehouse)
    return SessionRun(
        session_file=str(session.file),
        key=session.key,
        trials=tuple(t.name for t in session.trials if is_selected(session.key.of_trial(t.name), only)),
        recipe=recipe,
        model=model,
        warehouse=warehouse,
        steps=steps,
    )


def _refuse_same_key(run: SessionRun, other: SessionRun | None) -> None:
    if other is not None and other.session_file != run.session_file:
        raise ValueError(
            f"{run.session_file} and {other.session_file} are both session {run.key.session} of subject "
            f"{run.key.subject} in cohort {run.key.cohort}: one would overwrite the other. Correct one."
        )


def _run_step(run: SessionRun, name: str, *which: str) -> ProcessOutcome:
    # Workers inherit it. There is one for each core, and a sum must not depend on how many threads share it.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    step = getattr(steps_of(run.steps), name)
    try:
        return _runner(run)(step, *which, run.recipe, run.model, run.warehouse, time_limit_s=TIME_LIMIT_S)
    except WarehouseError as error:
        return Raised(type_names=(WarehouseError.__name__,), message=str(error), traceback="", log_tail="")


def _runner(run: SessionRun) -> Callable[..., ProcessOutcome]:
    if run.cluster:
        return cluster_of(run).run
    worker_process.preload(steps_of(run.steps).PRELOAD)
    return worker_process.run


def _explained(outcome: ProcessOutcome) -> tuple[str, str]:
    """Why a worker gave no outcome, and its log."""
    match outcome:
        case Crashed():
            return (
                f"the worker process crashed ({outcome.cause}). Run it again; if it crashes again, "
                "leave this trial out and report its log.",
                outcome.log_tail,
            )
        case TimedOut():
            return (
                f"the worker process had not finished after {outcome.limit_s:.0f} s and was ended. "
                "Is the recording far longer than a walk? Cut it, or leave it out.",
                outcome.log_tail,
            )
        case Raised():
            return (
                f"an unexpected {outcome.type_name}: {outcome.message}. This is a fault of gait2hip, "
                "not of the recording: please report it with its log.",
                f"{outcome.traceback}\n{outcome.log_tail}",
            )
    raise AssertionError(f"{outcome} has nothing to explain")


def _store(how: str, run: SessionRun, trial: str, stage: str, reason: str, log: str) -> Outcome:
    """Store a rejection by one of the chain's two ways, `record_rejection` or `record_crash`."""
    record = getattr(steps_of(run.steps), how)
    try:
        outcome: Outcome = record(run.session_file, trial, run.recipe, run.model, run.warehouse, stage, reason, log)
        return outcome
    except (WarehouseError, ValueError) as error:
        reason = f"{reason} This rejection could not be stored: {error}"
        return Outcome(key=run.key.of_trial(trial), status="rejected", stage=stage, reason=reason)
